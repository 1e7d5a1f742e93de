"""The runs of one submission: under each scenario, within its time, and again without what hangs or crashes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from autograder import course
from autograder.child.handout import given
from autograder.course import Question, Scenario
from autograder.job import Job
from autograder.records import Status
from autograder.reference import Reference, replacements
from autograder.runlog import RunLog
from autograder.sandbox import Allowance

__all__ = ["NOTHING", "JobWithTensors", "Remedy", "Run", "Runner"]

JobWithTensors = tuple[Job, dict[str, Tensor]]
"""A job, and the tensors that its rebindings refer to."""
Run = Callable[[Sequence[JobWithTensors], float], "list[RunLog | None]"]
"""Runs jobs of one submission in one child, one after another, for so many seconds at most.

A single job is the first that its child runs; several may go on in the child of the runs before. It gives None for
those that it did not come to; to the first it always comes.
"""


@dataclass(frozen=True)
class Remedy:
    """How wrong answers are put right, so that what comes after them can be graded."""

    wrong: Sequence[tuple[Question, Mapping[str, int]]] = ()
    """The wrong questions, each with the call of its check, by scenario, with which its values stand (0: none)."""
    batch_first: bool = False
    """The layout of values that are right in either."""


NOTHING = Remedy()


class Runner:
    """Runs one submission; *run* does it."""

    def __init__(self, cells: Sequence[str], reference: Reference, run: Run, allowance: Allowance) -> None:
        self.cells = list(cells)
        self._reference = reference
        self._run = run
        self._allowance = allowance
        self._skip: list[int] = []
        self._seconds_left = allowance.submission_seconds
        self.stops: list[tuple[Status, str]] = []
        """What kept runs from their end, in order: the status that it gives the submission, and a line on it."""

    @property
    def own_cells(self) -> list[str]:
        """The cells that were not handed out like that."""
        return [cell for cell in self.cells if cell not in given()]

    def spend(self, seconds: float) -> None:
        """Take *seconds* off the time that is left: judging what a submission left behind costs, too."""
        self._seconds_left -= seconds

    def hidden(self, remedy: Remedy = NOTHING) -> dict[Scenario, RunLog]:
        """What the hidden scenarios leave behind together; what was not brought to its end is run alone."""
        scenarios = course.scenarios()
        together = self._timed([self._job(scenario, remedy) for scenario in scenarios])
        logs = {}
        for scenario, log in zip(scenarios, together, strict=True):
            if log is not None and log.ending == "finished":
                self._settle(log)
                logs[scenario] = log
            else:
                logs[scenario] = self.alone(scenario, remedy)
        return logs

    def alone(self, scenario: Scenario, remedy: Remedy = NOTHING) -> RunLog:
        """A run in a child of its own, and again without the statement that hangs or crashes it if there is one."""
        for _ in range(self._allowance.restarts):
            (log,) = self._timed([self._job(scenario, remedy)])
            assert log is not None
            if not self._settle(log) or log.ending == "finished":
                break
        assert log is not None
        return log

    def _job(self, scenario: Scenario, remedy: Remedy) -> JobWithTensors:
        released = scenario.id == "as-released"
        tensors: dict[str, Tensor] = {}
        rebindings = [
            self._reference.at(scenario, question.id).rebinding(question, calls[scenario.id], tensors)
            for question, calls in remedy.wrong
        ]
        job = Job(
            self.cells,
            {question.id: list(question.asked) for question in course.questions()},
            replacements(scenario),
            rebindings,
            remedy.batch_first,
            sorted(self._skip),
            self._allowance.statement_seconds,
            values=not released,
            verbose=released,
        )
        return job, tensors

    def _timed(self, jobs: Sequence[JobWithTensors]) -> list[RunLog | None]:
        """What runs leave behind, nothing where the submission has used up its time."""
        if self._seconds_left <= 0:
            self.stops.append(("timed-out", f"its runs took {self._allowance.submission_seconds:g} s together"))
            return [RunLog((), "timed-out")] * len(jobs)
        started = time.monotonic()
        logs = self._run(jobs, min(self._seconds_left, self._allowance.run.wall_seconds))
        for log in logs:
            _ = log and log.messages  # reading them is part of what the submission costs
        self._seconds_left -= max(sum(log.seconds for log in logs if log), time.monotonic() - started)
        return logs

    def _settle(self, log: RunLog) -> bool:
        """Take note of what stopped a run; whether there is a statement to be left out from now on."""
        stalled = [statement for statement in log.stalled if statement not in self._skip]
        self._skip += stalled
        overtime = [error for error in log.errors if error.kind == "TimeLimit"]
        if overtime:
            self.stops.append(("timed-out", f"cell {overtime[0].cell}, line {overtime[0].line} does not end"))
        if log.ending != "finished":
            status: Status = "timed-out" if log.ending == "timed-out" else "crashed"
            where = f" in cell {log.last_started[0]}, line {log.last_started[1]}" if log.last_started else ""
            self.stops.append((status, f"the run {_ENDINGS[log.ending]}{where}"))
        return bool(stalled)


_ENDINGS = {
    "timed-out": "did not end",
    "crashed": "ended with a crash",
    "flooded": "sent more than can be taken down",
}
