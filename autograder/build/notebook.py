"""The notebooks as files: with the metadata that tools rely on, executed where asked."""

import copy
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode, v4

from autograder.build.master import ASIDES, Cell, written
from autograder.course import CourseError
from autograder.language import Language

__all__ = ["executed", "solution", "student", "text_of"]

_TQDM_TIMING = re.compile(r" \[\d\d:\d\d<[^\]]*\]")


def student(cells: Sequence[Cell], edition: Language) -> NotebookNode:
    """The notebook handed out: prompts instead of answers, no output, and errors stop no run of all cells."""
    return _notebook([_node(cell, written(cell, "prompt"), "raises-exception") for cell in cells], edition)


def solution(cells: Sequence[Cell], edition: Language) -> NotebookNode:
    """The notebook with the answers, not yet executed."""
    return _notebook([_node(cell, written(cell, "answer")) for cell in cells], edition)


def executed(notebook: NotebookNode) -> NotebookNode:
    """*notebook* after a run, with so much of its output as is the same on every run.

    Raises `CourseError` where a cell of the solution raises, or a public check fails on it.
    """
    run = copy.deepcopy(notebook)  # into whose metadata the kernel writes its versions
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rnn.ipynb").write_text(text_of(notebook), encoding="utf-8")  # which Otter exports
        # Bars are as wide as the terminal says, and a user's own IPython set-up must not show in the output.
        environment = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
        client = NotebookClient(
            run,
            timeout=120,
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        try:
            client.execute(env=environment | {"PYTHONUTF8": "1", "IPYTHONDIR": f"{folder}/ipython"})
        except CellExecutionError as error:
            failed = next(cell for cell in run.cells if any("ename" in output for output in cell.get("outputs", ())))
            where = f"solutions/rnn.py, in the cell that begins with {failed.source[:60]!r}"
            raise CourseError(f"{where}: {error.ename}: {error.evalue}") from error
    notebook.cells = [_settled(cell) for cell in run.cells]
    return notebook


def text_of(notebook: NotebookNode) -> str:
    """The text of *notebook*'s file."""
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def _node(cell: Cell, source: str, *tags: str) -> NotebookNode:
    """*cell* with *source* and the metadata that its role asks for; a code cell has *tags*, too."""
    metadata: dict[str, Any] = {}
    if cell.role == "check":
        metadata |= {"deletable": False, "editable": False}
    elif cell.role == "picture":
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    elif cell.role and cell.role not in ASIDES:
        metadata["question"] = cell.role
    if cell.kind == "code" and (tagged := [*(["aside"] if cell.role in ASIDES else []), *tags]):
        metadata["tags"] = tagged
    make = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
    node: NotebookNode = make(source, metadata=metadata)  # type: ignore[no-untyped-call]
    return node


def _notebook(cells: Sequence[NotebookNode], edition: Language) -> NotebookNode:
    """*cells* with ids that depend on nothing but the content, so that an edit changes one cell's id only."""
    names: list[str] = []
    for cell in cells:
        name = cell["metadata"].get("question") or hashlib.sha256(cell["source"].encode()).hexdigest()[:8]
        again = names.count(name)
        names.append(name)
        cell["id"] = f"{name}-{again + 1}" if again else name
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "edition": edition}
    made: NotebookNode = v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]
    return made


def _settled(cell: NotebookNode) -> NotebookNode:
    """*cell* without output that changes: what the export says, and tqdm's timing."""
    if cell.source.startswith("grader.export("):
        cell.outputs = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            output.text = _TQDM_TIMING.sub("", output.text.split("\r")[-1])
        if "✗" in (verdict := output.get("data", {}).get("text/plain", "")):
            raise CourseError(f"a public check fails on the reference: {verdict}")
    return cell
