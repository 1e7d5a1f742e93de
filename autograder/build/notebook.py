"""The notebooks as files: with the metadata that tools rely on, executed where asked."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from autograder.build.asides import ASIDES
from autograder.build.master import Cell, answer, is_question
from autograder.build.node import Node, node, notebook_node
from autograder.build.otter_assign import student_cells
from autograder.language import Language

__all__ = ["executed", "solution", "student", "written"]

_TQDM_TIMING = re.compile(r" \[\d\d:\d\d<[^\]]*\]")


def student(cells: Sequence[Cell], edition: Language) -> Node:
    """The notebook handed out: prompts instead of answers, no output, and errors stop no run of all cells."""
    return notebook_node([_finished(cell, "raises-exception") for cell in student_cells(cells)], {"edition": edition})


def solution(cells: Sequence[Cell], edition: Language) -> Node:
    """The notebook with the answers, not yet executed."""
    solved = [
        node(cell.kind, answer(cell.source) if is_question(cell.role) else cell.source, role=cell.role)
        for cell in cells
    ]
    return notebook_node([_finished(cell) for cell in solved], {"edition": edition})


def executed(notebook: Node, folder: Path) -> Node:
    """*notebook* after a run in *folder*, with so much of its output as is the same on every run.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell of the solution raised.
        ValueError: a public check fails on the reference.
    """
    (folder / "rnn.ipynb").write_text(written(notebook), encoding="utf-8")  # which Otter exports
    # Bars are as wide as the terminal says, and a user's own IPython set-up must not show in the output.
    environment = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    environment |= {"PYTHONUTF8": "1", "IPYTHONDIR": str(folder / "ipython")}
    run = NotebookClient(
        nbformat.from_dict(notebook),  # type: ignore[no-untyped-call]
        timeout=120,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    ).execute(env=environment)
    return notebook | {"cells": [_settled(cell) for cell in run.cells]}


def written(notebook: Node) -> str:
    """The text of *notebook*'s file."""
    nbformat.validate(notebook)
    return str(nbformat.writes(nbformat.from_dict(notebook))) + "\n"  # type: ignore[no-untyped-call]


def _finished(cell: Node, *tags: str) -> Node:
    """*cell* with the metadata that its role asks for, in place of the role; a code cell with *tags* too."""
    metadata = {key: value for key, value in cell["metadata"].items() if key != "role"}
    role = cell["metadata"]["role"]
    if is_question(role):
        metadata["question"] = role
    elif role == "check":
        metadata |= {"deletable": False, "editable": False}
    elif role == "picture":
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    if cell["cell_type"] == "code" and (tagged := [*(["aside"] if role in ASIDES else []), *tags]):
        metadata["tags"] = tagged
    return cell | {"metadata": metadata}


def _settled(cell: Node) -> Node:
    """*cell* without output that changes: what the export says, and tqdm's timing."""
    if cell["cell_type"] != "code":
        return cell
    if cell["source"].startswith("grader.export("):
        return cell | {"outputs": []}
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            output["text"] = _TQDM_TIMING.sub("", output["text"].split("\r")[-1])
        if "✗" in (verdict := output.get("data", {}).get("text/plain", "")):
            raise ValueError(f"a public check fails on the reference: {verdict}")
    return cell
