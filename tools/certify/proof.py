"""What the proof demands of the grade that a case got, and a line of the table at the end for each part of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.course.corpus import Misconception
from autograder.grade import Grade, QuestionGrade
from tools.cases import Case

__all__ = ["LEAST_TOLD", "Found", "problems", "told"]

LEAST_LOSS = 0.3
"""The share of its question's points that a wrong answer loses at least."""
LEAST_TOLD = 0.98
"""The share of wrong answers that must be told more than that they are wrong."""
RECOGNISED, EXACT, UNTOLD = "recognised", "told the exact difference", "told only that they differ"


@dataclass(frozen=True)
class Found:
    what: str
    wrong: Sequence[str]
    """Those that are not as they must be."""
    total: int
    """How many were tried."""
    least: float = 1.0
    """The share of them that must be as they must."""
    more: str = ""
    """What else there is to say."""

    @property
    def holds(self) -> bool:
        """Whether something was tried, and enough of it is as it must be."""
        return self.total > 0 and self.total - len(self.wrong) >= self.least * self.total

    def __str__(self) -> str:
        right = self.total - len(self.wrong)
        line = f"{'ok  ' if self.holds else 'FAIL'} {self.what:44} {right:5} of {self.total:5}  {self.more}"
        return line.rstrip()


def problems(case: Case, grade: Grade) -> list[str]:
    """What is wrong with the grade that *case* got: nothing, if the graders are right."""
    if grade.status not in ("graded", "stopped") or not grade.questions:
        return [f"{grade.status}: {grade.detail}"]
    mistakes = {mistake.question: mistake for mistake in case.mistakes}
    of_each = ((one.question, _wrong(case, mistakes.get(one.question), one)) for one in grade.questions)
    return [f"{question}: {problem}" for question, problems in of_each for problem in problems]


def _wrong(case: Case, mistake: Misconception | None, question: QuestionGrade) -> Iterator[str]:
    """What is wrong with one question, which has a *mistake* or is right."""
    failed = {check.check: check.note for check in question.checks if not check.passed}
    if mistake is None:
        score = 0.0 if case.kind == "blank" else question.points
        if question.score != score:
            why = ", ".join(f"{name} ({note.kind})" for name, note in failed.items() if note)
            yield f"earned {question.score:g} instead of {score:g}: {why}"
        return
    if question.score > (1 - LEAST_LOSS) * question.points:
        yield f"{mistake.id} keeps {question.score:g} of {question.points:g} points"
    if mistake.catches not in failed:
        yield f"{mistake.id} slips through {mistake.catches}"
    if question.misconception != mistake.id and (case.kind == "misconception" or question.misconception):
        yield f"{mistake.id} is explained as {question.misconception or 'nothing known'}"


def told(case: Case, grade: Grade) -> Iterator[tuple[str, str]]:
    """Each wrong answer of *case*, and what its owner is told of it."""
    mistaken = {mistake.question for mistake in case.mistakes}
    for question in grade.questions:
        if question.question in mistaken and question.score < question.points:
            example = question.example
            exact = question.notes or (example and (example.differences or example.error))
            what = RECOGNISED if question.misconception else EXACT if exact else UNTOLD
            yield f"{case.id}: {question.question}", what
