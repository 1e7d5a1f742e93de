"""Which runs share a process: those of one submission, as long as nothing went wrong in it."""

from __future__ import annotations

from typing import cast

import pytest

from autograder.job import NEXT, Job
from autograder.observation import pack
from autograder.process import StudentProcess
from autograder.runner import JobWithTensors
from autograder.sandbox import DEFAULT, Limits, Outcome, Sandbox

FINE = Outcome((), b"", "finished", None, None, 0.1)
CRASHED = Outcome((), b"", "crashed", 11, None, 0.1)
STALLED = Outcome(
    (pack({"kind": "started", "statement": 3, "cell": 1, "line": 1}), pack({"kind": "overtime"})),
    *(b"", "finished", None, None, 0.1),
)
TWO = (pack(NEXT),)


class Sessions:
    """A sandbox that runs nothing: it notes which payloads went to which child, and whether output was to be kept."""

    def __init__(self) -> None:
        self.children: list[int] = []
        self.open = 0
        self.captured: list[bool] = []
        self.outcome = FINE

    def session(self, *, limits: Limits, capture: bool) -> Sessions:
        assert self.open == 0, "one child at a time"
        self.open = 1
        self.children.append(0)
        self.captured.append(capture)
        return self

    def run(self, payload: bytes, seconds: float) -> Outcome:
        assert payload
        self.children[-1] += 1
        return self.outcome

    def close(self) -> None:
        self.open = 0


def job(cell: str = "x = 1", **fields: object) -> JobWithTensors:
    return Job([cell], {}, **fields), {}  # type: ignore[arg-type]


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def process(sessions: Sessions) -> StudentProcess:
    return StudentProcess(cast(Sandbox, sessions), DEFAULT)


def test_several_jobs_go_on_where_one_has_run(process, sessions):
    """The hidden runs of a submission share the child of its first run, whose output alone is kept."""
    (first,) = process.run([job(verbose=True)], 1.0)
    sessions.outcome = Outcome(TWO, b"", "finished", None, None, 0.1)
    later = process.run([job(), job()], 1.0)
    again = process.run([job(), job()], 1.0)
    assert (sessions.children, sessions.captured) == ([3], [True])
    assert [log.clean for log in (first, *later, *again)] == [True, False, False, False, False]


def test_single_job_is_the_first_of_its_child(process, sessions):
    """So that it can be told whether what ran before had made a difference."""
    process.run([job()], 1.0)
    (log,) = process.run([job()], 1.0)
    assert sessions.children == [1, 1]
    assert log.clean


def test_no_code_runs_where_another_has_run(process, sessions):
    """The grader's own jobs, which hold the reference's code, and a student's never share a child."""
    for cell in ("x = 1", "x = 2", "x = 1"):
        process.run([job(cell), job(cell)], 1.0)
    assert sessions.children == [1, 1, 1]


@pytest.mark.parametrize("outcome", [CRASHED, STALLED], ids=["crashed", "stalled"])
def test_child_in_which_something_went_wrong_is_left(process, sessions, outcome):
    """After a crash it is gone, and a statement without an end may still go on in it."""
    sessions.outcome = outcome
    process.run([job()], 1.0)
    sessions.outcome = FINE
    process.run([job(), job()], 1.0)
    assert sessions.children == [1, 1]


def test_child_that_did_not_come_to_all_its_jobs_is_left(process, sessions):
    """It stopped for a reason."""
    process.run([job(), job()], 1.0)
    process.run([job(), job()], 1.0)
    assert sessions.children == [1, 1]


def test_nothing_is_left_when_it_is_closed(process, sessions):
    """A submission's child ends with its grading; closing again does no harm."""
    process.run([job()], 1.0)
    process.close()
    process.close()
    assert sessions.open == 0
