"""The page that a student reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autograder.course import Question
from autograder.gradebook import Row
from autograder.records import CheckResult
from autograder.render.pages import page
from autograder.text import speaking

__all__ = ["feedback_page"]


def feedback_page(row: Row, questions: Sequence[Question]) -> str:
    """The feedback on one submission, in its language."""
    with speaking(row.grade.lang):
        failures = {answer.question: _by_reason(answer.checks) for answer in row.grade.questions}
        titles = {question.id: question.title(row.grade.lang) for question in questions}
        return page(
            "feedback.html", name=row.name, student=row.student, grade=row.grade, titles=titles, failures=failures
        )


def _by_reason(checks: Iterable[CheckResult]) -> list[list[CheckResult]]:
    """The checks that did not pass, those with one message for one scenario together, in the order of the first."""
    groups: dict[tuple[str, str], list[CheckResult]] = {}
    for check in checks:
        if check.verdict != "passed":
            groups.setdefault((check.message, check.scenario), []).append(check)
    return list(groups.values())
