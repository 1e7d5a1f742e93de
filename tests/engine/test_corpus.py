"""The graders accept every right answer and catch every known mistake."""

from __future__ import annotations

import pytest

from autograder import course
from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.course.corpus import misconceptions
from autograder.grade import Grade, Row
from autograder.report.pages import feedback_page
from tools.cases import Case, alternatives, corpus
from tools.certify.proof import problems

ALL = list(corpus())
SOME = [*ALL[:3], *ALL[3::12]]
"""Reference and blank editions, and every twelfth of the others; `make certify` takes all."""


@pytest.fixture(scope="module")
def grades(pool: Pool) -> dict[str, Grade]:
    """The grade of each, by the submission's name."""
    graded = pool.grade(Task(case.submission, b"secret") for case in SOME)
    return {task.submission.name: result.grade for task, result in graded}


@pytest.mark.parametrize("case", SOME, ids=lambda case: f"{case.kind}/{case.id}")
def test_case_gets_the_grade_it_must_get(case: Case, grades: dict[str, Grade]) -> None:
    """Right answers earn all; a mistake is caught by its check, explained by its hint, and costs its own question."""
    assert problems(case, grades[case.submission.name]) == []


@pytest.mark.parametrize("case", SOME, ids=lambda case: f"{case.kind}/{case.id}")
def test_page_can_be_made_and_draws_what_has_numbers(case: Case, grades: dict[str, Grade]) -> None:
    """Every page can be made; a wrong answer both of whose values have numbers has a picture on it."""
    grade = grades[case.submission.name]
    differences = [one for question in grade.questions if question.example for one in question.example.differences]
    drawable = [one for one in differences if one.expected.numbers is not None and one.received.numbers is not None]
    drawn = [one for one in drawable if {one.expected.kind, one.received.kind} <= {"tensor", "packed"}]
    page = feedback_page(Row(case.submission.name, case.submission.people[0], grade))
    assert ("<svg" in page) == bool(drawn)


def test_corpus_is_as_large_as_promised() -> None:
    """At least 80 misconceptions, six for each of the first eight questions, and 40 alternatives, all named apart."""
    questions = [mistake.question for mistake in misconceptions()]
    assert len(questions) >= 80
    assert min(questions.count(question.id) for question in course.questions()[:8]) >= 6
    assert len(alternatives()) >= 40
    assert len({case.submission.name for case in ALL}) == len(ALL)
    assert [case.kind for case in ALL[:3]] == ["reference", "blank", "blank"]
