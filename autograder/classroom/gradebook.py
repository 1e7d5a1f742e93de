"""The gradebook: what has been graded, kept so that nothing is graded twice and nothing is lost.

One SQLite file that only its owner reads. Each grade is one transaction, so a run that is killed leaves all that it had
graded. The file is locked as long as it is open: two runs into one folder would overwrite each other's pages.
"""

import errno
import hashlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from autograder import course
from autograder.classroom.worker import Task, could_not_grade
from autograder.grade import Adjustment, Grade, Note, Origin, Person, Row, Submission
from autograder.intake import Listed, SetAside

__all__ = ["FILE_NAME", "Gradebook", "GradebookError", "Rows", "Seat"]

FILE_NAME = "gradebook.sqlite"

_APPLICATION = 0x724E4E67  # marks the file as ours
_SCHEMA_VERSION = 5
_SCHEMA = (
    """CREATE TABLE submission (
        name TEXT PRIMARY KEY,
        digest TEXT,                -- of what was handed in; nothing where it could not be graded
        fingerprint TEXT NOT NULL,  -- of all that decided the grade
        grade BLOB NOT NULL,        -- JSON
        task BLOB NOT NULL          -- MessagePack, compressed: what the grade was made of
    )""",
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL)",  # JSON
)
T = TypeVar("T")


class GradebookError(Exception):
    """Why a gradebook cannot be used, in one line."""


@contextmanager
def _whole() -> Iterator[None]:
    """Raise `GradebookError` for what cannot be read back: the file is damaged, or somebody edited it."""
    try:
        yield
    except (msgspec.MsgspecError, zlib.error, TypeError) as error:
        raise GradebookError(f"{FILE_NAME} is damaged, or was edited: {error}") from error


@dataclass(frozen=True)
class Seat:
    """A person's place in the class, before it has a grade."""

    person: Person
    given: Person
    """The same person as the platform names them; in `person` the roster's words come first."""
    submission: str = ""
    """The submission's name; nothing where none was handed in."""
    time: str = ""
    attempts: int = 1
    late: bool = False
    adjustments: tuple[Adjustment, ...] = ()
    past: tuple[str, ...] = ()
    """Digests of what counted before or was given beside it: whoever hands one of these in again has nothing newer."""
    listed: Listed | None = None
    """Who that is on the roster, if one was given."""
    remarks: tuple[Note, ...] = ()
    """What the person should know of files that do not count."""
    version: int = 0
    """The platform's number for the newest that counted, where it numbers them."""
    origin: Origin = field(default_factory=Origin)

    @property
    def called(self) -> Listed:
        """The person with all names and ids: the platform's and the roster's."""
        others = self.listed.aliases if self.listed else ()
        return Listed(self.person, (*others, self.given.id, self.given.email, self.given.name))


