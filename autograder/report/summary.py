"""What a class did, counted in one pass over its rows."""

from __future__ import annotations

import ast
import statistics
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from autograder.course import Question
from autograder.grade import Example, OwnCell, QuestionGrade, Row, Status

__all__ = ["NAMED", "RANKED", "QuestionSummary", "Seen", "Summary", "anonymous", "summarise"]

RANKED = 20
"""How many mistakes of a kind are told."""
NAMED = 5
"""How many rows are named of those that share a mistake."""
_BINS = 10
_CODE = 1_500
"""Characters of an answer that is shown without its author."""
_LONGEST = 20_000
"""Characters of code that is parsed for it."""


@dataclass
class Seen:
    """A mistake, and who made it."""

    question: str
    id: str
    """The misconception's; nothing for a mistake that nothing explains."""
    code: str
    """The first answer that shows it, without comments and strings."""
    example: Example | None
    count: int = 0
    rows: list[Row] = field(default_factory=list)
    """The first few, without what was found of their answers."""


@dataclass(frozen=True)
class QuestionSummary:
    id: str
    points: float
    mean: float
    full_marks: int
    """How many earned all points."""
    discrimination: float | None
    """The share of points that the best quarter earned of it, less that of the weakest; None for a few people."""


@dataclass
class Summary:
    """Counts are of rows: people."""

    max_score: float
    submissions: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    isolation: set[str] = field(default_factory=set)
    scored: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """Each score with the points of the questions."""
    mistakes: dict[tuple[str, str | int], Seen] = field(default_factory=dict)
    """By question, and misconception or behaviour."""

    @property
    def scores(self) -> list[float]:
        return sorted(score for score, _ in self.scored)

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.scores) if self.scored else None

    @property
    def median(self) -> float | None:
        return statistics.median(self.scores) if self.scored else None

    @property
    def bins(self) -> list[int]:
        """How many scores lie in each tenth of the scale; the last includes full marks and what lies beyond."""
        places = Counter(int(_BINS * score / (self.max_score or 1)) for score in self.scores)
        return [sum(n for place, n in places.items() if min(max(place, 0), _BINS - 1) == bin_) for bin_ in range(_BINS)]

    def add(self, row: Row) -> None:
        self.submissions += 1
        self.statuses[row.grade.status] += 1
        self.isolation |= {row.grade.isolation} - {""}
        if row.score is not None:
            self.scored.append((row.score, row.scores()))
            for answer in row.grade.questions:
                self._add_answer(row, answer)

    def _add_answer(self, row: Row, answer: QuestionGrade) -> None:
        if answer.score >= answer.points or not answer.answered:
            return
        key = answer.question, answer.misconception or _behaviour(answer)
        if key not in self.mistakes:
            self.mistakes[key] = Seen(answer.question, answer.misconception, anonymous(answer.cells), answer.example)
        seen = self.mistakes[key]
        seen.count += 1
        if len(seen.rows) < NAMED:
            seen.rows.append(replace(row, grade=replace(row.grade, questions=())))

    def commonest(self, *, explained: bool) -> list[Seen]:
        """The commonest mistakes that a known misconception explains, or that nothing does."""
        seen = [each for each in self.mistakes.values() if bool(each.id) == explained]
        return sorted(seen, key=lambda seen: (-seen.count, seen.question, seen.id))[:RANKED]

    def questions(self, questions: Sequence[Question]) -> Iterator[QuestionSummary]:
        """Each question's difficulty, and how well it tells the best from the weakest."""
        ranked = [points for _, points in sorted(self.scored, key=lambda pair: pair[0])]
        quarter = len(ranked) // 4
        for question in (question for question in questions if question.points):
            points = [each.get(question.id, 0.0) for each in ranked]
            mean = statistics.fmean(points) if points else 0.0
            full = sum(each >= question.points for each in points)
            apart = (sum(points[-quarter:]) - sum(points[:quarter])) / (quarter * question.points) if quarter else None
            yield QuestionSummary(question.id, question.points, mean, full, apart)


def summarise(rows: Iterable[Row], questions: Sequence[Question]) -> Summary:
    """The summary of a class; what has no score counts in no mean."""
    summary = Summary(sum(question.points for question in questions))
    for row in rows:
        summary.add(row)
    return summary


def _behaviour(answer: QuestionGrade) -> int:
    """What a wrong answer leaves behind: equal for answers that go wrong in the same way."""
    example = answer.example
    if example is None:
        return hash(repr([(check.check, check.note) for check in answer.checks if not check.passed]))
    return hash(repr((example.id, example.differences, example.error and (example.error.kind, example.error.message))))


def anonymous(cells: Sequence[OwnCell]) -> str:
    """The code of an answer without comments and strings, in which authors could be named; nothing if it is no code."""
    source = "\n".join(cell.source for cell in cells)
    if len(source) > _LONGEST:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                node.value = "…"
        return ast.unparse(tree)[:_CODE]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
