"""Try many answers of one question out in one run: each in the place of the reference's, undone before the next.

So it is learned what known mistakes leave behind under the shown examples.
"""

import contextlib
import functools
import os
import pwd
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder import course
from autograder.course.corpus import answer, misconceptions
from autograder.grading.evidence import Evidence
from autograder.grading.hidden import findings
from autograder.grading.reference import Reference, Run, Solution
from autograder.wire.job import Job
from autograder.wire.log import Record

__all__ = ["Learned", "Trial", "observe"]

_KEEP = "_names = dict(globals())"
_UNDO = "(lambda names, kept: (names.clear(), names.update(kept)))(globals(), _names)"
_NOT_KEPT = (OSError, KeyError, zlib.error, msgspec.MsgspecError)
"""There is no such user, home, room or file, or two processes wrote it at once: what is not kept is learned anew."""


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
    ids = [one.id for one in course.questions()]
    earlier = ids[: ids.index(question)]
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
        cells += [_KEEP, "\n".join([*others, trial.answers[question]]), f"grader.check({trial.id!r})", _UNDO]
    return cells


class Learned:
    """What known mistakes leave behind, learned when first asked for, by whichever process comes first."""

    def __init__(self, run: Run, reference: Reference) -> None:
        self._run = run
        self._reference = reference
        self.records: Callable[[str, course.Scenario], Mapping[str, Record]] = functools.cache(self._learn)
        self.shown: Callable[[str, course.Scenario], set[str]] = functools.cache(self._shown)

    def _learn(self, question: str, example: course.Scenario) -> Mapping[str, Record]:
        """What each mistake of *question* leaves behind under a shown example, by the mistake's id."""
        trials = [Trial(one.id, question, one.answers) for one in misconceptions() if one.question == question]
        solution = self._reference.shared(example)
        evidence = Evidence(self._run)
        with contextlib.suppress(*_NOT_KEPT):
            evidence = Evidence(self._run, (_folder() / f"{question}-{example.id}").read_bytes())
        records = observe(trials, example, solution, evidence.run)
        # Where the run did not come to its end, as under brief limits, the next grader learns anew.
        if evidence.runs and len(records) == len(trials):
            with contextlib.suppress(*_NOT_KEPT):
                partial = _folder() / f"{question}-{example.id}.partial"
                partial.write_bytes(evidence.encode())
                os.replace(partial, partial.with_suffix(""))
        return records

    def _shown(self, question: str, example: course.Scenario) -> set[str]:
        """The mistakes of *question*, by id, in which a check fails under a shown example."""
        right = self._reference.shared(example).at[question]
        records = self.records(question, example)
        return {name for name, record in records.items() if findings(course.question(question), record, right)}


def _folder() -> Path:
    """Where what was learned is kept: in the user's cache, not by `HOME`, which grading processes do not have."""
    cache = Path(pwd.getpwuid(os.getuid()).pw_dir, ".cache", "rnn-autograder")
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return cache
