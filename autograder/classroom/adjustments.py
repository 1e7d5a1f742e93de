"""`adjustments.csv`: points changed by hand, read at every run.

    student,question,points,reason,allow
    김민수,q3,+2,typo in the notebook,
    20210001,,85,oral examination,
    lee@example.org,,excuse,ill,

A student is named by id, email or name. Points with a sign are added, others replace; without a question they are the
total's. More than the maximum, or less than nothing, needs `yes` under `allow`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from autograder import course
from autograder.classroom.gradebook import Seat
from autograder.grade import Adjustment, Person, Row
from autograder.intake import join
from autograder.intake.sheet import Sheet
from autograder.report.words import points

__all__ = ["FILE_NAME", "Adjusted", "AdjustmentError", "adjusted"]

FILE_NAME = "adjustments.csv"
_COLUMNS = ("student", "question", "points", "reason")
_POINTS = re.compile(r"[+-]?\d{1,6}(?:[.,]\d+)?")


class AdjustmentError(Exception):
    """What is wrong with a line of the file."""


@dataclass(frozen=True)
class Adjusted:
    """A class with what the file says."""

    seats: tuple[Seat, ...]
    lines: Mapping[Adjustment, int]
    """The line of each change that may not lead beyond the maximum, or below nothing."""

    def check(self, rows: Iterable[Row]) -> None:
        """Raise `AdjustmentError` where points come out beyond the maximum, or below nothing, and may not."""
        for row in rows:
            scores = {**row.scores(), "": row.score or 0.0}
            allowed = {change.question for change in row.adjustments if change not in self.lines}
            for change in row.adjustments:
                score = scores.get(change.question, 0.0)
                # What is allowed for a question shows in the total, too.
                meant = change.question in allowed if change.question else allowed
                if not meant and not 0 <= score <= _maxima()[change.question]:
                    best = points(_maxima()[change.question])
                    comes = f"{change.question or 'the total'} comes out at {points(score)} of {best} points"
                    raise _wrong(self.lines[change], f"{comes}; write yes under allow if that is meant")


def adjusted(folder: Path, seats: Sequence[Seat]) -> Adjusted:
    """*seats* with the changes that the file in *folder* says.

    Raises `AdjustmentError`, `SheetError` and OSError.
    """
    path = folder / FILE_NAME
    lines = dict(_lines(Sheet(path.read_bytes(), FILE_NAME).values())) if path.exists() else {}
    find = _places(seats, {cells["student"] for cells in lines.values()})
    changes: defaultdict[int, list[Adjustment]] = defaultdict(list)
    strict: dict[Adjustment, int] = {}
    for number, cells in lines.items():
        change = _change(number, cells)
        if change.student not in find:
            raise _wrong(number, f"there is no student {change.student!r}, or several: use an id or email")
        own = changes[find[change.student]]
        if change in own:
            raise _wrong(number, "says the same as a line above it")
        own.append(change)
        if cells.get("allow", "").casefold() not in ("yes", "y", "allow", "1", "예"):
            strict[change] = number
    return Adjusted(tuple(replace(seat, adjustments=tuple(changes[at])) for at, seat in enumerate(seats)), strict)


def _lines(table: Sequence[Sequence[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each line that says anything, and its cells by the columns' names."""
    header = [title.strip().casefold() for title in table[0]]
    if missing := [name for name in _COLUMNS if name not in header]:
        raise _wrong(1, f"there is no column {missing[0]}; they are {', '.join(_COLUMNS)}")
    for number, line in enumerate(table[1:], 2):
        # The mark with which spreadsheets, and our own tables, keep text from being a formula.
        texts = (cell.strip().removeprefix("'") for cell in line[: len(header)])
        cells = dict(zip_longest(header, texts, fillvalue=""))
        if any(cells.values()):
            yield number, cells


def _places(seats: Sequence[Seat], students: Iterable[str]) -> dict[str, int]:
    """The seats of *students*, by what the file calls them: an id, email or name, the platform's or the roster's."""
    people = Counter(seat.person for seat in seats)
    places = {seat.person: place for place, seat in enumerate(seats)}
    asked = (Person(student, student, student) for student in students if student)
    found = join([seat.called for seat in seats], asked)
    return {student.name: places[person] for student, person in found.items() if people[person] == 1}


def _change(number: int, cells: Mapping[str, str]) -> Adjustment:
    student, question, value, reason = (cells[name] for name in _COLUMNS)
    question = question.lower()
    if question not in _maxima():
        raise _wrong(number, f"there is no question {question!r}")
    if value.casefold() == "excuse" and not question:
        return Adjustment(student, "", 0.0, reason, kind="excuse")
    if not _POINTS.fullmatch(value):
        raise _wrong(number, f"points are a number such as 5, +2 or -1.5, or excuse without a question; not {value!r}")
    return Adjustment(student, question, float(value.replace(",", ".")), reason, relative=value[0] in "+-")


def _maxima() -> dict[str, float]:
    """The points of each question and, under no name, of all."""
    return {question.id: question.points for question in course.questions()} | {"": course.maximum()}


def _wrong(line: int, what: str) -> AdjustmentError:
    return AdjustmentError(f"{FILE_NAME}, line {line}: {what}")
