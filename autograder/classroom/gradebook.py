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
        grade BLOB NOT NULL         -- JSON
    )""",
    # Apart, so that reading grades need not pass over it.
    """CREATE TABLE kept (
        name TEXT PRIMARY KEY,
        content BLOB NOT NULL,
        other BLOB NOT NULL,        -- JSON: the submission without its content
        secret BLOB NOT NULL,       -- what its private numbers were drawn with
        evidence BLOB NOT NULL
    )""",
    # A row a person; members of a group have the same submission, and those who handed in nothing have none.
    "CREATE TABLE seat (place INTEGER PRIMARY KEY, submission TEXT NOT NULL, seat BLOB NOT NULL)",
    "CREATE TABLE set_aside (name TEXT PRIMARY KEY, aside BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE adjustment (place INTEGER PRIMARY KEY, seat INTEGER NOT NULL, adjustment BLOB NOT NULL)",
    # What stands in each file that was written, as a digest.
    "CREATE TABLE file (path TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID",
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
        (mode,) = self._db.execute("PRAGMA journal_mode = WAL").fetchone()
        self._db.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")
        self._db.execute("BEGIN EXCLUSIVE")
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            for statement in _SCHEMA:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif (application, version) != (_APPLICATION, _SCHEMA_VERSION):
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

    def seats(self) -> list[Seat]:
        """The class, in the order of its rows."""
        return [msgspec.json.decode(seat, type=Seat) for (seat,) in self._db.execute("SELECT seat FROM seat")]

    def set_aside(self) -> dict[str, SetAside]:
        """The files that are not graded, by name."""
        found = self._db.execute("SELECT name, aside FROM set_aside ORDER BY name")
        return {name: msgspec.json.decode(aside, type=SetAside) for name, aside in found}

    def enrol(self, seats: Sequence[Seat], set_aside: Iterable[SetAside]) -> None:
        """Make *seats* the class. What was graded and is nobody's any more is dropped."""
        encode = msgspec.json.encode
        with self.transaction():
            self._db.execute("DELETE FROM seat")
            rows = ((place, seat.submission, encode(seat)) for place, seat in enumerate(seats))
            self._db.executemany("INSERT INTO seat VALUES (?, ?, ?)", rows)
            self._db.execute("DELETE FROM set_aside")
            self._db.executemany("INSERT INTO set_aside VALUES (?, ?)", [(a.name, encode(a)) for a in set_aside])
            for table in ("submission", "kept"):
                self._db.execute(f"DELETE FROM {table} WHERE name NOT IN (SELECT submission FROM seat)")

    def adjustments(self) -> list[tuple[int, Adjustment]]:
        """The changes by hand, each with the place of the seat that it is for, in their order."""
        found = self._db.execute("SELECT seat, adjustment FROM adjustment ORDER BY place")
        return [(seat, msgspec.json.decode(adjustment, type=Adjustment)) for seat, adjustment in found]

    def adjust(self, adjustments: Iterable[tuple[int, Adjustment]]) -> None:
        """Make these the changes by hand."""
        with self.transaction():
            self._db.execute("DELETE FROM adjustment")
            rows = ((seat, msgspec.json.encode(adjustment)) for seat, adjustment in adjustments)
            self._db.executemany("INSERT INTO adjustment (seat, adjustment) VALUES (?, ?)", rows)

    def known(self, submission: Submission, fingerprint: str) -> bool:
        """Whether the very same submission has been graded by what *fingerprint* stands for."""
        query = "SELECT 1 FROM submission WHERE status != 'could-not-grade' AND (name, digest, fingerprint) = (?, ?, ?)"
        found = self._db.execute(query, (submission.name, _digest(submission), fingerprint))
        return found.fetchone() is not None

    def record(self, submission: Submission, grade: Grade, fingerprint: str) -> None:
        """Keep a grade in place of an older one of the same name."""
        fields = (submission.name, _digest(submission), fingerprint, grade.status, to_json(grade))
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO submission VALUES (?, ?, ?, ?, ?)", fields)

    def keep(self, task: Task, grade: Grade, fingerprint: str) -> None:
        """Keep a grade, and what it was made of; on return it outlasts this process."""
        submission = task.submission
        content = zlib.compress(submission.content, 1)
        with self.transaction():
            made_of = (submission.name, content, _other(submission), task.secret, task.evidence)
            self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)", made_of)
            self.record(submission, grade, fingerprint)

    def count(self) -> int:
        """How many submissions are kept."""
        (count,) = self._db.execute("SELECT count(*) FROM kept").fetchone()
        return int(count)

    def stale(self, fingerprint: str) -> int:
        """How many submissions were graded by something else than what *fingerprint* stands for."""
        query = "SELECT count(*) FROM submission WHERE fingerprint != ? AND status != 'could-not-grade'"
        (count,) = self._db.execute(query, (fingerprint,)).fetchone()
        return int(count)

    def rows(self, missing: Callable[[Seat], Grade], pending: Collection[str] = ()) -> Iterator[Row]:
        """The class with grades and adjustments; *missing* gives the grade where there is none, or one is *pending*."""
        adjusted: dict[int, list[Adjustment]] = {}
        for place, adjustment in self.adjustments():
            adjusted.setdefault(place, []).append(adjustment)
        query = "SELECT place, seat, grade FROM seat LEFT JOIN submission ON name = submission ORDER BY place"
        for place, encoded, grade in self._db.execute(query):
            seat = msgspec.json.decode(encoded, type=Seat)
            graded = from_json(grade) if grade and seat.submission not in pending else missing(seat)
            when = (seat.time, seat.attempts, seat.late)
            yield Row(seat.submission, seat.person, graded, *when, tuple(adjusted.get(place, ())))

    def grade(self, submission: str) -> Grade | None:
        """The grade of one submission, by name."""
        found = self._db.execute("SELECT grade FROM submission WHERE name = ?", (submission,)).fetchone()
        return from_json(found[0]) if found else None

    def tasks(self) -> Iterator[Task]:
        """What all grades were made of, by the submissions' names. Grades may be recorded meanwhile."""
        names = self._db.execute("SELECT name FROM kept ORDER BY name").fetchall()
        for (name,) in names:
            query = "SELECT content, other, secret, evidence FROM kept WHERE name = ?"
            content, other, secret, evidence = self._db.execute(query, (name,)).fetchone()
            submission = msgspec.json.decode(other, type=Submission)
            yield Task(replace(submission, content=zlib.decompress(content)), secret, evidence)

    def files(self) -> dict[str, str]:
        """What stands in each file that was written, as a digest, by the path below the folder."""
        return dict(self._db.execute("SELECT path, digest FROM file"))

    def wrote(self, files: Mapping[str, str]) -> None:
        """Make these the files that were written."""
        with self.transaction():
            self._db.execute("DELETE FROM file")
            self._db.executemany("INSERT INTO file VALUES (?, ?)", files.items())


def _digest(submission: Submission) -> str:
    """Of all that a grade depends on: who handed it in, and when, is no part of it."""
    told = msgspec.json.encode((submission.problem, submission.fault, submission.remarks))
    return hashlib.sha256(submission.content + b"\0" + told).hexdigest()


def _other(submission: Submission) -> bytes:
    fields = {name: getattr(submission, name) for name in Submission.__dataclass_fields__}
    return msgspec.json.encode({**fields, "content": ""})
