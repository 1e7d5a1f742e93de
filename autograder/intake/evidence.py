"""Whether a notebook is this assignment's, and whether anything in it was answered: its statements tell."""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from autograder.intake import limits
from autograder.intake.notebook import Source

__all__ = ["Assignment", "answers", "belongs"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class Assignment:
    """What intake must know of the course; its caller builds it."""

    given: frozenset[str]
    """Sources of the code cells of the released editions; answer cells hold their prompts."""
    names: frozenset[str]
    """What answers leave behind: embedding, rnn, ..., last_backward."""


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
            found += released[cell] if cell in released else _parsed(cell)
    return [each for each in found if each.form in forms], [each for each in found if each.form not in forms]


@lru_cache(maxsize=8)
def _released(assignment: Assignment) -> tuple[dict[str, list[_Statement]], set[str]]:
    """The released cells taken apart, and the forms of all their statements."""
    cells = {cell: _parsed(cell) for cell in assignment.given}
    return cells, {statement.form for statements in cells.values() for statement in statements}


@lru_cache(maxsize=64)
def _parsed(cell: str) -> list[_Statement]:
    """The top-level statements of a cell; of one with an error, those of its paragraphs without."""
    try:
        return [_described(node) for node in ast.parse(_MAGIC.sub(r"\1pass", cell)).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        paragraphs = re.split(r"\n[ \t]*\n(?=\S)", cell)
        return [each for paragraph in paragraphs for each in _parsed(paragraph)] if len(paragraphs) > 1 else []


def _described(node: ast.stmt) -> _Statement:
    inside = list(ast.walk(node))
    names = frozenset(each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store))
    prompts = any(isinstance(each, ast.Constant) and each.value in (None, ...) for each in inside)
    return _Statement(ast.dump(node), names, prompts)
