"""The process that a submission's code runs in: one for many runs, and a new one where a run must be the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograder.runlog import RunLog
from autograder.runner import JobWithTensors
from autograder.sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from autograder.sandbox.box import AnySession

__all__ = ["StudentProcess"]

OUTPUT_CHARACTERS = 20_000
"""Most of the printed output that is kept."""


class StudentProcess:
    """Runs jobs in children of *sandbox*, one child at a time, and each for one submission's code only."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._session: AnySession | None = None
        self._ran: Sequence[str] | None = None
        """The cells that the child has run, if it came to their end and may run them again."""

    def run(self, jobs: Sequence[JobWithTensors], seconds: float) -> list[RunLog | None]:
        """`Run`: a single job in a new child, several in the one that is there if it has run nothing else."""
        first, _ = jobs[0]
        new = self._session is None or len(jobs) == 1 or self._ran != first.cells
        if new:
            self.close()
            self._session = self._sandbox.session(limits=self._limits, capture=first.verbose)
        assert self._session is not None
        self._ran = None
        outcome = self._session.run(b"".join(job.encode(tensors) for job, tensors in jobs), seconds)
        printed = outcome.printed.decode("utf-8", "replace")[:OUTPUT_CHARACTERS]
        lines = tuple(len(cell.splitlines()) for cell in first.cells)
        log = RunLog(outcome.frames, outcome.ending, printed, lines, outcome.seconds)
        logs = log.parted(len(jobs), first=new)
        if all(log and log.ending == "finished" and not log.stalled for log in logs):
            self._ran = first.cells
        return logs

    def close(self) -> None:
        """End the child, if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
