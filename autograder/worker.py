"""A grading process: it holds reference and checks, drives one warm process, and grades what it is sent.

Started by `autograder.pool` with ISOLATION and ALLOWANCE as arguments and the connection, both ends of which are ours,
as its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, cast

from autograder.records import Grade, Result, Submission
from autograder.sandbox import Allowance, Isolation, Limits, Sandbox, SandboxFault
from autograder.text import Language

if TYPE_CHECKING:
    from autograder.checks import Findings, Look
    from autograder.grader import Grader

__all__ = ["main"]


def main() -> None:
    """Serve grading requests until nobody is there to make any."""
    connection = Connection(os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    allowance = json.loads(sys.argv[2])
    allowance = Allowance(**{**allowance, "run": Limits(**allowance["run"])})
    try:
        with Sandbox(isolation=cast(Isolation, sys.argv[1])) as sandbox:  # starts while this process does
            _serve(connection, sandbox, allowance)
    except Exception as fault:
        traceback.print_exc()
        connection.send(fault if isinstance(fault, SandboxFault) else SandboxFault(f"{type(fault).__name__}: {fault}"))
    os._exit(0)  # torch and pytest would take half a second to say goodbye


def _serve(connection: Connection, sandbox: Sandbox, allowance: Allowance) -> None:
    import torch

    torch.set_num_threads(1)  # tensors are small, and there is a process for every core

    from autograder.checks import serve
    from autograder.grader import Grader
    from autograder.process import StudentProcess

    process = StudentProcess(sandbox, allowance.run)

    def answer_requests(look: Callable[[Look], Findings]) -> None:
        grader = Grader(process.run, look, allowance)
        with contextlib.suppress(ConnectionError):  # then nobody asks, either
            connection.send(sandbox.isolation)
        while True:
            try:
                submission, lang, kept = connection.recv()
            except (EOFError, ConnectionError):
                return
            try:
                connection.send(_grade(grader, submission, lang, kept))
            except ConnectionError:  # the run was ended
                return
            with contextlib.suppress(SandboxFault):  # the next submission gets a new warm process
                process.close()

    serve(answer_requests)


def _grade(grader: Grader, submission: Submission, lang: Language | None, kept: bytes) -> Result:
    """The result, whatever happens: a fault of ours is `could-not-grade`, and the next submission is graded.

    With evidence *kept* from an earlier grading, student code is run only where that does not tell.
    """
    from autograder.evidence import Evidence

    started = time.perf_counter()
    try:
        evidence = Evidence(grader.run, kept)
        return Result(grader.grade(submission, lang, evidence.run), evidence.encode(), evidence.runs)
    except Exception as fault:
        traceback.print_exc()
        return Result(could_not_grade(f"{type(fault).__name__}: {fault}", time.perf_counter() - started), kept)


def could_not_grade(detail: str, seconds: float = 0.0) -> Grade:
    """The grade of a submission that the grader itself failed on: no score, and never a zero."""
    from autograder import course

    return Grade("could-not-grade", None, course.maximum(), (), "ko", detail, seconds=seconds)


if __name__ == "__main__":
    main()
