"""Try many answers out in one run: each in the place of the reference's, undone before the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autograder import course
from autograder.corpus import answer
from autograder.job import Job
from autograder.reference import replacements
from autograder.runlog import Record, RunLog

__all__ = ["Trial", "observe"]

TRIALS_A_RUN = 50

_KEEP = "_names = dict(globals())"
_UNDO = "(lambda names, kept: (names.clear(), names.update(kept)))(globals(), _names)"


@dataclass(frozen=True)
class Trial:
    """Answer cells to put in the place of the reference's."""

    id: str
    question: str
    """The question whose names are taken down."""
    answers: Mapping[str, str]
    """Its answer cell, and those of other questions that are to be changed with it."""


def observe(
    trials: Sequence[Trial], run: Callable[[Sequence[Job]], list[RunLog]], *, seed: int = 0
) -> dict[str, list[Record]]:
    """What each trial leaves behind under every hidden scenario, in their order.

    A trial whose run ended before it was taken down has fewer records.
    """
    found: dict[str, list[Record]] = {trial.id: [] for trial in trials}
    asked = {question.id: list(question.names) for question in course.questions()}
    for start in range(0, len(trials), TRIALS_A_RUN):
        some = trials[start : start + TRIALS_A_RUN]
        cells = _tried_out(some)
        names = {trial.id: asked[trial.question] for trial in some}
        jobs = [Job(cells, names, replacements(scenario), late=False, seed=seed) for scenario in course.scenarios()]
        for job, log in zip(jobs, run(jobs), strict=True):
            if log.ending != "finished":
                (log,) = run([job])  # by itself: what a trial does under one scenario ends no other's run
            for record in log.records:
                if record.when == "check":
                    found[record.question].append(record)
    return found


def _tried_out(trials: Sequence[Trial]) -> list[str]:
    """The reference's cells up to the last that is tried out, with the trials in front of it and of others."""
    cells: list[str] = []
    last = 0
    for cell in course.reference_cells():
        question = next((q for q in course.questions() if q.points and cell == answer(q.id)), None)
        for trial in trials:
            if question is not None and trial.question == question.id:
                others = [code for name, code in trial.answers.items() if name != question.id]
                cells += [_KEEP, *others, trial.answers[question.id], f"grader.check({trial.id!r})", _UNDO]
                last = len(cells)
        cells.append(cell)
    return cells[:last]
