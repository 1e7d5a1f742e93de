"""Whole files that people really hand in get the grade and the words that `tests/answers/answers.toml` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tomli

from autograder import course
from autograder.grade import Grade, Note

ANSWERS = course.ROOT / "tests" / "answers"
CASES: list[dict[str, Any]] = tomli.loads((ANSWERS / "answers.toml").read_text(encoding="utf-8"))["answer"]


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
def test_file_gets_its_grade(case: dict[str, Any], grade: Callable[[bytes, str], Grade]) -> None:
    """Score, status, hints, errors and remarks are as the table says."""
    found = grade(ANSWERS.joinpath(case["file"]).read_bytes(), case["file"])
    questions = {question.question: question for question in found.questions}
    assert (found.score, found.status) == (case["score"], case["status"])
    said = {note.kind for note in notes(found)}
    assert said >= set(case.get("says", ()))
    assert said.isdisjoint(case.get("silent", ()))
    hints = case.get("misconceptions", {})
    assert {id_: questions[id_].misconception for id_ in hints} == hints
    for id_, kind in case.get("error", {}).items():
        example = questions[id_].example
        assert example is not None
        assert example.error is not None
        assert example.error.kind == kind
