"""The same notebooks through `autograder`, `otter run` and `nbgrader autograde`."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder import course
from autograder.grade import Submission
from tools import otter
from tools.commands import Cost, Failed, command

__all__ = ["by_nbgrader", "by_otter", "by_us", "regraded"]

BIN = Path(sys.executable).parent
OURS, NBGRADER = BIN / "autograder", BIN / "nbgrader"


def by_us(submissions: Sequence[Submission], folder: Path, workers: int) -> Cost:
    """What grading a class from the shell costs; the grades are in *folder*."""
    given = folder / "given"
    given.mkdir(parents=True)
    for submission in submissions:
        (given / submission.name).write_bytes(submission.content)
    return command([OURS, "grade", given, "--out", folder / "out", "--workers", workers], cwd=folder)[0]


def regraded(folder: Path) -> Cost:
    """What it costs to grade again what `by_us` left in *folder*."""
    return command([OURS, "regrade", folder / "out"], cwd=folder)[0]


def by_otter(submissions: Sequence[Submission], folder: Path) -> list[Cost]:
    """`otter run`, a notebook at a time."""
    autograder = otter.packed(folder)
    costs = []
    for submission in submissions:
        cost, shown, results = otter.run(submission.content, autograder)
        if not results or not json.loads(results)["tests"]:
            raise Failed(["otter run"], 0, f"no results\n{shown}")
        costs.append(cost)
    return costs


def by_nbgrader(submissions: Sequence[Submission], folder: Path) -> Cost:
    """`nbgrader autograde`, all in one call, with Otter's checks in its grading cells."""
    given = [(Path("source"), course.REFERENCE.read_bytes())]
    given += [(Path("submitted", Path(submission.name).stem), submission.content) for submission in submissions]
    for place, content in given:
        (folder / place / "rnn").mkdir(parents=True)
        (folder / place / "rnn" / "rnn.ipynb").write_text(_for_nbgrader(content), encoding="utf-8")
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    command([NBGRADER, "generate_assignment", "rnn"], cwd=folder, env=environment)
    cost, shown = command([NBGRADER, "autograde", "rnn"], cwd=folder, env=environment)
    graded = len(list(folder.glob("autograded/*/rnn/rnn.ipynb")))
    if graded != len(submissions):
        raise Failed([NBGRADER], 0, f"{graded} of {len(submissions)} graded\n{shown}")
    return cost.each(len(submissions))


def _for_nbgrader(content: bytes) -> str:
    """The notebook with Otter's checks as tests of nbgrader's."""
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if source.startswith('grader.check("'):
            question = source.split('"')[1]
            cell["source"] = f'assert "All test cases passed" in repr(grader.check("{question}"))'
            kind = {"grade": True, "locked": True, "solution": False, "task": False, "cell_type": "code"}
            cell["metadata"]["nbgrader"] = {"grade_id": question, "points": 1, "schema_version": 3, **kind}
    return json.dumps(notebook)
