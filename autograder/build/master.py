"""The master notebook: one Jupytext file with both languages, read as the cells of one edition."""

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from symtable import symtable
from typing import Literal

import jupytext

from autograder.course import CourseError
from autograder.language import LANGUAGES, Language

__all__ = ["ASIDES", "Cell", "cells", "check_asides", "filled", "in_language", "written"]

ASIDES = {"aside", "picture"}
"""The roles of cells that are asides: passed over in runs that nobody sees."""
_COMMENT = re.compile(r"(?P<kept>\s*# )(?P<lang>ko|en): (?P<more>.*)")
_CODE = re.compile(r"(?P<kept>.*\S)  # (?P<lang>ko|en)(?P<more>)")
_EMBED = re.compile(r"# embed: ([\w/]+\.py)")
_ANSWER = re.compile(
    r'(?P<above>.*?) *""" # BEGIN PROMPT\n(?P<prompt>.*?) *"""  # END PROMPT\n'
    r" *# BEGIN SOLUTION NO PROMPT\n(?P<answer>.*?) *# END SOLUTION\n(?P<below>.*)",
    re.DOTALL,
)
_MARKUP = re.compile(r"\{\{\w+\}\}|# embed:.*|(?:BEGIN|END) (?:PROMPT|SOLUTION)")


@dataclass(frozen=True)
class Cell:
    """A cell as its author wrote it, in the language of the edition."""

    kind: str
    """`code` or `markdown`."""
    source: str
    role: str
    """A question's id for its answer cell, `check` for the cell that checks one, `picture` for
    tools, `aside` for what no cell but other asides needs, or nothing."""


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

    Raises:
        CourseError: a cell is in a language that there is no edition of.
    """
    chosen = []
    for cell in jupytext.read(master, fmt="py:percent").cells:
        lang = cell.metadata.get("lang", code)
        if lang not in {*LANGUAGES, "master"}:
            raise CourseError(f"no edition is in the language {lang!r}: {cell.source.splitlines()[0]}")
        if lang not in {*prose, code}:
            continue
        source = _EMBED.sub(lambda line: (master.parent / line[1]).read_text(encoding="utf-8").rstrip(), cell.source)
        source = filled(in_language(source, code) if cell.cell_type == "code" else source, values[lang])
        role = "check" if source.startswith("grader.check(") else cell.metadata.get("title", "")
        chosen.append(Cell(kind=cell.cell_type, source=source, role=role))
    return chosen


def written(source: str, part: Literal["answer", "prompt"]) -> str:
    """A cell as one who solves it would write it (its answer), or as students get it (its prompt).

    Raises `CourseError` for markup that means nothing.
    """
    form = _ANSWER.fullmatch(source + "\n")
    cell = "".join(form.group("above", part, "below")) if form else source
    if left := _MARKUP.search(cell):
        raise CourseError(f"solutions/rnn.py: {left[0]} means nothing in the cell that begins with {source[:60]!r}")
    return cell.strip("\n")


def check_asides(cells: Sequence[Cell]) -> None:
    """Raise `CourseError` if a cell that is no aside speaks of a name that an aside binds: asides may not be run."""
    code = [cell for cell in cells if cell.kind == "code"]
    bound = set().union(*(_bound(cell.source) for cell in code if cell.role in ASIDES))
    for cell in (cell for cell in code if cell.role not in ASIDES):
        parsed = ast.parse(source := written(cell.source, "answer"), f"rnn.py, cell {cell.role}")
        spoken = {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)}
        if needed := sorted(spoken & bound):
            raise CourseError(f"{', '.join(needed)}: bound by an aside, and spoken of by another cell:\n{source}")


def _bound(source: str) -> set[str]:
    """The names that *source* binds outside of functions and classes."""
    symbols = symtable(source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
