"""`make bench`: how long grading takes beside `otter run`, on the same notebook, in one run.

Whole processes are timed from the shell's point of view, in turn, and medians and their ratio are printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from autograder import course

__all__ = ["main"]

_BIN = Path(sys.executable).parent


def _seconds(command: Sequence[str | Path], folder: Path) -> float:
    """Wall time of a command that must succeed."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1", "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return time.perf_counter() - started


def one_notebook(runs: int) -> dict[str, float]:
    """Median seconds to grade one perfect notebook, for each grader; the graders take turns."""
    found: dict[str, list[float]] = {"autograder grade": [], "otter run": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(course.REFERENCE, folder / "one.ipynb")
        shutil.copytree(course.ROOT / "assignment" / "ko" / "tests", folder / "tests")
        _seconds([_BIN / "otter", "generate", "-t", "tests", "-o", "autograder.zip"], folder)
        for number in tqdm(range(runs), unit="round", desc="one notebook"):
            ours = [_BIN / "autograder", "grade", "one.ipynb", "--out", f"out{number}", "--workers", "1"]
            found["autograder grade"].append(_seconds(ours, folder))
            found["otter run"].append(_seconds([_BIN / "otter", "run", "one.ipynb", "-a", "autograder.zip"], folder))
    return {name: statistics.median(times) for name, times in found.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", metavar="N", type=int, default=3, help="rounds (default: %(default)s)")
    arguments = parser.parse_args(argv)
    medians = one_notebook(arguments.runs)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, medians of {arguments.runs} rounds\n")
    print("| one perfect notebook, from the shell | scenarios | seconds | ratio |")
    print("|---|--:|--:|--:|")
    for name, seconds in medians.items():
        scenarios = len(course.scenarios()) + 1 if name.startswith("autograder") else 1
        print(f"| `{name}` | {scenarios} | {seconds:.1f} | {seconds / medians['otter run']:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
