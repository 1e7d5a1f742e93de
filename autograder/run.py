"""A grading run: entries in, gradebook and pages out; what is known already is not graded again."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from autograder.course import Question
from autograder.gradebook import Gradebook, Row
from autograder.intake import Entry
from autograder.records import Grade, Result, Submission
from autograder.render.output import write_output

__all__ = ["Engine", "Report", "grade_into"]


class Engine(Protocol):
    """What grades: `autograder.pool.Pool`."""

    @property
    def isolation(self) -> str: ...

    def grade(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Result]]: ...


@dataclass(frozen=True)
class Report:
    """What a run did."""

    rows: tuple[Row, ...]
    """One for each entry, by name."""
    graded: int
    """How many of them were graded in this run."""
    known: int
    """How many had been graded before."""
    fault: str = ""
    """Why the run ended before its end, in one line."""
    interrupted: bool = False


def grade_into(
    folder: Path,
    entries: Sequence[Entry],
    questions: Sequence[Question],
    open_engine: Callable[[], AbstractContextManager[Engine]],
    fingerprint: str,
    faults: tuple[type[Exception], ...] = (),
) -> Report:
    """Grade what is new or changed among *entries*, keep it, and write everything people read into *folder*.

    The engine is opened only if there is something to grade. Ctrl-C, and the engine's *faults*, end the grading but
    lose nothing: what was not graded gets a row that says so. Raises `GradebookError`, OSError and `sqlite3.Error`.
    """
    fault, interrupted = "", False
    known: set[str] = set()
    graded: set[str] = set()
    with Gradebook(folder) as book:
        book.enrol({entry.name: entry.student for entry in entries})
        # Seldom in a log, where a line cannot be overwritten.
        seconds = 0.2 if sys.stderr.isatty() else 10.0
        with tqdm(total=len(entries), unit="file", desc="grading", mininterval=seconds) as progress:

            def unknown() -> Iterator[Submission]:
                for entry in entries:
                    submission = entry.read()
                    if book.known(submission, fingerprint):
                        known.add(submission.name)
                        progress.update()
                    else:
                        yield submission

            pending = unknown()
            try:
                if first := next(pending, None):
                    with open_engine() as engine:
                        isolation = engine.isolation
                        for submission, result in engine.grade(itertools.chain([first], pending)):
                            grade = replace(result.grade, isolation=isolation)
                            book.record(submission, grade, result.evidence, fingerprint)
                            graded.add(submission.name)
                            progress.update()
            except KeyboardInterrupt:
                fault, interrupted = "the run was interrupted", True
            except faults as error:
                fault = " ".join(str(error).split()) or type(error).__name__
        rows = _rows(book, entries, questions, known | graded, fault)
        write_output(folder, rows, questions, book.former())
    return Report(rows, len(graded), len(known), fault, interrupted)


def _rows(
    book: Gradebook, entries: Iterable[Entry], questions: Sequence[Question], settled: Collection[str], fault: str
) -> tuple[Row, ...]:
    """A row for each entry; one without a score where the run did not come to what is new or changed."""
    rows = {row.name: row for row in book.rows() if row.name in settled}
    maximum = sum(question.points for question in questions)
    missing = Grade("could-not-grade", None, maximum, (), "ko", f"not graded: {fault}")
    return tuple(rows.get(entry.name) or Row(entry.name, entry.student, missing) for entry in entries)
