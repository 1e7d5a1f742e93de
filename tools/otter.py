"""`otter run`, as its manual says: the public checks of the assignment are its hidden tests, one point each."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from autograder import course
from tools.commands import Cost, command

__all__ = ["SECONDS", "TIMED_OUT", "packed", "run"]

OTTER = Path(sys.executable).with_name("otter")
SECONDS = 60
"""What has no result by then, alone on the machine, has stopped the grading."""
TIMED_OUT = 124  # the exit status of `timeout`


def packed(folder: Path) -> Path:
    """The autograder that `otter run` wants."""
    autograder, tests = folder / "autograder.zip", course.ASSIGNMENT / "ko" / "tests"
    command([OTTER, "generate", "-t", tests, "-o", autograder, "--no-environment", "--no-requirements"], cwd=folder)
    return autograder


def run(content: bytes, autograder: Path, env: Mapping[str, str] | None = None) -> tuple[Cost, str, str]:
    """What one notebook costs, what is printed, and the results as written, if there are any. Raises `Failed`."""
    with tempfile.TemporaryDirectory() as place:
        folder, results = Path(place), Path(place, "results")
        (folder / "rnn.ipynb").write_bytes(content)
        results.mkdir()
        argv = ["timeout", SECONDS, OTTER, "run", "--no-logo", "-a", autograder, "-o", results, "rnn.ipynb"]
        cost, shown = command(argv, cwd=folder, env=env and {**env, "HOME": place})
        written = results / "results.json"
        return cost, shown, written.read_text(encoding="utf-8", errors="replace") if written.exists() else ""
