"""The gradebook: nothing graded twice, nothing lost."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.classroom.gradebook import FILE_NAME, Gradebook, GradebookError, Rows, Seat
from autograder.classroom.worker import Task
from autograder.grade import (
    Adjustment,
    CheckResult,
    Difference,
    Example,
    Grade,
    Note,
    Origin,
    Person,
    QuestionGrade,
    Row,
    Shown,
    StatementError,
    Submission,
)
from autograder.intake import Listed, SetAside

KIM = Person("김민수", "20210001", "kim@example.org")
CHECK = CheckResult("test_h_n", 6.0, False, Note("values", {"name": "h_n"}), "plain")
VALUE = Shown("tensor", (2,), [0.0, 1.0])
EXAMPLE = Example("small", (Difference("h_n", Note("values", {"name": "h_n"}), VALUE, VALUE, "B", [True, False]),))
ERROR = StatementError(3, 1, "NameError", "name 'y' is not defined")
QUESTION = QuestionGrade("q1", 10.0, 4.0, (CHECK,), True, "an-id", replace(EXAMPLE, error=ERROR))
GRADE = Grade("graded", 94.0, 100.0, (QUESTION,), "ko", None, (Note("one-of-several"),), "landlock")
COULD_NOT = Grade("could-not-grade", None, 100.0, detail=Note("grader-fault", {"error": "MemoryError"}))


def submission(name: str = "kim.ipynb", content: bytes = b"{}") -> Submission:
    return Submission(name, (KIM,), content)


def task(name: str = "kim.ipynb", content: bytes = b"{}") -> Task:
    return Task(submission(name, content), b"secret\0", b"evidence\0")


def rows(book: Gradebook) -> list[Row]:
    return list(Rows(book))


def enrolled(folder: Path, *names: str) -> Gradebook:
    book = Gradebook(folder)
    book.enrol([Seat(replace(KIM, id=name), KIM, name) for name in names], [])
    return book


def test_grade_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Every field of a grade, a seat and an adjustment outlasts closing and opening."""
    change = Adjustment("김민수", "q1", 2.0, "typo", True)
    with Gradebook(tmp_path) as book:
        about = ("kim.ipynb", "2026-11-23T10:00:00", 3, True, (change,), ("0" * 64,), Listed(KIM, ("kim01",)))
        origin = Origin("Canvas", "101", "kim_101", 5551)
        book.enrol([seat := Seat(KIM, Person("kim"), *about, origin=origin)], [])
        book.keep(task(), GRADE, "v1")
    with Gradebook(tmp_path) as book:
        assert book.seats() == [seat]
        assert rows(book) == [Row("kim.ipynb", KIM, GRADE, "2026-11-23T10:00:00", 3, True, (change,), origin)]
        book.enrol([seat], [], {"kim.ipynb"})
        assert rows(book)[0].grade.status == "could-not-grade"


def test_same_submission_is_known(tmp_path: Path) -> None:
    """What was graded is known again, also after opening anew, whoever handed it in and whenever."""
    with enrolled(tmp_path, "kim.ipynb") as book:
        assert not book.known(submission(), "v1")
        book.keep(task(), GRADE, "v1")
    with Gradebook(tmp_path) as book:
        assert book.known(replace(submission(), people=(), time="2026-11-23T10:00:00", late=True), "v1")


@pytest.mark.parametrize(
    ("other", "fingerprint"),
    [
        (submission(content=b"[]"), "v1"),
        (submission(name="lee.ipynb"), "v1"),
        (replace(submission(), problem=Note("file-too-large")), "v1"),
        (replace(submission(), remarks=(Note("one-of-several"),)), "v1"),
        (submission(), "v2"),
    ],
)
def test_changed_submission_or_grader_is_not_known(tmp_path: Path, other: Submission, fingerprint: str) -> None:
    """Another content, name, problem, remark or grader means grading again."""
    with enrolled(tmp_path, "kim.ipynb") as book:
        book.keep(task(), GRADE, "v1")
        assert not book.known(other, fingerprint)


def test_could_not_grade_is_tried_again(tmp_path: Path) -> None:
    """A fault of the grader's does not count as graded, and a grade replaces it."""
    with enrolled(tmp_path, "kim.ipynb") as book:
        book.keep(task(), COULD_NOT, "v1")
        assert not book.known(submission(), "v1")
        book.keep(task(), GRADE, "v1")
        assert [row.grade for row in rows(book)] == [GRADE]


def test_what_is_nobodys_any_more_is_dropped(tmp_path: Path) -> None:
    """A submission that nobody has a seat with is not kept."""
    with enrolled(tmp_path, "kim.ipynb", "lee.ipynb") as book:
        for name in ("kim.ipynb", "lee.ipynb"):
            book.keep(task(name), GRADE, "v1")
        book.enrol([seat for seat in book.seats() if seat.submission == "lee.ipynb"], [])
        assert [row.submission for row in rows(book)] == ["lee.ipynb"]
        assert [one.submission.name for one in book.tasks()] == ["lee.ipynb"]
        assert book.count() == 1


