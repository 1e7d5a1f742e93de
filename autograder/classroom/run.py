"""The run of a class: what was handed in is graded, kept, and shown; what is known already is not graded again."""

from __future__ import annotations

import itertools
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

from tqdm import tqdm

from autograder import course
from autograder.classroom.adjustments import Adjusted, adjusted
from autograder.classroom.enrolment import completed, with_roster
from autograder.classroom.gradebook import Gradebook, Seat
from autograder.classroom.preview import Moves
from autograder.classroom.task import Task, could_not_grade
from autograder.grade import Adjustment, Grade, Note, Result, Row
from autograder.intake import Entry, Listed, SetAside
from autograder.language import Language
from autograder.report.files import pages, write_output
from autograder.report.returns import WAYS, Graded, Returned
from autograder.report.summary import summary_lines
from autograder.report.tables import MAX_ROWS, grades_table
from autograder.sandbox import SandboxFault

__all__ = ["Engine", "Found", "Outcome", "export", "grade", "regrade"]


class Engine(Protocol):
    """What grades: `autograder.classroom.pool.Pool`, `autograder.classroom.cluster.Cluster`."""

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]: ...


@dataclass(frozen=True)
class Found:
    """What a run is given."""

    entries: Sequence[Entry]
    set_aside: Sequence[SetAside] = ()
    roster: Sequence[Listed] = ()
    only: bool = False
    """Whether these are all there is: whoever was enrolled before leaves the class."""


@dataclass
class Outcome:
    """What a run did, for whoever called it."""

    lines: list[str] = field(default_factory=list)
    """What to say of it, line by line."""
    graded: int = 0
    """How many were graded in this run."""
    failed: int = 0
    """How many people have no score because the grader failed."""
    fault: str = ""
    """Why the run ended before its end, in one line."""
    interrupted: bool = False


OpenEngine = Callable[[], AbstractContextManager[Engine]]


def grade(
    folder: Path, found: Found, open_engine: OpenEngine, *, lang: Language | None = None, most_rows: float = MAX_ROWS
) -> Outcome:
    """Grade what is new or changed among what was *found*, keep it, and write everything people read into *folder*.

    The engine is opened only if there is something to grade. Ctrl-C, and a fault of the engine's, end the grading but
    lose nothing: what was not graded gets a row that says so. Raises `GradebookError`, `AdjustmentError`, OSError and
    `sqlite3.Error`.
    """
    outcome = Outcome()
    with Gradebook(folder) as book:
        names, after = _enrol(book, folder, found, outcome)
        pending = set(names.values())
        with _told(outcome, len(pending)) as bar:

            def unknown() -> Iterator[Task]:
                for entry in found.entries:
                    if entry.name not in names:
                        continue
                    submission = replace(entry.read(), name=names[entry.name])
                    if not book.known(submission, course.fingerprint()):
                        yield Task(submission, secrets.token_bytes(16))
                        continue
                    pending.discard(submission.name)
                    bar.update()

            tasks = unknown()
            if first := next(tasks, None):
                with open_engine() as engine:
                    for task, result in engine.grade(itertools.chain([first], tasks)):
                        book.keep(replace(task, evidence=result.evidence), result.grade, course.fingerprint())
                        pending.discard(task.submission.name)
                        outcome.graded += 1
                        bar.update()
        known = len(names) - len(pending) - outcome.graded
        outcome.lines += [f"{known} of them known from an earlier run"] * bool(known)
        _publish(book, folder, after, outcome, lang, most_rows, pending)
    return outcome


def regrade(
    folder: Path,
    open_engine: OpenEngine,
    *,
    preview: bool = False,
    accept: bool = False,
    lang: Language | None = None,
    most_rows: float = MAX_ROWS,
) -> Outcome:
    """Grade all that is kept in *folder* again, from its evidence, and write everything people read anew.

    Student code is run only where the evidence does not tell. All grades change together or none does: none with
    *preview*, none if the run ends early, and none if a score would drop, unless that is *accepted*. Raises as `grade`
    does.
    """
    outcome, moves, reruns = Outcome(), Moves(), 0
    with Gradebook(folder) as book:
        with book.transaction() as undo:
            after = _adjust(book, folder)
            with _told(outcome, book.count()) as bar, open_engine() as engine:
                for task, result in engine.grade(book.tasks()):
                    before = book.grade(task.submission.name)
                    moves.add(task.submission, before, result.grade)
                    isolation = before.isolation if before and not result.runs else result.grade.isolation
                    graded = replace(result.grade, isolation=isolation)
                    book.keep(replace(task, evidence=result.evidence), graded, course.fingerprint())
                    reruns += bool(result.runs)
                    outcome.graded += 1
                    bar.update()
            if preview or outcome.fault or (moves.dropped and not accept):
                undo()
        outcome.lines += [*moves.lines(), f"{outcome.graded} graded again; student code was run again for {reruns}"]
        if preview:
            outcome.lines.append("nothing was changed: this was a preview")
        elif outcome.fault:
            outcome.fault += "; nothing was changed"
        elif moves.dropped and not accept:
            outcome.fault = f"nothing was changed: {moves.dropped} would lose points; --accept takes that"
        else:
            _publish(book, folder, after, outcome, lang, most_rows)
    return outcome


