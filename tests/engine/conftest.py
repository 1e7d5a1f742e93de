"""What the engine's tests share: one sandbox, one grader and one pool for the session, and how modules are run.

The process that hands tests out loads this file, too, and would wait for torch: who grades imports it when asked.
"""

import contextlib
import functools
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from autograder import cli, course
from autograder.classroom import pool as pools
from autograder.classroom.pool import Pool
from autograder.grade import Grade, Person, Submission
from autograder.intake import notebook
from autograder.report import pages
from autograder.sandbox import ALLOWANCE, Allowance, Sandbox
from autograder.sandbox.processes import ForkServer

if TYPE_CHECKING:
    from autograder.grading import Grader
    from autograder.grading.reference import Runner

settings.register_profile("busy", deadline=None)  # no example fails because the machine is slow
settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    what = "write anew what tables and documents show of the course, where it is no longer so"
    parser.addoption("--accept", action="store_true", help=what)


@pytest.fixture
def shows(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Demand that a file holds a text, *after* one mark and *before* another if it holds more.

    With `--accept` it is put there where it is not. Then nothing was proven, and the test is skipped.
    """

    def shows(path: Path, text: str, *, after: str = "", before: str = "") -> None:
        content = path.read_text(encoding="utf-8")
        start = content.index(after) + len(after)
        end = content.index(before, start) if before else len(content)
        if content[start:end] != text and request.config.getoption("--accept"):
            path.write_text(content[:start] + text + content[end:], encoding="utf-8")
            pytest.skip(f"{path.name} was written anew: look at the difference")
        accept = f".venv/bin/pytest {request.path.relative_to(course.ROOT)} --accept"
        assert content[start:end].splitlines() == text.splitlines(), f"{path.name} is out of date? {accept}"

    return shows


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
def run(sandbox: Sandbox) -> "Runner":
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
def lost(run: "Runner") -> Callable[[bytes], set[str]]:
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


@pytest.fixture
def hundred_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The course is the made-up one of `classes`, whatever questions the assignment has."""
    from .classes import QUESTIONS

    checks = [check for question in QUESTIONS for check in question.checks]
    monkeypatch.setattr(course, "questions", lambda: QUESTIONS)
    monkeypatch.setattr(course, "checks", lambda: iter(checks))
    monkeypatch.setattr(course, "maximum", lambda: 100.0)
    pages.titles.cache_clear()
    yield
    pages.titles.cache_clear()


@pytest.fixture(scope="session")
def run_module() -> Callable[..., str]:
    """Run a module of ours as a program, which must succeed, and give what it printed."""

    def run(module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    return run
