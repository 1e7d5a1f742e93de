"""Asides are passed over in runs that nobody sees: no other cell may need one."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from symtable import symtable

from autograder.build.master import Cell, answer, is_question

__all__ = ["ASIDES", "check_asides"]

ASIDES = {"aside", "picture"}
"""The roles of cells that are asides."""


def check_asides(cells: Sequence[Cell]) -> None:
    """Raise ValueError if a cell that is no aside speaks of a name that an aside binds."""
    code = [cell for cell in cells if cell.kind == "code"]
    bound = set().union(*(_bound(cell.source) for cell in code if cell.role in ASIDES))
    for cell in code:
        if cell.role not in ASIDES:
            source = answer(cell.source) if is_question(cell.role) else cell.source
            spoken = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
            if needed := sorted(spoken & bound):
                raise ValueError(f"{', '.join(needed)}: bound by an aside, and spoken of by another cell:\n{source}")


def _bound(source: str) -> set[str]:
    """The names that *source* binds outside of functions and classes."""
    symbols = symtable(source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
