"""nbgrader's gradebook, through its own interface."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from autograder.grade import Row
from autograder.report.points import points
from autograder.report.returns.graded import Graded, Returned, ReturnError, listed, same

__all__ = ["nbgrader"]

_NOTEBOOK = "rnn"


def nbgrader(graded: Graded) -> Returned:
    """The `gradebook.db` that is given, which is made if it is not there, with a grade cell for each question."""
    if graded.file is None:
        raise ReturnError("nbgrader needs FILE: the gradebook.db of the course")
    book, file = _interface(), graded.file
    title = graded.named()[0]
    before = _scores(book, file, title)
    changed = [
        f"{row.person.name}: {points(before[_student(row)])} to {points(row.score)}"
        for row in graded.scored
        if before.get(_student(row)) and not same(str(before[_student(row)]), row.score or 0.0)
    ]
    remarks = listed("{} grades that stand there are written over", changed)
    return Returned("", b"", remarks, put=lambda: _put(book, file, title, graded))


def _interface() -> Any:
    try:
        from nbgrader.api import Gradebook
    except ImportError as missing:
        raise ReturnError("this needs nbgrader: pip install nbgrader") from missing
    # It calls a program that was installed beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return Gradebook


def _student(row: Row) -> str:
    return row.person.id or row.person.name


def _scores(book: Any, file: Path, title: str) -> dict[str, float]:
    """What stands there, by student."""
    if not file.exists():
        return {}
    with book(f"sqlite:///{file.resolve()}") as there:
        return {submission.student.id: submission.score for submission in there.assignment_submissions(title)}


def _put(book: Any, file: Path, title: str, graded: Graded) -> None:
    with book(f"sqlite:///{file.resolve()}") as there:
        there.update_or_create_assignment(title)
        there.update_or_create_notebook(_NOTEBOOK, title)
        for question in graded.questions:
            about = {"max_score": question.points, "cell_type": "code"}
            there.update_or_create_grade_cell(question.id, _NOTEBOOK, title, **about)
        for row in graded.scored:
            there.update_or_create_student(_student(row))
            there.update_or_create_submission(title, _student(row))
            scores = row.scores()
            for question in graded.questions:
                cell = there.find_grade(question.id, _NOTEBOOK, title, _student(row))
                cell.auto_score = scores.get(question.id, 0.0)
                cell.extra_credit = 0.0
            cell.extra_credit = (row.score or 0.0) - sum(scores.values())  # what was adjusted in the total
        there.db.commit()
