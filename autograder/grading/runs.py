"""The runs of one submission: under each scenario and remedy, and again without the statement that does not end."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from autograder import course
from autograder.course.scenarios import sizes
from autograder.grading.reference import Reference, Runner, Solution
from autograder.sandbox import Allowance
from autograder.wire.job import Correction, Job
from autograder.wire.log import Log, Position

__all__ = ["NOTHING", "Remedy", "Runs", "later"]


@dataclass(frozen=True)
class Remedy:
    """How what came before a question is put right, so that the question can be graded."""

    wrong: tuple[str, ...] = ()
    """The questions before it that were wrong, or right too late: they get the reference's values."""
    batch_first: tuple[str, ...] = ()
    """Those of them that get these with the batch first, where either layout is right."""
    put_back: bool = False
    """Whether given names, and those of earlier questions, are put back to what they are to be."""
    numbered: tuple[tuple[int, int], ...] = ()
    """Where released sizes that are typed in are replaced by the scenario's: see `Job.numbered`."""


NOTHING = Remedy()


class Runs:
    """The runs of one submission, each of which *run* does once."""

    def __init__(
        self, cells: Sequence[str], identity: bytes, run: Runner, reference: Reference, allowance: Allowance
    ) -> None:
        self.cells = tuple(cells)
        self.stops: list[Position] = []
        """The statements that did not end, in the order in which they were found."""
        self.exhausted = False
        """Whether what all runs together may take was used up."""
        self._run = run
        self._reference = reference
        self._allowance = allowance
        self._skip: list[int] = []
        self._left = (allowance.cpu_seconds, allowance.wall_seconds, float(allowance.frames_bytes))
        self._log = functools.cache(self._finished)
        self._private = functools.cache(lambda scenario: reference.private(scenario, identity, run))

    def under(self, scenario: course.Scenario, remedy: Remedy = NOTHING) -> Log:
        """What a run leaves behind, brought to its end without the statements that keep it from that."""
        return self._log(scenario, remedy)

    def reference(self, scenario: course.Scenario, remedy: Remedy = NOTHING) -> Solution:
        """The solution to compare a run with: with private numbers where its tensors go into the run.

        Layers that are put right are no secret: they are made within the run, of sizes that the submission knows.
        """
        shared = self._reference.shared(scenario)
        secret = not scenario.shown and any(map(shared.has_tensors, remedy.wrong))
        return self._private(scenario) if secret else shared

    def _finished(self, scenario: course.Scenario, remedy: Remedy) -> Log:
        while min(self._left) > 0:
            log = self._run(*self._job(scenario, remedy))
            cpu, wall, frames = self._left
            self._left = (cpu - log.cpu_seconds, wall - log.wall_seconds, frames - sum(map(len, log.frames)))
            culprit = log.culprit()
            if culprit is None or len(self._skip) >= self._allowance.stopped:
                return log
            self._skip.append(culprit[0])
            self.stops.append(culprit[1])
        self.exhausted = True
        return Log()

    def _job(self, scenario: course.Scenario, remedy: Remedy) -> tuple[Job, dict[str, Tensor]]:
        solution = self.reference(scenario, remedy)
        given, given_tensors = solution.given
        tensors = dict(given_tensors)
        corrections = []
        for name in remedy.wrong:
            values = solution.at[name].described(course.question(name).names, tensors)
            either = course.question(name).either_layout
            corrections.append(Correction(name, values, either, name in remedy.batch_first))
        job = Job(
            self.cells,
            {question.id: question.names for question in course.questions()},
            course.replacements(scenario),
            given,
            remedy.put_back,
            tuple(corrections),
            {} if remedy == NOTHING else self._settling_calls(scenario),
            sizes(scenario) if scenario.shown else {},
            remedy.numbered,
            tuple(sorted(self._skip)),
            solution.salt,
            statement_seconds=self._allowance.statement_seconds,
            public=scenario.shown,
        )
        return job, tensors

    def _settling_calls(self, scenario: course.Scenario) -> dict[str, int]:
        return {one.id: self.under(scenario).settling_call(one.id, later(one.id)) for one in course.questions()}


def later(question: str) -> list[str]:
    """The questions after *question*."""
    ids = [one.id for one in course.questions()]
    return ids[ids.index(question) + 1 :]
