"""How much wrong answers are told: the known mistake that they are, the exact difference, or only that there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from autograder.grade import Grade, QuestionGrade
from tools.certify.cases import Case

__all__ = ["LEAST_TOLD", "score"]

LEAST_TOLD = 0.98
"""The share of wrong answers that must be told more than that they are wrong."""
RECOGNISED, EXACT, UNTOLD = "recognised", "told the exact difference", "told only that they differ"


def score(graded: Iterable[tuple[Case, Grade]]) -> tuple[Counter[str], list[str]]:
    """How many wrong answers are told what, and those that are told least."""
    wrong = [(case.id, question) for case, grade in graded for question in _wrong(case, grade)]
    untold = [f"{id_}: {question.question}" for id_, question in wrong if _told(question) == UNTOLD]
    return Counter(_told(question) for _, question in wrong), untold


def _wrong(case: Case, grade: Grade) -> Iterator[QuestionGrade]:
    mistaken = {mistake.question for mistake in case.mistakes}
    return (one for one in grade.questions if one.question in mistaken and one.score < one.points)


def _told(question: QuestionGrade) -> str:
    """What the owner of a wrong answer is told of it."""
    if question.misconception:
        return RECOGNISED
    example = question.example
    return EXACT if question.notes or (example and (example.differences or example.error)) else UNTOLD
