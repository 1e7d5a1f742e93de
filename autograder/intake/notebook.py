"""The code cells of a file, and which statements in them are answers. Nothing of a file is run or trusted here."""

import ast
import contextlib
import io
import json
import re
import tokenize
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from autograder.grade import Note
from autograder.intake import limits
from autograder.intake.archives import Refused, packed_as
from autograder.language import Language

__all__ = ["Assignment", "Source", "answers", "belongs", "read", "tree"]

_T = TypeVar("_T")

_KOREAN = re.compile("(?:[\uac00-\ud7a3][^\uac00-\ud7a3]*){5}")
_PROSE_CHARACTERS = 200
# `# %%` of Jupytext and editors, `# In[3]:` of nbconvert; Colab's export has no marks.
_CELL_MARK = re.compile(r"^# ?(?:%%|In ?\[[ \d]*\]:).*$", re.MULTILINE)
# A cell that begins with a `%%` magic is a comment as a whole in Colab's export, and in those of Databricks and Fabric.
_COMMENTED_CELL = re.compile(
    r"^# (?:Commented out IPython magic.*\n# |MAGIC )(%%.*\n(?:#.*\n?)*|%time .*\n?)", re.MULTILINE
)
_COMMENTED = re.compile(r"^# ?(?:MAGIC ?)?", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*#(?! ?%%| In\[)(.+)$", re.MULTILINE)
_MARIMO = re.compile(r"^import marimo$", re.MULTILINE)
_IMPORT = re.compile(r"^(?:import|from) \w", re.MULTILINE)
_SCRIPT_CODECS = re.compile(r"(?:utf|iso-?8859|cp|koi8|euc|mac|latin|ascii|shift|big5|gb|johab)[-_\w]*", re.IGNORECASE)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
# What is often handed in instead of a notebook: it is recognised if it has all of these marks.
_MISTAKEN = {
    "web-page": [r"\A\s*<(?:!doctype html|html|head)"],
    "link": [r"\A\s*(?:\[InternetShortcut\]|https?://\S+\s*\Z|<\?xml[^>]*>\s*<!DOCTYPE plist)"],
    "conflict-markers": [r"^<{7} ", r"^={7}$", r"^>{7} "],
}


@dataclass(frozen=True)
class Source:
    cells: tuple[str, ...]
    """The code cells, in order."""
    lang: Language | None
    """The edition's language, if it can be told."""


@dataclass(frozen=True)
class Assignment:
    """What intake must know of the course; its caller builds it."""

    given: frozenset[str]
    """Sources of the code cells of the released editions; answer cells hold their prompts."""
    names: frozenset[str]
    """What answers leave behind: embedding, rnn, ..., last_backward."""


def read(content: bytes, name: str) -> Source:
    """The code cells of a notebook or a script; *name* decides only how bytes that are no notebook are taken.

    Raises Refused, with a note of what else it is, for what is neither.
    """
    if not content.strip(b"\0 \t\r\n\f"):
        raise Refused(Note("empty-file"))
    suffix = name.lower().rpartition(".")[2][-10:]
    source = _decoded(content, suffix)
    if "\0" in source or packed_as(content[:512]) or content.startswith(b"%PDF"):
        raise Refused(Note("not-a-notebook", {"suffix": suffix}))
    notebook = _parsed(source)
    if notebook is not None:
        return _bounded(*_of_notebook(notebook))
    for kind, marks in _MISTAKEN.items():
        if all(re.search(mark, source, re.MULTILINE | re.IGNORECASE) for mark in marks):
            raise Refused(Note(kind))
    if suffix == "py" or (suffix == "txt" and _IMPORT.search(source)):
        return _bounded(_of_script(source), "\n".join(_COMMENT.findall(source)))
    if suffix == "ipynb" or source.lstrip().startswith("{"):
        raise Refused(Note("damaged-notebook"))
    raise Refused(Note("not-a-notebook", {"suffix": suffix}))


def _decoded(content: bytes, suffix: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        source = content.decode("utf-16", errors="replace")
    else:
        source = (suffix == "py" and _declared(content)) or _likeliest(content)
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _declared(content: bytes) -> str | None:
    """The text of a script in the encoding that its coding line names, if that is an encoding of text."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding) if _SCRIPT_CODECS.fullmatch(encoding) else None
    except (SyntaxError, UnicodeError, LookupError):
        return None


def _likeliest(content: bytes) -> str:
    """The text in UTF-8, even if some characters are damaged, or in what Korean Windows saves by default."""
    source = content.decode("utf-8-sig", errors="replace")
    damaged = source.count("\ufffd")
    if damaged and damaged * 5 > len(source) - len(source.encode("ascii", errors="ignore")):
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode("cp949")
    return source


def _parsed(source: str) -> dict[str, Any] | None:
    if not source.lstrip().startswith("{"):
        return None
    if source.count("[") + source.count("{") + source.count(",") > limits.JSON_PARTS:
        raise Refused(Note("notebook-too-large"))
    parsed: dict[str, Any] | None = None
    with contextlib.suppress(ValueError, RecursionError, MemoryError):
        parsed = json.loads(source)
    return parsed


def _of_notebook(notebook: dict[str, Any]) -> tuple[list[str], str, object]:
    """The code cells, the prose, and what the metadata tell of the edition."""
    sheets = [notebook, *_of_type(dict, notebook.get("worksheets"))]  # where nbformat 3 kept cells
    lists = [sheet["cells"] for sheet in sheets if isinstance(sheet.get("cells"), list)]
    if not lists:
        raise Refused(Note("link" if {"url", "doc_id"} & set(notebook) else "json-not-notebook"))
    code, prose = list[str](), list[str]()
    for cell in (cell for cells in lists for cell in _of_type(dict, cells)):
        lines = cell.get("source", cell.get("input"))
        source = "".join(_of_type(str, lines if isinstance(lines, list) else [lines]))
        # A lone surrogate can be written nowhere.
        (code if cell.get("cell_type") == "code" else prose).append(source.encode(errors="replace").decode())
    (metadata,) = _of_type(dict, [notebook.get("metadata")]) or [{}]
    return code, "\n".join(prose), metadata.get("edition")


def _of_type(kind: type[_T], values: object) -> list[_T]:
    return [value for value in values if isinstance(value, kind)] if isinstance(values, list) else []


def _of_script(source: str) -> list[str]:
    """The cells between marks, or a marimo notebook's."""
    cells = list[str]()
    if len(source) <= limits.SOURCE_CHARACTERS and _MARIMO.search(source):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # also in writing a tree down
            cells = _of_marimo(source)
    for index, part in enumerate(() if cells else _COMMENTED_CELL.split(source)):
        inside = [_COMMENTED.sub("", part)] if index % 2 else _CELL_MARK.split(part)
        cells += [cell for cell in inside if cell.strip()]
    return cells


def tree(source: str) -> ast.Module:
    """The syntax tree of *source*. Warnings are dropped: they quote it, codes for our terminal included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _of_marimo(source: str) -> list[str]:
    """The bodies of what are cells, and the functions and classes that are cells themselves.

    Each comes after the cells that bind what it takes, as marimo runs them: in many notebooks imports stand last.
    """
    nodes, cells, makers = list[Any](tree(source).body), dict[Any, str](), dict[str, Any]()
    for node in nodes:
        marks = "".join(map(ast.dump, getattr(node, "decorator_list", getattr(node, "items", []))))
        if "attr='cell'" in marks or "attr='setup'" in marks:
            handed_on = [each for each in node.body if isinstance(each, ast.Return)]
            makers |= {each.id: node for one in handed_on for each in ast.walk(one) if isinstance(each, ast.Name)}
            cells[node] = "\n".join(ast.unparse(each) for each in node.body if each not in handed_on)
        elif "attr='function'" in marks or "attr='class_definition'" in marks:
            node.decorator_list.pop(0)
            cells[node] = ast.unparse(node)
    found = list[str]()

    def place(node: Any) -> None:
        if node in cells:
            code = cells.pop(node)
            for name in getattr(getattr(node, "args", None), "args", ()):
                place(makers.get(name.arg))
            found.append(code)

    for node in nodes:
        place(node)
    return found


def _bounded(cells: list[str], prose: str, edition: object = None) -> Source:
    if sum(map(len, cells)) > limits.SOURCE_CHARACTERS:
        raise Refused(Note("too-much-code"))
    if len(cells) > limits.CELLS:
        raise Refused(Note("too-many-cells", {"most": limits.CELLS}))
    korean = edition == "ko" or (edition != "en" and _KOREAN.search("\n".join((prose, *cells))))
    english = edition == "en" or len(prose) >= _PROSE_CHARACTERS
    return Source(tuple(cells), "ko" if korean else "en" if english else None)


class _Statement(NamedTuple):
    form: str  # equal for statements that differ in layout and comments only
    names: frozenset[str]  # what it binds
    prompts: bool  # whether it leaves something open: `None`, `...`


def belongs(source: Source, assignment: Assignment) -> bool:
    """Whether the notebook seems to be this assignment's: it binds one of the names, or two given statements occur.

    One given statement that binds something is Otter's set-up, which other courses have too.
    """
    given, own = _statements(source, assignment)
    forms = {statement.form for statement in given if statement.names}
    return len(forms) > 1 or any(statement.names & assignment.names for statement in (*given, *own))


def answers(source: Source, assignment: Assignment) -> frozenset[str]:
    """The names that statements of the student's own bind to something."""
    _, own = _statements(source, assignment)
    return assignment.names.intersection(name for each in own if not each.prompts for name in each.names)


def _statements(source: Source, assignment: Assignment) -> tuple[list[_Statement], list[_Statement]]:
    """The statements that were given, and those of the student's own."""
    (released, forms), found, left = _released(assignment), list[_Statement](), limits.TOKENS
    for cell in source.cells:
        own = 0 if cell in released else len(_TOKEN.findall(cell))
        if own <= left:
            left -= own
            found += released[cell] if cell in released else _apart(cell)
    return [each for each in found if each.form in forms], [each for each in found if each.form not in forms]


@lru_cache(maxsize=8)
def _released(assignment: Assignment) -> tuple[dict[str, list[_Statement]], set[str]]:
    """The released cells taken apart, and the forms of all their statements."""
    cells = {cell: _apart(cell) for cell in assignment.given}
    return cells, {statement.form for statements in cells.values() for statement in statements}


@lru_cache(maxsize=64)
def _apart(cell: str) -> list[_Statement]:
    """The top-level statements of a cell; of one with an error, those of its paragraphs without."""
    try:
        return [_described(node) for node in tree(_MAGIC.sub(r"\1pass", cell)).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        paragraphs = re.split(r"\n[ \t]*\n(?=\S)", cell)
        return [each for paragraph in paragraphs for each in _apart(paragraph)] if len(paragraphs) > 1 else []


def _described(node: ast.stmt) -> _Statement:
    inside = list(ast.walk(node))
    names = frozenset(each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
    prompts = any(isinstance(each, ast.Constant) and each.value in (None, ...) for each in inside)
    return _Statement(ast.dump(node), names, prompts)
