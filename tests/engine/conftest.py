"""What the engine's tests share: one sandbox, one grader and one pool for the session, and how modules are run.

The process that hands tests out loads this file, too, and would wait for torch: who grades imports it when asked.
"""

import contextlib
import functools
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from autograder import cli, course
from autograder.classroom import pool as pools
from autograder.classroom.pool import Pool
from autograder.grade import Grade, Person, Submission
from autograder.intake import notebook
from autograder.sandbox import ALLOWANCE, Allowance, Sandbox
from autograder.sandbox.processes import ForkServer

if TYPE_CHECKING:
    from autograder.grading import Grader
    from autograder.grading.reference import Run

settings.register_profile("busy", deadline=None)  # no example fails because the machine is slow
settings.load_profile("busy")


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """What sandbox and pool are forked from: torch is imported once for both."""
    with contextlib.closing(ForkServer(*pools.IMPORTS)) as server:
        yield server


@pytest.fixture(scope="session")
def sandbox(server: ForkServer) -> Iterator[Sandbox]:
    """All graders that use it share what the solution and known mistakes come to, as submissions do in a class."""
    from autograder.grading import grader

    with Sandbox(server=server) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name in ("run_in", "Reference", "Learned"):
            patch.setattr(grader, name, functools.cache(getattr(grader, name)))
        yield sandbox


@pytest.fixture(scope="session")
def run(sandbox: Sandbox) -> "Run":
    """Run a job in the sandbox."""
    from autograder.grading import grader

    return grader.run_in(sandbox)


@pytest.fixture(scope="session")
def grader(sandbox: Sandbox) -> "Grader":
    from autograder.grading import Grader

    return Grader(sandbox, Allowance(statement_seconds=1.0))  # what does not end is soon stopped


@pytest.fixture(scope="session")
def grade(grader: "Grader") -> Callable[..., Grade]:
    """Grade one submission."""

    def grade(content: bytes, name: str = "rnn.ipynb") -> Grade:
        return grader.grade(Submission(name, (Person("somebody"),), content), b"secret").grade

    return grade


@pytest.fixture(scope="session")
def lost(run: "Run") -> Callable[[bytes], set[str]]:
    """The questions of a notebook that lose points under the first scenario: how runs are made depends on none.

    Nothing is explained, which takes longer than judging.
    """
    from autograder.grading.reference import Reference
    from autograder.grading.runs import Runs
    from autograder.grading.verdicts import verdicts

    reference = Reference(run)
    first = course.scenarios()[:1]

    def lost(content: bytes) -> set[str]:
        runs = Runs(notebook.read(content, "rnn.ipynb").cells, content, run, reference, ALLOWANCE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(course, "scenarios", lambda: first)
            return {verdict.question.id for verdict in verdicts(runs) if not verdict.right}

    return lost


@pytest.fixture(scope="session")
def pool(server: ForkServer) -> Iterator[Pool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "ForkServer", lambda *_: server)
        pool = Pool(workers=1)  # there is one for each process that runs tests
    with pool:
        yield pool


@pytest.fixture(scope="session")
def autograder(pool: Pool) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process, whose grading processes are there already: status, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        said, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pools, "Pool", lambda *_: contextlib.nullcontext(pool))
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
                status = cli.main([str(argument) for argument in arguments])
        return status, said.getvalue(), errors.getvalue()

    return run


@pytest.fixture(scope="session")
def run_module() -> Callable[..., str]:
    """Run a module of ours as a program, which must succeed, and give what it printed."""

    def run(module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    return run
