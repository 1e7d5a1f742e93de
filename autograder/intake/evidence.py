"""Whether a notebook is this assignment's, and whether anything in it was answered: its statements tell."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from autograder.intake.notebook import Source

__all__ = ["Assignment", "answered", "answers", "belongs"]

_TOKENS = 30_000
"""Most words and signs of a file's own code that are looked at; real submissions have a tenth of it."""
_TOKEN = re.compile(r"\w+|[^\w\s]")
_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class Assignment:
    """What intake must know of the course; its caller builds it."""

    given: frozenset[str]
    """Sources of the code cells of the released editions; answer cells hold their prompts."""
    names: frozenset[str]
    """What answers leave behind: embedding, rnn, ..., last_backward."""


@dataclass(frozen=True)
class _Statement:
    form: str
    """Equal for statements that differ in layout and comments only."""
    names: frozenset[str]
    """What it binds."""
    prompts: bool
    """Whether it leaves something open: `None`, `...`."""


def belongs(source: Source, assignment: Assignment) -> bool:
    """Whether the notebook seems to be this assignment's: it binds one of the names, or two given statements occur.

    One given statement that binds something is Otter's set-up, which other courses have too.
    """
    statements, forms = _statements(source, assignment), _forms(assignment)
    given = {statement.form for statement in statements if statement.names and statement.form in forms}
    return len(given) > 1 or any(statement.names & assignment.names for statement in statements)


def answered(source: Source, assignment: Assignment) -> bool:
    """Whether any statement of the student's own binds one of the names to something."""
    return bool(answers(source, assignment))


def answers(source: Source, assignment: Assignment) -> set[str]:
    """The names that statements of the student's own bind to something."""
    statements, forms = _statements(source, assignment), _forms(assignment)
    own = [each.names for each in statements if each.form not in forms and not each.prompts]
    return {name for names in own for name in names & assignment.names}


@lru_cache(maxsize=8)
def _given(assignment: Assignment) -> dict[str, list[_Statement]]:
    return {cell: _parsed(cell) for cell in assignment.given}


@lru_cache(maxsize=8)
def _forms(assignment: Assignment) -> set[str]:
    return {statement.form for statements in _given(assignment).values() for statement in statements}


def _statements(source: Source, assignment: Assignment) -> list[_Statement]:
    given, statements, left = _given(assignment), list[_Statement](), _TOKENS
    for cell in source.cells:
        own = [] if cell in given else _TOKEN.findall(cell)
        if len(own) <= left:
            left -= len(own)
            statements += given[cell] if cell in given else _parsed(cell)
    return statements


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
