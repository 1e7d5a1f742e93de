"""`make bench`: measure, print tables in Markdown; only ratios taken in one run mean anything."""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from autograder.grade import Submission
from tools.bench.limit import beside_the_limit
from tools.bench.pages import opening_seconds, page_seconds
from tools.bench.rivals import by_nbgrader, by_otter, by_us, regraded
from tools.cases import made_up_class
from tools.commands import Cost

__all__ = ["main"]

CORES = len(os.sched_getaffinity(0))
CLASS, REGRADED, ONE = "`autograder grade`, the class", "`autograder regrade`, the class", "`autograder grade`, alone"
OTTER, OTHER = "`otter run`", "`nbgrader autograde`"
GRADING, LIMIT = "grading, in one process", "the limit: the same runs of the same cells, bare"
ONE_PROCESS = 100
"""So many of the class at most are graded in one process, beside the limit."""
Costs = dict[str, list[Cost]]
"""Of one notebook each, round by round."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure as *argv* says and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", type=int, default=100, help="submissions in the class (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=4, help="how many of them the others get (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many rounds (default: %(default)s)")
    arguments = parser.parse_args(argv)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "otter-grader", "nbgrader"))
    print(
        f"Measured {date.today()} by `python -m tools.bench {' '.join(sys.argv[1:])}` on {CORES} cores "
        f"({_processor()}), {versions}. A class of {arguments.size} by {CORES} workers; the others get "
        f"{arguments.sample} of it, one at a time. Medians of {arguments.rounds} rounds, everything in turn in each.\n"
    )
    submissions = list(made_up_class(arguments.size))
    costs: Costs = defaultdict(list)
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            _round(submissions, submissions[: arguments.sample], folder, costs)
            pages, opening = page_seconds(folder / "class"), opening_seconds(folder / "class")
    _print_costs(costs)
    _print_table(
        ("a feedback page (wanted: at most 5 ms for a language)", "ms, mean", "ms, at most"),
        ((name, f"{statistics.fmean(each) * 1e3:.1f}", f"{max(each) * 1e3:.1f}") for name, each in pages.items()),
    )
    if opening is not None:
        print(f"The report on the class opens in {opening:.2f} s in Chromium (wanted: at most 1).\n")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _round(submissions: Sequence[Submission], sample: Sequence[Submission], folder: Path, costs: Costs) -> None:
    """Everything once."""
    costs[CLASS].append(by_us(submissions, folder / "class", CORES).each(len(submissions)))
    costs[REGRADED].append(regraded(folder / "class").each(len(submissions)))
    costs[ONE] += [by_us([one], folder / one.name, 1) for one in sample]
    costs[OTTER] += by_otter(sample, folder)
    costs[OTHER].append(by_nbgrader(sample, folder / "nbgrader"))
    together = submissions[:ONE_PROCESS]
    grading, limit = beside_the_limit(together, folder)
    costs[GRADING].append(grading.each(len(together)))
    costs[LIMIT].append(limit.each(len(together)))


def _print_costs(costs: Costs) -> None:
    wall = {name: statistics.median(cost.wall for cost in own) for name, own in costs.items()}
    cpu = {name: statistics.median(cost.cpu for cost in own) for name, own in costs.items()}
    _print_table(
        ("a notebook", "s", "CPU s, all processes", "times the class's"),
        ((name, f"{wall[name]:.3f}", f"{cpu[name]:.3f}", f"{wall[name] / wall[CLASS]:.2f}") for name in wall),
    )
    figures = {
        f"{OTTER} / the class": (wall[OTTER] / wall[CLASS], "at least 65"),
        f"one notebook alone / {OTTER}": (wall[ONE] / wall[OTTER], "at most 0.5"),
        "grading / the limit": (wall[GRADING] / wall[LIMIT], "at most 1.5"),
        "the class / regrading it": (wall[CLASS] / wall[REGRADED], "at least 5"),
    }
    _print_table(
        ("ratio", "measured", "wanted"), ((name, f"{times:.2f}", wanted) for name, (times, wanted) in figures.items())
    )


def _print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for cells in (header, ["---", *["---:"] * (len(header) - 1)], *rows):
        print(f"| {' | '.join(cells)} |")
    print()


if __name__ == "__main__":
    main()
