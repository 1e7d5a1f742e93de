"""Grading processes side by side: submissions in, results out, and a process that dies takes nothing with it."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from autograder.records import Result, Submission
from autograder.sandbox import ALLOWANCE, Allowance, Isolation, SandboxFault
from autograder.sandbox.policy import GRADING_SECONDS
from autograder.text import Language
from autograder.worker import could_not_grade

__all__ = ["Pool", "Worker"]


class Worker:
    """One grading process, started at once and started again after it died.

    Raises `SandboxFault` where student code cannot be confined.
    """

    def __init__(
        self, *, lang: Language | None = None, isolation: Isolation = "full", allowance: Allowance = ALLOWANCE
    ) -> None:
        self.lang = lang
        self._mode = isolation
        self._allowance = allowance
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            allowance = json.dumps(asdict(self._allowance))
            command = [sys.executable, "-m", "autograder.worker", str(theirs.fileno()), self._mode, allowance]
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the run as a whole, which ends its workers itself
            )
        self._connection = Connection(ours.detach())
        self._isolation: str | None = None

    @property
    def isolation(self) -> str:
        """The confinement that was reached; waits until the process is ready."""
        if self._isolation is None:
            self._isolation = self._receive()
        return self._isolation

    def _receive(self, seconds: float | None = None) -> Any:
        try:
            if not self._connection.poll(seconds):
                raise SandboxFault(f"the grading process gave no answer within {seconds:.0f} s")
            answer = self._connection.recv()
        except (EOFError, ConnectionError) as gone:
            status = self._process.wait()
            raise SandboxFault(f"the grading process ended (status {status})") from gone
        if isinstance(answer, SandboxFault):
            raise answer
        return answer

    def grade(self, submission: Submission) -> Result:
        """The result, whatever happens: where the process dies or hangs, that is `could-not-grade`; a new one starts."""
        try:
            assert self.isolation
            self._connection.send((submission, self.lang))
            result: Result = self._receive(self._allowance.submission_seconds + GRADING_SECONDS)
        except (SandboxFault, OSError) as fault:
            self.close()
            self._start()
            return Result(could_not_grade(str(fault)), b"")
        return result

    def close(self) -> None:
        """End the process, at once."""
        self._connection.close()
        self._process.kill()
        self._process.wait()


class Pool:
    """A number of workers on this machine. A context manager.

    Raises `SandboxFault` on entry where student code cannot be confined.
    """

    def __init__(
        self,
        *,
        workers: int,
        lang: Language | None = None,
        isolation: Isolation = "full",
        allowance: Allowance = ALLOWANCE,
    ) -> None:
        self._workers = [Worker(lang=lang, isolation=isolation, allowance=allowance) for _ in range(workers)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exc: object) -> None:
        for worker in self._workers:
            worker.close()

    @property
    def isolation(self) -> str:
        """The confinement that was reached, in one line."""
        return self._workers[0].isolation

    def grade(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Result]]:
        """Grade lazily, in whatever order results come."""
        source = iter(submissions)
        turn = threading.Lock()
        done: queue.Queue[tuple[Submission, Result] | BaseException | None] = queue.Queue(maxsize=len(self._workers))
        stopped = threading.Event()

        def work(worker: Worker) -> None:
            try:
                while not stopped.is_set():
                    with turn:
                        submission = next(source, None)
                    if submission is None:
                        break
                    done.put((submission, worker.grade(submission)))
                done.put(None)
            except BaseException as problem:
                done.put(problem)

        threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in self._workers]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                item = done.get()
                if item is None:
                    running -= 1
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            stopped.set()
