"""What a class did, counted in one pass over its rows."""

import ast
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from autograder import course
from autograder.grade import OwnCell, QuestionGrade, Row, Status
from autograder.intake.notebook import tree
from autograder.report.words import points

__all__ = ["Summary", "anonymous", "summary_lines"]

_RANKED, _NAMED = 20, 5
"""How many mistakes of a kind are told, and how many people are named who made one."""
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
    """How difficult a question is, and how well it tells the best from the weakest."""

    question: course.Question
    mean: float
    full_marks: int
    """How many earned all points."""
    discrimination: float | None
    """The share of points that the best quarter earned of it, less that of the weakest; None for a few people."""


class Summary:
    """All counts are of rows, which are people. Those without a score count in no mean."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.max_score = course.maximum()
        self.statuses = Counter[Status]()
        self.isolation = set[str]()
        self.mistakes = dict[tuple[str, str], Seen]()
        """By question, and misconception or behaviour."""
        scored = []
        for row in rows:
            self.statuses[row.grade.status] += 1
            self.isolation |= {row.grade.isolation} - {""}
            if row.score is None:
                continue
            scored.append((row.score, row.scores()))
            for answer in row.grade.questions:
                if answer.answered and answer.score < answer.points:
                    key = answer.question, answer.misconception or _behaviour(answer)
                    seen = self.mistakes.setdefault(key, Seen(answer))
                    seen.count += 1
                    if len(seen.rows) < _NAMED:
                        seen.rows.append(replace(row, grade=replace(row.grade, questions=())))
        scored.sort(key=lambda pair: pair[0])
        self.people = self.statuses.total()
        self.scores = [score for score, _ in scored]
        self.mean = statistics.fmean(self.scores) if scored else None
        self.median = statistics.median(self.scores) if scored else None
        tenths = Counter(min(int(_BINS * max(score, 0) / (self.max_score or 1)), _BINS - 1) for score in self.scores)
        self.bins = [tenths[place] for place in range(_BINS)]
        """How many scores lie in each tenth of the scale; the last includes full marks and what lies beyond."""
        ranked = [points for _, points in scored]
        self.questions = [_question(question, ranked) for question in course.questions() if question.points]

    def commonest(self, *, explained: bool) -> list[Seen]:
        """The commonest mistakes that a known misconception explains, or that nothing does."""
        seen = [each for each in self.mistakes.values() if bool(each.answer.misconception) == explained]
        return sorted(seen, key=lambda seen: (-seen.count, seen.answer.question, seen.answer.misconception))[:_RANKED]


def _question(question: course.Question, ranked: Sequence[dict[str, float]]) -> QuestionSummary:
    """*ranked* holds everybody's points, the weakest first."""
    points = [each.get(question.id, 0.0) for each in ranked]
    quarter = len(ranked) // 4
    full = sum(each >= question.points for each in points)
    apart = (sum(points[-quarter:]) - sum(points[:quarter])) / (quarter * question.points) if quarter else None
    return QuestionSummary(question, statistics.fmean(points or [0.0]), full, apart)


def _behaviour(answer: QuestionGrade) -> str:
    """Text that is equal for wrong answers that leave the same behind."""
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
        parsed = tree(source)
        for node in ast.walk(parsed):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
                node.value = "…"
        return ast.unparse(parsed)[:_SHOWN]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def summary_lines(rows: Iterable[Row]) -> list[str]:
    """How many there are of each status, and the middle of the scores."""
    summary = Summary(rows)
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    lines = [f"{summary.people} student{'s' * (summary.people != 1)}: {counts}"]
    if summary.scores:
        middle = f"mean {summary.mean:.1f}, median {summary.median:.1f} of {points(summary.max_score)}"
        lines.append(f"{middle}, of {len(summary.scores)} with a score")
    return lines