def test_all_that_a_grade_is_made_of_is_kept(tmp_path: Path) -> None:
    """For grading again, the file as received, its secret and its evidence come back byte for byte."""
    received = replace(task(content=b"\0\xff" * 1000), submission=replace(submission(), remarks=(Note("copy"),)))
    with enrolled(tmp_path, "kim.ipynb") as book:
        book.keep(received, GRADE, "v1")
    with Gradebook(tmp_path) as book:
        assert list(book.tasks()) == [received]


def test_grades_may_be_kept_while_tasks_are_read(tmp_path: Path) -> None:
    """Grading again reads one after another what it replaces."""
    with enrolled(tmp_path, "a", "b") as book:
        for name in ("a", "b"):
            book.keep(task(name), COULD_NOT, "v1")
        for kept in book.tasks():
            book.keep(kept, GRADE, "v2")
        assert [row.grade for row in rows(book)] == [GRADE, GRADE]
        assert [kept.evidence for kept in book.tasks()] == [b"evidence\0"] * 2


@pytest.mark.parametrize("how", ["asked", "error"])
def test_larger_transaction_is_undone_as_a_whole(tmp_path: Path, how: str) -> None:
    """What is kept inside is gone if it is asked for, or after an error; what was before stays."""
    with enrolled(tmp_path, "kim.ipynb") as book:
        book.keep(task(), COULD_NOT, "v1")
        with suppress(ZeroDivisionError), book.transaction() as undo:
            book.keep(task(), GRADE, "v2")
            assert undo() is None if how == "asked" else 1 / 0
        assert [row.grade for row in rows(book)] == [COULD_NOT]
        book.keep(task(), GRADE, "v2")
        assert [row.grade for row in rows(book)] == [GRADE]


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE submission SET grade = '{'",
        "UPDATE submission SET task = x'00'",
        "UPDATE submission SET task = 'text'",
        "UPDATE fact SET value = '[{\"person\": 1}]'",
    ],
)
def test_edited_values_are_told(tmp_path: Path, edit: str) -> None:
    """Where somebody edited what is kept, or it is damaged, that is said and nothing else happens."""
    with enrolled(tmp_path, "kim.ipynb") as book:
        book.keep(task(), GRADE, "v1")
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as db, db:
        db.execute(edit)
    with Gradebook(tmp_path) as book, pytest.raises(GradebookError, match="damaged, or was edited"):
        [*rows(book), *book.tasks()]


def test_set_aside_and_written_files_are_read_back(tmp_path: Path) -> None:
    """What is set aside, and what stands in which file, outlasts the run."""
    aside = SetAside("kim/old.ipynb", Note("another-counted", {"why": "older"}), "김민수")
    with Gradebook(tmp_path) as book:
        book.enrol([], [aside])
        book.wrote({"feedback/kim.html": "digest"})
    with Gradebook(tmp_path) as book:
        assert book.set_aside() == [aside]
        assert book.files() == {"feedback/kim.html": "digest"}


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """Gradebook and log are private, and so is a folder that is made for them."""
    out = tmp_path / "out"
    with enrolled(out, "kim.ipynb") as book:
        book.keep(task(), GRADE, "v1")
        assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_second_run_at_once_is_refused(tmp_path: Path) -> None:
    """Two runs cannot write into one folder."""
    with Gradebook(tmp_path), pytest.raises(GradebookError, match="another run is using it"):
        Gradebook(tmp_path)
    with Gradebook(tmp_path):
        pass


def test_killed_run_leaves_all_that_it_recorded(tmp_path: Path) -> None:
    """SIGKILL right after recording loses nothing and leaves no lock behind."""
    script = """
import os, signal, sys
from pathlib import Path
from autograder.classroom.gradebook import Gradebook, Seat
from autograder.classroom.worker import Task
from autograder.grade import Grade, Person, Submission
book = Gradebook(Path(sys.argv[1]))
book.enrol([Seat(Person("kim"), Person("kim"), "kim.ipynb")], [])
book.keep(Task(Submission("kim.ipynb", (), b"{}"), b""), Grade("graded", 1.0, 100.0), "v1")
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Gradebook(tmp_path) as book:
        assert [row.grade.score for row in rows(book)] == [1.0]


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to have a header" * 20, None])
def test_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes | None) -> None:
    """What is not a gradebook is neither used nor changed."""
    path = tmp_path / FILE_NAME
    if content is None:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE theirs (x)")
        other.close()
    else:
        path.write_bytes(content)
    path.chmod(0o644)
    before = os.stat(path)
    with pytest.raises(GradebookError, match="cannot be used as a gradebook"):
        Gradebook(tmp_path)
    assert (os.stat(path).st_size, os.stat(path).st_mode) == (before.st_size, before.st_mode)
