"""How grading grows with the class: time and memory for 100, 1,000, 10,000 submissions, resuming, grading again."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.bench.clock import BenchFault, measured
from autograder.bench.rivals import BIN
from autograder.bench.sample import made_up_class

__all__ = ["Growth", "grown"]

_SECONDS_BETWEEN_LOOKS = 0.003
"""At the memory, for each submission of the class: seen as often, the peaks of small and large classes compare."""


@dataclass(frozen=True)
class Growth:
    """One class, graded, given again, and graded again from what was kept."""

    size: int
    seconds: float
    """Wall time of grading."""
    peak_bytes: int
    """Resident memory of the grader and all its processes together, at most."""
    folder_bytes: int
    resume_seconds: float
    """Wall time of the same command again, with nothing to do."""
    regrade_seconds: float


def grown(size: int, workers: int) -> Growth:
    """Grade a class of *size* from the shell, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as place:
        given, out = Path(place, "given"), Path(place, "out")
        given.mkdir()
        for submission in made_up_class(size):
            (given / submission.name).write_bytes(submission.content)
        grade = [str(BIN / "autograder"), "grade", str(given), "--out", str(out), "--workers", str(workers)]
        pause = max(0.1, size * _SECONDS_BETWEEN_LOOKS)
        peaks: list[int] = []
        graded = measured(lambda: peaks.append(_watched(grade, pause)))
        folder = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        resumed = measured(lambda: _watched(grade, pause))
        regraded = measured(lambda: _watched([grade[0], "regrade", str(out), "--workers", str(workers)], pause))
        return Growth(size, graded.wall, peaks[0], folder, resumed.wall, regraded.wall)


def _watched(argv: list[str], seconds: float) -> int:
    """Run a command; the most memory that it and its descendants had, as seen every so many *seconds*.

    Raises `BenchFault` if it fails.
    """
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    over = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while not over.wait(seconds):
            peak = max(peak, sum(_resident(pid) for pid in _family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    over.set()
    watcher.join()
    if status != 0:
        raise BenchFault(f"{' '.join(argv)}: exit status {status}")
    return peak


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _resident(pid: int) -> int:
    """Bytes, shared ones in proportion: a child shares most of its memory with the warm process."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0
