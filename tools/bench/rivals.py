"""The same notebooks through `otter run` and `nbgrader autograde`, each as its manual says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autograder import course
from autograder.bench.clock import BenchFault, Cost, command, measured
from autograder.records import Submission

__all__ = ["nbgrader", "nbgrader_is_there", "otter", "ours"]

BIN = Path(sys.executable).parent
NBGRADER = BIN.parent / "bench" / "bin"
"""nbgrader has an environment of its own, since the project does not need it: see `make bench`."""


def ours(submissions: Sequence[Submission], folder: Path, workers: int) -> Cost:
    """`autograder grade`, from the shell, into a new folder."""
    given, out = _written(submissions, folder / "given"), folder / "out"
    argv = [BIN / "autograder", "grade", given, "--out", out, "--workers", str(workers)]
    return measured(lambda: command(argv, cwd=folder))


def otter(submissions: Sequence[Submission], folder: Path, at_once: int = 1) -> Cost:
    """`otter run`, a notebook at a time, or so many at once."""
    given, out = _written(submissions, folder / "given"), folder / "out"
    out.mkdir()
    tests = course.ROOT / "assignment" / "ko" / "tests"
    autograder = folder / "autograder.zip"
    generate = [BIN / "otter", "generate", "-t", tests, "-o", autograder, "--no-environment", "--no-requirements"]
    command(generate, cwd=folder)

    def run(submission: Submission) -> None:
        results = out / submission.student
        results.mkdir()
        notebook = given / submission.name
        command([BIN / "otter", "run", "--no-logo", "-a", autograder, "-o", results, notebook], cwd=folder)
        if not json.loads((results / "results.json").read_text(encoding="utf-8"))["tests"]:
            raise BenchFault("otter run: no results")

    def everyone() -> None:
        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(run, submissions))

    return measured(everyone)


def nbgrader_is_there() -> bool:
    return (NBGRADER / "nbgrader").exists()


def nbgrader(submissions: Sequence[Submission], folder: Path) -> Cost:
    """`nbgrader autograde`, all in one call, with Otter's checks in its grading cells."""
    given = [(Path("source"), course.REFERENCE.read_bytes())]
    given += [(Path("submitted", submission.student), submission.content) for submission in submissions]
    for place, content in given:
        (folder / place / "rnn").mkdir(parents=True)
        (folder / place / "rnn" / "rnn.ipynb").write_text(json.dumps(_for_nbgrader(content)), encoding="utf-8")
    environment = os.environ | {"PATH": f"{NBGRADER}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    nbgrader = NBGRADER / "nbgrader"
    command([nbgrader, "generate_assignment", "rnn"], cwd=folder, env=environment)
    cost = measured(lambda: command([nbgrader, "autograde", "rnn"], cwd=folder, env=environment))
    graded = len(list(folder.glob("autograded/*/rnn/rnn.ipynb")))
    if graded != len(submissions):
        raise BenchFault(f"nbgrader graded {graded} of {len(submissions)}")
    return cost


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
