"""`make bench`: measure, print a table in Markdown, and write it down; only ratios taken in one run mean anything."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from autograder.grade import Submission
from tools.bench import rivals
from tools.bench.clock import Cost, command, median
from tools.bench.limit import beside_the_limit
from tools.bench.rivals import Class
from tools.bench.sample import made_up_class

__all__ = ["main"]

CLASS, ONE = "`autograder grade`, the class", "`autograder grade`, one notebook from the shell"
AGAIN, REGRADE = "`autograder grade`, the class again, nothing new", "`autograder regrade`, the class"
OTTER, NBGRADER = "`otter run`, one at a time", "`nbgrader autograde`"
GRADING, LIMIT = "grading in one process", "the same runs alone: the limit"
ONE_PROCESS = 100
"""So many of the class at most are graded in one process, beside the limit."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure as *argv* says and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", type=int, default=100, help="submissions in the class (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=4, help="how many of them the others get (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many rounds (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=_cores(), help="at a time (default: %(default)s)")
    parser.add_argument("--growth", metavar="N", type=int, nargs="*", default=[], help="classes of these sizes, too")
    parser.add_argument("--table", metavar="FILE", type=Path, help="write the table there, too")
    arguments = parser.parse_args(argv)
    table = "\n".join([*_heading(arguments), *_compared(arguments), *_grown(arguments)])
    print(table)
    if arguments.table:
        arguments.table.write_text(table + "\n", encoding="utf-8")
    return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _heading(arguments: argparse.Namespace) -> list[str]:
    versions = [f"{name} {version(name)}" for name in ("torch", "otter-grader")]
    if rivals.NBGRADER.exists():
        _, shown = command([rivals.NBGRADER / "nbgrader", "--version"], cwd=Path.cwd())
        versions.append(f"nbgrader {shown.split()[-1]}")
    told = " ".join(["python -m tools.bench", *sys.argv[1:]])
    return [
        f"Measured {date.today()} by `{told}` on {_cores()} cores ({_processor()}), Python {platform.python_version()}, "
        f"{', '.join(versions)}. A class of {arguments.size} by {arguments.workers} workers; the others get "
        f"{arguments.sample} of it. Medians of {arguments.rounds} rounds, everything in turn in each. CPU is user and "
        "system time of all processes.",
        "",
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _compared(arguments: argparse.Namespace) -> list[str]:
    submissions = list(made_up_class(arguments.size))
    costs: dict[str, list[Cost]] = defaultdict(list)
    runs = 0
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as place:
            runs = _round(submissions, arguments, Path(place), costs)
    each = {name: median(own) for name, own in costs.items()}
    rows = [
        (name, f"{cost.wall:.3f}", f"{cost.cpu:.3f}", *(_times(cost.wall, each[one].wall) for one in (CLASS, ONE)))
        for name, cost in each.items()
    ]
    least = (
        (f"{OTTER}, beside the class", each[OTTER].wall / each[CLASS].wall, "at least 65"),
        (f"one notebook, beside {OTTER}", each[ONE].wall / each[OTTER].wall, "at most 0.5"),
        (f"grading beside the limit ({runs} runs)", each[GRADING].wall / each[LIMIT].wall, "at most 1.5"),
        ("the class, beside regrading it", each[CLASS].wall / each[REGRADE].wall, "at least 5"),
    )
    return [
        *_table(("", "s a notebook", "CPU s", "times the class's", "times one notebook's"), rows),
        *_table(("", "times", "wanted"), [(name, f"{times:.2f}", wanted) for name, times, wanted in least]),
    ]


def _round(
    submissions: Sequence[Submission], arguments: argparse.Namespace, folder: Path, costs: dict[str, list[Cost]]
) -> int:
    """Everything once, what it cost a notebook into *costs*; how many runs grading in one process took."""
    whole = rivals.ours(submissions, folder / "class", arguments.workers)
    for name, cost in ((CLASS, whole.graded), (AGAIN, whole.again), (REGRADE, whole.regraded)):
        costs[name].append(cost.each(len(submissions)))
    sample = submissions[: arguments.sample]
    costs[ONE] += [rivals.ours([one], folder / f"one-{one.name}", 1).graded for one in sample]
    costs[OTTER] += rivals.otter(sample, folder / "otter")
    if rivals.NBGRADER.exists():
        costs[NBGRADER].append(rivals.nbgrader(sample, folder / "nbgrader"))
    together = submissions[:ONE_PROCESS]
    grading, limit, runs = beside_the_limit(together, folder)
    costs[GRADING].append(grading.each(len(together)))
    costs[LIMIT].append(limit.each(len(together)))
    return runs


def _grown(arguments: argparse.Namespace) -> list[str]:
    rows = []
    for size in arguments.growth:
        with tempfile.TemporaryDirectory() as place:
            rows.append(_growth(size, rivals.ours(list(made_up_class(size)), Path(place, "class"), arguments.workers)))
    header = ("submissions", "s", "s each", "MB", "kB each on disk", "s again", "s to regrade", "times faster")
    return _table(header, rows) if rows else []


def _growth(size: int, one: Class) -> tuple[str, ...]:
    """MB are those of the largest process."""
    graded, again, regraded = one.graded, one.again.wall, one.regraded.wall
    figures = (f"{graded.wall:.0f}", f"{graded.wall / size:.4f}", f"{graded.peak_bytes / 1e6:.0f}")
    more = (f"{one.bytes / size / 1000:.0f}", f"{again:.1f}", f"{regraded:.1f}", f"{graded.wall / regraded:.1f}")
    return (f"{size:,}", *figures, *more)


def _times(one: float, other: float) -> str:
    return f"{one / other:.2f}" if one < 10 * other else f"{one / other:.0f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    marks = ["---", *["---:"] * (len(header) - 1)]
    return [*(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)), ""]


if __name__ == "__main__":
    sys.exit(main())
