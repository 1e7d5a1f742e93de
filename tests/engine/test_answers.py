"""Whole files that people really hand in get the grade and the words that `tests/answers/answers.toml` says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tomli

from autograder import course
from autograder.grade import Grade, Note

from .submissions import checks, worth

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
    """Checks, score, status, hints, errors and remarks are as the table says; what the file lacks earns nothing."""
    content = ANSWERS.joinpath(case["file"]).read_bytes()
    found = grade(content, case["file"])
    questions = {question.question: question for question in found.questions}
    there = set(re.findall(rb"\w+", content.replace(rb"\n", b" ")))
    lacking = [one.id for one in course.questions() if not there.issuperset(name.encode() for name in one.names)]
    right = checks(*questions) - checks(*lacking, *case.get("loses", ())) if case["status"] != "unreadable" else set()
    passed = {f"{id_} {check.check}" for id_ in questions for check in questions[id_].checks if check.passed}
    assert (passed, found.score, found.status) == (right, worth(*right), case["status"])
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
