"""Whether a grade depends on the way it was come by: how many processes, where, from what, in whose company."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from distributed import LocalCluster
from tqdm import tqdm

from autograder.certify import attacks
from autograder.cluster import Cluster
from autograder.pool import Pool
from autograder.records import Grade, Result, Submission
from autograder.sandbox import Allowance, Limits

__all__ = ["differing"]

HONEST, HOSTILE = 134, 66
"""A mixed class at most."""
_BRIEF = Allowance(15.0, 1.5, run=Limits(wall_seconds=3, cpu_seconds=6, memory_bytes=512 << 20))
"""For the mixed class: limits that an honest submission is far from, so that hostile ones end soon."""

_Results = dict[str, Result]


def differing(submissions: Sequence[Submission], workers: int) -> Iterator[tuple[str, int, list[str]]]:
    """Each way, how many submissions went it, and those whose grades are not what *workers* processes gave them."""
    with Pool(workers=workers) as pool:
        usual = _collected(pool.grade(submissions), len(submissions), f"{workers} workers")

        def regrade() -> _Results:
            kept = [(submission, usual[submission.name].evidence) for submission in submissions]
            return _collected(pool.regrade(kept), len(kept), "regrade")

        regraded = regrade()
    run_again = [name for name, result in regraded.items() if result.runs]
    yield "from kept evidence, nothing run", len(regraded), sorted({*_differing(usual, regraded), *run_again})

    ways: dict[str, Callable[[], _Results]] = {
        "one worker, in reverse order": lambda: _one_worker(submissions),
        "a Dask cluster": lambda: _cluster(submissions, workers),
        "among hostile submissions": lambda: _mixed_class(submissions, workers),
    }
    for name, way in ways.items():
        results = way()
        yield name, len(results), _differing(usual, results)


def _one_worker(submissions: Sequence[Submission]) -> _Results:
    with Pool(workers=1) as pool:
        return _collected(pool.grade(submissions[::-1]), len(submissions), "1 worker")


def _cluster(submissions: Sequence[Submission], workers: int) -> _Results:
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as machines, Cluster(machines.scheduler_address) as cluster:  # type: ignore[no-untyped-call]
        return _collected(cluster.grade(submissions), len(submissions), "cluster")


def _mixed_class(submissions: Sequence[Submission], workers: int) -> _Results:
    honest = list(submissions[:: max(1, len(submissions) // HONEST)][:HONEST])
    # Those that wait for limits would make this long; the tests have them in a class of their own.
    hostile = [attack for attack in attacks.attacks() if attack.family != "time"][: len(honest) * HOSTILE // HONEST]
    everyone = [*honest, *(Submission(attack.file_name, "mallory", attack.content) for attack in hostile)]
    random.Random(0).shuffle(everyone)
    with Pool(workers=workers, allowance=_BRIEF) as pool:
        results = _collected(pool.grade(everyone), len(everyone), "mixed class")
    return {submission.name: results[submission.name] for submission in honest}


def _collected(graded: Iterable[tuple[Submission, Result]], total: int, name: str) -> _Results:
    return {submission.name: result for submission, result in tqdm(graded, total=total, unit="file", desc=name)}


def _differing(usual: _Results, other: _Results) -> list[str]:
    return [name for name, result in other.items() if _plain(result.grade) != _plain(usual[name].grade)]


def _plain(grade: Grade) -> Grade:
    return replace(grade, seconds=0.0)
