"""What goes back, and how the platforms that it goes to name things: `platforms.toml`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.grade import Origin, Person, Row
from autograder.report.words import points

__all__ = ["PLATFORMS", "Graded", "Platform", "ReturnError", "Returned", "equal", "origin"]


@dataclass(frozen=True)
class Platform:
    """What `platforms.toml` says of one."""

    feedback: str = ""
    grade: str = ""
    download: str = "the table that it exports"
    columns: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ("id",)
    excused: str = ""
    part: bool = False
    totals: str = "(?!)"


PLATFORMS = msgspec.toml.decode(Path(__file__).with_name("platforms.toml").read_bytes(), type=dict[str, Platform])


class ReturnError(Exception):
    """Why grades cannot go back this way, in one line."""


@dataclass(frozen=True)
class Graded:
    """A class and its grades. Only those with a score go back, and the excused where a platform knows of that."""

    rows: Sequence[Row]
    title: str = ""
    """What the assignment is called on the platform, perhaps with its id there in brackets; nothing if not told."""
    file: Path | None = None
    """What the platform gave, to be filled."""
    pages: Mapping[tuple[str, Person], Path] = field(default_factory=dict)
    """Where the page of each submission and person lies."""

    @property
    def scored(self) -> list[Row]:
        return [row for row in self.rows if row.score is not None]

    def named(self) -> tuple[str, str]:
        """The title without the id, and the id."""
        match = re.fullmatch(r"(.*?) ?\((\d+)\)", self.title)
        return (match[1], match[2]) if match else (self.title or "RNN", "")


@dataclass(frozen=True)
class Returned:
    """What is handed to a platform."""

    name: str
    """What the new file is called; nothing where the platform's own file is changed."""
    content: bytes
    remarks: Sequence[str] = ()
    """What to say before anything is written."""
    put: Callable[[], None] | None = None
    """Changes the platform's own file."""


def origin(row: Row, platform: str) -> Origin:
    """How *platform* knows the submission; nothing if it comes from elsewhere."""
    return row.origin if row.origin.platform.casefold() == platform else Origin()


def equal(old: str, new: str) -> bool:
    """Whether the *old* grade, as a platform writes it, is the *new* one, as `points` does."""
    try:
        return points(float(old.replace(",", "."))) == new
    except ValueError:
        return old == new
