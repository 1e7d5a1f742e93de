"""Grades back to where the submissions came from, in each platform's own format."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autograder.report.returns.archives import classroom50, feedback, gradescope
from autograder.report.returns.graded import Graded, Returned, ReturnError
from autograder.report.returns.nbgrader import nbgrader
from autograder.report.returns.sheets import blackboard, brightspace, canvas, email, moodle

__all__ = ["WAYS", "Graded", "ReturnError", "Returned"]

WAYS: Mapping[str, Callable[[Graded], Returned]] = {
    "canvas": canvas,
    "moodle": moodle,
    "blackboard": blackboard,
    "brightspace": brightspace,
    "nbgrader": nbgrader,
    "gradescope": gradescope,
    "classroom50": classroom50,
    "email": email,
    "feedback": feedback,
}
"""Each platform's way back. It raises `ReturnError` where there is none."""
