"""`grades.csv` and `set-aside.csv`: tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from autograder.grade import Note, Row
from autograder.report.clean import one_line
from autograder.report.points import points
from autograder.report.words import adjustment_sentence, sentence

__all__ = ["Aside", "cell", "grades_csv", "set_aside_csv", "table"]

_BEFORE = ("submission", "student", "id", "email", "score", "max_score")
_AFTER = ("status", "late", "attempts", "adjusted", "detail")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_FORMULA = re.compile(r"(^|[;,])(?=[\s\"'\ufffd]*[=+\-@＝＋－＠﹦﹢﹣﹫−])")  # full-width signs are plain ones there


def grades_csv(rows: Iterable[Row], questions: Sequence[str]) -> bytes:
    """A row a person."""
    return table((*_BEFORE, *questions, *_AFTER), (_grades(row, questions) for row in rows))


class Aside(Protocol):
    """A file that is not graded: `autograder.intake.SetAside`."""

    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> Note: ...
    @property
    def person(self) -> str: ...


def set_aside_csv(set_aside: Iterable[Aside]) -> bytes:
    """The files that are not graded, whose they are, and why."""
    return table(("file", "student", "reason"), ((one.name, one.person, sentence(one.reason)) for one in set_aside))


def _grades(row: Row, questions: Sequence[str]) -> Sequence[str]:
    person, grade, scores = row.person, row.grade, row.scores()
    nothing = None if grade.score is None else 0.0
    handed_in = bool(row.submission)
    return (
        *(row.submission, person.name, person.id, person.email, points(row.score), points(grade.max_score)),
        *(points(scores.get(question, nothing)) for question in questions),
        *(grade.status, "yes" if row.late else "", str(row.attempts) if handed_in else ""),
        "; ".join(map(adjustment_sentence, row.adjustments)),
        sentence(grade.detail) if grade.detail else "",
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table in UTF-8, with the byte order mark that makes Excel read it so; every cell in quotes."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([*map(cell, row)] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def cell(text: str) -> str:
    """*text* as a spreadsheet shows it and nothing more: on one line, and marked where it could start a formula.

    Spreadsheets that part cells by `;`, as Korean ones may, see cells begin behind each of those, too.
    """
    shown = one_line(text)
    return shown if _NUMBER.fullmatch(shown) else _FORMULA.sub(r"\1'", shown)
