"""Grading processes side by side: submissions in, results out, and a process that dies takes nothing with it."""

from __future__ import annotations

import itertools
import json
import queue
import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from autograder.records import Result, Submission
from autograder.sandbox import ALLOWANCE, Allowance, Isolation, SandboxFault
from autograder.sandbox.policy import GRADING_SECONDS
from autograder.sandbox.processes import ForkServer, Start
from autograder.text import Language
from autograder.worker import could_not_grade

__all__ = ["IMPORTS", "Pool", "Worker"]

IMPORTS = ("torch", "IPython.core.inputtransformer2")
"""What takes long to import, and knows nothing of the course."""
ENDING_SECONDS = 5.0
"""A process that has nothing to do ends at once; if not, it is killed."""


class Worker:
    """One grading process, started at once and started again after it died.

    Raises `SandboxFault` where student code cannot be confined.
    """

    def __init__(
        self,
        start: Start,
        *,
        lang: Language | None = None,
        isolation: Isolation = "full",
        allowance: Allowance = ALLOWANCE,
    ) -> None:
        self._start_process = start
        self.lang = lang
        self._mode = isolation
        self._allowance = allowance
        self._asking = threading.Lock()
        self.reached = ""
        """The confinement that was reached, once that is known."""
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [self._mode, json.dumps(asdict(self._allowance))]
            self._process = self._start_process("autograder.worker", arguments, theirs)
        self._connection = Connection(ours.detach())
        self._ready = False

    @property
    def isolation(self) -> str:
        """The confinement that was reached; waits until the process is ready."""
        with self._asking:  # the process says it once, and the caller and the worker's own thread may both ask
            if not self._ready:
                self.reached = self._receive()
                self._ready = True
            return self.reached

    def _receive(self, seconds: float | None = None) -> Any:
        try:
            if not self._connection.poll(seconds):
                raise SandboxFault(f"the grading process gave no answer within {seconds:.0f} s")
            answer = self._connection.recv()
        except (EOFError, ConnectionError) as gone:
            raise SandboxFault("the grading process ended") from gone
        if isinstance(answer, SandboxFault):
            raise answer
        return answer

    def grade(self, submission: Submission, kept: bytes = b"") -> Result:
        """The result, whatever happens: where the process dies or hangs, that is `could-not-grade`; a new one starts.

        With evidence *kept* from an earlier grading, student code is run only where that does not tell.
        """
        try:
            assert self.isolation
            self._connection.send((submission, self.lang, kept))
            result: Result = self._receive(self._allowance.submission_seconds + GRADING_SECONDS)
        except (SandboxFault, OSError) as fault:
            self.close()
            self._start()
            return Result(could_not_grade(str(fault)), kept)
        return result

    def hang_up(self) -> None:
        """Let the process end by itself, once it has nothing more to do."""
        self._connection.close()

    def close(self, *, patience: float = 0.0) -> None:
        """End the process, after so many seconds by force."""
        self.hang_up()
        if not self._process.ended(patience):
            self._process.kill()


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
        self._server = ForkServer(*IMPORTS)
        options: Any = {"lang": lang, "isolation": isolation, "allowance": allowance}
        self._workers = [Worker(self._server.start, **options) for _ in range(workers)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        for worker in self._workers:
            worker.hang_up()
        patience = ENDING_SECONDS if kind is None else 0.0
        for worker in self._workers:
            worker.close(patience=patience)
        self._server.close(patience=patience)

    @property
    def isolation(self) -> str:
        """The confinement that was reached, in one line."""
        return next((worker.reached for worker in self._workers if worker.reached), "") or self._workers[0].isolation

    def grade(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Result]]:
        """Grade lazily, in whatever order results come."""
        return self.regrade((submission, b"") for submission in submissions)

    def regrade(self, kept: Iterable[tuple[Submission, bytes]]) -> Iterator[tuple[Submission, Result]]:
        """Grade submissions of which the evidence was kept, lazily, in whatever order results come.

        *kept* is asked for more in the caller's thread.
        """
        source = iter(kept)
        waiting: queue.SimpleQueue[tuple[Submission, bytes] | None] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[Submission, Result] | BaseException] = queue.SimpleQueue()

        def work(worker: Worker) -> None:
            while (task := waiting.get()) is not None:
                try:
                    done.put((task[0], worker.grade(*task)))
                except BaseException as problem:
                    done.put(problem)

        threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in self._workers]
        for thread in threads:
            thread.start()
        underway = 0
        try:
            while True:
                # One more than there are workers, so that none waits while the caller is busy.
                for task in itertools.islice(source, len(threads) + 1 - underway):
                    waiting.put(task)
                    underway += 1
                if not underway:
                    return
                item = done.get()
                underway -= 1
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            for _ in threads:
                waiting.put(None)
