"""What is asked of a grading process, and the answer where it gave none."""

from __future__ import annotations

from dataclasses import dataclass

from autograder import course
from autograder.grade import Grade, Note, Result, Submission

__all__ = ["Task", "could_not_grade", "lost"]


@dataclass(frozen=True)
class Task:
    """All that a grade is made of; it is kept, so that the grade can be made again."""

    submission: Submission
    secret: bytes
    """What the private numbers of its follow-through are drawn with."""
    evidence: bytes = b""
    """What an earlier grading left: with it, student code is run only where that does not tell."""


def could_not_grade(why: Note) -> Grade:
    """The grade of a submission that the grader itself failed on: no score, and never a zero."""
    return Grade("could-not-grade", None, course.maximum(), detail=why)


def lost(task: Task, error: BaseException) -> Result:
    """The result of a *task* that ended in an *error* of ours; its evidence is kept."""
    reason = " ".join(str(error).split())
    return Result(could_not_grade(Note("grader-fault", {"error": f"{type(error).__name__}: {reason}"})), task.evidence)
