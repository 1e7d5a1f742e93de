"""Grading on a Dask cluster: a real scheduler and real workers on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import course
from autograder.classroom.cluster import Cluster
from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.course import corpus
from autograder.grade import Submission
from autograder.sandbox import SandboxFault
from tools.cases import with_answers

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own


class Machines:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes = [self._start("dask_scheduler", "--port", "0", "--no-dashboard")]

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(self.file), *options]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def address(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.file.exists():
                address: str = json.loads(self.file.read_text())["address"]
                return address
            time.sleep(0.1)
        raise TimeoutError("the scheduler did not start")

    def add_worker(self) -> None:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
        self.processes.append(self._start("dask_worker", *options))

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """A scheduler with two workers."""
    machines = Machines(tmp_path_factory.mktemp("dask"))
    assert machines.address
    for _ in range(2):
        machines.add_worker()
    yield machines
    machines.stop()


def tasks() -> list[Task]:
    contents = [
        course.REFERENCE.read_bytes(),
        *(with_answers(one.answers) for one in corpus.misconceptions()[::50]),
        b"",
        b"{",
    ]
    return [Task(Submission(f"{number}.ipynb", (), content), b"secret") for number, content in enumerate(contents)]


def test_worker_killed_in_the_middle_loses_nothing(machines: Machines, pool: Pool) -> None:
    """Two workers, one of them killed at work: every submission is graded once, and as on this machine."""
    results = {}
    with Cluster(machines.address) as cluster:
        for task, result in cluster.grade(tasks()):
            assert task.submission.name not in results
            results[task.submission.name] = result.grade
            if len(results) == 2:
                machines.processes[1].kill()
    assert results == {task.submission.name: result.grade for task, result in pool.grade(tasks())}


def test_cluster_regrades_from_evidence(machines: Machines, pool: Pool) -> None:
    """Evidence kept on this machine answers on another one."""
    ((task, graded),) = pool.grade(tasks()[1:2])
    with Cluster(machines.address) as cluster:
        ((_, result),) = cluster.grade([replace(task, evidence=graded.evidence)])
    assert (result.runs, result.grade) == (0, graded.grade)


def test_scheduler_that_cannot_be_reached_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is told in one line."""
    monkeypatch.setattr("autograder.classroom.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(SandboxFault, match=r"the scheduler tcp://127\.0\.0\.1:9"), Cluster("tcp://127.0.0.1:9"):
        pass
