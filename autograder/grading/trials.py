"""Try many answers of one question out in one run: each in the place of the reference's, undone before the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder import course
from autograder.course.corpus import answer
from autograder.grading.reference import Run, Solution
from autograder.wire.job import Job
from autograder.wire.log import Record

__all__ = ["Trial", "observe"]

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
    trials: Sequence[Trial], scenario: course.Scenario, solution: Solution, run: Run, *, seed: int = 0
) -> dict[str, Record]:
    """What each of the *trials*, all of one question, leaves behind under *scenario*.

    What a trial changes in place is put back after it. A trial whose run ended before it was taken down has no record.
    """
    (question,) = {trial.question for trial in trials}
    earlier = [one.id for one in course.questions() if one.id < question]
    names = {one: course.question(one).names for one in earlier}
    names |= {trial.id: course.question(question).names for trial in trials}
    given, tensors = solution.given
    job = Job(
        tuple(_cells(trials, question)),
        names,
        course.replacements(scenario),
        {trial.id: given[question] for trial in trials},
        put_back=True,
        seed=seed,
        told=True,
    )
    records = run(job, tensors).records
    return {r.message.question: r for r in records if r.message.when == "check" and r.message.question not in earlier}


def _cells(trials: Sequence[Trial], question: str) -> list[str]:
    """The reference's cells before the question's answer, and then the trials."""
    cells = list(course.reference_cells())
    cells = cells[: cells.index(answer(question))]
    for trial in trials:
        others = [code for name, code in trial.answers.items() if name != question]
        cells += [_KEEP, *others, trial.answers[question], f"grader.check({trial.id!r})", _UNDO]
    return cells
