"""The notebooks as files: with the metadata that tools rely on, executed where asked."""

from __future__ import annotations

import base64
import bz2
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from autograder.build.asides import ASIDES
from autograder.build.master import Cell, answer, in_language, is_question
from autograder.build.node import Node, node, notebook_node
from autograder.build.otter_assign import student_cells
from autograder.text import Language

__all__ = ["executed", "setup_cell", "solution", "student", "written"]

_TQDM_TIMING = re.compile(r" \[\d\d:\d\d<[^\]]*\]")


def setup_cell(template: str, checks: Mapping[str, str], otter: str, lang: Language) -> Cell:
    """The cell that makes up for a missing Otter (the requirement *otter*) and missing files of public *checks*."""
    # bz2, since its output has not changed from one version to the next as zlib's has.
    packed = base64.b64encode(bz2.compress(json.dumps(checks, sort_keys=True).encode())).decode()
    source = in_language(template, lang).replace("{{otter}}", otter).replace("{{checks}}", packed)
    return Cell(kind="code", source=source.rstrip("\n"), role="picture")


def student(cells: Sequence[Cell], setup: Cell, edition: Language) -> Node:
    """The notebook handed out: prompts instead of answers, no output."""
    return notebook_node([_finished(cell) for cell in student_cells(_with_setup(cells, setup))], {"edition": edition})


def solution(cells: Sequence[Cell], setup: Cell, edition: Language) -> Node:
    """The notebook with the answers, not yet executed."""
    solved = [
        node(cell.kind, answer(cell.source) if is_question(cell.role) else cell.source, role=cell.role)
        for cell in _with_setup(cells, setup)
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


def _with_setup(cells: Sequence[Cell], setup: Cell) -> list[Cell]:
    first = next(index for index, cell in enumerate(cells) if cell.kind == "code")
    return [*cells[:first], setup, *cells[first:]]


def _finished(cell: Node) -> Node:
    """*cell* with the metadata that its role asks for, in place of the role."""
    metadata = {key: value for key, value in cell["metadata"].items() if key != "role"}
    role = cell["metadata"]["role"]
    if is_question(role):
        metadata["question"] = role
    elif role == "check":
        metadata |= {"deletable": False, "editable": False}
    elif role == "picture":
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    if role in ASIDES:
        metadata["tags"] = ["aside"]
    return cell | {"metadata": metadata}


def _settled(cell: Node) -> Node:
    """*cell* without output that changes: paths and times of the export, tqdm's timing, and Otter's random emoji."""
    if cell["cell_type"] != "code":
        return cell
    if cell["source"].startswith("grader.export("):
        return cell | {"outputs": []}
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            output["text"] = _TQDM_TIMING.sub("", output["text"].split("\r")[-1])
        verdict = output.get("data", {}).get("text/plain", "")
        if " results:" in verdict:
            if verdict.count("All test cases passed!") != verdict.count(" results:"):
                raise ValueError(f"a public check fails on the reference: {verdict}")
            output["data"].pop("text/html", None)
    return cell
