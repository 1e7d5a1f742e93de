"""The fingerprint: whatever decides a grade changes it, and nothing else does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from autograder import course

CHANGED = """
import json, sys
from pathlib import Path
from autograder import course
from autograder.course import corpus, files
assert files.ROOT == Path.cwd(), files.ROOT

def fingerprint():
    for cached in (course.fingerprint, corpus.misconceptions, files.reference_cells):
        cached.cache_clear()
    return course.fingerprint()

before, found = fingerprint(), {}
for name, old, new in json.loads(sys.stdin.read()):
    path = Path(name)
    content = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    text = (content or b"").decode()
    assert old in text, name
    path.write_text(text.replace(old, new, 1) if old else text + new)
    found[name + new] = fingerprint() != before
    path.unlink() if content is None else path.write_bytes(content)
assert fingerprint() == before
print(json.dumps(found))
"""
DECIDE = [
    ("autograder/sandbox/policy.py", "cpu_seconds: int = 30", "cpu_seconds: int = 31"),
    ("autograder/sandbox/policy.py", "statement_seconds: float = 5.0", "statement_seconds: float = 6.0"),
    ("autograder/student/execute.py", "", "\n# changed"),
    ("autograder/wire/log.py", "", "\n# changed"),
    ("autograder/grading/verdicts.py", "", "\n# changed"),
    ("autograder/course/compare.py", "TOLERANCE = 1e-4", "TOLERANCE = 1e-1"),
    ("autograder/intake/notebook.py", "", "\n# changed"),
    ("tests/hidden/test_q3.py", "points(", "points(1"),
    ("tests/hidden/scenarios.toml", "num_layers = ", "num_layers = 1"),
    ("tests/hidden/given.py", "", "\n# changed"),
    ("tests/shown/examples.toml", "num_layers = ", "num_layers = 1"),
    ("tests/misconceptions/q3.toml", 'id = "', 'id = "other-'),
    ("solutions/rnn.ipynb", "", " "),
    ("assignment/en/rnn.ipynb", "", " "),
]
DECIDE_NOTHING = [
    ("tests/misconceptions/q3.toml", 'ko = "', 'ko = "다른 '),
    ("tests/public/q3.py", "", "\n# changed"),
    ("tests/alternatives/q3.toml", "", "\n# changed"),
    ("autograder/cli.py", "", "\n# changed"),
    ("autograder/report/page.html", "", "changed"),
    ("autograder/build/master.py", "", "\n# changed"),
    ("docs/grading.md", "", "changed"),
    ("README.md", "", "changed"),
]


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    """For each change to a file of a copy, whether the fingerprint changes with it."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("autograder", "tests", "solutions", "assignment", "docs"):
        shutil.copytree(course.ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "engine"))
    shutil.copy(course.ROOT / "README.md", copy)
    done = subprocess.run(
        [sys.executable, "-B", "-c", CHANGED],
        input=json.dumps([*DECIDE, *DECIDE_NOTHING]),
        capture_output=True,
        text=True,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "old", "new"), DECIDE)
def test_what_decides_a_grade_changes_the_fingerprint(name, old, new, changes):
    """Limits and policy, child, wire, grading, course, reference and corpus: then everything is graded again."""
    assert changes[name + new]


@pytest.mark.parametrize(("name", "old", "new"), DECIDE_NOTHING)
def test_what_people_read_does_not(name, old, new, changes):
    """After a hint, a page or a public check was changed, nothing is graded again."""
    assert not changes[name + new]
