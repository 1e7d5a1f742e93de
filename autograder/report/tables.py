"""Tables of grades, in CSV and on the terminal."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from autograder.grade import Row
from autograder.intake import SetAside
from autograder.report.words import adjustment_sentence, one_line, points, sentence

__all__ = ["MAX_ROWS", "grades_csv", "grades_table", "set_aside_csv", "table", "width"]

MAX_ROWS = 40
"""More rows than these do not fit on a screen."""
_COLUMNS, _NAME = 80, 16
"""Columns of a terminal, and those that a name has at least."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FORMULA = re.compile(r"(^|[;,])(?=[\s\"'\ufffd]*[=+\-@＝＋－＠﹦﹢﹣﹫−])")  # full-width signs are plain ones there


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table in UTF-8, with the byte order mark that makes Excel read it so; every cell in quotes."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerows([*map(_cell, row)] for row in (header, *rows))
    return stream.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """*text* on one line, and with a mark where it could start a formula, so that a spreadsheet only shows it.

    Where cells are separated by `;`, as in Korea they may be, a cell begins behind each of those, too.
    """
    shown = one_line(text)
    return shown if _NUMBER.fullmatch(shown) else _FORMULA.sub(r"\1'", shown)


def grades_csv(rows: Iterable[Row], questions: Sequence[str]) -> bytes:
    """A row a person."""
    columns = ("submission", "student", "id", "email", "score", "max_score", *questions)
    header = (*columns, "status", "late", "attempts", "adjusted", "detail")
    return table(header, (_grades(row, questions) for row in rows))


def _grades(row: Row, questions: Sequence[str]) -> Sequence[str]:
    person, grade, scores = row.person, row.grade, row.scores()
    nothing = None if grade.score is None else 0.0
    return (
        *(row.submission, person.name, person.id, person.email, points(row.score), points(grade.max_score)),
        *(points(scores.get(question, nothing)) for question in questions),
        *(grade.status, "yes" if row.late else "", str(row.attempts) if row.submission else ""),
        "; ".join(map(adjustment_sentence, row.adjustments)),
        sentence(grade.detail) if grade.detail else "",
    )


def set_aside_csv(set_aside: Iterable[SetAside]) -> bytes:
    """The files that are not graded, whose they are, and why."""
    return table(("file", "student", "reason"), ((one.name, one.person, sentence(one.reason)) for one in set_aside))


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


def width(text: str) -> int:
    """Columns that *text* takes in a terminal: Hangul two, combining characters none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _fitted(name: str, columns: int) -> str:
    """*name* in exactly so many columns, cut off if it is longer."""
    while width(name) > columns:
        name = f"{name[:-2]}…"
    return name + " " * (columns - width(name))
