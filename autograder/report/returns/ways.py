"""Each platform's way back: a table, a zip, or nbgrader's own gradebook."""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from autograder import course
from autograder.grade import Row
from autograder.report.files import zipped
from autograder.report.gradescope import results_json
from autograder.report.pages import feedback_page
from autograder.report.returns.graded import PLATFORMS, Graded, Returned, ReturnError, equal, origin
from autograder.report.returns.tables import returned
from autograder.report.words import listed, points

__all__ = ["WAYS"]

_RUN = """#!/usr/bin/env python3
import json, shutil
with open("/autograder/submission_metadata.json") as file:
    number = json.load(file)["id"]
shutil.copy(f"/autograder/source/results/{number}.json", "/autograder/results/results.json")
"""
# As Moodle's groups are mostly called; 조 alone is a surname.
_TEAM = re.compile(
    r"(?i)(?:group|team|default|모둠|그룹|팀|(?:\d+|[a-z]) ?(?:모둠|그룹|팀|조)|조 ?(?:\d+|[a-z]))(?![^\W_])"
)
_NOTEBOOK = "rnn"


def feedback(graded: Graded) -> Returned:
    """The pages, named as Canvas (Upload Submissions) and Moodle (Upload multiple feedback files) take them back."""
    members = Counter(row.submission for row in graded.rows)

    def page(row: Row) -> tuple[str, bytes] | None:
        moodle, canvas = origin(row, "moodle"), origin(row, "canvas")
        team = members[row.submission] > 1 or not moodle.id or _TEAM.match(moodle.label)
        if moodle.platform and team:
            raise ReturnError("Moodle would give it to whoever has the group's number: hand it out by --to email")
        if not (moodle.platform or canvas.order):  # Canvas has no number for what was typed in
            return None
        way = PLATFORMS["moodle" if moodle.platform else "canvas"]
        return way.feedback.format_map(vars(row.origin)), feedback_page(row).encode()

    nobody = "these submissions were not downloaded from Canvas or Moodle: nothing else takes such a zip"
    return _zip("feedback", graded, page, nobody)


def gradescope(graded: Graded) -> Returned:
    """A zip for Configure Autograder that gives each submission the results that it has got here."""

    def results(row: Row) -> tuple[str, bytes] | None:
        number = origin(row, "gradescope").id
        return (f"results/{number}.json", results_json(row)) if number else None

    programs = {"setup.sh": b"#!/usr/bin/env bash\n", "run_autograder": _RUN.encode()}
    nobody = "these submissions were not exported from Gradescope: there are no submission ids"
    return _zip("gradescope", graded, results, nobody, **programs)


def classroom50(graded: Graded) -> Returned:
    """A `result.json` for each student. Scores are integers there: they are rounded down."""
    classroom, _, assignment = graded.title.partition("/")
    if not (classroom and assignment):
        raise ReturnError("classroom50 needs --title CLASSROOM/ASSIGNMENT, as the repositories are named")
    members = Counter(row.submission for row in graded.rows)
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"

    def result(row: Row) -> tuple[str, bytes]:
        called = row.origin.label or row.person.id or row.person.name  # a roster knows no logins
        owner = called.removeprefix(f"{classroom}-{assignment}-")
        time = row.time if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row.time) else now
        tag, scores = f"submit/manual-{time.replace(':', '-')}", row.scores()
        asked = [(each.id, scores.get(each.id, 0.0), each.points) for each in course.questions()]
        told = {
            "schema": "classroom50/result/v1",
            "classroom": classroom,
            "assignment": assignment,
            "owner": owner,
            "assignment_type": "individual" if members[row.submission] == 1 else "group",
            **dict.fromkeys(("submission", "commit", "release", "review"), tag),
            "datetime": time,
            "graded_at": now,
            **_points(row.score or 0.0, course.maximum()),
            "tests": [{"test-name": id, "passed": score >= best, **_points(score, best)} for id, score, best in asked],
        }
        folder = re.sub(r"[^-.0-9A-Za-z_가-힣]", "_", owner)
        return f"{folder}/result.json", json.dumps(told, indent=1).encode()

    return _zip("classroom50", graded, result, "nobody has a score")


def _points(score: float, best: float) -> dict[str, int]:
    return {"score": int(max(0.0, min(score, best)) + 1e-6), "max-score": int(best)}


def _zip(
    name: str, graded: Graded, file: Callable[[Row], tuple[str, bytes] | None], nobody: str, **more: bytes
) -> Returned:
    """A zip with the *file* of each row that has a score, and *more*. Raises `ReturnError` where none has one."""
    made = [(row, file(row)) for row in graded.scored]
    files = dict(each for _, each in made if each)
    if not files:
        raise ReturnError(nobody)
    left = [row.person.name for row, each in made if not each]
    return Returned(f"{name}.zip", zipped(files | more), listed("from elsewhere, left out", left))


def nbgrader(graded: Graded) -> Returned:
    """The `gradebook.db` that is given, which is made if it is not there, with a grade cell for each question."""
    try:
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as missing:
        raise ReturnError("this needs nbgrader: .venv/bin/pip install nbgrader") from missing
    if graded.file is None:
        raise ReturnError("nbgrader needs FILE: the gradebook.db of the course")
    # It calls a program that was installed beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    file, title = graded.file.resolve(), graded.named()[0]

    @contextmanager
    def opened() -> Iterator[Any]:
        try:
            with Gradebook(f"sqlite:///{file}") as there:
                yield there
        except SQLAlchemyError as error:
            raise ReturnError(f"{file}: nbgrader cannot use it: {getattr(error, 'orig', error)}") from error

    students, before = set[str](), dict[str, float]()
    if file.exists():
        with opened() as there:
            students = {each.id for each in there.students}
            before = {each.student.id: each.score for each in there.assignment_submissions(title)}
    scored = {}
    for row in graded.scored:
        called = (row.origin.id, row.origin.label, row.person.id, row.person.name)
        student = next((each for each in called if each in students), origin(row, "nbgrader").id)
        scored[student or row.person.id or row.person.name] = row
    changed = [
        f"{row.person.name}: {points(before[student])} to {points(row.score)}"
        for student, row in scored.items()
        if before.get(student) and not equal(str(before[student]), points(row.score))
    ]

    def put() -> None:
        with opened() as there:
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


WAYS: Mapping[str, Callable[[Graded], Returned]] = {
    **{name: partial(returned, name) for name in ("canvas", "moodle", "blackboard", "brightspace")},
    "nbgrader": nbgrader,
    "gradescope": gradescope,
    "classroom50": classroom50,
    "email": partial(returned, "email"),
    "feedback": feedback,
}
"""Each platform's way back. It raises `ReturnError` where there is none."""
