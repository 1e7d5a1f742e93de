"""Grades back to where the submissions came from, in each platform's own format."""

from autograder.report.returns.graded import Graded, Returned, ReturnError
from autograder.report.returns.ways import WAYS

__all__ = ["WAYS", "Graded", "ReturnError", "Returned"]
