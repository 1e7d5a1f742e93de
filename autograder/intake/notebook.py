"""A file's bytes into code cells. Nothing is run here, and nothing is believed."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from typing import Any

from autograder.grade import Note
from autograder.intake.archives import packed_as
from autograder.language import Language

__all__ = ["Source", "Unreadable", "read"]

SOURCE_BYTES = 1024 * 1024
"""Most code that is run; real submissions have a thirtieth of it."""
CELLS = 2000
"""Most code cells; real submissions have a fiftieth of them."""
PARTS = 2_000_000
"""Most lists, objects and commas of a notebook: each stands for something that takes 20 times its memory."""

_KOREAN = re.compile("(?:[\uac00-\ud7a3][^\uac00-\ud7a3]*){5}")
_PROSE_CHARACTERS = 200
# `# %%` of Jupytext and editors, `# In[3]:` of nbconvert; Colab's export has no marks.
_CELL_MARK = re.compile(r"^# ?(?:%%|In ?\[[ \d]*\]:).*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*#(?! ?%%| In\[)(.+)$", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_LINK = re.compile(r"\[InternetShortcut\].*|<\?xml.*<plist.*<key>URL</key>.*|https?://\S+", re.DOTALL)
_LINK_CHARACTERS = 5000
_IMPORT = re.compile(r"^(?:import|from) \w", re.MULTILINE)
_CELL = "attr='cell'"  # in the dump of `@app.cell`
_SCRIPT_CODECS = re.compile(r"(?:utf|iso-?8859|cp|koi8|euc|mac|latin|ascii|shift|big5|gb|johab)[-_\w]*", re.IGNORECASE)


class Unreadable(Exception):
    """The file is no notebook; `note` says what it is instead."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.kind)
        self.note = note


@dataclass(frozen=True)
class Source:
    cells: tuple[str, ...]
    """The code cells, in order."""
    lang: Language | None
    """The edition's language, if it can be told."""


def read(content: bytes, name: str) -> Source:
    """The code cells of a notebook or a script; *name* decides only how bytes that are no notebook are taken.

    Raises `Unreadable`.
    """
    if not content.strip(b"\0 \t\r\n\f"):
        raise Unreadable(Note("empty-file"))
    source = _decode(content, name)
    notebook = _parse(source)
    if notebook is not None:
        return _bounded(_read_notebook(notebook))
    suffix = _suffix(name)
    start = source.lstrip()[:1000].lower()
    if start.startswith(("<!doctype html", "<html", "<head")):
        raise Unreadable(Note("web-page"))
    if len(source) < _LINK_CHARACTERS and _LINK.fullmatch(source.strip()):
        raise Unreadable(Note("link"))
    if {mark[0] for mark in _CONFLICT.findall(source)} == set("<=>"):
        raise Unreadable(Note("conflict-markers"))
    if suffix == "py" or (suffix == "txt" and _IMPORT.search(source)):
        return _bounded(_read_script(source))
    if suffix == "ipynb" or start.startswith("{"):
        raise Unreadable(Note("damaged-notebook"))
    raise Unreadable(Note("not-a-notebook", {"suffix": suffix}))


def _suffix(name: str) -> str:
    return name.lower().rpartition(".")[2][-10:]


def _decode(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        source = content.decode("utf-16", errors="replace")
    else:
        source = (name.lower().endswith(".py") and _declared(content)) or _likeliest(content)
    if "\0" in source or packed_as(content[:512]) or content.startswith(b"%PDF"):
        raise Unreadable(Note("not-a-notebook", {"suffix": _suffix(name)}))
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _declared(content: bytes) -> str | None:
    """A script in the encoding that its coding line names, if that is one of a language's."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding) if _SCRIPT_CODECS.fullmatch(encoding) else None
    except (SyntaxError, UnicodeError, LookupError):
        return None


def _likeliest(content: bytes) -> str:
    """UTF-8, if need be with some damaged characters, or what Windows in Korean saves by default."""
    source = content.decode("utf-8-sig", errors="replace")
    damaged = source.count("\ufffd")
    foreign = len(re.findall("[^\0-\x7f]", source)) - damaged if damaged else 0
    if damaged * 4 <= foreign:
        return source
    try:
        return content.decode("cp949")
    except UnicodeDecodeError:
        return source


def _parse(source: str) -> dict[str, Any] | None:
    if not source.lstrip().startswith("{"):
        return None
    if source.count("[") + source.count("{") + source.count(",") > PARTS:
        raise Unreadable(Note("notebook-too-large"))
    try:
        parsed: dict[str, Any] = json.loads(source)
    except (ValueError, RecursionError, MemoryError):
        return None
    return parsed


def _read_notebook(notebook: dict[str, Any]) -> Source:
    # nbformat 3 kept cells in worksheets.
    sheets = [sheet for sheet in _listed(notebook.get("worksheets")) if isinstance(sheet, dict)]
    older = [cell for sheet in sheets for cell in _listed(sheet.get("cells"))] if sheets else None
    cells = notebook.get("cells", older)
    if not isinstance(cells, list):
        raise Unreadable(Note("link" if {"url", "doc_id"} & set(notebook) else "json-not-notebook"))
    code: list[str] = []
    prose: list[str] = []
    for cell in cells:
        if isinstance(cell, dict):
            (code if cell.get("cell_type") == "code" else prose).append(_source(cell))
    metadata = notebook.get("metadata")
    edition = metadata.get("edition") if isinstance(metadata, dict) else None
    return Source(tuple(code), edition if edition in ("ko", "en") else _language("\n".join(prose), "\n".join(code)))


def _source(cell: dict[str, Any]) -> str:
    lines = cell.get("source", cell.get("input", ""))
    source = lines if isinstance(lines, str) else "".join(line for line in _listed(lines) if isinstance(line, str))
    return source.encode(errors="replace").decode()  # a lone surrogate can be written nowhere


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_script(source: str) -> Source:
    _bounded(Source((source,), None))
    marimo = _marimo_cells(source) if re.search(r"^import marimo$", source, re.MULTILINE) else []
    cells = marimo or [cell for cell in _CELL_MARK.split(source) if cell.strip()]
    return Source(tuple(cells), _language("\n".join(_COMMENT.findall(source)), source))


def _marimo_cells(source: str) -> list[str]:
    """The cells of a marimo notebook, which are the bodies of functions; none if it is something else."""
    try:
        functions = [
            each for each in ast.parse(source).body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        cells = [each.body for each in functions if any(_CELL in ast.dump(mark) for mark in each.decorator_list)]
        return ["\n".join(ast.unparse(node) for node in cell if not isinstance(node, ast.Return)) for cell in cells]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _language(prose: str, code: str) -> Language | None:
    if _KOREAN.search(prose + code):
        return "ko"
    return "en" if len(prose) >= _PROSE_CHARACTERS else None


def _bounded(source: Source) -> Source:
    if sum(map(len, source.cells)) > SOURCE_BYTES:
        raise Unreadable(Note("too-much-code", {"most": SOURCE_BYTES}))
    if len(source.cells) > CELLS:
        raise Unreadable(Note("too-many-cells", {"most": CELLS}))
    return source
