"""Notebooks and their cells as the plain JSON objects of nbformat 4.5."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

__all__ = ["Node", "node", "notebook_node"]

Node = dict[str, Any]


def node(kind: str, source: str, **metadata: object) -> Node:
    """A cell of *kind* `code`, `markdown` or `raw`, without output."""
    output: Node = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": source, **output}


def notebook_node(cells: Sequence[Node], metadata: Node) -> Node:
    """A Python notebook of *cells*."""
    return {
        "cells": [cell | {"id": name} for cell, name in zip(cells, _names(cells), strict=True)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            **metadata,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _names(cells: Sequence[Node]) -> list[str]:
    """An id for each cell that depends on nothing but the content, so that an edit changes one cell's id only."""
    names: list[str] = []
    for cell in cells:
        digest = hashlib.sha256(cell["source"].encode()).hexdigest()[:8]
        name = cell["metadata"].get("question", digest)
        again = sum(known.startswith(name) for known in names)
        names.append(f"{name}-{again + 1}" if again else name)
    return names
