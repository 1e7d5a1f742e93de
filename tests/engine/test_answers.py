"""Whole files that people really hand in get the grade and the words that `tests/answers/answers.toml` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tomli

from autograder import course
from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.grade import Grade, Note, Person, Submission

ANSWERS = course.ROOT / "tests" / "answers"
CASES: list[dict[str, Any]] = tomli.loads((ANSWERS / "answers.toml").read_text(encoding="utf-8"))["answer"]


@pytest.fixture(scope="module")
def graded(pool: Pool) -> dict[str, Grade]:
    """The grade of each file, by its name."""
    files = [Submission(case["file"], (Person("x"),), ANSWERS.joinpath(case["file"]).read_bytes()) for case in CASES]
    return {task.submission.name: result.grade for task, result in pool.grade(Task(file, b"secret") for file in files)}


def notes(grade: Grade) -> Iterator[Note]:
    """All that is said of a notebook as a whole, and in explanation of its questions."""
    yield from filter(None, (grade.detail, *grade.remarks))
    for question in grade.questions:
        yield from question.notes


def test_every_file_has_a_grade_that_it_must_get() -> None:
    """No file in the folder is left out of the table."""
    assert sorted(case["file"] for case in CASES) == sorted(
        path.name for path in ANSWERS.iterdir() if path.name != "answers.toml"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_file_gets_its_grade(case: dict[str, Any], graded: dict[str, Grade]) -> None:
    """Score, status, hints, errors and remarks are as the table says."""
    grade = graded[case["file"]]
    questions = {question.question: question for question in grade.questions}
    assert (grade.score, grade.status) == (case["score"], case["status"])
    said = {note.kind for note in notes(grade)}
    assert said >= set(case.get("says", ()))
    assert said.isdisjoint(case.get("silent", ()))
    hints = case.get("misconceptions", {})
    assert {id_: questions[id_].misconception for id_ in hints} == hints
    for id_, kind in case.get("error", {}).items():
        example = questions[id_].example
        assert example is not None
        assert example.error is not None
        assert example.error.kind == kind
