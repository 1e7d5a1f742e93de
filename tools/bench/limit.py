"""The limit: the very same runs of student code, each in a fork of one process, nothing confined, recorded or checked.

`python -m tools.bench.limit FILE` runs the jobs in FILE and prints what they cost, as JSON.
"""

import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from autograder import course
from autograder.grade import Submission
from autograder.grading.grader import Grader, run_in
from autograder.sandbox import Sandbox
from autograder.sandbox.policy import environment
from autograder.student import execute, layers, warm
from autograder.wire.job import Job, decode_job, encode_job
from autograder.wire.log import Log
from tools.commands import Cost, command, forked

__all__ = ["beside_the_limit"]


def beside_the_limit(submissions: Sequence[Submission], folder: Path) -> tuple[Cost, Cost]:
    """What grading in one process costs, and what the same runs alone do."""
    runs: list[tuple[Job, Mapping[str, Tensor], Log]] = []

    def run(job: Job, tensors: Mapping[str, Tensor]) -> Log:
        log = confined(job, tensors)
        runs.append((job, tensors, log))
        return log

    torch.set_num_threads(1)
    with Sandbox(secrets=(course.REFERENCE, course.HIDDEN)) as sandbox:
        confined = run_in(sandbox)
        grader = Grader(sandbox, run=run)
        for _ in range(2):  # the first time the reference is run and mistakes are learned, once a process
            runs.clear()
            wall, cpu = time.perf_counter(), time.process_time()
            for submission in submissions:
                grader.grade(submission, b"bench")
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    grading = Cost(wall, cpu + sum(log.cpu_seconds for _, _, log in runs))
    file = folder / "jobs"
    file.write_bytes(msgspec.msgpack.encode([encode_job(job, tensors) for job, tensors, _ in runs]))
    _, shown = command([sys.executable, "-m", "tools.bench.limit", file], cwd=folder, env=environment())
    return grading, Cost(*json.loads(shown.splitlines()[-1]))


def main() -> None:
    """Run the jobs, one after another, and print their wall and processor time together."""
    torch.set_num_threads(1)
    warm.warm()
    payloads = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=list[bytes])
    started = time.perf_counter()
    cpu = sum(forked(partial(_run, payload)) for payload in payloads)
    print(json.dumps([time.perf_counter() - started, cpu]))


def _run(payload: bytes) -> None:
    job, tensors = decode_job(payload)
    signal.setitimer(signal.ITIMER_PROF, job.statement_seconds)  # a run that does not end is ended, as in the sandbox
    layers.salted(job.salt)
    _Bare(job, tensors, lambda frame: None).everything()


class _Bare(execute.Execution):
    """A run that limits, tells and takes down nothing; scenarios and corrections still replace what they do."""

    def one(self, index: int, statement: object, act: Callable[[], None]) -> None:
        if index not in self.job.skip:
            with contextlib.suppress(BaseException):
                act()

    def send(self, message: object, blob: bytes = b"") -> None: ...

    def record(self, question: str, when: object) -> None: ...


if __name__ == "__main__":
    main()
