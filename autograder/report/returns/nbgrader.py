"""nbgrader's gradebook, through its own interface."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from autograder import course
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
    scored = {row.person.id or row.person.name: row for row in graded.scored}
    changed = [
        f"{row.person.name}: {points(before[student])} to {points(row.score)}"
        for student, row in scored.items()
        if before.get(student) and not equal(str(before[student]), row.score or 0.0)
    ]

    def put() -> None:
        with Gradebook(book) as there:
            there.update_or_create_assignment(title)
            there.update_or_create_notebook(_NOTEBOOK, title)
            for question in course.questions():
                about = {"max_score": question.points, "cell_type": "code"}
                there.update_or_create_grade_cell(question.id, _NOTEBOOK, title, **about)
            for student, row in scored.items():
                there.update_or_create_student(student)
                there.update_or_create_submission(title, student)
                scores = row.scores()
                for question in course.questions():
                    cell = there.find_grade(question.id, _NOTEBOOK, title, student)
                    cell.auto_score, cell.extra_credit = scores.get(question.id, 0.0), 0.0
                cell.extra_credit = (row.score or 0.0) - sum(scores.values())  # what was adjusted in the total
            there.db.commit()

    return Returned("", b"", listed("written over there", changed), put)
