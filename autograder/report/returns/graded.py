"""What goes back: a graded class, and what the names of its submissions tell of a platform's own ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import Question
from autograder.grade import Person, Row
from autograder.report.clean import one_line
from autograder.report.points import points

__all__ = ["Graded", "ReturnError", "Returned", "handle", "listed", "same"]

# Where a platform writes its own id into the path of a submission. Unlike the person's, a roster cannot change it.
_HANDLES = {
    "canvas": r"(?:.*/)?(?:LATE_)?(?P<name>anon|[^/]+?)(?:_LATE)?_(?P<id>(?<=anon_)\w{5}|\d+)_(?P<file>\d{3,})_[^/]+",
    "moodle": r"(?:.*/)?(?P<name>[^/]+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_?/|_).*",
    "gradescope": r"(?:.*/)?submission_(?P<id>\d+)/.+",
}


class ReturnError(Exception):
    """Why grades cannot go back this way, in one line."""


@dataclass(frozen=True)
class Graded:
    """A class and its grades. Only those with a score go back, and the excused where a platform knows of that."""

    rows: Sequence[Row]
    questions: Sequence[Question]
    title: str = ""
    """What the assignment is called on the platform, perhaps with its id there in brackets; nothing if not told."""
    file: Path | None = None
    """What the platform gave, to be filled."""
    pages: Mapping[tuple[str, Person], Path] = field(default_factory=dict)
    """Where the page of each submission and person lies."""

    def page(self, row: Row) -> Path | None:
        return self.pages.get((row.submission, row.person))

    @property
    def scored(self) -> list[Row]:
        return [row for row in self.rows if row.score is not None]

    @property
    def best(self) -> float:
        return sum(question.points for question in self.questions)

    def named(self) -> tuple[str, str]:
        """The title without the id, and the id."""
        match = re.fullmatch(r"(.*?) ?\((\d+)\)", self.title)
        return (match[1], match[2]) if match else (self.title or "RNN", "")


@dataclass(frozen=True)
class Returned:
    """What a platform takes."""

    name: str
    """What the new file is called; nothing where the platform's own file is changed."""
    content: bytes
    remarks: Sequence[str] = ()
    """What to say before anything is written."""
    put: Callable[[], None] | None = None
    """Changes the platform's own file."""


def handle(row: Row, platform: str) -> re.Match[str] | None:
    """What the submission's path tells of *platform*'s own ids."""
    return re.fullmatch(_HANDLES[platform], row.submission, re.DOTALL)


def same(old: str, score: float) -> bool:
    """Whether the grade that stands there, to two decimals, is *score*."""
    try:
        return points(float(old.replace(",", "."))) == points(score)
    except ValueError:
        return False


def listed(what: str, names: Sequence[str]) -> list[str]:
    """A remark that names the first few, or none."""
    if not names:
        return []
    shown = ", ".join(one_line(name) for name in names[:20]) + (", …" if len(names) > 20 else "")
    return [f"{what.format(len(names))}: {shown}"]
