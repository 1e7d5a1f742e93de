"""From one submission to its grade: `grade` reads from top to bottom in `grader`."""

from autograder.grading.grader import Grader

__all__ = ["Grader"]
