"""A grading process: it holds reference and checks, drives one warm process, and grades what it is sent.

Started by `autograder.pool` as `python -m autograder.worker FD ISOLATION`; both ends of the connection are ours.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, cast

from autograder.records import Grade, Result, Submission
from autograder.sandbox import Isolation, Limits, Sandbox, SandboxFault
from autograder.text import Language

if TYPE_CHECKING:
    from torch import Tensor

    from autograder.checks import Findings, Look
    from autograder.grader import Grader
    from autograder.job import Job
    from autograder.runlog import RunLog

__all__ = ["main"]

LIMITS = Limits(wall_seconds=60.0)
OUTPUT_CHARACTERS = 20_000
"""Most of the printed output that is kept."""


def main() -> None:
    """Serve grading requests on the connection whose descriptor is the first argument."""
    connection = Connection(int(sys.argv[1]))
    try:
        with Sandbox(isolation=cast(Isolation, sys.argv[2])) as sandbox:  # starts while torch is imported here
            _serve(connection, sandbox)
    except Exception as fault:
        traceback.print_exc()
        connection.send(fault if isinstance(fault, SandboxFault) else SandboxFault(f"{type(fault).__name__}: {fault}"))


def _serve(connection: Connection, sandbox: Sandbox) -> None:
    import torch

    torch.set_num_threads(1)  # tensors are small, and there is a process for every core

    from autograder.checks import serve
    from autograder.grader import Grader
    from autograder.runlog import RunLog

    def run(job: Job, tensors: dict[str, Tensor]) -> RunLog:
        outcome = sandbox.run(job.encode(tensors), limits=LIMITS, capture=job.verbose)
        return RunLog(outcome.frames, outcome.ending, outcome.printed.decode("utf-8", "replace")[:OUTPUT_CHARACTERS])

    def answer_requests(look: Callable[[Look], Findings]) -> None:
        grader = Grader(run, look)
        connection.send(sandbox.isolation)
        while True:
            try:
                submission, lang = connection.recv()
            except EOFError:
                return
            connection.send(_grade(grader, submission, lang))

    serve(answer_requests)


def _grade(grader: Grader, submission: Submission, lang: Language | None) -> Result:
    """The result, whatever happens: a fault of ours is `could-not-grade`, and the next submission is graded."""
    started = time.perf_counter()
    try:
        return Result(grader.grade(submission, lang), b"")
    except Exception as fault:
        traceback.print_exc()
        return Result(could_not_grade(f"{type(fault).__name__}: {fault}", time.perf_counter() - started), b"")


def could_not_grade(detail: str, seconds: float = 0.0) -> Grade:
    """The grade of a submission that the grader itself failed on: no score, and never a zero."""
    from autograder import course

    return Grade("could-not-grade", None, course.maximum(), (), "ko", detail, seconds=seconds)


if __name__ == "__main__":
    main()
