"""The code cells that students are given, which are most of the code of most submissions."""

import ast
import functools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.student.program import Statement

__all__ = ["Given", "given", "unneeded"]

_EDITIONS = Path(__file__).parents[2] / "assignment"


@dataclass(frozen=True)
class Given:
    """A cell as it is handed out; answer cells hold their prompts."""

    statements: tuple[Statement, ...]
    """As those of no cell."""
    aside: bool
    """Whether it is for people to look at: no cell that is not an aside itself needs what it does."""

    @functools.cached_property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(statement.names for statement in self.statements))


@functools.cache
def given() -> Mapping[str, Given]:
    """The cells of all editions by their source, in order."""
    found = {}
    for edition in sorted(_EDITIONS.glob("*/rnn.ipynb")):
        for cell in json.loads(edition.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                statements = tuple(Statement(0, node.lineno, node) for node in ast.parse(source).body)
                found[source] = Given(statements, "aside" in cell["metadata"].get("tags", ()))
    return found


def unneeded(cells: Sequence[str], own: Collection[str]) -> frozenset[int]:
    """The numbers of those of a submission's *cells* that are asides and bind no name that any other cell speaks of.

    *own* holds the names that cells of the student's own speak of.
    """
    found, needed = set(), set(own)
    for number, cell in reversed(list(enumerate(cells, 1))):  # an aside may need others before it
        known = given().get(cell)
        if known is None or not known.aside:
            continue
        if known.names.isdisjoint(needed):
            found.add(number)
        else:
            needed = needed.union(*(statement.spoken for statement in known.statements))
    return frozenset(found)
