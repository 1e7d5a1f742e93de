"""`adjustments.csv`: points changed by hand, read at every run.

    student,question,points,reason,allow
    김민수,q3,+2,typo in the notebook,
    20210001,,85,oral examination,
    lee@example.org,,excuse,ill,

A student is named by id, email or name. Points with a sign are added, others replace; without a question they are the
total's. More than the maximum, or less than nothing, needs `yes` under `allow`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from autograder import course
from autograder.classroom.gradebook import Seat
from autograder.grade import Adjustment, Person, Row
from autograder.intake import Listed, join
from autograder.report.points import points
from autograder.report.sheet import Sheet

__all__ = ["FILE_NAME", "AdjustmentError", "Adjustments", "read"]

FILE_NAME = "adjustments.csv"
_COLUMNS = ("student", "question", "points", "reason")
_POINTS = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


class AdjustmentError(Exception):
    """What is wrong with a line of the file."""


@dataclass(frozen=True)
class Adjustments:
    """What the file says, each change with the place of the seat that it is for."""

    changes: tuple[tuple[int, Adjustment], ...] = ()
    lines: Mapping[Adjustment, int] = field(default_factory=dict)
    """The line that each stands in."""
    allowed: frozenset[Adjustment] = frozenset()
    """Those that may go beyond the maximum, or below nothing."""

    def check(self, rows: Iterable[Row]) -> None:
        """Raise `AdjustmentError` where points come out beyond the maximum, or below nothing, and are not allowed."""
        maxima = _maxima() if self.changes else {}
        for row in rows:
            scores = {**row.scores(), "": row.score or 0.0}
            for change in row.adjustments:
                score, maximum = scores.get(change.question, 0.0), maxima[change.question]
                if change not in self.allowed and not 0 <= score <= maximum:
                    comes = f"{change.question or 'the total'} comes out at {points(score)} of {points(maximum)} points"
                    raise _wrong(self.lines[change], f"{comes}; write yes under allow if that is meant")


def read(folder: Path, seats: Sequence[Seat], before: Iterable[tuple[int, Adjustment]]) -> Adjustments:
    """What the file in *folder* says, each change with the time of the run that first read it, as *before* tells.

    Raises `AdjustmentError` and OSError.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return Adjustments()
    first, *lines = Sheet.of(path.read_bytes()).values()
    header = _header(first)
    times = {replace(change, time=""): change.time for _, change in before}
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    find = _places(seats, [line[header["student"]].strip() for line in lines if len(line) > header["student"]])
    changes: dict[tuple[int, Adjustment], int] = {}
    allowed = set()
    for number, line in enumerate(lines, 2):
        cells = {name: line[place].strip() if place < len(line) else "" for name, place in header.items()}
        if not any(cells.values()):
            continue
        change = _change(number, cells)
        if change.student not in find:
            raise _wrong(number, f"there is no student {change.student!r}, or several: use an id or email")
        change = replace(change, time=times.get(change, now))
        key = (find[change.student], change)
        if key in changes:
            raise _wrong(number, f"says the same as line {changes[key]}")
        changes[key] = number
        if cells.get("allow", "").casefold() in ("yes", "y", "allow", "1", "예"):
            allowed.add(change)
    return Adjustments(tuple(changes), {change: line for (_, change), line in changes.items()}, frozenset(allowed))


def _places(seats: Sequence[Seat], students: Iterable[str]) -> dict[str, int]:
    """The seat of each student that is named by id, email or name, unless several could be meant."""
    people = Counter(seat.person for seat in seats)
    places = {seat.person: place for place, seat in enumerate(seats)}
    asked = {Person(student, student, student): student for student in students if student}
    found = join([Listed(person) for person in people], asked).found
    return {asked[person]: places[listed] for person, listed in found.items() if people[listed] == 1}


def _maxima() -> dict[str, float]:
    """The points of each question and, under no name, of all."""
    return {question.id: question.points for question in course.questions()} | {"": course.maximum()}


def _header(first: Sequence[str]) -> dict[str, int]:
    header = {name.strip().casefold(): place for place, name in enumerate(first)}
    for other in ("student or id", "id"):
        if other in header:
            header.setdefault("student", header[other])
    for name in _COLUMNS:
        if name not in header:
            raise _wrong(1, f"there is no column {name}; they are {', '.join(_COLUMNS)}")
    return header


def _change(number: int, cells: Mapping[str, str]) -> Adjustment:
    student, question, value, reason = (cells[name] for name in _COLUMNS)
    if question not in _maxima():
        raise _wrong(number, f"there is no question {question!r}")
    if value.casefold() == "excuse" and not question:
        return Adjustment(student, "", 0.0, reason, kind="excuse")
    if not _POINTS.fullmatch(value):
        raise _wrong(number, f"points are a number such as 5, +2 or -1.5, or excuse without a question; not {value!r}")
    return Adjustment(student, question, float(value.replace(",", ".")), reason, relative=value[0] in "+-")


def _wrong(line: int, what: str) -> AdjustmentError:
    return AdjustmentError(f"{FILE_NAME}, line {line}: {what}")
