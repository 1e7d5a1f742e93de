"""Grading on a Dask cluster: each of its workers drives grading processes of its own, as this machine's pool does.

Dask brings tasks to workers and results back, and gives the tasks of a lost worker to another one. The workers need
this project as it is here, with the hidden checks: a cluster must be trusted as this machine is.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from distributed import Client, WorkerPlugin, get_worker

from autograder import course
from autograder.classroom.pool import Pool, lazily
from autograder.classroom.worker import Task, lost
from autograder.grade import Result
from autograder.sandbox import SandboxFault

__all__ = ["Cluster"]

AHEAD = 2
"""Submissions for each thread of the cluster that are on the way or under way, so that none waits."""
CONNECT_SECONDS = 30
WORKERS_SECONDS = 600
"""Batch systems may take minutes to start the first worker."""


class _Graders(WorkerPlugin):
    """What a worker of the cluster holds: a grading process for each of its threads."""

    name = "rnn-autograder"

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint

    def setup(self, worker: Any) -> None:
        if course.fingerprint() != self._fingerprint:
            raise SandboxFault(f"a worker in {course.ROOT} has other graders than those here")
        self.pool = Pool(worker.state.nthreads)

    def teardown(self, worker: object) -> None:
        self.pool.close()


def _grade(task: Task) -> Result:
    """On a worker of the cluster: the result, by one of its grading processes."""
    graders = get_worker().plugins[_Graders.name]
    assert isinstance(graders, _Graders)
    return graders.pool.grade_one(task)


class Cluster(AbstractContextManager["Cluster"]):
    """The workers of the Dask scheduler at *address*. A context manager.

    Raises `SandboxFault` where the scheduler cannot be reached, gets no workers, or where they have other graders.
    """

    def __init__(self, address: str) -> None:
        self._client: Any = None  # Dask's own types are partial
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
            self._client.wait_for_workers(1, timeout=WORKERS_SECONDS)
            self._client.register_plugin(_Graders(course.fingerprint()))
        except BaseException as fault:
            self.__exit__()
            if isinstance(fault, (OSError, ValueError, RuntimeError)):
                raise SandboxFault(f"the scheduler {address}: {fault}") from fault
            raise

    def __exit__(self, *exc: object) -> None:
        if self._client is not None:
            with suppress(Exception):  # the cluster may be gone; all that came back is with the caller
                self._client.unregister_worker_plugin(_Graders.name)
            self._client.close()  # which gives up what is under way

    def grade(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Grade lazily, in whatever order results come.

        A task whose worker died is given to another one; a task that kills several could not be graded. Raises
        `SandboxFault` if a worker cannot confine student code, or the scheduler is lost.
        """
        submit = partial(self._client.submit, _grade, pure=False)
        for task, future in lazily(submit, tasks, lambda: max(1, AHEAD * sum(self._client.nthreads().values()))):
            if future.status == "finished":
                yield task, future.result()
                continue
            error = future.exception() if future.status == "error" else SandboxFault("the scheduler was lost")
            if isinstance(error, SandboxFault):
                raise error
            yield task, lost(task, error)
