"""From one submission to its grade: `grade` reads from top to bottom in `grader`."""

from autograder.grading.grader import Grader, serve

__all__ = ["Grader", "serve"]
