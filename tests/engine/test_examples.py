"""The example class: every submission gets the grade that the table says."""

from __future__ import annotations

import csv

import pytest

from autograder import course
from autograder.course import assignment
from autograder.grading import grader as grading
from autograder.intake import collect

EXAMPLES = course.ROOT / "examples"
with (EXAMPLES / "expected.csv").open(encoding="utf-8-sig", newline="") as file:
    EXPECTED = {row["submission"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def entries():
    """What intake makes of the folder, by name."""
    return {entry.name: entry for entry in collect([EXAMPLES / "submissions"], assignment()).entries}


@pytest.fixture
def _unexplained(monkeypatch):
    """Nothing is explained here, which takes longer than grading."""
    monkeypatch.setattr(grading, "explained", lambda grade, *args: grade)


def test_every_submission_has_one_row(entries):
    """No row is missing, and none is there twice."""
    assert len(EXPECTED) >= 20
    assert sorted(entries) == sorted(EXPECTED)


@pytest.mark.usefixtures("_unexplained")
@pytest.mark.parametrize("name", EXPECTED)
def test_example_gets_its_grade(name, entries, grader):
    """Score, points of each question and status are those of `examples/expected.csv`."""
    grade = grader.grade(entries[name].read(), b"secret").grade
    received = {"submission": name, "score": f"{grade.score:g}", "status": grade.status}
    received |= {question.question: f"{question.score:g}" for question in grade.questions}
    assert {column: received[column] for column in EXPECTED[name]} == EXPECTED[name]