class Gradebook(AbstractContextManager["Gradebook"]):
    """The gradebook of one output *folder*. A context manager; only one can be open for a folder.

    Raises `GradebookError` if another run has it open, or if the file there is not a gradebook of this version.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        path = folder / FILE_NAME
        with suppress(FileExistsError):  # an existing one is not opened here: closing it would free another's lock
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._db = sqlite3.connect(path, timeout=0.0, isolation_level=None)
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            locked = "locked" in str(error)
            reason = "another run is using it" if locked else f"cannot be used as a gradebook: {error}"
            raise GradebookError(f"{path}: {reason}") from error
        os.chmod(path, 0o600)

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

    def __exit__(self, *exc: object) -> None:
        with suppress(sqlite3.Error):  # all is committed; the next run reads a log that cannot be folded in now
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """Keep all that is written inside; nothing of it after an error, or if the function that it gives is called."""
        self._db.execute("BEGIN")
        with self._db:
            yield self._db.rollback

    def _value(self, query: str, *arguments: object) -> Any:
        """The first value that *query* finds, or None."""
        found = self._db.execute(query, arguments).fetchone()
        return found[0] if found else None

    def seats(self) -> list[Seat]:
        """The class, in the order of its rows."""
        return self._fact("seats", list[Seat])

    def set_aside(self) -> list[SetAside]:
        """The files that are not graded."""
        return self._fact("set aside", list[SetAside])

    def files(self) -> dict[str, str]:
        """What stands in each file that was written, as a digest, by the path below the folder."""
        return self._fact("files", dict[str, str])

    def wrote(self, files: Mapping[str, str]) -> None:
        """Make these the files that were written."""
        self._put("files", files)

    @_whole()
    def _fact(self, name: str, kind: type[T]) -> T:
        value = self._value("SELECT value FROM fact WHERE name = ?", name)
        return msgspec.json.decode(value, type=kind) if value else kind()

    def _put(self, name: str, value: object) -> None:
        self._write("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, msgspec.json.encode(value))

    def _write(self, statement: str, *values: object) -> None:
        """Raises OSError if the file is gone: the database would go on in what nobody can open again."""
        self._db.execute(statement, values)
        path = self.folder / FILE_NAME
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, "is gone: the folder was deleted or moved during the run", str(path))

    def enrol(self, seats: Sequence[Seat], set_aside: Iterable[SetAside], changed: Set[str] = frozenset()) -> None:
        """Make *seats* the class. What was graded and is nobody's any more, or has *changed* since, is dropped."""
        standing = {seat.submission for seat in seats} - changed
        with self.transaction():
            self._put("seats", seats)
            self._put("set aside", sorted(set_aside, key=lambda aside: aside.name))
            gone = [one for one in self._db.execute("SELECT name FROM submission") if one[0] not in standing]
            self._db.executemany("DELETE FROM submission WHERE name = ?", gone)

    def known(self, submission: Submission, fingerprint: str) -> bool:
        """Whether the very same submission has been graded by what *fingerprint* stands for."""
        query = "SELECT 1 FROM submission WHERE (name, digest, fingerprint) = (?, ?, ?)"
        return self._value(query, submission.name, _digest(submission), fingerprint) is not None

    def keep(self, task: Task, grade: Grade, fingerprint: str) -> None:
        """Keep a grade, and all that it was made of, in place of an older one; on return it outlasts this process."""
        digest = None if grade.status == "could-not-grade" else _digest(task.submission)
        made_of = zlib.compress(msgspec.msgpack.encode(task), 1)
        fields = (task.submission.name, digest, fingerprint, msgspec.json.encode(grade), made_of)
        self._write("INSERT OR REPLACE INTO submission VALUES (?, ?, ?, ?, ?)", *fields)

    def count(self) -> int:
        """How many submissions are kept."""
        return int(self._value("SELECT count(*) FROM submission"))

    def stale(self, fingerprint: str) -> int:
        """How many submissions were graded by something else than what *fingerprint* stands for."""
        query = "SELECT count(*) FROM submission WHERE fingerprint != ? AND digest IS NOT NULL"
        return int(self._value(query, fingerprint))

    @_whole()
    def grade(self, submission: str) -> Grade | None:
        """The grade of one submission, by name."""
        found = self._value("SELECT grade FROM submission WHERE name = ?", submission)
        return msgspec.json.decode(found, type=Grade) if found else None

    def tasks(self) -> Iterator[Task]:
        """What all grades were made of, by the submissions' names. Grades may be kept meanwhile."""
        for (name,) in self._db.execute("SELECT name FROM submission ORDER BY name").fetchall():
            yield self._task(self._value("SELECT task FROM submission WHERE name = ?", name))

    def submission(self, name: str) -> Submission | None:
        """The submission of that name, if it was graded."""
        made_of = self._value("SELECT task FROM submission WHERE name = ?", name)
        return self._task(made_of).submission if made_of else None

    @_whole()
    def _task(self, made_of: bytes) -> Task:
        return msgspec.msgpack.decode(zlib.decompress(made_of), type=Task)


@dataclass(frozen=True)
class Rows:
    """The class with its grades and adjustments, read anew each time: a large one does not fit into memory."""

    book: Gradebook
    fault: str = ""
    """Why the run that was to grade all ended early."""

    def __iter__(self) -> Iterator[Row]:
        not_reached = could_not_grade(Note("not-reached", {"reason": self.fault or "an earlier run ended early"}))
        not_submitted = Grade("not-submitted", None, course.maximum())
        for seat in self.book.seats():
            grade = self.book.grade(seat.submission) or (not_reached if seat.submission else not_submitted)
            grade = replace(grade, remarks=(*grade.remarks, *seat.remarks))
            told = seat.time, seat.attempts, seat.late, seat.adjustments, seat.origin
            yield Row(seat.submission, seat.person, grade, *told)


def _digest(submission: Submission) -> str:
    """Of all that a grade depends on: who handed it in, and when, is no part of it."""
    told = msgspec.json.encode((submission.problem, submission.fault, submission.remarks))
    return hashlib.sha256(submission.content + b"\0" + told).hexdigest()
