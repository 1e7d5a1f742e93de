"""Wall and processor time of what is run, children included."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BenchFault", "Cost", "command", "measured"]


class BenchFault(Exception):
    """What was to be measured did not work."""


@dataclass(frozen=True)
class Cost:
    """Seconds."""

    wall: float
    cpu: float

    def each(self, count: int) -> Cost:
        return Cost(self.wall / count, self.cpu / count)


def measured(act: Callable[[], object]) -> Cost:
    """What *act* costs this process and the children that it waits for."""
    wall, cpu = time.perf_counter(), _cpu()
    act()
    return Cost(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def command(argv: Sequence[object], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """The output of a command. Raises `BenchFault` if it fails."""
    done = subprocess.run(
        [str(word) for word in argv], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    shown = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise BenchFault(f"{argv[0]}: exit status {done.returncode}\n{shown[-3000:]}")
    return shown
