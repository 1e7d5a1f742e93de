"""The page on the class that instructors read, in English."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import Question, checks
from autograder.gradebook import Row
from autograder.records import QuestionGrade, Status
from autograder.render.pages import pieces
from autograder.text import speaking

__all__ = ["HARDEST", "LISTED", "NAMED", "Summary", "report_page", "summarise"]

HARDEST = 10
"""How many checks the report names."""
NAMED = 5
"""How many submissions it names for each misconception."""
LISTED = 20_000
"""How many submissions it lists; a browser takes no more."""
_BINS = 10


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
    count: int
    """How many submissions show it."""
    names: tuple[str, ...]
    """The first few of them."""


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


class _Tally:
    """What has been counted of a class so far."""

    def __init__(self) -> None:
        self.statuses: Counter[Status] = Counter()
        self.isolation: set[str] = set()
        self.scores: list[float] = []
        self.points: dict[str, float] = defaultdict(float)
        self.full_marks: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()
        self.shown: Counter[tuple[str, str]] = Counter()
        self.names: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.hints: dict[tuple[str, str], tuple[bool, str]] = {}

    def add(self, row: Row) -> None:
        grade = row.grade
        self.statuses[grade.status] += 1
        if grade.isolation:
            self.isolation.add(grade.isolation)
        if grade.score is not None:
            self.scores.append(grade.score)
            for answer in grade.questions:
                self._add_answer(row, answer)

    def _add_answer(self, row: Row, answer: QuestionGrade) -> None:
        self.answers[answer.question] += 1
        self.points[answer.question] += answer.score
        self.full_marks[answer.question] += answer.score >= answer.points
        for check in answer.checks:
            if check.points and check.verdict == "failed":
                self.failed[answer.question, check.check] += 1
        if answer.misconception:
            key = answer.question, answer.misconception
            self.shown[key] += 1
            if len(self.names[key]) < NAMED:
                self.names[key].append(row.name)
            # Hints are in each student's language; the report shows the English one where there is any.
            english = row.grade.lang == "en"
            if key not in self.hints or (english and not self.hints[key][0]):
                self.hints[key] = english, answer.hint


def summarise(rows: Iterable[Row], questions: Sequence[Question]) -> Summary:
    """The summary of a class, read once; what could not be graded counts in no mean."""
    tally = _Tally()
    for row in rows:
        tally.add(row)
    maximum = sum(question.points for question in questions)
    bins = Counter(min(int(_BINS * score / maximum), _BINS - 1) if maximum else 0 for score in tally.scores)
    titles = {(check.question, check.name): check.titles["en"] for check in checks()}
    return Summary(
        tally.statuses.total(),
        tally.statuses,
        tuple(sorted(tally.scores)),
        maximum,
        tuple(bins[index] for index in range(_BINS)),
        tuple(
            QuestionSummary(
                *(question.id, question.title("en"), question.points),
                mean=tally.points[question.id] / (tally.answers[question.id] or 1),
                full_marks=tally.full_marks[question.id],
            )
            for question in questions
        ),
        tuple(CheckSummary(*key, titles.get(key, ""), count) for key, count in _ranked(tally.failed)[:HARDEST]),
        tuple(
            MisconceptionSummary(*key, tally.hints[key][1], count, tuple(tally.names[key]))
            for key, count in _ranked(tally.shown)
        ),
        tuple(sorted(tally.isolation)),
    )


def _ranked(counts: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def report_page(
    summary: Summary, rows: Iterable[Row], questions: Sequence[Question], links: Mapping[str, str]
) -> Iterator[str]:
    """The report on the class, piece by piece.

    *links* gives the address of each submission's page by the submission's name.
    """
    listed = itertools.islice(rows, LISTED)
    values = {"summary": summary, "fullest": max(*summary.bins, 1), "links": links, "listed": LISTED}
    with speaking("en"):
        yield from pieces("report.html", rows=listed, questions=questions, **values)
