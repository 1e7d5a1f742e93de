"""A grading run: submissions in, gradebook and pages out; what is known already is not graded again."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn, Protocol

from tqdm import tqdm

from autograder.course import Question
from autograder.gradebook import Gradebook, Row
from autograder.intake import Entry
from autograder.records import Grade, Result, Submission
from autograder.render.output import remove_output, write_output, write_pages
from autograder.render.report import Summary
from autograder.render.terminal import MAX_ROWS

__all__ = ["Engine", "Report", "grade_into", "regrade"]


class Engine(Protocol):
    """What grades: `autograder.pool.Pool`, `autograder.cluster.Cluster`."""

    @property
    def isolation(self) -> str: ...

    def grade(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Result]]: ...

    def regrade(self, kept: Iterable[tuple[Submission, bytes]]) -> Iterator[tuple[Submission, Result]]: ...


@dataclass(frozen=True)
class Report:
    """What a run did."""

    summary: Summary
    """Of all submissions that were given."""
    rows: tuple[Row, ...]
    """One for each, by name; none where there are more than were asked for."""
    graded: int
    """How many were graded in this run."""
    known: int
    """How many had been graded before."""
    reruns: int = 0
    """Of how many student code was run again, though they were regraded from kept evidence."""
    former: int = 0
    """How many rows of the last run were not given this time."""
    fault: str = ""
    """Why the run ended before its end, in one line."""
    interrupted: bool = False


@dataclass
class _Progress:
    """How far a run has come."""

    bar: tqdm[NoReturn]
    former: int = 0
    graded: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    reruns: int = 0
    fault: str = ""
    interrupted: bool = False


def grade_into(
    folder: Path,
    entries: Sequence[Entry],
    questions: Sequence[Question],
    open_engine: Callable[[], AbstractContextManager[Engine]],
    fingerprint: str,
    faults: tuple[type[Exception], ...] = (),
    *,
    most_rows: float = MAX_ROWS,
) -> Report:
    """Grade what is new or changed among *entries*, keep it, and write everything people read into *folder*.

    The engine is opened only if there is something to grade. Ctrl-C, and the engine's *faults*, end the grading but
    lose nothing: what was not graded gets a row that says so. Raises `GradebookError`, OSError and `sqlite3.Error`.
    """
    with Gradebook(folder) as book:
        students = {entry.name: entry.student for entry in entries}
        former = len(book.roster().keys() - students.keys())
        book.enrol(students)
        with _progress(len(entries)) as bar:
            progress = _Progress(bar, former)

            def unknown() -> Iterator[Submission]:
                for entry in entries:
                    submission = entry.read()
                    if book.known(submission, fingerprint):
                        progress.known.add(submission.name)
                        bar.update()
                    else:
                        yield submission

            with _told(progress, faults):
                pending = unknown()
                if first := next(pending, None):
                    with open_engine() as engine:
                        for submission, result in engine.grade(itertools.chain([first], pending)):
                            grade = replace(result.grade, isolation=engine.isolation)
                            book.record(submission, grade, result.evidence, fingerprint)
                            progress.graded.add(submission.name)
                            bar.update()
        return _finish(folder, book, students, questions, progress, progress.known | progress.graded, most_rows)


def regrade(
    folder: Path,
    questions: Sequence[Question],
    open_engine: Callable[[], AbstractContextManager[Engine]],
    fingerprint: str,
    faults: tuple[type[Exception], ...] = (),
    *,
    most_rows: float = MAX_ROWS,
) -> Report:
    """Grade all that is kept in *folder* again, from its evidence, and write everything people read anew.

    Student code is run only where the evidence does not tell. What an interrupted run did not come to has the grade
    that it had. Raises as `grade_into` does.
    """
    with Gradebook(folder) as book:
        students = book.roster()
        with _progress(len(students)) as bar:
            progress = _Progress(bar)
            with _told(progress, faults), open_engine() as engine:
                for submission, result in engine.regrade(book.kept()):
                    before = book.row(submission.name)
                    isolation = engine.isolation if result.runs or before is None else before.grade.isolation
                    # Where no code was run, the evidence is what it was.
                    evidence = result.evidence if result.runs else None
                    book.record(submission, replace(result.grade, isolation=isolation), evidence, fingerprint)
                    progress.graded.add(submission.name)
                    progress.reruns += bool(result.runs)
                    bar.update()
        return _finish(folder, book, students, questions, progress, students.keys(), most_rows)


def _progress(total: int) -> tqdm[NoReturn]:
    # Seldom in a log, where a line cannot be overwritten.
    seconds = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, unit="file", desc="grading", mininterval=seconds, smoothing=0.02)


@contextmanager
def _told(progress: _Progress, faults: tuple[type[Exception], ...]) -> Iterator[None]:
    """What ends a run early is told in its progress, and ends nothing else."""
    try:
        yield
    except KeyboardInterrupt:
        progress.fault, progress.interrupted = "the run was interrupted", True
    except faults as error:
        progress.fault = " ".join(str(error).split()) or type(error).__name__


def _finish(
    folder: Path,
    book: Gradebook,
    students: Mapping[str, str],
    questions: Sequence[Question],
    progress: _Progress,
    settled: Collection[str],
    most_rows: float,
) -> Report:
    """Write what people read; a submission that is not *settled* gets a row that says why."""
    maximum = sum(question.points for question in questions)
    missing = Grade("could-not-grade", None, maximum, (), "ko", f"not graded: {progress.fault}")

    def row(name: str) -> Row:
        found = book.row(name) if name in settled else None
        return found or Row(name, students[name], missing)

    rows = _Rows(students, row)
    former = book.former()
    remove_output(folder, former, students)
    written = write_pages(folder, students, row, questions, {n: s for n, s in book.shown().items() if n in settled})
    standing = {name: what if name in settled else "" for name, what in written.items()}
    book.show({**dict.fromkeys(former, ""), **standing})
    summary = write_output(folder, students, rows, questions)
    shown = tuple(rows) if len(students) <= most_rows else ()
    counts = len(progress.graded), len(progress.known), progress.reruns, progress.former
    return Report(summary, shown, *counts, progress.fault, progress.interrupted)


@dataclass(frozen=True)
class _Rows:
    """All rows by name, one after another, as often as wanted: a large class does not fit into memory."""

    names: Collection[str]
    row: Callable[[str], Row]

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, self.names)
