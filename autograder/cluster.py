"""Grading on a Dask cluster: each of its workers drives grading processes of its own, as this machine's pool does.

Dask brings submissions to workers and results back, and sends what a lost worker had to another one. The workers need
this project as it is here, with the hidden graders: a cluster is to be trusted as this machine is.
"""

from __future__ import annotations

import itertools
import queue
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

try:
    from distributed import Client, WorkerPlugin, get_worker
except ImportError as missing:
    raise ImportError("grading on a cluster needs Dask: pip install 'rnn-autograder[cluster]'") from missing

from autograder import course
from autograder.pool import IMPORTS, Worker
from autograder.records import Result, Submission
from autograder.sandbox import Isolation, SandboxFault
from autograder.sandbox.processes import ForkServer
from autograder.text import Language
from autograder.worker import could_not_grade

__all__ = ["Cluster"]

AHEAD = 2
"""Submissions for each thread of the cluster that are on the way or under way, so that none waits."""
CONNECT_SECONDS = 30
WORKERS_SECONDS = 600
"""Batch systems may take minutes to start the first worker."""

_PLUGIN = "rnn-autograder"


class _Graders(WorkerPlugin):
    """What a worker of the cluster holds: a grading process for each of its threads, started when first needed."""

    name = _PLUGIN

    def __init__(self, fingerprint: str, lang: Language | None, isolation: Isolation) -> None:
        self._fingerprint = fingerprint
        self._lang = lang
        self._isolation = isolation

    def setup(self, worker: object) -> None:
        if course.fingerprint() != self._fingerprint:
            raise SandboxFault(f"a worker in {course.ROOT} has other graders than those here")
        self._server = ForkServer(*IMPORTS)
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()

    def teardown(self, worker: object) -> None:
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
        self._server.close()

    @contextmanager
    def one(self) -> Iterator[Worker]:
        """A grading process for the calling thread alone."""
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = Worker(self._server.start, lang=self._lang, isolation=self._isolation)
        try:
            yield worker
        finally:
            self._idle.put(worker)


def _isolation() -> str:
    """On a worker of the cluster: the confinement that it reaches."""
    with _graders().one() as worker:
        return worker.isolation


def _grade(submission: Submission, kept: bytes) -> Result:
    """On a worker of the cluster: the result, by one of its grading processes."""
    with _graders().one() as worker:
        return worker.grade(submission, kept)


def _graders() -> _Graders:
    graders = get_worker().plugins[_PLUGIN]
    assert isinstance(graders, _Graders)
    return graders


class Cluster:
    """The workers of the Dask scheduler at *address*. A context manager.

    Raises `SandboxFault` on entry where the scheduler cannot be reached, gets no workers, or where they have other
    graders or cannot confine student code.
    """

    def __init__(self, address: str, *, lang: Language | None = None, isolation: Isolation = "full") -> None:
        self._address = address
        self._graders = _Graders(course.fingerprint(), lang, isolation)
        self._client: Any = None  # Dask's own types are partial
        self.isolation = ""
        """The confinement that was reached, in one line."""

    def __enter__(self) -> Cluster:
        try:
            self._client = Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
            self._client.wait_for_workers(1, timeout=WORKERS_SECONDS)
            self._client.register_plugin(self._graders)
            workers = list(self._client.scheduler_info(n_workers=-1)["workers"])
            asked = [self._client.submit(_isolation, workers=[worker], pure=False) for worker in workers]
            self.isolation = " or ".join(sorted(set(self._client.gather(asked))))
        except (OSError, ValueError, RuntimeError) as fault:
            self.__exit__()
            raise SandboxFault(f"the scheduler {self._address}: {fault}") from fault
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._client is not None:
            with suppress(Exception):  # the cluster may be gone; all that came back is with the caller
                self._client.unregister_worker_plugin(_PLUGIN)
            self._client.close()  # which gives up what is under way

    def grade(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Result]]:
        """Grade lazily, in whatever order results come."""
        return self.regrade((submission, b"") for submission in submissions)

    def regrade(self, kept: Iterable[tuple[Submission, bytes]]) -> Iterator[tuple[Submission, Result]]:
        """Grade submissions of which the evidence was kept, lazily, in whatever order results come.

        What a worker was at when it died is given to another one; what kills several could not be graded. Raises
        `SandboxFault` where the scheduler itself is lost.
        """
        source = iter(kept)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        underway: dict[str, Submission] = {}
        while True:
            room = max(1, AHEAD * sum(self._client.nthreads().values())) - len(underway)
            for submission, evidence in itertools.islice(source, max(0, room)):
                future = self._client.submit(_grade, submission, evidence, pure=False)
                underway[future.key] = submission
                future.add_done_callback(done.put)
            if not underway:
                return
            future = done.get()
            yield underway.pop(future.key), _result(future)


def _result(future: Any) -> Result:
    match future.status:
        case "finished":
            result: Result = future.result()
            return result
        case "error":
            fault = future.exception()
            return Result(could_not_grade(f"{type(fault).__name__}: {fault}"), b"")
    raise SandboxFault("the scheduler was lost")
