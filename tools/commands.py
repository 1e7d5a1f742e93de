"""Run commands and forks, and see what they cost, their children included."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.processes import fork

__all__ = ["Cost", "Failed", "command", "forked"]


class Failed(Exception):
    """A command ended with an exit status other than 0."""

    def __init__(self, argv: Sequence[object], status: int, shown: str) -> None:
        super().__init__(f"{argv[0]}: exit status {status}\n{shown[-3000:]}")
        self.status = status


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and of processor time."""

    wall: float
    cpu: float

    def each(self, count: int) -> "Cost":
        return Cost(self.wall / count, self.cpu / count)


def command(argv: Sequence[object], *, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """What a command costs, and its output. Raises `Failed`."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, argv)), cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        shown = output.read().decode(errors="replace")
    if process.returncode != 0:
        raise Failed(argv, process.returncode, shown)
    return Cost(wall, usage.ru_utime + usage.ru_stime), shown


def forked(do: Callable[[], object]) -> float:
    """The processor time that a fork of this process takes to *do* this; what it prints goes nowhere."""

    def silently() -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        do()

    _, _, usage = os.wait4(fork(silently), 0)
    return usage.ru_utime + usage.ru_stime
