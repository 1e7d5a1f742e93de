"""A grading process: it holds reference and checks, drives one warm process, and grades what it is sent.

Started by `autograder.classroom.pool` with paths that student code must not read as arguments, and with the connection,
both ends of which are ours, as its standard input.
"""

import contextlib
import os
import resource
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from autograder import course
from autograder.grade import Grade, Note, Result, Submission
from autograder.sandbox import Sandbox, SandboxFault
from autograder.sandbox.processes import FORKED_FROM, ForkServer, limit

__all__ = ["Task", "could_not_grade", "lost", "main"]

MEMORY_BYTES = 4 << 30
"""Address space that grading may take beyond what the process has once it is ready, whatever a submission sends."""


@dataclass(frozen=True)
class Task:
    """All that a grade is made from. It is kept, so that the grade can be made again."""

    submission: Submission
    secret: bytes
    """What the private numbers of its follow-through are drawn with."""
    evidence: bytes = b""
    """What an earlier grading left behind: student code is run only for what is not in it."""


def could_not_grade(why: Note) -> Grade:
    """The grade of a submission that the grader itself failed on: no score, and never a zero."""
    return Grade("could-not-grade", None, course.maximum(), detail=why)


def lost(task: Task, error: BaseException) -> Result:
    """The result of a *task* that ended in an *error* of the grader's own; its evidence is kept."""
    return Result(could_not_grade(Note("grader-fault", {"error": f"{type(error).__name__}: {error}"})), task.evidence)


def main() -> None:
    """Send this process's number once it is ready, or why it never will be; then grade until nobody asks any more."""
    connection = Connection(os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        _drive(connection)
    except Exception as fault:
        foreseen = isinstance(fault, (SandboxFault, course.CourseError))
        if not foreseen:
            traceback.print_exc()
        with contextlib.suppress(ConnectionError):
            connection.send(str(fault) if foreseen else f"{type(fault).__name__}: {fault}")
    os._exit(0)  # torch and pytest would take half a second to say goodbye


def _drive(connection: Connection) -> None:
    secrets = [course.HIDDEN, course.REFERENCE, *map(Path, sys.argv[1:])]
    server = ForkServer(channel=socket.socket(fileno=FORKED_FROM))
    with Sandbox(secrets=secrets, server=server) as sandbox:  # starts while this process does
        import torch

        from autograder.grading import Grader

        torch.set_num_threads(1)  # tensors are small, and there is a process for every core
        grader = Grader(sandbox)
        grader.prove()  # waits until the sandbox is proved, too
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_BYTES)
        with contextlib.suppress(EOFError, ConnectionError):  # the run was ended
            connection.send(os.getpid())
            while True:
                connection.send(_graded(grader.grade, connection.recv()))


def _graded(grade: Callable[[Submission, bytes, bytes], Result], task: Task) -> Result:
    """The result, whatever happens: a fault of ours is `could-not-grade`, and the next submission is graded."""
    try:
        result = grade(task.submission, task.secret, task.evidence)
        remarks = (*task.submission.remarks, *result.grade.remarks)
        return replace(result, grade=replace(result.grade, remarks=remarks))
    except Exception as fault:
        traceback.print_exc()
        return lost(task, fault)
