"""`make bench`: measure, print, and write a table."""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from autograder.bench import growth, rivals
from autograder.bench.clock import Cost
from autograder.bench.limit import limit
from autograder.bench.parts import Parts, graded_here
from autograder.bench.sample import made_up_class

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure as *argv* says and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", type=int, default=100, help="submissions in the class (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=4, help="how many of them the others get (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many rounds (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=_cores(), help="at a time (default: %(default)s)")
    parser.add_argument("--growth", metavar="N", type=int, nargs="*", default=[], help="classes of these sizes, too")
    parser.add_argument("--without-rivals", action="store_true", help="leave otter and nbgrader out")
    parser.add_argument("--table", metavar="FILE", type=Path, help="write the table there, too")
    arguments = parser.parse_args(argv)
    lines = [*_heading(arguments), *_compared(arguments), *_grown(arguments)]
    print("\n".join(lines))
    if arguments.table:
        arguments.table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _heading(arguments: argparse.Namespace) -> list[str]:
    command = " ".join(["python -m autograder.bench", *sys.argv[1:]])
    versions = [f"{name} {version(name)}" for name in ("torch", "otter-grader")]
    if rivals.nbgrader_is_there():
        shown = subprocess.run([rivals.NBGRADER / "nbgrader", "--version"], capture_output=True, text=True, check=True)
        versions.append(f"nbgrader {shown.stdout.split()[-1]}")
    return [
        "# Speed",
        "",
        f"Measured {date.today()} by `{command}` on {_cores()} cores ({_processor()}), Python "
        f"{platform.python_version()}, {', '.join(versions)}. Medians of {arguments.rounds} rounds, everything in turn "
        "in each. CPU is user and system time of all processes.",
        "",
    ]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _compared(arguments: argparse.Namespace) -> list[str]:
    submissions = list(made_up_class(arguments.size))
    some = submissions[: arguments.sample]
    costs: dict[str, list[Cost]] = {}
    parts: list[Parts] = []
    limits: list[dict[str, Cost]] = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as place:
            folders = (Path(place, str(number)) for number in itertools.count())

            def fresh() -> Path:
                folder = next(folders)  # noqa: B023 - used in this round only
                folder.mkdir()
                return folder

            def add(name: str, cost: Cost) -> None:
                costs.setdefault(name, []).append(cost)

            add(_CLASS, rivals.ours(submissions, fresh(), arguments.workers).each(len(submissions)))
            alone = [rivals.ours([submission], fresh(), 1) for submission in some]
            add(_ONE, Cost(sum(cost.wall for cost in alone), sum(cost.cpu for cost in alone)).each(len(some)))
            if not arguments.without_rivals:
                add("`otter run`, one at a time", rivals.otter(some, fresh()).each(len(some)))
                if len(some) > 1 and arguments.workers > 1:
                    name = f"`otter run`, {arguments.workers} at a time"
                    add(name, rivals.otter(some, fresh(), arguments.workers).each(len(some)))
                if rivals.nbgrader_is_there():
                    add("`nbgrader autograde`", rivals.nbgrader(some, fresh()).each(len(some)))
            parts.append(graded_here(submissions[:_TAKEN_APART], fresh()))
            limits.append(limit(parts[-1].jobs, fresh()))
    each = statistics.median(cost.wall for cost in costs[_CLASS]) * arguments.workers
    tables = (_rivals_table(costs, arguments), _limit_table(parts, limits), _parts_table(parts, limits), _sizing(each))
    return [line for table in tables for line in table]


_TAKEN_APART = 100
"""So many of the class at most are graded in one process, where it can be seen what takes the time."""
_SIZING_SUBMISSIONS = (1_000, 100_000, 1_000_000)
_SIZING_CORES = (2, 16, 128, 1024)
_CLASS = "**`autograder grade`, the class**"
_ONE = "**`autograder grade`, one notebook from the shell**"


def _rivals_table(costs: dict[str, list[Cost]], arguments: argparse.Namespace) -> list[str]:
    medians = {
        name: Cost(statistics.median(c.wall for c in own), statistics.median(c.cpu for c in own))
        for name, own in costs.items()
    }
    rows = [
        (
            name,
            f"{cost.wall:.3f}",
            f"{cost.cpu:.3f}",
            _times(cost.wall, medians[_CLASS].wall),
            _times(cost.wall, medians[_ONE].wall),
        )
        for name, cost in medians.items()
    ]
    missing = [] if arguments.without_rivals or rivals.nbgrader_is_there() else ["nbgrader is not installed here.", ""]
    return [
        f"## Beside others: a class of {arguments.size} with {arguments.workers} workers; the others get "
        f"{arguments.sample} of it",
        "",
        *_table(("", "s a notebook", "CPU s", "times the class's", "times one notebook's"), rows),
        "",
        *missing,
    ]


def _limit_table(parts: Sequence[Parts], limits: Sequence[dict[str, Cost]]) -> list[str]:
    count = len(parts[0].results)
    ours = Cost(
        *(statistics.median(t) / count for t in zip(*((p.wall_seconds, p.cpu_seconds) for p in parts), strict=True))
    )
    walls, cpus = ([sum(getattr(cost, kind) for cost in one.values()) for one in limits] for kind in ("wall", "cpu"))
    least = Cost(statistics.median(walls) / count, statistics.median(cpus) / count)
    runs = len(parts[0].jobs) / count
    return [
        f"## Beside the limit: the same runs of {count} submissions in one warm process, nothing confined or checked",
        "",
        *_table(
            ("", "s a notebook", "CPU s"),
            [
                (f"grading, one process at a time ({runs:.1f} runs a notebook)", f"{ours.wall:.3f}", f"{ours.cpu:.3f}"),
                ("the limit", f"{least.wall:.3f}", f"{least.cpu:.3f}"),
                ("ratio", _times(ours.wall, least.wall), _times(ours.cpu, least.cpu)),
            ],
        ),
        "",
    ]


def _parts_table(parts: Sequence[Parts], limits: Sequence[dict[str, Cost]]) -> list[str]:
    count = len(parts[0].results)

    def each(name: str) -> float:
        return statistics.median(part.seconds[name] for part in parts) / count

    def least(kind: str) -> float:
        return statistics.median(one[kind].cpu for one in limits) / count

    starting = each("fork") + each("confinement")
    share = {kind: number / parts[0].children.total() for kind, number in parts[0].children.items()}
    beside = {kind: each(f"{kind} runs") - least(kind) - share[kind] * starting for kind in share}
    looking = each("running") + each("reading frames")
    rows = [
        ("fork and end of children", each("fork")),
        ("confinement", each("confinement")),
        ("cells, as-released", least("as-released")),
        ("cells, hidden scenarios", least("hidden")),
        ("recording, frames, memory copied on writing: as-released", beside["as-released"]),
        ("recording, frames, memory copied on writing: hidden", beside["hidden"]),
        ("handing jobs over, watching, reading frames", looking),
        ("checks", each("checks")),
        ("the rest of grading", each("grader") - looking - each("checks")),
        ("keeping evidence", each("keeping evidence")),
        ("gradebook", each("gradebook")),
        ("pages, table, report", each("pages")),
    ]
    evidence = [len(result.evidence) for _, result in parts[0].results]
    confinement = 1000 * statistics.median(p.seconds["confinement"] / p.children.total() for p in parts)
    kept = f"Evidence: {statistics.mean(evidence) / 1000:.0f} kB a submission, at most {max(evidence) / 1000:.0f} kB."
    return [
        "## Where the time goes",
        "",
        *_table(("", "CPU ms a notebook"), [(name, f"{1000 * seconds:.1f}") for name, seconds in rows]),
        "",
        f"Confinement: {confinement:.1f} ms a child.",
        kept,
        "",
    ]


def _sizing(each: float) -> list[str]:
    """Minutes for classes of several sizes, if a submission takes *each* seconds of one core."""
    rows = [
        (f"{size:,}", *(f"{size * each / cores / 60:,.1f}" for cores in _SIZING_CORES)) for size in _SIZING_SUBMISSIONS
    ]
    return [
        f"## Sizing: minutes, projected from {each:.2f} s of a core for each submission of the class",
        "",
        *_table(("submissions", *(f"{cores} cores" for cores in _SIZING_CORES)), rows),
        "",
    ]


def _grown(arguments: argparse.Namespace) -> list[str]:
    if not arguments.growth:
        return []
    rows = []
    for size in arguments.growth:
        one = growth.grown(size, arguments.workers)
        rows.append(
            (
                *(f"{size:,}", f"{one.seconds:.0f}", f"{one.seconds / size:.4f}", f"{one.peak_bytes / 1e6:.0f}"),
                *(f"{one.folder_bytes / size / 1000:.0f}", f"{one.resume_seconds:.1f}", f"{one.regrade_seconds:.1f}"),
                f"{one.seconds / one.regrade_seconds:.0f}",
            )
        )
    header = (
        "submissions",
        "s",
        "s each",
        "peak MB",
        "kB each on disk",
        "s to run again",
        "s to regrade",
        "times faster",
    )
    return ["## Growth", "", *_table(header, rows), ""]


def _times(one: float, other: float) -> str:
    return f"{one / other:.2f}" if one < 10 * other else f"{one / other:.0f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    marks = ["---", *["---:"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)]


if __name__ == "__main__":
    sys.exit(main())
