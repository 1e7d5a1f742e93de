"""What commands cost, their children included."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BenchFault", "Cost", "command", "median"]


class BenchFault(Exception):
    """What was to be measured did not work."""


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and processor time, and the most memory of any one process."""

    wall: float
    cpu: float
    peak_bytes: int = 0

    def each(self, count: int) -> Cost:
        return Cost(self.wall / count, self.cpu / count, self.peak_bytes)


def command(argv: Sequence[object], *, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """What a command costs, and its output. Raises `BenchFault` if it fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(list(map(str, argv)), cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        shown = output.read().decode(errors="replace")
    if process.returncode != 0:
        raise BenchFault(f"{argv[0]}: exit status {process.returncode}\n{shown[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss), shown


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    walls, cpus, peaks = zip(*((cost.wall, cost.cpu, cost.peak_bytes) for cost in costs), strict=True)
    return Cost(statistics.median(walls), statistics.median(cpus), int(statistics.median(peaks)))
