"""Zips: the feedback that Canvas and Moodle take back, results for Gradescope, and for Classroom 50."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone

from autograder import course
from autograder.grade import Row
from autograder.report.files import zipped
from autograder.report.gradescope import results_json
from autograder.report.pages import feedback_page
from autograder.report.returns.graded import PLATFORMS, Graded, Returned, ReturnError, handle, listed

__all__ = ["classroom50", "feedback", "gradescope"]

_RUN = """#!/usr/bin/env python3
import json, shutil
with open("/autograder/submission_metadata.json") as file:
    number = json.load(file)["id"]
shutil.copy(f"/autograder/source/results/{number}.json", "/autograder/results/results.json")
"""
# As Moodle's groups are mostly called; 조 alone is a surname.
_TEAM = re.compile(r"(?i)(?:group|team|default|모둠|그룹|팀|(?:\d+|[a-z]) ?(?:모둠|그룹|팀|조)|조 ?(?:\d+|[a-z]))\b")


def feedback(graded: Graded) -> Returned:
    """The pages, named as Canvas (Upload Submissions) and Moodle (Upload multiple feedback files) take them back."""
    members = Counter(row.submission for row in graded.rows)

    def page(row: Row) -> tuple[str, bytes] | None:
        if "_assignsubmission_" in row.submission and (members[row.submission] > 1 or _is_team(row)):
            raise ReturnError("Moodle would give it to whoever has the group's number: hand it out by --to email")
        for platform in ("canvas", "moodle"):
            if at := handle(row, platform):
                return PLATFORMS[platform].feedback.format_map(at), feedback_page(row).encode()
        return None

    nobody = "these submissions were not downloaded from Canvas or Moodle: nothing else takes such a zip"
    return _returned("feedback", graded, page, nobody)


def _is_team(row: Row) -> bool:
    at = handle(row, "moodle")
    return not at or _TEAM.match(at["name"]) is not None


def gradescope(graded: Graded) -> Returned:
    """A zip for Configure Autograder that gives each submission the results that it has got here."""

    def results(row: Row) -> tuple[str, bytes] | None:
        at = handle(row, "gradescope")
        return (f"results/{at['id']}.json", results_json(row)) if at else None

    programs = {"setup.sh": b"#!/usr/bin/env bash\n", "run_autograder": _RUN.encode()}
    nobody = "these submissions were not exported from Gradescope: there are no submission ids"
    return _returned("gradescope", graded, results, nobody, **programs)


def classroom50(graded: Graded) -> Returned:
    """A `result.json` for each student. Scores are integers there: they are rounded down."""
    classroom, _, assignment = graded.title.partition("/")
    if not (classroom and assignment):
        raise ReturnError("classroom50 needs --title CLASSROOM/ASSIGNMENT, as the repositories are named")
    members = Counter(row.submission for row in graded.rows)
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"

    def result(row: Row) -> tuple[str, bytes]:
        owner = (row.person.id or row.person.name).removeprefix(f"{classroom}-{assignment}-")
        time = row.time if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row.time) else now
        scores, tag = row.scores(), f"submit/manual-{time.replace(':', '-')}"
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
            "tests": [
                {
                    "test-name": question.id,
                    "passed": scores.get(question.id, 0.0) >= question.points,
                    **_points(scores.get(question.id, 0.0), question.points),
                }
                for question in course.questions()
            ],
        }
        folder = re.sub(r"[^-.0-9A-Za-z_가-힣]", "_", owner)
        return f"{folder}/result.json", json.dumps(told, indent=1).encode()

    return _returned("classroom50", graded, result, "nobody has a score")


def _points(score: float, best: float) -> dict[str, int]:
    return {"score": int(max(0.0, min(score, best)) + 1e-6), "max-score": int(best)}


def _returned(
    name: str, graded: Graded, file: Callable[[Row], tuple[str, bytes] | None], nobody: str, **more: bytes
) -> Returned:
    """A zip with the *file* of each row that has a score, and *more*. Raises `ReturnError` where none has one."""
    made = [(row, file(row)) for row in graded.scored]
    files = dict(each for _, each in made if each)
    if not files:
        raise ReturnError(nobody)
    left = [row.person.name for row, each in made if not each]
    return Returned(f"{name}.zip", zipped(files | more), listed("from elsewhere, left out", left))
