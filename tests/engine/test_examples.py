"""The example class: every submission gets the grade that the table says, and the README shows what comes of it."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from autograder import course
from autograder.classroom.run import How, grade
from autograder.classroom.worker import Task
from autograder.course import assignment
from autograder.grade import Result
from autograder.grading import Grader
from autograder.grading import grader as grading
from autograder.intake import collect

from .classes import table

EXAMPLES = course.ROOT / "examples"
EXPECTED = EXAMPLES / "expected.csv"
README = course.ROOT / "README.md"
ROWS = 3
"""So many rows of the table on the terminal are shown in the README."""

Class = tuple[list[dict[str, str]], list[str]]
"""The rows of grades.csv, and what is printed."""


@pytest.fixture(scope="module")
def graded(grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """What `make grade` gives for the example class. Nothing is explained here, which takes longer than grading."""

    class Engine:
        def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
            return ((task, grader.grade(task.submission, b"secret")) for task in tasks)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("class"))
        patch.setattr(grading, "explained", lambda grade, *args: grade)
        how = How(lambda: contextlib.nullcontext(Engine()))
        outcome = grade(Path("out"), collect([EXAMPLES / "submissions"], assignment()), how)
        yield table(Path("out")), outcome.lines


def test_examples_get_their_grades(graded: Class, shows: Callable[..., None]) -> None:
    """Score, points of each question and status are those of `examples/expected.csv`; no row is missing."""
    rows = sorted(graded[0], key=lambda row: row["submission"])
    assert len(rows) >= 20
    assert {row["status"] for row in rows} == {"graded", "stopped", "unreadable"}
    stream = io.StringIO()
    columns = ("submission", "score", *(question.id for question in course.questions()), "status")
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    shows(EXPECTED, stream.getvalue())


def test_readme_shows_what_make_grade_prints(graded: Class, shows: Callable[..., None]) -> None:
    """From the last rows of the table to its end, it is what a grader sees."""
    lines = graded[1][graded[1].index("") - ROWS :]
    shows(README, "\n".join(lines), after="<!-- output: make grade -->\n```\n", before="\n```\n")
