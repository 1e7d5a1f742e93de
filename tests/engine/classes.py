"""Small classes without a real grader: a made-up course, an engine that grades by a file's first byte, rows by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.classroom.run import How, Outcome, grade
from autograder.classroom.worker import Task
from autograder.course import Check, Question, assignment
from autograder.grade import CheckResult, Grade, Note, Person, QuestionGrade, Result, Row
from autograder.intake import collect, read_roster
from autograder.sandbox import SandboxFault

__all__ = ["QUESTIONS", "Engine", "earned", "handed_in", "row", "run", "table"]


def _question(id_: str, *points: float) -> Question:
    """A question with a check for each of these points."""

    def check(number: int, worth: float) -> Check:
        titles = {"ko": f"{id_}의 확인 {number}", "en": f"{id_}, check {number}"}
        return Check(id_, f"test_{number}", worth, ("answer",), (), titles, lambda answer: None)

    checks = tuple(check(number, worth) for number, worth in enumerate(points, 1))
    return Question(id_, {"ko": f"{id_}의 내용", "en": f"The topic of {id_}"}, checks)


QUESTIONS = (
    *(_question("q1", 4, 6), _question("q2", 10), _question("q3", 8, 7), _question("q4", 10)),
    *(_question("q5", 5, 5, 5), _question("q6", 14, 6), _question("q7", 10), _question("q8", 4, 3, 3)),
)
"""A course of a hundred points: what becomes of grades does not hang on what is asked (see `hundred_points`)."""


def earned(share: float = 1.0) -> Grade:
    """A grade with this share of each question's points, each check worth all or nothing."""
    graded = tuple(
        QuestionGrade(
            *(question.id, question.points, share * question.points),
            tuple(CheckResult(check.name, check.points, share == 1.0) for check in question.checks),
        )
        for question in QUESTIONS
    )
    return Grade("graded", 100.0 * share, 100.0, graded, "en")


def row(name: str = "Kim", score: float | None = 80.0, *, id: str = "", email: str = "", submission: str = "") -> Row:
    grade = Grade("could-not-grade", None, 100.0) if score is None else earned(score / 100)
    return Row(submission or f"{name}.ipynb", Person(name, id, email), grade)


@dataclass
class Engine:
    """All points to all but: `0`, none; `5`, half; `!`, its own failure; `x`, the sandbox is gone; `^`, Ctrl-C."""

    seen: list[str] = field(default_factory=list)
    opened: int = 0
    scale: float = 1.0
    """What a changed check would make of full marks."""

    def __enter__(self) -> Engine:
        self.opened += 1
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        for task in tasks:
            self.seen.append(task.submission.name)
            match task.submission.content[:1]:
                case b"x":
                    raise SandboxFault("the sandbox is gone")
                case b"^":
                    raise KeyboardInterrupt
                case b"!":
                    grade = Grade("could-not-grade", None, 100.0, detail=Note("grader-fault", {"error": "MemoryError"}))
                case first:
                    grade = earned({b"0": 0.0, b"5": 0.5}.get(first, self.scale))
            yield task, Result(grade, b"evidence", runs=0 if task.evidence else 1)


def handed_in(folder: Path, **files: str) -> Path:
    """A folder with a notebook for each person."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.ipynb").write_text(content)
    return folder


def run(
    out: Path, *paths: Path, engine: Engine | None = None, roster: Path | None = None, only: bool = False
) -> Outcome:
    """Grade what lies at *paths* into *out*."""
    intake = collect(paths, assignment(), without=out)
    how = How(lambda: engine or Engine())
    return grade(out, intake, how, roster=read_roster(roster) if roster else (), only=only)


def table(out: Path, name: str = "grades.csv") -> list[dict[str, str]]:
    """A table that was written, as dictionaries."""
    return list(csv.DictReader((out / name).read_text(encoding="utf-8-sig").splitlines()))
