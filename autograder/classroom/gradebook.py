"""The gradebook: what has been graded, kept so that nothing is graded twice and nothing is lost.

One SQLite file that only its owner reads. Each grade is one transaction, so a run that is killed leaves all that it had
graded. The file is locked as long as it is open: two runs into one folder would overwrite each other's pages.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from autograder.classroom.task import Task
from autograder.grade import Adjustment, Grade, Person, Row, Submission, from_json, to_json
from autograder.intake import SetAside

__all__ = ["FILE_NAME", "Gradebook", "GradebookError", "Seat"]

FILE_NAME = "gradebook.sqlite"

_APPLICATION = 0x724E4E67  # marks the file as ours
_SCHEMA_VERSION = 3
_SCHEMA = (
    """CREATE TABLE submission (
        name TEXT PRIMARY KEY,
        digest TEXT NOT NULL,       -- of what was handed in
        fingerprint TEXT NOT NULL,  -- of all that decided the grade
        status TEXT NOT NULL,
        grade BLOB NOT NULL,        -- JSON
        secret BLOB NOT NULL,       -- what its private numbers were drawn with
        evidence BLOB NOT NULL,
        other BLOB NOT NULL,        -- JSON: the submission without its content
        content BLOB NOT NULL
    )""",
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL)",  # JSON
)


class GradebookError(Exception):
    """Why a gradebook cannot be used, in one line."""


@dataclass(frozen=True)
class Seat:
    """A person's place in the class, before it has a grade."""

    person: Person
    given: Person
    """The same as the platform named them; what a roster knows better is in `person`."""
    submission: str = ""
    """The submission's name; nothing where none was handed in."""
    time: str = ""
    attempts: int = 1
    late: bool = False
    adjustments: tuple[Adjustment, ...] = ()


