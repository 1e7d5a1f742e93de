"""The code cells that students are given, which are most of the code of most submissions."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.child.statements import Statement, of_cell

__all__ = ["Given", "given", "taken_apart", "unneeded"]

_EDITIONS = Path(__file__).parents[2] / "assignment"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Given:
    """A cell as it is handed out; answer cells hold their prompts."""

    statements: tuple[Statement, ...]
    """As those of no cell."""
    number: int
    """Its own among the code cells of its edition, from 1."""
    aside: bool
    """Whether it is for people to look at: no cell that is not an aside itself needs what it does."""

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """The names that it binds."""
        return frozenset().union(*(statement.names for statement in self.statements))


@functools.cache
def given() -> Mapping[str, Given]:
    """The cells of all editions by their source, in order."""
    found = {}
    for edition in sorted(_EDITIONS.glob("*/rnn.ipynb")):
        cells = json.loads(edition.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), 1):
            source = "".join(cell["source"])
            statements = tuple(Statement(0, node.lineno, node) for node in ast.parse(source).body)
            found[source] = Given(statements, number, "aside" in cell["metadata"].get("tags", ()))
    return found


def taken_apart(number: int, cell: str) -> Sequence[Statement]:
    """The statements of a submission's cell, in order; of one that was given, they are known."""
    return _at(number, cell) if cell in given() else list(of_cell(number, cell))


@functools.lru_cache(maxsize=1024)
def _at(number: int, cell: str) -> Sequence[Statement]:
    return [statement.within(number) for statement in given()[cell].statements]


@functools.lru_cache(maxsize=1)
def unneeded(cells: tuple[str, ...]) -> frozenset[int]:
    """The numbers of those of a submission's *cells* that are asides and bind no name that any other cell speaks of.

    A scenario under which nobody looks can do without them.
    """
    found = set()
    spoken: set[str] = set()
    for number, cell in reversed(list(enumerate(cells, 1))):  # an aside may need others before it
        known = given().get(cell)
        if known is not None and known.aside and known.names.isdisjoint(spoken):
            found.add(number)
        elif known is None or known.aside:
            spoken.update(_WORD.findall(cell))
    return frozenset(found)
