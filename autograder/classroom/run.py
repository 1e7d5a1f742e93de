"""The run of a class: what was handed in is graded, kept, and shown; what is known already is not graded again."""

import itertools
import secrets
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn, Protocol

from tqdm import tqdm

from autograder import course
from autograder.classroom.adjustments import Adjusted, adjusted
from autograder.classroom.enrolment import completed, with_roster
from autograder.classroom.gradebook import Gradebook, Rows, Seat
from autograder.classroom.preview import Moves
from autograder.classroom.worker import Task
from autograder.grade import Adjustment, Result
from autograder.intake import Entry, Intake, Listed, join
from autograder.intake.roster import fold
from autograder.language import Language
from autograder.report.files import pages, write_output
from autograder.report.returns import WAYS, Graded, Returned, ReturnError
from autograder.report.summary import summary_lines
from autograder.report.tables import MAX_ROWS, grades_table
from autograder.report.words import listed
from autograder.sandbox import SandboxFault

__all__ = ["Engine", "How", "Outcome", "export", "grade", "regrade"]


class Engine(Protocol):
    """What grades: `autograder.classroom.pool.Pool`, `autograder.classroom.cluster.Cluster`."""

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]: ...


@dataclass(frozen=True)
class How:
    """How a run is done and shown."""

    open_engine: Callable[[], AbstractContextManager[Engine]]
    lang: Language | None = None
    """The language of all pages; None means each student's own."""
    every_row: bool = False
    """Whether the table of grades is shown however long it is."""


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


def grade(folder: Path, intake: Intake, how: How, *, roster: Sequence[Listed] = (), only: bool = False) -> Outcome:
    """Grade what is new or changed in *intake*, keep it, and write everything people read into *folder*.

    With *only*, this is all there is: whoever was enrolled before leaves the class. The engine is opened only if there
    is something to grade. Ctrl-C, and a fault of the engine's, end the grading but lose nothing: what was not graded
    gets a row that says so. Raises `GradebookError`, `AdjustmentError`, OSError and `sqlite3.Error`.
    """
    outcome = Outcome()
    with Gradebook(folder) as book:
        entries, after = _enrol(book, intake, roster, only, outcome)
        known = 0
        with _progress(outcome, len(entries)) as bar:

            def unknown() -> Iterator[Task]:
                nonlocal known
                for entry in entries:
                    submission = entry.read()
                    if not book.known(submission, course.fingerprint()):
                        yield Task(submission, secrets.token_bytes(16))
                    else:
                        known += 1
                        bar.update()

            tasks = unknown()
            if first := next(tasks, None):
                with how.open_engine() as engine:
                    for task, result in engine.grade(itertools.chain([first], tasks)):
                        book.keep(replace(task, evidence=result.evidence), result.grade, course.fingerprint())
                        outcome.graded += 1
                        bar.update()
        outcome.lines += [f"{known} of them known from an earlier run"] * bool(known)
        _publish(book, after, outcome, how)
    return outcome


def regrade(folder: Path, how: How, *, preview: bool = False, accept: bool = False) -> Outcome:
    """Grade all that is kept in *folder* again, from its evidence, and write everything people read anew.

    Student code is run only where the evidence does not tell. All grades change together or none does: none with
    *preview*, none if the run ends early, and none if a score would drop, unless that is *accepted*. Raises as `grade`
    does.
    """
    outcome, moves, reruns = Outcome(), Moves(), 0
    with Gradebook(folder) as book:
        adjusted(folder, book.seats())  # what is wrong there is said before anything is graded
        with book.transaction() as undo:
            with _progress(outcome, book.count()) as bar, how.open_engine() as engine:
                for task, result in engine.grade(book.tasks()):
                    before = book.grade(task.submission.name)
                    assert before is not None  # it was kept with the task
                    moves.add(task.submission, before, result.grade)
                    graded = result.grade if result.runs else replace(result.grade, isolation=before.isolation)
                    book.keep(replace(task, evidence=result.evidence), graded, course.fingerprint())
                    reruns += bool(result.runs)
                    outcome.graded += 1
                    bar.update()
            if preview or outcome.fault or (moves.dropped and not accept):
                undo()
        outcome.lines += moves.lines(outcome.graded)
        outcome.lines.append(f"{outcome.graded} graded again; student code was run again for {reruns}")
        if preview:
            outcome.lines.append("nothing was changed: this was a preview")
        elif outcome.fault:
            outcome.fault += "; nothing was changed"
        elif moves.dropped and not accept:
            outcome.fault = f"nothing was changed: {moves.dropped} would lose points; --accept takes that"
        else:
            _publish(book, _adjust(book), outcome, how)
    return outcome