class Gradebook:
    """The gradebook of one output folder. A context manager; only one can be open for a folder.

    Raises `GradebookError` if another run has it open, or if the file there is not a gradebook of this version.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / FILE_NAME
        with suppress(FileExistsError):  # an existing one is not opened here: closing it would free another's lock
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._db = sqlite3.connect(self.path, timeout=0.0, isolation_level=None)
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            locked = "locked" in str(error)
            reason = "another run is using it" if locked else f"cannot be used as a gradebook: {error}"
            raise GradebookError(f"{self.path}: {reason}") from error

    def _open(self) -> None:
        # Exclusive before the first access: the lock is the operating system's and ends with the process, and the
        # write-ahead log then needs no shared memory, so that network folders do.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        mode = self._value("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
        self._db.execute("BEGIN EXCLUSIVE")
        if not self._value("SELECT count(*) FROM sqlite_master"):
            for statement in _SCHEMA:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        made_by = (self._value("PRAGMA application_id"), self._value("PRAGMA user_version"))
        if made_by != (_APPLICATION, _SCHEMA_VERSION):
            raise sqlite3.DatabaseError("made by another program or version; choose another folder")
        self._db.execute("COMMIT")
        os.chmod(self.path, 0o600)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(sqlite3.Error):  # nothing is pending; a log that cannot be folded in is read next time
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """All that is written inside is kept together, or not at all: after an error, or if what it gives is called."""
        if self._db.in_transaction:  # it belongs to a larger one
            yield self._roll_back
            return
        self._db.execute("BEGIN")
        try:
            yield self._roll_back
        except BaseException:
            self._roll_back()
            raise
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # it may have been rolled back already
            self._db.execute("ROLLBACK")

    def _value(self, query: str, *arguments: object) -> Any:
        """The first value that *query* finds, or None."""
        found = self._db.execute(query, arguments).fetchone()
        return found[0] if found else None

    def seats(self) -> list[Seat]:
        """The class, in the order of its rows."""
        return msgspec.json.decode(self._value("SELECT value FROM fact WHERE name = 'seats'") or b"[]", type=list[Seat])

    def set_aside(self) -> list[SetAside]:
        """The files that are not graded."""
        value = self._value("SELECT value FROM fact WHERE name = 'set aside'") or b"[]"
        return msgspec.json.decode(value, type=list[SetAside])

    def files(self) -> dict[str, str]:
        """What stands in each file that was written, as a digest, by the path below the folder."""
        return msgspec.json.decode(
            self._value("SELECT value FROM fact WHERE name = 'files'") or b"{}", type=dict[str, str]
        )

    def wrote(self, files: Mapping[str, str]) -> None:
        """Make these the files that were written."""
        self._put("files", files)

    def _put(self, name: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, msgspec.json.encode(value)))

    def enrol(self, seats: Sequence[Seat], set_aside: Iterable[SetAside]) -> None:
        """Make *seats* the class. What was graded and is nobody's any more is dropped."""
        standing = {seat.submission for seat in seats}
        with self.transaction():
            self._put("seats", seats)
            self._put("set aside", sorted(set_aside, key=lambda aside: aside.name))
            gone = [one for one in self._db.execute("SELECT name FROM submission") if one[0] not in standing]
            self._db.executemany("DELETE FROM submission WHERE name = ?", gone)

    def known(self, submission: Submission, fingerprint: str) -> bool:
        """Whether the very same submission has been graded by what *fingerprint* stands for."""
        query = "SELECT 1 FROM submission WHERE status != 'could-not-grade' AND (name, digest, fingerprint) = (?, ?, ?)"
        return self._value(query, submission.name, _digest(submission), fingerprint) is not None

    def keep(self, task: Task, grade: Grade, fingerprint: str) -> None:
        """Keep a grade, and all that it was made of, in place of an older one; on return it outlasts this process."""
        submission = task.submission
        fields = (submission.name, _digest(submission), fingerprint, grade.status, to_json(grade))
        made_of = (task.secret, task.evidence, _other(submission), zlib.compress(submission.content, 1))
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", fields + made_of)

    def count(self) -> int:
        """How many submissions are kept."""
        return int(self._value("SELECT count(*) FROM submission"))

    def stale(self, fingerprint: str) -> int:
        """How many submissions were graded by something else than what *fingerprint* stands for."""
        query = "SELECT count(*) FROM submission WHERE fingerprint != ? AND status != 'could-not-grade'"
        return int(self._value(query, fingerprint))

    def rows(self, missing: Callable[[Seat], Grade], pending: Collection[str] = ()) -> Iterator[Row]:
        """The class with grades and adjustments; *missing* gives the grade where there is none, or one is *pending*."""
        for seat in self.seats():
            graded = None if seat.submission in pending else self.grade(seat.submission)
            when = (seat.time, seat.attempts, seat.late)
            yield Row(seat.submission, seat.person, graded or missing(seat), *when, seat.adjustments)

    def grade(self, submission: str) -> Grade | None:
        """The grade of one submission, by name."""
        found = self._value("SELECT grade FROM submission WHERE name = ?", submission)
        return from_json(found) if found else None

    def tasks(self) -> Iterator[Task]:
        """What all grades were made of, by the submissions' names. Grades may be kept meanwhile."""
        for (name,) in self._db.execute("SELECT name FROM submission ORDER BY name").fetchall():
            query = "SELECT other, content, secret, evidence FROM submission WHERE name = ?"
            other, content, secret, evidence = self._db.execute(query, (name,)).fetchone()
            submission = msgspec.json.decode(other, type=Submission)
            yield Task(replace(submission, content=zlib.decompress(content)), secret, evidence)


def _digest(submission: Submission) -> str:
    """Of all that a grade depends on: who handed it in, and when, is no part of it."""
    told = msgspec.json.encode((submission.problem, submission.fault, submission.remarks))
    return hashlib.sha256(submission.content + b"\0" + told).hexdigest()


def _other(submission: Submission) -> bytes:
    return msgspec.json.encode(replace(submission, content=b""))
