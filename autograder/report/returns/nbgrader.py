"""nbgrader's gradebook, through its own interface."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder.grade import Row
from autograder.report.returns.graded import Graded, Returned, ReturnError, equal, listed
from autograder.report.words import points

__all__ = ["nbgrader"]

_NOTEBOOK = "rnn"


def nbgrader(graded: Graded) -> Returned:
    """The `gradebook.db` that is given, which is made if it is not there, with a grade cell for each question."""
    try:
        from nbgrader.api import Gradebook
    except ImportError as missing:
        raise ReturnError("this needs nbgrader: pip install nbgrader") from missing
    if graded.file is None:
        raise ReturnError("nbgrader needs FILE: the gradebook.db of the course")
    # It calls a program that was installed beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    book, title = f"sqlite:///{graded.file.resolve()}", graded.named()[0]
    before: dict[str, float] = {}
    if graded.file.exists():
        with Gradebook(book) as there:
            before = {each.student.id: each.score for each in there.assignment_submissions(title)}
    changed = [
        f"{row.person.name}: {points(before[_student(row)])} to {points(row.score)}"
        for row in graded.scored
        if before.get(_student(row)) and not equal(str(before[_student(row)]), row.score or 0.0)
    ]

    def put() -> None:
        with Gradebook(book) as there:
            there.update_or_create_assignment(title)
            there.update_or_create_notebook(_NOTEBOOK, title)
            for question in graded.questions:
                about = {"max_score": question.points, "cell_type": "code"}
                there.update_or_create_grade_cell(question.id, _NOTEBOOK, title, **about)
            for row in graded.scored:
                there.update_or_create_student(_student(row))
                there.update_or_create_submission(title, _student(row))
                _fill([there.find_grade(q.id, _NOTEBOOK, title, _student(row)) for q in graded.questions], row)
            there.db.commit()

    return Returned("", b"", listed("{} grades that stand there are written over", changed), put)


def _student(row: Row) -> str:
    return row.person.id or row.person.name


def _fill(cells: Sequence[Any], row: Row) -> None:
    scores = row.scores()
    for cell in cells:
        cell.auto_score, cell.extra_credit = scores.get(cell.name, 0.0), 0.0
    cells[-1].extra_credit = (row.score or 0.0) - sum(scores.values())  # what was adjusted in the total