def export(folder: Path, platform: str, file: Path | None, title: str) -> Returned:
    """The grades in *folder* as *platform* takes them. Raises `ReturnError`, and as `grade` does."""
    with Gradebook(folder) as book:
        after = _adjust(book)
        rows = list(Rows(book))
        after.check(rows)
    paths = {whose: folder / "feedback" / f"{name}.html" for whose, name in pages(rows).items()}
    graded = Graded(rows, title, file, paths)
    if not graded.scored:
        raise ReturnError("nobody has a score")
    return WAYS[platform](graded)


def _enrol(
    book: Gradebook, intake: Intake, roster: Sequence[Listed], only: bool, outcome: Outcome
) -> tuple[Sequence[Entry], Adjusted]:
    """Complete the class. Returns what is to be graded, under its names in the gradebook, and what is adjusted."""
    everyone = book.seats()
    before, aside = ([], []) if only else (everyone, book.set_aside())
    seats, entries, replaced = completed(with_roster(before, roster), intake.entries, book.submission)
    after = adjusted(book.folder, with_roster(seats, roster))  # whom only the new files' names tell
    stay = join([seat.called for seat in after.seats], {seat.person for seat in everyone}, apart=True)
    any_listed = any(seat.listed for seat in after.seats)
    rows = defaultdict[object, list[str]](list)
    for seat in after.seats:
        if seat.submission:  # the roster tells people of one name apart
            rows[seat.listed.person if seat.listed else fold(seat.person.name)].append(seat.person.name)
    said = {
        "left the class by --only": [seat.person.name for seat in everyone if only and seat.person not in stay],
        "a newer submission counts": [one.person for one in replaced if one.reason.kind == "newer-attempt"],
        "an earlier submission still counts": [one.person for one in replaced if one.reason.kind != "newer-attempt"],
        "not on the roster, or several of the name": [
            seat.person.name for seat in after.seats if any_listed and seat.submission and not seat.listed
        ],
        "the same name in more than one row": [names[0] for names in rows.values() if len(names) > 1],
        "no longer in adjustments.csv, so no longer adjusted": [
            change.student for change in _changes(everyone) - _changes(after.seats)
        ],
    }
    outcome.lines += itertools.chain.from_iterable(itertools.starmap(listed, said.items()))
    set_aside = {one.name: one for one in (*aside, *intake.set_aside, *replaced)}
    standing = {seat.submission for seat in after.seats}
    kept = ((entry, book.submission(entry.name)) for entry in entries)
    changed = {entry.name for entry, old in kept if old and old.content != entry.read().content}
    book.enrol(after.seats, [one for one in set_aside.values() if one.name not in standing], changed)
    return entries, after


def _changes(seats: Sequence[Seat]) -> set[Adjustment]:
    return {change for seat in seats for change in seat.adjustments}


def _adjust(book: Gradebook) -> Adjusted:
    """Read what is adjusted by hand again."""
    after = adjusted(book.folder, book.seats())
    book.enrol(after.seats, book.set_aside())
    return after


def _publish(book: Gradebook, after: Adjusted, outcome: Outcome, how: How) -> None:
    """Write all that people read. A submission that was not reached gets a row that says why."""
    folder, set_aside = book.folder, book.set_aside()
    rows = Rows(book, outcome.fault)
    after.check(rows)
    written, edited = write_output(folder, rows, set_aside, how.lang, book.files())
    book.wrote(written)
    outcome.failed = sum(row.grade.status == "could-not-grade" for row in rows)
    if edited:
        outcome.lines.append(f"grades.csv had been edited by hand: it is kept as {edited.name}")
    if stale := book.stale(course.fingerprint()):
        outcome.lines.append(f"{stale} were graded by another version; autograder regrade {folder} grades them again")
    if aside := len(set_aside):
        outcome.lines.append(f"{aside} file{'s' * (aside != 1)} set aside: see set-aside.csv")
    shown = list(itertools.islice(rows, None if how.every_row else MAX_ROWS + 1))
    fits = how.every_row or len(shown) <= MAX_ROWS
    table = [*grades_table(shown, [question.id for question in course.questions()]), ""] if fits else []
    outcome.lines[:0] = [*table, *summary_lines(rows)]
    outcome.lines += [
        "",
        f"{folder / 'report.html'}  the class",
        f"{folder / 'grades.csv'}   every grade",
        f"{folder / 'feedback'}/    a page for every student",
    ]


@contextmanager
def _progress(outcome: Outcome, total: int) -> Iterator["tqdm[NoReturn]"]:
    """Show a bar for *total* submissions. What ends the run early is noted in *outcome* and raised no further."""
    seconds = 0.2 if sys.stderr.isatty() else 10.0  # in a log, where a line cannot be overwritten, seldom
    try:
        with tqdm(total=total, unit="file", desc="grading", mininterval=seconds, smoothing=0.02) as bar:
            yield bar
    except KeyboardInterrupt:
        outcome.fault, outcome.interrupted = "the run was interrupted", True
    except SandboxFault as error:
        outcome.fault = str(error)
