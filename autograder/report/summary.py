"""What a class did, counted in one pass over its rows."""

from __future__ import annotations

import ast
import statistics
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from autograder.course import Question
from autograder.grade import OwnCell, QuestionGrade, Row, Status

__all__ = ["QuestionSummary", "Seen", "Summary", "anonymous", "summarise"]

_RANKED = 20
"""How many mistakes of a kind are told."""
_NAMED = 5
"""How many rows are named of those that share a mistake."""
_BINS = 10
_SHOWN, _PARSED = 1_500, 20_000
"""Characters of an answer that is shown without its author, and of one that is parsed for it."""


@dataclass
class Seen:
    """A mistake, and who made it."""

    answer: QuestionGrade
    """The first that shows it."""
    count: int = 0
    rows: list[Row] = field(default_factory=list)
    """The first few, without what was found of their answers."""


@dataclass(frozen=True)
class QuestionSummary:
    question: Question
    mean: float
    full_marks: int
    """How many earned all points."""
    discrimination: float | None
    """The share of points that the best quarter earned of it, less that of the weakest; None for a few people."""


@dataclass
class Summary:
    """Counts are of rows: people. What has no score counts in no mean."""

    max_score: float
    statuses: Counter[Status] = field(default_factory=Counter)
    isolation: set[str] = field(default_factory=set)
    scored: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """Each score with the points of the questions."""
    mistakes: dict[tuple[str, str], Seen] = field(default_factory=dict)
    """By question, and misconception or behaviour."""

    @property
    def people(self) -> int:
        return self.statuses.total()

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
        tenths = Counter(min(int(_BINS * max(score, 0) / (self.max_score or 1)), _BINS - 1) for score in self.scores)
        return [tenths[place] for place in range(_BINS)]

    def commonest(self, *, explained: bool) -> list[Seen]:
        """The commonest mistakes that a known misconception explains, or that nothing does."""
        seen = [each for each in self.mistakes.values() if bool(each.answer.misconception) == explained]
        return sorted(seen, key=lambda seen: (-seen.count, seen.answer.question, seen.answer.misconception))[:_RANKED]

    def questions(self, questions: Iterable[Question]) -> Iterator[QuestionSummary]:
        """Each question's difficulty, and how well it tells the best from the weakest; each is worth something."""
        ranked = [points for _, points in sorted(self.scored, key=lambda pair: pair[0])]
        quarter = len(ranked) // 4
        for question in questions:
            points = [each.get(question.id, 0.0) for each in ranked]
            mean = statistics.fmean(points or [0.0])
            full = sum(each >= question.points for each in points)
            apart = (sum(points[-quarter:]) - sum(points[:quarter])) / (quarter * question.points) if quarter else None
            yield QuestionSummary(question, mean, full, apart)


def summarise(rows: Iterable[Row], max_score: float) -> Summary:
    """The summary of a class."""
    summary = Summary(max_score)
    for row in rows:
        summary.statuses[row.grade.status] += 1
        summary.isolation |= {row.grade.isolation} - {""}
        if row.score is not None:
            summary.scored.append((row.score, row.scores()))
            for answer in row.grade.questions:
                if answer.answered and answer.score < answer.points:
                    key = answer.question, answer.misconception or _behaviour(answer)
                    seen = summary.mistakes.setdefault(key, Seen(answer))
                    seen.count += 1
                    if len(seen.rows) < _NAMED:
                        seen.rows.append(replace(row, grade=replace(row.grade, questions=())))
    return summary


def _behaviour(answer: QuestionGrade) -> str:
    """What a wrong answer leaves behind: equal for answers that go wrong in the same way."""
    example = answer.example
    if example is None:
        return repr([(check.check, check.note) for check in answer.checks if not check.passed])
    return repr((example.id, example.differences, example.error and (example.error.kind, example.error.message)))


def anonymous(cells: Sequence[OwnCell]) -> str:
    """The code of an answer without comments and strings, in which authors could be named; nothing if it is no code."""
    source = "\n".join(cell.source for cell in cells)
    if len(source) > _PARSED:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                node.value = "…"
        return ast.unparse(tree)[:_SHOWN]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
