"""The master notebook: one Jupytext file with both languages, read as the cells of one edition."""

import ast
import itertools
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jupytext
from nbformat import NotebookNode

from autograder.course import CourseError
from autograder.course.files import content
from autograder.language import LANGUAGES, Language
from autograder.student.program import of_cell

__all__ = ["ASIDES", "Cell", "cells", "check_asides", "filled", "in_language", "written"]

ASIDES = {"aside", "picture"}
"""The roles of cells that are asides: passed over in runs that nobody sees."""
_BEGINNING = re.compile(r"^# *%%(?: .*)?$", re.MULTILINE)
_COMMENT = re.compile(r"(?P<kept>\s*# )(?P<lang>ko|en): ?(?P<more>.*)")
_CODE = re.compile(r"(?P<kept>.*\S) +# (?P<lang>ko|en)(?P<more>)")
_EMBED = re.compile(r"# embed: ([\w/]+\.py)")
_ANSWER = re.compile(
    r'(?P<above>.*?) *""" *# BEGIN PROMPT *\n(?P<prompt>.*?) *""";? *# END PROMPT *\n'
    r" *# BEGIN SOLUTION NO PROMPT *\n(?P<answer>.*?) *# END SOLUTION *\n(?P<below>.*)",
    re.DOTALL,
)
_MARKUP = re.compile(r"\{\{ *\w+ *\}\}|# *embed:.*|(?:BEGIN|END) (?:PROMPT|SOLUTION)")


@dataclass(frozen=True)
class Cell:
    """A cell as its author wrote it, in the language of the edition."""

    kind: str
    """`code` or `markdown`."""
    source: str
    role: str
    """A question's id for its answer cell, `check` for the cell that checks one, `picture` for
    tools, `aside` for what no cell but other asides needs, or nothing."""
    where: str = "solutions/rnn.py"


def in_language(source: str, lang: Language) -> str:
    """*source* in *lang*: lines for another edition go, others lose their mark, as in `# ko: ...` and `...  # ko`."""
    lines = []
    for line in source.split("\n"):
        marked = _COMMENT.fullmatch(line) or _CODE.fullmatch(line)
        if marked is None:
            lines.append(line)
        elif marked["lang"] == lang:
            lines.append(marked["kept"] + marked["more"])
    return "\n".join(lines)


def filled(source: str, values: Mapping[str, str]) -> str:
    """*source* with a value in the place of each `{{name}}`."""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: values.get(name[1], name[0]), source)


def cells(
    master: Path, *, prose: Collection[Language], code: Language, values: Mapping[Language, Mapping[str, str]]
) -> list[Cell]:
    """The cells of *master* with text in the languages *prose* and comments in *code*, in order.

    *values* are filled in by the language of the cell.
    """
    chosen = []
    for cell in _read(master):
        lang = cell.metadata.get("lang", code)
        if lang not in {*prose, code}:
            continue
        source = _EMBED.sub(lambda line: content(master.parent / line[1]).rstrip(), cell.source)
        source = filled(in_language(source, code) if cell.cell_type == "code" else source, values[lang])
        role = "check" if source.startswith("grader.check(") else cell.metadata.get("title", "")
        chosen.append(Cell(cell.cell_type, source, role, cell.metadata.where))
    return chosen


def _read(master: Path) -> list[NotebookNode]:
    """The cells of *master*, each with `where` it stands.

    Raises:
        CourseError: a cell is in a language that there is no edition of, or a text is in one language only.
    """
    text = content(master)
    numbered = _BEGINNING.sub(lambda line: f"{line[0]} line={text.count(chr(10), 0, line.start()) + 1}", text)
    found: list[NotebookNode] = jupytext.reads(numbered, fmt="py:percent").cells
    for cell in found:
        cell.metadata.where = f"solutions/rnn.py, the cell at line {cell.metadata.get('line', 1)}"
        if odd := cell.metadata.get("incorrectly_encoded_metadata"):
            raise CourseError(f'{cell.metadata.where}: {odd} means nothing; write a language as lang="ko"')
        if (lang := cell.metadata.get("lang", "master")) not in {*LANGUAGES, "master"}:
            raise CourseError(f"{cell.metadata.where}: no edition is in the language {lang!r}")
    for kind, run in itertools.groupby(found, key=lambda cell: cell.cell_type):
        first, *more = run
        many = Counter(cell.metadata.get("lang") for cell in (first, *more))
        if kind == "markdown" and len({many[lang] for lang in LANGUAGES}) > 1:
            said = ", ".join(f"{many[lang]} in {lang}" for lang in LANGUAGES)
            raise CourseError(f"{first.metadata.where}: from here to the next code, {said}: a text is missing")
    return found


def written(cell: Cell, part: Literal["answer", "prompt"]) -> str:
    """The source of *cell* as one who solves it would write it (its answer), or as students get it (its prompt).

    Raises `CourseError` for markup that means nothing.
    """
    form = _ANSWER.fullmatch(cell.source + "\n")
    source = "".join(form.group("above", part, "below")) if form else cell.source
    if left := _MARKUP.search(source):
        forms = '""" # BEGIN PROMPT, """  # END PROMPT, # BEGIN SOLUTION NO PROMPT, # END SOLUTION, in this order'
        wanted = "" if left[0].startswith(("{", "#")) else f": an answer cell needs the lines {forms}"
        raise CourseError(f"{cell.where}: {left[0]} means nothing here{wanted}")
    return source.strip("\n")


def check_asides(cells: Sequence[Cell]) -> None:
    """Raise `CourseError` if a cell that is no aside speaks of a name that an aside binds: asides may not be run."""
    code = [cell for cell in cells if cell.kind == "code"]
    asides = (one for cell in code if cell.role in ASIDES for one in of_cell(0, written(cell, "answer")))
    bound = {name for statement in asides for name in statement.names}
    for cell in (cell for cell in code if cell.role not in ASIDES):
        spoken = {node.id for node in ast.walk(_parsed(cell)) if isinstance(node, ast.Name)}
        if needed := sorted(spoken & bound):
            raise CourseError(f"{cell.where}: {', '.join(needed)}: bound by an aside, which not every run carries out")


def _parsed(cell: Cell) -> ast.Module:
    try:
        return ast.parse(written(cell, "answer"))
    except SyntaxError as error:
        raise CourseError(f"{cell.where}: {error.msg}: {(error.text or '').strip()}") from error
