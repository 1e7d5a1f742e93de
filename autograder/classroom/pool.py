"""Grading processes side by side: tasks in, results out, and a process that dies takes nothing with it."""

import itertools
import queue
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograder.classroom.worker import Task, lost
from autograder.grade import Result
from autograder.sandbox import ALLOWANCE, SandboxFault
from autograder.sandbox.policy import GRADING_SECONDS
from autograder.sandbox.processes import ForkServer, Process

__all__ = ["Pool", "lazily"]

IMPORTS = ("torch", "IPython.core.inputtransformer2")
"""What takes long to import, and knows nothing of the course."""
ANSWER_SECONDS = ALLOWANCE.wall_seconds + GRADING_SECONDS
"""A grading process that has given no answer by then hangs."""
SENDING_SECONDS = 60
"""One that does not read what it is sent within this time hangs, too."""
ENDING_SECONDS = 5.0
"""Processes that have nothing to do end at once; if not, they are killed."""


class _Worker:
    """One grading process, started at once and started again after it died."""

    def __init__(self, server: ForkServer, secrets: Sequence[Path]) -> None:
        self._server = server
        self._secrets = secrets
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SENDING_SECONDS, 0))
        with theirs:
            self._server.start("autograder.classroom.worker", [*map(str, self._secrets)], theirs, hand_on=True)
        self.connection = Connection(ours.detach())
        self._process: Process | None = None

    def grade(self, task: Task) -> Result:
        """The result; where the process dies or hangs, that is `could-not-grade`, and a new one is started.

        Raises SandboxFault where the process refuses to grade, as where nothing can be confined.
        """
        try:
            if self._process is None:
                ready = self._answer(None)
                if isinstance(ready, str):
                    raise SandboxFault(ready)
                self._process = Process(ready)
            self.connection.send(task)
            result: Result = self._answer(ANSWER_SECONDS)
        except OSError as fault:
            if self._process:
                self._process.kill()
            self._start()
            return lost(task, fault)
        return result

    def _answer(self, seconds: float | None) -> Any:
        try:
            if not self.connection.poll(seconds):
                raise TimeoutError(f"the grading process gave no answer within {seconds:.0f} s")
            return self.connection.recv()
        except (EOFError, ConnectionError) as gone:
            raise ConnectionError("the grading process ended") from gone


class Pool(AbstractContextManager["Pool"]):
    """A number of grading processes on this machine. A context manager.

    *secrets* are paths that student code must not read, beside those of the course.
    """

    def __init__(self, workers: int, secrets: Sequence[Path] = ()) -> None:
        self._server = ForkServer(*IMPORTS)
        self._workers = [_Worker(self._server, secrets) for _ in range(workers)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers)

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self.close(ENDING_SECONDS if kind is None else 0.0)

    def close(self, patience: float = 0.0) -> None:
        """End all processes, after so many seconds by force. With patience, none may be at work."""
        for worker in self._workers if patience else ():
            worker.connection.close()  # it ends once it has nothing more to do
        self._server.close(patience=patience)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Grade lazily, in whatever order results come. Raises SandboxFault where nothing can be graded."""
        room = len(self._workers) + 1  # so that none waits while the caller is busy
        for task, future in lazily(lambda task: self._threads.submit(self.grade_one, task), tasks, lambda: room):
            yield task, future.result()

    def grade_one(self, task: Task) -> Result:
        """The result, by the next process that is idle; any thread may ask."""
        worker = self._idle.get()
        try:
            return worker.grade(task)
        finally:
            self._idle.put(worker)


def lazily(submit: Callable[[Task], Any], tasks: Iterable[Task], room: Callable[[], int]) -> Iterator[tuple[Task, Any]]:
    """Each task with its future once that is done, in whatever order; no more are under way than there is *room* for.

    *tasks* is asked for more in the caller's thread.
    """
    source = iter(tasks)
    done: queue.SimpleQueue[tuple[Task, Any]] = queue.SimpleQueue()
    underway = 0
    while True:
        for task in itertools.islice(source, max(0, room() - underway)):
            submit(task).add_done_callback(lambda future, task=task: done.put((task, future)))
            underway += 1
        if not underway:
            return
        finished = done.get()
        underway -= 1
        yield finished
