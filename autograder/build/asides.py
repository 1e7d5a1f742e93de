"""Asides are passed over in runs that nobody sees: no other cell may need one."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from autograder.build.master import Cell, answer, is_question
from autograder.child.statements import of_cell

__all__ = ["ASIDES", "check_asides"]

ASIDES = {"aside", "picture"}
"""The roles of cells that are asides."""


def check_asides(cells: Sequence[Cell]) -> None:
    """Raise ValueError if a cell that is no aside reads a name that only asides bind."""
    sources = [
        (cell.role in ASIDES, answer(cell.source) if is_question(cell.role) else cell.source)
        for cell in cells
        if cell.kind == "code"
    ]
    bound: dict[bool, set[str]] = {True: set(), False: set()}
    for aside, source in sources:
        bound[aside].update(name for statement in of_cell(0, source) for name in statement.names)
    for source in (source for aside, source in sources if not aside):
        read = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        if needed := sorted(read & (bound[True] - bound[False])):
            raise ValueError(f"a cell that is no aside needs {', '.join(needed)}, which only asides bind:\n{source}")
