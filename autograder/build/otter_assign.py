"""Otter Assign: from marked-up cells to the notebook for students, with prompts where the answers were."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import otter.assign

from autograder.build.master import Cell, is_question
from autograder.build.node import Node, node, notebook_node

__all__ = ["student_cells"]

# Tests come from tests/public. Check cells come from the master: Otter's own name the file, which browsers rename.
_CONFIG = """\
# ASSIGNMENT CONFIG
init_cell: false
check_all_cell: false
export_cell: false
suppress_no_tests_warning: true
tests:
    ok_format: false
    files: true
"""


def student_cells(cells: Sequence[Cell]) -> list[Node]:
    """The *cells* as students get them; the metadata of each holds its `role`."""
    with tempfile.TemporaryDirectory() as folder:
        master, result = Path(folder, "master", "rnn.ipynb"), Path(folder, "result")
        master.parent.mkdir()
        master.write_text(json.dumps(notebook_node(_marked_up(cells), {})), encoding="utf-8")
        otter.assign.main(str(master), str(result), no_pdfs=True, no_run_tests=True)
        student: Node = json.loads((result / "student" / "rnn.ipynb").read_text(encoding="utf-8"))
    return [cell | {"source": "".join(cell["source"])} for cell in student["cells"]]


def _marked_up(cells: Sequence[Cell]) -> list[Node]:
    marked = [node("raw", _CONFIG)]
    for cell in cells:
        made = node(cell.kind, cell.source, role=cell.role)
        if is_question(cell.role):
            before = [node("raw", f"# BEGIN QUESTION\nname: {cell.role}"), node("raw", "# BEGIN SOLUTION")]
            marked += [*before, made, node("raw", "# END SOLUTION"), node("raw", "# END QUESTION")]
        else:
            marked.append(made)
    return marked
