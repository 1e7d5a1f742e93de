"""The page on the class that instructors read, in English."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import Question, checks
from autograder.gradebook import Row
from autograder.records import QuestionGrade, Status
from autograder.render.pages import page
from autograder.text import speaking

__all__ = ["HARDEST", "Summary", "report_page", "summarise"]

HARDEST = 10
"""How many checks the report names."""
_BINS = 10
_NAMED = 5


@dataclass(frozen=True)
class QuestionSummary:
    id: str
    title: str
    points: float
    mean: float
    full_marks: int
    """How many earned all points."""


@dataclass(frozen=True)
class CheckSummary:
    question: str
    check: str
    title: str
    failed: int


@dataclass(frozen=True)
class MisconceptionSummary:
    question: str
    id: str
    hint: str
    names: tuple[str, ...]
    """The submissions that show it."""


@dataclass(frozen=True)
class Summary:
    """What a class did; all counts are of submissions."""

    submissions: int
    statuses: Mapping[Status, int]
    scores: tuple[float, ...]
    """Sorted; of those that have one."""
    max_score: float
    bins: tuple[int, ...]
    """How many scores lie in each tenth of the scale; the last includes full marks."""
    questions: tuple[QuestionSummary, ...]
    hardest: tuple[CheckSummary, ...]
    misconceptions: tuple[MisconceptionSummary, ...]
    isolation: tuple[str, ...]

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def median(self) -> float | None:
        return statistics.median(self.scores) if self.scores else None


def summarise(rows: Iterable[Row], questions: Sequence[Question]) -> Summary:
    """The summary of a class; what could not be graded counts in no mean."""
    grades = [(row.name, row.grade) for row in rows]
    scored = [(name, grade, grade.score) for name, grade in grades if grade.score is not None]
    answers: dict[str, list[tuple[str, QuestionGrade]]] = defaultdict(list)
    for name, grade, _ in scored:
        for answer in grade.questions:
            answers[answer.question].append((name, answer))
    maximum = sum(question.points for question in questions)
    bins = Counter(min(int(_BINS * score / maximum), _BINS - 1) if maximum else 0 for _, _, score in scored)
    # Hints are in each student's language; English ones come first here, so that they are shown where there are any.
    by_language = [a for _, grade, _ in sorted(scored, key=lambda s: s[1].lang != "en") for a in grade.questions]
    return Summary(
        len(grades),
        Counter(grade.status for _, grade in grades),
        tuple(sorted(score for _, _, score in scored)),
        maximum,
        tuple(bins[index] for index in range(_BINS)),
        tuple(_question(question, [answer for _, answer in answers[question.id]]) for question in questions),
        _hardest(answer for _, grade, _ in scored for answer in grade.questions),
        _misconceptions(answers, by_language),
        tuple(sorted({grade.isolation for _, grade in grades if grade.isolation})),
    )


def _question(question: Question, answers: Sequence[QuestionGrade]) -> QuestionSummary:
    mean = statistics.fmean(answer.score for answer in answers) if answers else 0.0
    full_marks = sum(answer.score >= answer.points for answer in answers)
    return QuestionSummary(question.id, question.title("en"), question.points, mean, full_marks)


def _hardest(answers: Iterable[QuestionGrade]) -> tuple[CheckSummary, ...]:
    titles = {(check.question, check.name): check.titles["en"] for check in checks()}
    failed = Counter(
        (answer.question, check.check)
        for answer in answers
        for check in answer.checks
        if check.points and check.verdict == "failed"
    )
    ranked = sorted(failed.items(), key=lambda item: (-item[1], item[0]))[:HARDEST]
    return tuple(CheckSummary(*key, titles.get(key, ""), count) for key, count in ranked)


def _misconceptions(
    answers: Mapping[str, Sequence[tuple[str, QuestionGrade]]], by_language: Iterable[QuestionGrade]
) -> tuple[MisconceptionSummary, ...]:
    hints: dict[tuple[str, str], str] = {}
    for answer in by_language:
        hints.setdefault((answer.question, answer.misconception), answer.hint)
    shown: dict[tuple[str, str], list[str]] = defaultdict(list)
    for question, given in answers.items():
        for name, answer in given:
            if answer.misconception:
                shown[question, answer.misconception].append(name)
    ranked = sorted(shown.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(MisconceptionSummary(*key, hints[key], tuple(names)) for key, names in ranked)


def report_page(rows: Sequence[Row], questions: Sequence[Question], links: Mapping[str, str]) -> str:
    """The report on the class; *links* gives the address of each submission's page by the submission's name."""
    summary = summarise(rows, questions)
    values = {"summary": summary, "fullest": max(*summary.bins, 1), "links": links, "named": _NAMED}
    with speaking("en"):
        return page("report.html", rows=rows, questions=questions, **values)
