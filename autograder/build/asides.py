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
    """Raise ValueError if a cell that is no aside speaks of a name that an aside binds."""
    code = [cell for cell in cells if cell.kind == "code"]
    asides = [cell for cell in code if cell.role in ASIDES]
    bound = {name for cell in asides for statement in of_cell(0, cell.source) for name in statement.names}
    for cell in code:
        if cell.role not in ASIDES:
            source = answer(cell.source) if is_question(cell.role) else cell.source
            names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
            if needed := sorted(names & bound):
                raise ValueError(
                    f"{', '.join(needed)}: bound by an aside, and spoken of by a cell that is none:\n{source}"
                )
