"""Grades back to where the submissions came from, in each platform's own format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from autograder.report.returns.graded import Graded, Returned, ReturnError
from autograder.report.returns.nbgrader import nbgrader
from autograder.report.returns.tables import returned
from autograder.report.returns.zips import classroom50, feedback, gradescope

__all__ = ["WAYS", "Graded", "ReturnError", "Returned"]

WAYS: Mapping[str, Callable[[Graded], Returned]] = {
    **{name: partial(returned, name) for name in ("canvas", "moodle", "blackboard", "brightspace", "email")},
    "nbgrader": nbgrader,
    "gradescope": gradescope,
    "classroom50": classroom50,
    "feedback": feedback,
}
"""Each platform's way back. It raises `ReturnError` where there is none."""
