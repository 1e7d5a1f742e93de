"""The gradebook: what has been graded, kept so that nothing is graded twice and nothing is lost.

One SQLite file. Each grade is one transaction, so a run that is killed leaves all that it had graded. The file is
locked as long as it is open: two runs into one folder would overwrite each other's pages.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.records import CheckResult, Grade, QuestionGrade, StatementError, Submission

__all__ = ["FILE_NAME", "Gradebook", "GradebookError", "Row"]

FILE_NAME = "gradebook.sqlite"

_APPLICATION = 0x724E4E67  # marks the file as ours
_SCHEMA_VERSION = 2
_SCHEMA = (
    """CREATE TABLE submission (
        name TEXT PRIMARY KEY,
        digest TEXT NOT NULL,       -- of the content
        fingerprint TEXT NOT NULL,  -- of all that decided the grade
        status TEXT NOT NULL,
        grade TEXT NOT NULL,        -- JSON
        shown TEXT NOT NULL         -- what stands on its page, empty where that is not this grade
    )""",
    # Apart, so that reading grades need not pass over it.
    "CREATE TABLE kept (name TEXT PRIMARY KEY, content BLOB NOT NULL, problem TEXT NOT NULL, evidence BLOB NOT NULL)",
    # What the last run was given.
    "CREATE TABLE roster (name TEXT PRIMARY KEY, student TEXT NOT NULL) WITHOUT ROWID",
)


class GradebookError(Exception):
    """Why a gradebook cannot be used, in one line."""


@dataclass(frozen=True)
class Row:
    """A submission of the last run with its grade."""

    name: str
    student: str
    grade: Grade

    def scores(self) -> dict[str, float]:
        """The points of each question; nothing where there is no score."""
        if self.grade.score is None:
            return {}
        return {question.question: question.score for question in self.grade.questions}


class Gradebook:
    """The gradebook of one output folder. A context manager; only one can be open for a folder.

    Raises `GradebookError` if another run has it open, or if the file there is not a gradebook of this version.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE_NAME
        self._db = sqlite3.connect(self.path, timeout=0.0, isolation_level=None)
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            locked = "locked" in str(error)
            reason = "another run is using it" if locked else f"cannot be used as a gradebook: {error}"
            raise GradebookError(f"{self.path}: {reason}") from error
        known = self._db.execute("SELECT name, digest, fingerprint FROM submission WHERE status != 'could-not-grade'")
        self._known = {name: (digest, fingerprint) for name, digest, fingerprint in known}

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

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(sqlite3.Error):  # nothing is pending; a log that cannot be folded in is read next time
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # it may have been rolled back already
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def enrol(self, students: Mapping[str, str]) -> None:
        """Make the submissions in *students*, by name, those that `rows` gives; what else was graded is kept unseen."""
        with self._transaction():
            self._db.execute("DELETE FROM roster")
            self._db.executemany("INSERT INTO roster VALUES (?, ?)", students.items())

    def known(self, submission: Submission, fingerprint: str) -> bool:
        """Whether the very same submission has been graded by what *fingerprint* stands for."""
        return self._known.get(submission.name) == (_digest(submission), fingerprint)

    def record(self, submission: Submission, grade: Grade, evidence: bytes | None, fingerprint: str) -> None:
        """Keep a grade in place of an older one of the same name; on return it outlasts this process.

        Without *evidence*, the submission and its evidence are those that are kept already.
        """
        digest = _digest(submission)
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO submission VALUES (?, ?, ?, ?, ?, '')",
                (submission.name, digest, fingerprint, grade.status, _to_json(grade)),
            )
            if evidence is not None:
                content = zlib.compress(submission.content, 1)
                kept = (submission.name, content, submission.problem, evidence)
                self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", kept)
        if grade.status != "could-not-grade":
            self._known[submission.name] = (digest, fingerprint)

    def rows(self) -> Iterator[Row]:
        """The graded submissions of the last run, by name."""
        query = "SELECT name, student, grade FROM submission JOIN roster USING (name) ORDER BY name"
        for name, student, grade in self._db.execute(query):
            yield Row(name, student, _from_json(grade))

    def row(self, name: str) -> Row | None:
        """One of `rows`."""
        query = "SELECT student, grade FROM submission JOIN roster USING (name) WHERE name = ?"
        found = self._db.execute(query, (name,)).fetchone()
        return Row(name, found[0], _from_json(found[1])) if found else None

    def shown(self) -> dict[str, str]:
        """What stands on the page of each submission whose page shows its present grade."""
        return dict(self._db.execute("SELECT name, shown FROM submission WHERE shown != ''"))

    def show(self, shown: Mapping[str, str]) -> None:
        """Take down what was put on the pages of submissions, by name."""
        values = ((what, name) for name, what in shown.items())
        with self._transaction():
            self._db.executemany("UPDATE submission SET shown = ? WHERE name = ?", values)

    def roster(self) -> dict[str, str]:
        """The students of the last run's submissions, by the submissions' names, in order."""
        return dict(self._db.execute("SELECT name, student FROM roster ORDER BY name"))

    def former(self) -> list[str]:
        """The names of what was graded once and is no longer given."""
        query = "SELECT name FROM submission WHERE name NOT IN (SELECT name FROM roster)"
        return [name for (name,) in self._db.execute(query)]

    def kept(self) -> Iterator[tuple[Submission, bytes]]:
        """The submissions of the last run as they were received, each with its evidence, by name.

        Grades may be recorded meanwhile.
        """
        query = "SELECT content, problem, evidence FROM kept WHERE name = ?"
        for name, student in self.roster().items():
            for content, problem, evidence in self._db.execute(query, (name,)).fetchall():
                yield Submission(name, student, zlib.decompress(content), problem), evidence


def _digest(submission: Submission) -> str:
    return hashlib.sha256(submission.content + b"\0" + submission.problem.encode()).hexdigest()


def _to_json(grade: Grade) -> str:
    return json.dumps(asdict(grade))  # ASCII, so that lone surrogates in a student's output pass through


def _from_json(encoded: str) -> Grade:
    fields: dict[str, Any] = _frozen(json.loads(encoded))
    questions = tuple(
        QuestionGrade(**{**question, "checks": tuple(CheckResult(**check) for check in question["checks"])})
        for question in fields["questions"]
    )
    errors = tuple(StatementError(**error) for error in fields["errors"])
    return Grade(**{**fields, "questions": questions, "errors": errors})


def _frozen(value: Any) -> Any:
    """*value* with tuples for JSON's lists."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else value
