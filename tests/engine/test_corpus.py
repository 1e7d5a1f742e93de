"""The graders accept every right answer and catch every known mistake."""

from __future__ import annotations

import pytest

from autograder.classroom.pool import Pool
from autograder.classroom.task import Task
from autograder.course.corpus import alternatives, misconceptions
from tools.certify.cases import Case, corpus, problems

ALL = list(corpus())
SOME = [*ALL[:3], *ALL[3::3]]
"""Reference and blank editions, and every third of the others; `make certify` takes all."""


@pytest.fixture(scope="module")
def found(pool: Pool) -> dict[str, list[str]]:
    """What is wrong with the grade of each."""
    cases = {case.submission.name: case for case in SOME}
    graded = pool.grade(Task(case.submission, b"secret") for case in SOME)
    return {task.submission.name: problems(cases[task.submission.name], result.grade) for task, result in graded}


@pytest.mark.parametrize("case", SOME, ids=lambda case: f"{case.kind}/{case.id}")
def test_case_gets_the_grade_it_must_get(case: Case, found: dict[str, list[str]]) -> None:
    """Right answers earn all; a mistake is caught by its check, explained by its hint, and costs its own question."""
    assert found[case.submission.name] == []


def test_corpus_is_as_large_as_promised() -> None:
    """At least 80 misconceptions, six a question, and 40 alternatives, each with a name of its own."""
    questions = [mistake.question for mistake in misconceptions()]
    assert len(questions) >= 80
    assert min(questions.count(f"q{number}") for number in range(1, 9)) >= 6
    assert len(alternatives()) >= 40
    assert len({case.submission.name for case in ALL}) == len(ALL)
    assert [case.kind for case in ALL[:3]] == ["reference", "blank", "blank"]
