"""What the engine's tests share: one pool of graders for the whole session, and how modules are run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from autograder.classroom.pool import Pool
from autograder.classroom.task import Task
from autograder.grade import Grade, Person, Submission


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool(workers=2) as pool:
        yield pool


@pytest.fixture(scope="session")
def grade(pool: Pool) -> Callable[..., Grade]:
    """Grade one submission: bytes, or the cells of a notebook."""

    def grade(content: bytes, name: str = "rnn.ipynb") -> Grade:
        ((_, result),) = pool.grade([Task(Submission(name, (Person("somebody"),), content), b"secret")])
        return result.grade

    return grade


@pytest.fixture(scope="session")
def run_module() -> Callable[..., str]:
    """Run a module of ours as a program, which must succeed, and give what it printed."""

    def run(module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    return run
