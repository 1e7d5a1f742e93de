"""Zips: the feedback that Canvas and Moodle take back, results for Gradescope, and for Classroom 50."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from autograder.grade import Row
from autograder.report.gradescope import results_json
from autograder.report.returns.graded import Graded, Returned, ReturnError, handle, listed

__all__ = ["classroom50", "feedback", "gradescope"]

_FILE, _PROGRAM = 0o100644 << 16, 0o100755 << 16
_RUN = """#!/usr/bin/env python3
import json, shutil
with open("/autograder/submission_metadata.json") as file:
    number = json.load(file)["id"]
shutil.copy(f"/autograder/source/results/{number}.json", "/autograder/results/results.json")
"""


def feedback(graded: Graded) -> Returned:
    """The pages, named as Canvas (Upload Submissions) and Moodle (Upload multiple feedback files) take them back."""
    files: dict[str, bytes] = {}
    members = Counter(row.submission for row in graded.rows)
    left: list[str] = []
    for row in graded.scored:
        page = graded.page(row)
        if page is None:
            continue
        if "_assignsubmission_" in row.submission:
            name = _of_moodle(row, members[row.submission])
        elif at := handle(row, "canvas"):
            name = f"{at['name']}_{at['id']}_{at['file']}_feedback.html"
        else:
            left.append(row.person.name)
            continue
        files[name] = page.read_bytes()
    if not files:
        raise ReturnError("these submissions were not downloaded from Canvas or Moodle: nothing else takes such a zip")
    return Returned("feedback.zip", _zip(files), listed("{} come from elsewhere and are left out", left))


def _of_moodle(row: Row, members: int) -> str:
    at = handle(row, "moodle")
    grouped = members > 1 or at is None or re.match(r"(?i)(?:group|team|default|모둠|그룹|팀|조)\b", at["name"])
    if at is None or grouped:
        raise ReturnError(
            "Moodle would give a group's page to whichever student has the group's number: hand it out by --to email"
        )
    return f"{at['name']}_{at['id']}_assignfeedback_file_feedback.html"


def gradescope(graded: Graded) -> Returned:
    """A zip for Configure Autograder that gives each submission the results that it has got here."""
    files = {"setup.sh": b"#!/usr/bin/env bash\n", "run_autograder": _RUN.encode()}
    left = []
    for row in graded.scored:
        if at := handle(row, "gradescope"):
            files[f"results/{at['id']}.json"] = results_json(row, graded.questions)
        else:
            left.append(row.person.name)
    if len(files) == 2:
        raise ReturnError("these submissions were not exported from Gradescope: there are no submission ids")
    return Returned("gradescope.zip", _zip(files), listed("{} come from elsewhere and are left out", left))


def classroom50(graded: Graded) -> Returned:
    """A `result.json` for each student. Scores are integers there: they are rounded down."""
    classroom, _, assignment = graded.title.partition("/")
    if not (classroom and assignment):
        raise ReturnError("classroom50 needs --title CLASSROOM/ASSIGNMENT, as the repositories are named")
    files = {}
    members = Counter(row.submission for row in graded.rows)
    for row in graded.scored:
        owner = (row.person.id or row.person.name).removeprefix(f"{classroom}-{assignment}-")
        result = _result(row, graded, {"classroom": classroom, "assignment": assignment, "owner": owner}, members)
        files[f"{re.sub(r'[^-.0-9A-Za-z_가-힣]', '_', owner)}/result.json"] = json.dumps(result, indent=1).encode()
    return Returned("classroom50.zip", _zip(files))


def _result(row: Row, graded: Graded, whose: Mapping[str, str], members: Mapping[str, int]) -> dict[str, Any]:
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    time = row.time if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row.time) else now
    tag = f"submit/manual-{time.replace(':', '-')}"
    scores = row.scores()
    tests = [
        {
            "test-name": question.id,
            "passed": scores.get(question.id, 0.0) >= question.points,
            "score": _within(scores.get(question.id, 0.0), question.points),
            "max-score": int(question.points),
        }
        for question in graded.questions
    ]
    return {
        "schema": "classroom50/result/v1",
        **whose,
        "assignment_type": "individual" if members[row.submission] == 1 else "group",
        **dict.fromkeys(("submission", "commit", "release", "review"), tag),
        "datetime": time,
        "graded_at": now,
        "score": _within(row.score or 0.0, graded.best),
        "max-score": int(graded.best),
        "tests": tests,
    }


def _within(score: float, best: float) -> int:
    return int(max(0.0, min(score, best)) + 1e-6)


def _zip(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _PROGRAM if content.startswith(b"#!") else _FILE
            archive.writestr(info, content)
    return stream.getvalue()
