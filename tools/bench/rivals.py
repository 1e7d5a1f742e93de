"""The same notebooks through `autograder`, `otter run` and `nbgrader autograde`, each as its manual says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import course
from autograder.grade import Submission
from tools.bench.clock import BenchFault, Cost, command

__all__ = ["NBGRADER", "Class", "nbgrader", "otter", "ours"]

BIN = Path(sys.executable).parent
NBGRADER = BIN.parent / "bench" / "bin"
"""nbgrader has an environment of its own, since the project does not need it: see `make bench`."""


@dataclass(frozen=True)
class Class:
    """What one class cost, from the shell."""

    graded: Cost
    again: Cost
    """The same command once more, with nothing to do."""
    regraded: Cost
    bytes: int
    """What its folder takes on disk."""


def ours(submissions: Sequence[Submission], folder: Path, workers: int) -> Class:
    """`autograder grade` into a new folder, the same again, and `autograder regrade`."""
    given, out = _written(submissions, folder / "given"), folder / "out"
    grade = [BIN / "autograder", "grade", given, "--out", out, "--workers", str(workers)]
    graded, _ = command(grade, cwd=folder)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    again, _ = command(grade, cwd=folder)
    regraded, _ = command([BIN / "autograder", "regrade", out, "--workers", str(workers)], cwd=folder)
    return Class(graded, again, regraded, size)


def otter(submissions: Sequence[Submission], folder: Path) -> list[Cost]:
    """`otter run`, a notebook at a time."""
    given, autograder = _written(submissions, folder / "given"), folder / "autograder.zip"
    tests = course.ASSIGNMENT / "ko" / "tests"
    command([BIN / "otter", "generate", "-t", tests, "-o", autograder, *_BARE], cwd=folder)
    costs = []
    for submission in submissions:
        results = folder / f"{submission.name}-results"
        results.mkdir()
        run = [BIN / "otter", "run", "--no-logo", "-a", autograder, "-o", results, given / submission.name]
        costs.append(command(run, cwd=folder)[0])
        if not json.loads((results / "results.json").read_text(encoding="utf-8"))["tests"]:
            raise BenchFault("otter run: no results")
    return costs


_BARE = ("--no-environment", "--no-requirements")


def nbgrader(submissions: Sequence[Submission], folder: Path) -> Cost:
    """`nbgrader autograde`, all in one call, with Otter's checks in its grading cells."""
    given = [(Path("source"), course.REFERENCE.read_bytes())]
    given += [(Path("submitted", Path(submission.name).stem), submission.content) for submission in submissions]
    for place, content in given:
        (folder / place / "rnn").mkdir(parents=True)
        (folder / place / "rnn" / "rnn.ipynb").write_text(json.dumps(_for_nbgrader(content)), encoding="utf-8")
    environment = os.environ | {"PATH": f"{NBGRADER}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    command([NBGRADER / "nbgrader", "generate_assignment", "rnn"], cwd=folder, env=environment)
    cost, _ = command([NBGRADER / "nbgrader", "autograde", "rnn"], cwd=folder, env=environment)
    graded = len(list(folder.glob("autograded/*/rnn/rnn.ipynb")))
    if graded != len(submissions):
        raise BenchFault(f"nbgrader graded {graded} of {len(submissions)}")
    return cost.each(len(submissions))


def _for_nbgrader(content: bytes) -> dict[str, object]:
    notebook: dict[str, object] = json.loads(content)
    for number, cell in enumerate(notebook["cells"]):  # type: ignore[var-annotated, arg-type]
        cell.setdefault("id", f"cell-{number}")
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and source.startswith('grader.check("'):
            question = source.split('"')[1]
            cell["source"] = f'assert "All test cases passed" in repr(grader.check("{question}"))'
            kind = {"grade": True, "locked": True, "solution": False, "task": False, "cell_type": "code"}
            cell["metadata"]["nbgrader"] = {"grade_id": question, "points": 1, "schema_version": 3, **kind}
    return {**notebook, "nbformat_minor": 5}


def _written(submissions: Sequence[Submission], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for submission in submissions:
        (folder / submission.name).write_bytes(submission.content)
    return folder
