"""The page that a student reads."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.course import Question
from autograder.gradebook import Row
from autograder.render.pages import page
from autograder.text import speaking

__all__ = ["feedback_page"]


def feedback_page(row: Row, questions: Sequence[Question]) -> str:
    """The feedback on one submission, in its language."""
    with speaking(row.grade.lang):
        titles = {question.id: question.title(row.grade.lang) for question in questions}
        return page("feedback.html", name=row.name, student=row.student, grade=row.grade, titles=titles)
