"""Many grading processes: everything graded once, lazily, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from autograder.pool import Pool
from autograder.records import Submission


def unreadable(count: int) -> list[Submission]:
    """Submissions that are graded at once."""
    return [Submission(f"{number}.ipynb", str(number), b"") for number in range(count)]


def test_every_submission_comes_back_once(pool: Pool) -> None:
    """Whatever the order, each has one result."""
    given = unreadable(20)
    results = list(pool.grade(given))
    assert sorted((submission.name for submission, _ in results), key=lambda name: int(name[:-6])) == [
        submission.name for submission in given
    ]
    assert {result.grade.status for _, result in results} == {"unreadable"}


def test_submissions_are_asked_for_lazily_and_in_the_callers_thread(pool: Pool) -> None:
    """No more are read than are graded soon, and reading them needs no lock."""
    threads = set()
    asked = 0

    def source() -> Iterator[Submission]:
        nonlocal asked
        for submission in unreadable(20):
            asked += 1
            threads.add(threading.current_thread())
            yield submission

    for number, _ in enumerate(pool.grade(source()), 1):
        assert asked <= number + 3
    assert threads == {threading.current_thread()}


def test_fault_of_the_source_ends_the_grading(pool: Pool) -> None:
    """What goes wrong in reading submissions is the caller's to know, and the pool can be used again."""

    def source() -> Iterator[Submission]:
        yield from unreadable(3)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(pool.grade(source()))
    assert len(list(pool.grade(unreadable(3)))) == 3
