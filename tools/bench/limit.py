"""The limit: the very same runs in one warm process, without sandbox, recording or checks.

`python -m autograder.bench.limit FILE` runs the jobs in FILE and prints what each kind cost, as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.bench.clock import Cost, command
from autograder.sandbox import policy

if TYPE_CHECKING:
    from torch import Tensor

    from autograder.job import Job

__all__ = ["limit"]

_DECIDING = ("GLIBC_TUNABLES", "MKL_CBWR", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What decides the time and is set for a warm process, too."""

KindedJob = tuple[str, "Job", "dict[str, Tensor]"]
"""What is run, its kind (a scenario's name), and the tensors of its rebindings."""


def limit(jobs: Sequence[KindedJob], folder: Path) -> dict[str, Cost]:
    """The cost of all *jobs* together, by kind, in a process of their own."""
    file = folder / "jobs"
    file.write_bytes(pickle.dumps(jobs))  # from this process to itself
    environment = os.environ | {name: policy.environment()[name] for name in _DECIDING}
    printed = command([sys.executable, "-m", "autograder.bench.limit", file], cwd=folder, env=environment)
    return {kind: Cost(*cost) for kind, cost in json.loads(printed.splitlines()[-1]).items()}


def main() -> None:
    import torch

    from autograder.child.run import _Run, warm
    from autograder.child.statements import Statement

    torch.set_num_threads(1)

    class Bare(_Run):
        """A run that takes nothing down and limits nothing; names are still replaced and rebound."""

        def one(self, index: int, statement: object, act: Callable[[], None]) -> None:
            with contextlib.suppress(BaseException):
                act()

        def record(self, question: str, when: str) -> None:
            pass

    warm()
    jobs: list[KindedJob] = pickle.loads(Path(sys.argv[1]).read_bytes())
    costs: dict[str, list[float]] = {}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        program: Sequence[Statement] = ()
        cells: list[str] = []
        for kind, job, tensors in jobs:
            wall, cpu = time.perf_counter(), time.process_time()
            run = Bare(job, tensors, lambda frame: None, program if job.cells == cells else ())
            run.everything()
            program, cells = run.program, job.cells  # taken apart once, as in a child
            total = costs.setdefault(kind, [0.0, 0.0])
            total[0] += time.perf_counter() - wall
            total[1] += time.process_time() - cpu
    print(json.dumps(costs))


if __name__ == "__main__":
    main()