def export(folder: Path, platform: str, file: Path | None, title: str) -> Returned:
    """The grades in *folder* as *platform* takes them. Raises `ReturnError`, and as `grade` does."""
    with Gradebook(folder) as book:
        after = _adjust(book, folder)
        rows = [*book.rows(_missing)]
        after.check(rows)
    paths = {whose: folder / "feedback" / f"{name}.html" for whose, name in pages(rows).items()}
    return WAYS[platform](Graded(rows, title, file, paths))


def _enrol(book: Gradebook, folder: Path, found: Found, outcome: Outcome) -> tuple[Mapping[str, str], Adjusted]:
    """Complete the class; the name in the gradebook of each submission that is to be graded, and what is adjusted."""
    before = [] if found.only else book.seats()
    enrolled = completed(before, found.entries)
    after = adjusted(folder, with_roster(enrolled.seats, found.roster) if found.roster else enrolled.seats)
    withdrawn = _changes(book.seats()) - _changes(after.seats)
    said = {
        "--only: {} people of earlier runs left the class": len(book.seats()) - len(before),
        "{} people have a newer submission, and only that counts": len(enrolled.replaced),
        "{} adjustments are no longer in adjustments.csv, and hold no longer": len(withdrawn),
    }
    outcome.lines += [line.format(count) for line, count in said.items() if count]
    aside = {one.name: one for one in (*([] if found.only else book.set_aside()), *found.set_aside, *enrolled.replaced)}
    standing = {seat.submission for seat in after.seats}
    book.enrol(after.seats, [one for one in aside.values() if one.name not in standing])
    return enrolled.names, after


def _changes(seats: Sequence[Seat]) -> set[Adjustment]:
    return {change for seat in seats for change in seat.adjustments}


def _adjust(book: Gradebook, folder: Path) -> Adjusted:
    """Read what is adjusted by hand again."""
    after = adjusted(folder, book.seats())
    book.enrol(after.seats, book.set_aside())
    return after


def _publish(
    book: Gradebook,
    folder: Path,
    after: Adjusted,
    outcome: Outcome,
    lang: Language | None,
    most_rows: float,
    pending: Set[str] = frozenset(),
) -> None:
    """Write what people read; a submission that is still *pending* has a row that says why."""
    questions = course.questions()
    rows = _Rows(lambda: book.rows(partial(_missing, fault=outcome.fault), pending))
    after.check(rows)
    written, edited = write_output(folder, rows, book.set_aside(), lang, book.files())
    book.wrote(written)
    outcome.failed = sum(row.grade.status == "could-not-grade" for row in rows)
    if edited:
        outcome.lines.append(f"grades.csv had been edited by hand: it is kept as {edited.name}")
    if stale := book.stale(course.fingerprint()):
        outcome.lines.append(f"{stale} were graded by another version; autograder regrade {folder} grades them again")
    if aside := len(book.set_aside()):
        outcome.lines.append(f"{aside} file{'s' * (aside != 1)} set aside: see set-aside.csv")
    summary = summary_lines(rows)
    fitting = list(itertools.islice(rows, int(min(most_rows, sys.maxsize - 1)) + 1))
    table = grades_table(fitting, [question.id for question in questions]) if len(fitting) <= most_rows else []
    outcome.lines[:0] = [*table, *[""] * bool(table), *summary]
    outcome.lines += [
        "",
        f"{folder / 'report.html'}  the class",
        f"{folder / 'grades.csv'}   every grade",
        f"{folder / 'feedback'}/    a page for every student",
    ]


def _missing(seat: Seat, fault: str = "") -> Grade:
    """What stands where there is no grade."""
    if not seat.submission:
        return Grade("not-submitted", None, course.maximum())
    return could_not_grade(Note("not-reached", {"reason": fault or "an earlier run ended early"}))


@dataclass(frozen=True)
class _Rows:
    """All rows, one after another, as often as wanted: a large class does not fit into memory."""

    read: Callable[[], Iterator[Row]]

    def __iter__(self) -> Iterator[Row]:
        return self.read()


@contextmanager
def _told(outcome: Outcome, total: int) -> Iterator[tqdm[NoReturn]]:
    """A bar for *total* submissions. What ends a run early is told in its outcome, and ends nothing else."""
    seconds = 0.2 if sys.stderr.isatty() else 10.0  # seldom in a log, where a line cannot be overwritten
    try:
        with tqdm(total=total, unit="file", desc="grading", mininterval=seconds, smoothing=0.02) as bar:
            yield bar
    except KeyboardInterrupt:
        outcome.fault, outcome.interrupted = "the run was interrupted", True
    except SandboxFault as error:
        outcome.fault = " ".join(str(error).split()) or type(error).__name__
