"""The hidden checks are ordinary tests, run by pytest: within grading, and by hand."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest

from autograder import course

from .submissions import scores, solved


@pytest.fixture(scope="module")
def submission(tmp_path_factory):
    """A wrong q3: all of `hidden_states`, and `h_n` too where there is one sequence."""
    path = tmp_path_factory.mktemp("submission") / "rnn.ipynb"
    q3 = "hidden_states, h_n = rnn(batch_emb.transpose(0, 1), h_0)\nhidden_states = hidden_states + 1\n"
    path.write_bytes(solved(q3=q3 + "if batch.shape[0] == 1: h_n = h_n + 1"))
    return path


def test_one_file_is_graded_by_hand_with_pytests_own_report(submission):
    """Each check is a test under each hidden scenario, and fails where the submission is wrong."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/hidden",
        "--submission",
        str(submission),
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    # As users and CI systems set it; the plugin would break what grading collects, if it were loaded there.
    theirs = (
        "def pytest_collection_modifyitems(config, items):\n    if config.option.collectonly:\n        items.clear()\n"
    )
    (submission.parent / "theirs.py").write_text(theirs)
    path = os.pathsep.join([str(submission.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTEST_ADDOPTS": "--color=no", "PYTEST_PLUGINS": "theirs", "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, cwd=course.ROOT, env=environment)
    failed = set(re.findall(r"^FAILED \S*test_q(\d).py::(\w+)\[([\w-]+)\]", done.stdout, re.MULTILINE))
    everywhere = {("3", "test_hidden_states", scenario.id) for scenario in course.scenarios()}
    assert failed == everywhere | {("3", "test_h_n", "one-sequence")}, done.stdout
    checks = len(list(course.checks())) * len(course.scenarios())
    assert f"{len(failed)} failed, {checks - len(failed)} passed" in done.stdout


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (None, "--submission FILE"),
        ("nowhere.ipynb", "--submission FILE"),
        (str(course.ROOT / "README.md"), r"README\.md: This is neither a notebook nor Python code"),
    ],
)
def test_by_hand_it_must_be_said_which_submission(file, said):
    """Without one, or with a file that is no notebook, there is one line that says so."""
    configure = runpy.run_path(str(course.HIDDEN / "conftest.py"))["pytest_configure"]
    with pytest.raises(pytest.UsageError, match=said):
        configure(SimpleNamespace(getoption=lambda _: file))


def test_grader_gives_the_same_points(submission, grade):
    """What the checks find by hand is what costs points."""
    points = {question.id: question.points for question in course.questions()}
    assert scores(grade(submission.read_bytes())) == {**points, "q3": 0.0}
