"""What the terminal shows after a run: a table of the grades if it fits on a screen, and a summary."""

from __future__ import annotations

import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from autograder.grade import Row
from autograder.report.clean import one_line
from autograder.report.points import points

__all__ = ["MAX_ROWS", "grades_table", "summary_lines", "width"]

MAX_ROWS = 40
"""More rows than these do not fit on a screen."""
_COLUMNS = 80
_MIN_NAME_COLUMNS = 16


def grades_table(rows: Sequence[Row], questions: Sequence[str]) -> list[str]:
    """The grades, in lines of at most 80 columns where the course has no more than eight questions."""
    table = [("student", *questions, "score", "")]
    for row in rows:
        scores = {question: points(score) for question, score in row.scores().items()}
        status = "" if row.grade.status == "graded" else row.grade.status
        own = (scores.get(question, "-") for question in questions)
        name = unicodedata.normalize("NFC", one_line(row.person.name or row.submission))
        table.append((name, *own, points(row.score) or "-", status))
    others = [f"{''.join(f'{cell:>4}' for cell in scores)}{total:>7}  {status}" for _, *scores, total, status in table]
    room = max(_MIN_NAME_COLUMNS, _COLUMNS - max(map(len, others)))
    columns = min(room, max(width(name) for name, *_ in table))
    return [f"{_fitted(name, columns)}{other}".rstrip() for (name, *_), other in zip(table, others, strict=True)]


def summary_lines(rows: Iterable[Row]) -> list[str]:
    """How many there are of each status, and the middle of the scores."""
    statuses: Counter[str] = Counter()
    scores: list[float] = []
    best = 0.0
    for row in rows:
        statuses[row.grade.status] += 1
        best = row.grade.max_score
        if row.score is not None:
            scores.append(row.score)
    people = statuses.total()
    counts = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    lines = [f"{people} student{'s' * (people != 1)}: {counts}"]
    if scores:
        mean, median = statistics.fmean(scores), statistics.median(scores)
        lines.append(f"mean {mean:.1f}, median {median:.1f} of {points(best)}, of {len(scores)} with a score")
    return lines


def width(text: str) -> int:
    """Columns that *text* takes in a terminal: Hangul two, combining characters none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _fitted(name: str, columns: int) -> str:
    """*name* in exactly so many columns; of a long one the beginning and the end: who, and what."""
    if width(name) > columns:
        start, end = name, name
        while width(start) > (columns - 1) * 2 // 3:
            start = start[:-1]
        while width(end) > columns - 1 - width(start):
            end = end[1:]
        name = f"{start}…{end}"
    return name + " " * (columns - width(name))
