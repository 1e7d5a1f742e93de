"""What the terminal shows after a run: a table of the grades if it fits on a screen, and a summary."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from autograder.course import Question
from autograder.gradebook import Row
from autograder.render.clean import one_line
from autograder.render.points import points
from autograder.render.report import Summary

__all__ = ["MAX_ROWS", "closing", "grades_table", "summary_lines", "width"]

MAX_ROWS = 40
"""More rows than these do not fit on a screen."""
_COLUMNS = 80
_MIN_NAME_COLUMNS = 16


def closing(
    folder: Path, summary: Summary, rows: Sequence[Row], questions: Sequence[Question], remarks: Sequence[str] = ()
) -> list[str]:
    """The end of a run that wrote into *folder*: a table of *rows* if there are any, and what is true of all."""
    table = grades_table(rows, [question.id for question in questions]) if rows else []
    files = [
        f"{folder / 'report.html'}  the class",
        f"{folder / 'grades.csv'}   every grade",
        f"{folder / 'feedback'}/    a page for every student",
    ]
    return [*table, *[""] * bool(table), *summary_lines(summary), *remarks, "", *files]


def grades_table(rows: Sequence[Row], questions: Sequence[str]) -> list[str]:
    """The grades, in lines of at most 80 columns where the course has no more than eight questions."""
    table = [("submission", *questions, "score", "")]
    for row in rows:
        scores = {question: points(score) for question, score in row.scores().items()}
        status = "" if row.grade.status == "graded" else row.grade.status
        own = (scores.get(question, "-") for question in questions)
        table.append((unicodedata.normalize("NFC", one_line(row.name)), *own, points(row.grade.score) or "-", status))
    others = [f"{''.join(f'{cell:>4}' for cell in scores)}{total:>7}  {status}" for _, *scores, total, status in table]
    room = max(_MIN_NAME_COLUMNS, _COLUMNS - max(map(len, others)))
    columns = min(room, max(width(name) for name, *_ in table))
    return [f"{_fitted(name, columns)}{other}".rstrip() for (name, *_), other in zip(table, others, strict=True)]


def summary_lines(summary: Summary) -> list[str]:
    """How many there are of each status, and the middle of the scores."""
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()) if count)
    lines = [f"{summary.submissions} submission{'s' * (summary.submissions != 1)}: {statuses}"]
    if summary.scores:
        best = points(summary.max_score)
        lines.append(f"mean {summary.mean:.1f}, median {summary.median:.1f} of {best}")
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
