"""What the parts of the grader say to one another: frozen records, plain data, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder.text import Language

__all__ = ["CheckResult", "Grade", "QuestionGrade", "Result", "StatementError", "Status", "Submission", "Verdict"]

Status = Literal["graded", "timed-out", "crashed", "unreadable", "could-not-grade"]
Verdict = Literal["passed", "failed", "could-not-grade"]


@dataclass(frozen=True)
class Submission:
    """One student's file as received."""

    name: str
    """Path relative to the folder or zip given, with `/`; the file's name for a single file."""
    student: str
    """Who handed it in, as far as the file's or folder's name tells; else the name without its suffix."""
    content: bytes
    problem: str = ""
    """Why the file could not even be read, or nothing."""


@dataclass(frozen=True)
class CheckResult:
    """One check of a question over all scenarios."""

    check: str
    """The test function's name, unique within its question."""
    title: str
    """The line that the student reads, in the student's language."""
    points: float
    """What it is worth; 0 for the public checks."""
    verdict: Verdict
    message: str = ""
    """Expected against received, in the student's language; empty when passed."""
    scenario: str = ""
    """The first scenario in which it failed, described in the student's language."""


@dataclass(frozen=True)
class QuestionGrade:
    question: str
    points: float
    score: float
    checks: tuple[CheckResult, ...]
    hint: str = ""
    """The hint of the misconception that the answer shows, in the student's language."""
    misconception: str = ""
    """That misconception's id."""


@dataclass(frozen=True)
class StatementError:
    """An error that a statement raised in the run at the released sizes."""

    cell: int
    """The code cell's number in the file, from 1."""
    line: int
    """The line within the cell, from 1."""
    kind: str
    """The exception's class name."""
    message: str
    source: str
    """The source line."""
    names: tuple[str, ...] = ()
    """The names that the statement was to bind."""


@dataclass(frozen=True)
class Grade:
    status: Status
    score: float | None
    """Points earned; None if it could not be graded."""
    max_score: float
    questions: tuple[QuestionGrade, ...]
    lang: Language
    detail: str = ""
    """One line: why the status is not `graded`, or what an instructor should know."""
    remarks: tuple[str, ...] = ()
    """Remarks for the student, such as "works only at the released sizes"."""
    errors: tuple[StatementError, ...] = ()
    output: str = ""
    """What the student's code printed in the run at the released sizes, cut at a limit."""
    isolation: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """A grade, and the observations that it rests on."""

    grade: Grade
    evidence: bytes
    """For grading again without running student code; nothing where there is none."""
    runs: int = 0
    """How often student code was run for it."""
