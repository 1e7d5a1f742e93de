"""Grading processes side by side: tasks in, results out, and a process that dies takes nothing with it."""

from __future__ import annotations

import itertools
import queue
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from autograder.classroom.task import Task, lost
from autograder.grade import Result
from autograder.sandbox import ALLOWANCE, SandboxFault
from autograder.sandbox.policy import GRADING_SECONDS
from autograder.sandbox.processes import ForkServer

__all__ = ["Pool", "Workers", "lazily"]

T = TypeVar("T")

IMPORTS = ("torch", "IPython.core.inputtransformer2")
"""What takes long to import, and knows nothing of the course."""
ANSWER_SECONDS = ALLOWANCE.wall_seconds + GRADING_SECONDS
"""A grading process that has given no answer by then hangs."""
ENDING_SECONDS = 5.0
"""A process that has nothing to do ends at once; if not, it is killed."""


class _Lost(Exception):
    """The grading process died, or hangs."""


class _Worker:
    """One grading process, started at once and started again after it died."""

    def __init__(self, server: ForkServer, secrets: Sequence[Path]) -> None:
        self._server = server
        self._secrets = secrets
        self._closed = False
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._server.start("autograder.classroom.worker", [*map(str, self._secrets)], theirs)
        self._connection = Connection(ours.detach())
        self._ready = False

    def ready(self) -> None:
        """Wait until it can grade. Raises SandboxFault where it never will, as where nothing can be confined."""
        if not self._ready:
            refusal = self._answer(None)
            if refusal:
                raise SandboxFault(refusal.removeprefix("SandboxFault: "))
            self._ready = True

    def grade(self, task: Task) -> Result:
        """The result; where the process dies or hangs, that is `could-not-grade`, and a new one is started."""
        try:
            self.ready()
            self._connection.send(task)
            result: Result = self._answer(ANSWER_SECONDS)
        except (_Lost, OSError) as fault:
            self._process.kill()
            if not self._closed:
                self._start()
            return lost(task, fault)
        return result

    def _answer(self, seconds: float | None) -> Any:
        try:
            if not self._connection.poll(seconds):
                raise _Lost(f"the grading process gave no answer within {seconds:.0f} s")
            return self._connection.recv()
        except (EOFError, ConnectionError) as gone:
            raise _Lost("the grading process ended") from gone

    def hang_up(self) -> None:
        """Let the process end by itself, once it has nothing more to do."""
        self._closed = True
        self._connection.close()

    def close(self, patience: float) -> None:
        """End the process, after so many seconds by force."""
        self._closed = True
        if not patience or not self._process.ended(patience):
            self._process.kill()


class Workers:
    """The grading processes of this machine; any thread may ask, and each thread that does at a time gets one."""

    def __init__(self, secrets: Sequence[Path] = (), number: int = 0) -> None:
        self._server = ForkServer(*IMPORTS)
        self._secrets = secrets
        self._all: list[_Worker] = []
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(number):
            self._idle.put(self._new())

    def _new(self) -> _Worker:
        self._all.append(_Worker(self._server, self._secrets))
        return self._all[-1]

    def ready(self) -> None:
        """Wait until one can grade. Raises SandboxFault where none ever will."""
        self._with_one(_Worker.ready)

    def grade(self, task: Task) -> Result:
        """The result, by a process that nobody else is using. Raises SandboxFault as `ready` does."""
        return self._with_one(lambda worker: worker.grade(task))

    def _with_one(self, use: Callable[[_Worker], T]) -> T:
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = self._new()
        try:
            return use(worker)
        finally:
            self._idle.put(worker)

    def close(self, patience: float = 0.0) -> None:
        """End all of them, after so many seconds by force. With patience, none may be at work."""
        if patience:
            for worker in self._all:
                worker.hang_up()
        for worker in self._all:
            worker.close(patience)
        self._server.close(patience=patience)


class Pool:
    """A number of grading processes on this machine. A context manager.

    *secrets* are paths that student code must not read, beside those of the course.
    """

    def __init__(self, workers: int, secrets: Sequence[Path] = ()) -> None:
        self._number = workers
        self._workers = Workers(secrets, workers)
        self._threads = ThreadPoolExecutor(workers)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._workers.close(ENDING_SECONDS if kind is None else 0.0)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Grade lazily, in whatever order results come. Raises SandboxFault where nothing can be graded."""
        # One more than there are workers, so that none waits while the caller is busy.
        room = self._number + 1
        for task, future in lazily(lambda task: self._threads.submit(self._workers.grade, task), tasks, lambda: room):
            yield task, future.result()


def lazily(submit: Callable[[Task], Any], tasks: Iterable[Task], room: Callable[[], int]) -> Iterator[tuple[Task, Any]]:
    """Each task with its future once that is done, in whatever order; no more are under way than there is *room* for.

    *tasks* is asked for more in the caller's thread.
    """
    source = iter(tasks)
    done: queue.SimpleQueue[tuple[Task, Any]] = queue.SimpleQueue()
    underway = 0
    while True:
        for task in itertools.islice(source, max(0, room() - underway)):
            submit(task).add_done_callback(partial(_put, done, task))
            underway += 1
        if not underway:
            return
        finished = done.get()
        underway -= 1
        yield finished


def _put(done: queue.SimpleQueue[tuple[Task, Any]], task: Task, future: Any) -> None:
    done.put((task, future))
