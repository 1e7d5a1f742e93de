"""The gradebook: nothing graded twice, nothing lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.gradebook import FILE_NAME, Gradebook, GradebookError, Row
from autograder.records import CheckResult, Grade, QuestionGrade, StatementError, Submission

CHECK = CheckResult("test_h_n", "h_n은 마지막 상태입니다.", 6.0, "failed", "기대 (1, 4, 6)", "문장 4개")
ERROR = StatementError(3, 1, "NameError", "lone \ud800 surrogate", "x = y")
QUESTION = QuestionGrade("q1", 10.0, 4.0, (CHECK,), "힌트", "an-id")
GRADE = Grade("graded", 94.0, 100.0, (QUESTION,), "ko", "", ("remark",), (ERROR,), "out", "landlock", 0.5)
COULD_NOT = Grade("could-not-grade", None, 100.0, (), "ko", "MemoryError")


def submission(name: str = "kim.ipynb", content: bytes = b"{}") -> Submission:
    return Submission(name, "kim", content)


def test_grade_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Every field of a grade outlasts closing and opening."""
    with Gradebook(tmp_path) as book:
        book.enrol({"kim.ipynb": "kim"})
        book.record(submission(), GRADE, b"", "v1")
    with Gradebook(tmp_path) as book:
        assert list(book.rows()) == [Row("kim.ipynb", "kim", GRADE)]


def test_same_submission_is_known(tmp_path: Path) -> None:
    """What was graded is known again, also after opening anew."""
    with Gradebook(tmp_path) as book:
        assert not book.known(submission(), "v1")
        book.record(submission(), GRADE, b"", "v1")
        assert book.known(submission(), "v1")
    with Gradebook(tmp_path) as book:
        assert book.known(submission(), "v1")


@pytest.mark.parametrize(
    ("other", "fingerprint"),
    [
        (submission(content=b"[]"), "v1"),
        (submission(name="lee.ipynb"), "v1"),
        (Submission("kim.ipynb", "kim", b"{}", problem="is larger than 64 MiB"), "v1"),
        (submission(), "v2"),
    ],
)
def test_changed_submission_or_grader_is_not_known(tmp_path: Path, other: Submission, fingerprint: str) -> None:
    """Another content, name, problem or grader means grading again."""
    with Gradebook(tmp_path) as book:
        book.record(submission(), GRADE, b"", "v1")
        assert not book.known(other, fingerprint)


def test_grade_replaces_an_older_one(tmp_path: Path) -> None:
    """A name has one row, the newest."""
    with Gradebook(tmp_path) as book:
        book.enrol({"kim.ipynb": "kim"})
        book.record(submission(), COULD_NOT, b"", "v1")
        book.record(submission(), GRADE, b"", "v1")
        assert [row.grade for row in book.rows()] == [GRADE]


def test_could_not_grade_is_tried_again(tmp_path: Path) -> None:
    """A fault of the grader's does not count as graded."""
    with Gradebook(tmp_path) as book:
        book.record(submission(), COULD_NOT, b"", "v1")
        assert not book.known(submission(), "v1")
    with Gradebook(tmp_path) as book:
        assert not book.known(submission(), "v1")


def test_rows_are_those_of_the_last_run_in_order(tmp_path: Path) -> None:
    """What is no longer given leaves the table, is told, and is known when it comes back."""
    with Gradebook(tmp_path) as book:
        for name in ("lee.ipynb", "kim.ipynb", "gone.ipynb"):
            book.record(submission(name), GRADE, b"", "v1")
        book.enrol({"lee.ipynb": "이", "kim.ipynb": "kim", "new.ipynb": "new"})
        assert [(row.name, row.student) for row in book.rows()] == [("kim.ipynb", "kim"), ("lee.ipynb", "이")]
        assert book.former() == ["gone.ipynb"]
        assert book.known(submission("gone.ipynb"), "v1")


def test_source_and_evidence_are_kept(tmp_path: Path) -> None:
    """For grading again, the file as received and the observations come back byte for byte."""
    received = Submission("kim.ipynb", "kim", b"\0\xff" * 1000, problem="")
    with Gradebook(tmp_path) as book:
        book.enrol({"kim.ipynb": "kim"})
        book.record(received, GRADE, b"evidence\0", "v1")
    with Gradebook(tmp_path) as book:
        assert list(book.kept()) == [(received, b"evidence\0")]


def test_regrading_keeps_source_and_evidence(tmp_path: Path) -> None:
    """A grade recorded without evidence leaves what is kept alone, also while it is being read."""
    with Gradebook(tmp_path) as book:
        book.enrol({"a": "a", "b": "b"})
        for name in ("a", "b"):
            book.record(submission(name), COULD_NOT, b"evidence", "v1")
        for received, evidence in book.kept():
            assert evidence == b"evidence"
            book.record(received, GRADE, None, "v2")
        assert [row.grade for row in book.rows()] == [GRADE, GRADE]
        assert [evidence for _, evidence in book.kept()] == [b"evidence", b"evidence"]


def test_page_of_an_older_grade_is_not_shown(tmp_path: Path) -> None:
    """What stands on a page is forgotten as soon as another grade is recorded."""
    with Gradebook(tmp_path) as book:
        book.record(submission(), COULD_NOT, b"", "v1")
        book.show({"kim.ipynb": "digest"})
        assert book.shown() == {"kim.ipynb": "digest"}
        book.record(submission(), GRADE, b"", "v1")
        assert book.shown() == {}


def test_second_run_at_once_is_refused(tmp_path: Path) -> None:
    """Two runs cannot write into one folder."""
    with Gradebook(tmp_path), pytest.raises(GradebookError, match="another run is using it"):
        Gradebook(tmp_path)
    Gradebook(tmp_path).close()


def test_killed_run_leaves_all_that_it_recorded(tmp_path: Path) -> None:
    """SIGKILL right after recording loses nothing and leaves no lock behind."""
    script = """
import os, signal, sys
from pathlib import Path
from autograder.gradebook import Gradebook
from autograder.records import Grade, Submission
book = Gradebook(Path(sys.argv[1]))
book.enrol({"kim.ipynb": "kim"})
book.record(Submission("kim.ipynb", "kim", b"{}"), Grade("graded", 1.0, 100.0, (), "ko"), b"", "v1")
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Gradebook(tmp_path) as book:
        assert [row.grade.score for row in book.rows()] == [1.0]


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
    before = os.stat(path).st_size
    with pytest.raises(GradebookError, match="cannot be used as a gradebook"):
        Gradebook(tmp_path)
    assert os.stat(path).st_size == before
