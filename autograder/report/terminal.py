"""What the terminal shows after a run: a table of the grades if it fits on a screen, and a summary."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from autograder import course
from autograder.grade import Row
from autograder.report.clean import one_line
from autograder.report.summary import summarise
from autograder.report.words import points

__all__ = ["MAX_ROWS", "grades_table", "summary_lines", "width"]

MAX_ROWS = 40
"""More rows than these do not fit on a screen."""
_COLUMNS, _NAME = 80, 16
"""Columns of a terminal, and those that a name has at least."""


def grades_table(rows: Sequence[Row], questions: Sequence[str]) -> list[str]:
    """The grades, in lines of at most 80 columns where the course has no more than eight questions."""
    table = [("student", *questions, "score", "")]
    for row in rows:
        scores = [points(row.scores().get(question)) or "-" for question in questions]
        status = "" if row.grade.status == "graded" else row.grade.status
        name = unicodedata.normalize("NFC", one_line(row.person.name or row.submission))
        table.append((name, *scores, points(row.score) or "-", status))
    others = [f"{''.join(f'{cell:>4}' for cell in scores)}{total:>7}  {status}" for _, *scores, total, status in table]
    room = min(max(_NAME, _COLUMNS - max(map(len, others))), max(width(name) for name, *_ in table))
    return [f"{_fitted(name, room)}{other}".rstrip() for (name, *_), other in zip(table, others, strict=True)]


def summary_lines(rows: Iterable[Row]) -> list[str]:
    """How many there are of each status, and the middle of the scores."""
    summary = summarise(rows, course.maximum())
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    lines = [f"{summary.people} student{'s' * (summary.people != 1)}: {counts}"]
    if summary.scored:
        middle = f"mean {summary.mean:.1f}, median {summary.median:.1f} of {points(summary.max_score)}"
        lines.append(f"{middle}, of {len(summary.scored)} with a score")
    return lines


def width(text: str) -> int:
    """Columns that *text* takes in a terminal: Hangul two, combining characters none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _fitted(name: str, columns: int) -> str:
    """*name* in exactly so many columns, cut off if it is longer."""
    while width(name) > columns:
        name = f"{name[:-2]}…"
    return name + " " * (columns - width(name))
