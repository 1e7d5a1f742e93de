"""Try many answers of one question out in one run: each in the place of the reference's, undone before the next.

So it is learned what known mistakes leave behind under the shown examples.
"""

import contextlib
import functools
import os
import pwd
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from autograder import course
from autograder.course.corpus import answer, misconceptions
from autograder.grading.evidence import Evidence
from autograder.grading.hidden import findings
from autograder.grading.reference import Reference, Runner, Solution
from autograder.wire.job import Job
from autograder.wire.log import Record

__all__ = ["Learned", "Trials", "observe"]

_KEEP = "_names = dict(globals())"
_FORGET = "try:\n    {0} = {0}\nexcept NameError:\n    pass"
"""Binds a name anew, lest it be said to lack what an error of the trial before kept from it."""
_UNDO = "(lambda names, kept: (names.clear(), names.update(kept)))(globals(), _names)"
_NOT_KEPT = (OSError, KeyError, zlib.error, msgspec.MsgspecError)
"""What reading or writing may raise. There may be no home, room or file, or two processes wrote at once: learn anew."""
Trials = Mapping[str, Mapping[str, str]]
"""By an id of the trial, its answer cell by the question, and those of other questions that are changed with it."""


def observe(
    question: str, trials: Trials, scenario: course.Scenario, solution: Solution, run: Runner, *, seed: int = 0
) -> dict[str, Record]:
    """What each of the *trials* of one question leaves behind under *scenario*.

    What a trial changes in place is put back after it. A trial whose run ended before it was taken down has no record.
    """
    ids = [one.id for one in course.questions()]
    earlier = ids[: ids.index(question)]
    names = {one: course.question(one).names for one in earlier}
    names |= dict.fromkeys(trials, course.question(question).names)
    given, tensors = solution.given
    job = Job(
        tuple(_cells(question, trials)),
        names,
        course.replacements(scenario),
        dict.fromkeys(trials, given[question]),
        put_back=True,
        seed=seed,
        public=True,
    )
    records = run(job, tensors).records
    return {r.message.question: r for r in records if r.message.when == "check" and r.message.question not in earlier}


def _cells(question: str, trials: Trials) -> list[str]:
    """The reference's cells before the question's answer, and then the trials."""
    cells = list(course.reference_cells())
    cells = cells[: cells.index(answer(question))]
    keep = "\n".join([_KEEP, *map(_FORGET.format, course.question(question).names)])
    for id_, answers in trials.items():
        others = [code for name, code in answers.items() if name != question]
        cells += [keep, "\n".join([*others, answers[question]]), f"grader.check({id_!r})", _UNDO]
    return cells


class Learned:
    """What known mistakes leave behind: learned when first asked for, and kept on disk for other processes."""

    def __init__(self, run: Runner, reference: Reference) -> None:
        self._run = run
        self._reference = reference
        self.records: Callable[[str, course.Scenario], Mapping[str, Record]] = functools.cache(self._learn)
        self.noticed: Callable[[str, course.Scenario], set[str]] = functools.cache(self._noticed)

    def _learn(self, question: str, example: course.Scenario) -> Mapping[str, Record]:
        """What each mistake of *question* leaves behind under a shown example, by the mistake's id."""
        trials = {one.id: one.answers for one in misconceptions() if one.question == question}
        solution = self._reference.shared(example)
        evidence = Evidence(self._run)
        with contextlib.suppress(*_NOT_KEPT):
            evidence = Evidence(self._run, (_folder() / f"{question}-{example.id}").read_bytes())
        records = observe(question, trials, example, solution, evidence.run)
        # Where the run did not come to its end, as under brief limits, the next grader learns anew.
        if evidence.runs and len(records) == len(trials):
            with contextlib.suppress(*_NOT_KEPT):
                partial = _folder() / f"{question}-{example.id}.partial"
                partial.write_bytes(evidence.encode())
                os.replace(partial, partial.with_suffix(""))
        return records

    def _noticed(self, question: str, example: course.Scenario) -> set[str]:
        """The mistakes of *question*, by id, in which a check fails under a shown example."""
        right = self._reference.shared(example).at[question]
        records = self.records(question, example)
        return {name for name, record in records.items() if findings(course.question(question), record, right)}


def _folder() -> Path:
    """Where what was learned is kept: in the user's cache, not by `HOME`, which grading processes do not have."""
    cache = Path(pwd.getpwuid(os.getuid()).pw_dir, ".cache", "rnn-autograder")
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return cache
