"""Whether a grade depends on the way it was come by: how many processes, where, from what, in whose company.

`python -m tools.certify.ways WORKERS` grades the submissions that come as JSON, for another environment than this.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
from autograder.classroom.pool import Pool
from autograder.classroom.task import Task
from tqdm import tqdm

from autograder import course
from autograder.grade import Grade, Person, Result, Submission, to_json
from tools.attacks import attacks

__all__ = ["SECRET", "differing"]

SECRET = b"certify"
"""Private numbers are drawn with it: for one secret, grades are the same."""
_SLOW = ("resources", "time")
"""Families of attacks that wait for limits; the tests have them in a class of their own."""

_Grades = dict[str, bytes]
"""Grades as JSON, by the submission's name."""


def differing(
    submissions: Sequence[Submission], workers: int, environment: Path | None
) -> Iterator[tuple[str, int, list[str]]]:
    """Each way, how many submissions went it, and those whose grades are not what *workers* processes gave them."""
    with Pool(workers) as pool:
        usual = _results(pool.grade(_tasks(submissions)), len(submissions), f"{workers} workers")
        kept = [Task(submission, SECRET, usual[submission.name].evidence) for submission in submissions]
        regraded = _results(pool.grade(kept), len(kept), "regrade")
    known = _grades(usual)
    run_again = [name for name, result in regraded.items() if result.runs]
    yield "from kept evidence, nothing run", len(kept), sorted({*_different(known, _grades(regraded)), *run_again})

    ways: dict[str, Callable[[], _Grades]] = {
        "one worker, in reverse order": lambda: _by_one(submissions),
        "a Dask cluster": lambda: _by_a_cluster(submissions, workers),
        "among hostile submissions": lambda: _among_hostile_ones(submissions, workers),
    }
    if environment:
        ways["without development packages"] = lambda: _elsewhere(submissions, workers, environment)
    for name, way in ways.items():
        grades = way()
        yield name, len(grades), _different(known, grades)


def _tasks(submissions: Iterable[Submission]) -> Iterator[Task]:
    return (Task(submission, SECRET) for submission in submissions)


def _by_one(submissions: Sequence[Submission]) -> _Grades:
    with Pool(1) as pool:
        return _grades(_results(pool.grade(_tasks(submissions[::-1])), len(submissions), "1 worker"))


def _by_a_cluster(submissions: Sequence[Submission], workers: int) -> _Grades:
    from autograder.classroom.cluster import Cluster
    from distributed import LocalCluster  # takes a second to import, and is not in every environment

    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as machines, Cluster(machines.scheduler_address) as cluster:  # type: ignore[no-untyped-call]
        return _grades(_results(cluster.grade(_tasks(submissions)), len(submissions), "cluster"))


def _among_hostile_ones(submissions: Sequence[Submission], workers: int) -> _Grades:
    hostile = [attack for attack in attacks() if attack.family not in _SLOW][: max(1, len(submissions) // 2)]
    everyone = [*submissions, *(Submission(a.file_name, (Person("mallory"),), a.content) for a in hostile)]
    random.Random(0).shuffle(everyone)
    with Pool(workers) as pool:
        results = _results(pool.grade(_tasks(everyone)), len(everyone), "mixed class")
    return _grades({submission.name: results[submission.name] for submission in submissions})


def _elsewhere(submissions: Sequence[Submission], workers: int, environment: Path) -> _Grades:
    """By the packages of another *environment*."""
    command = [environment / "bin" / "python", "-m", "tools.certify.ways", str(workers)]
    given = msgspec.json.encode(submissions)
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, cwd=course.ROOT, check=True)
    return _grades({name: Result(grade) for name, grade in _decode(done.stdout).items()})


_decode = msgspec.json.Decoder(dict[str, Grade]).decode


def main() -> None:
    """Grade what comes by standard input; the grades go to standard output."""
    submissions = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Submission])
    with Pool(int(sys.argv[1])) as pool:
        results = _results(pool.grade(_tasks(submissions)), len(submissions), "other packages")
    sys.stdout.buffer.write(msgspec.json.encode({name: result.grade for name, result in results.items()}))


def _results(graded: Iterable[tuple[Task, Result]], total: int, name: str) -> dict[str, Result]:
    return {task.submission.name: result for task, result in tqdm(graded, total=total, unit="file", desc=name)}


def _grades(results: dict[str, Result]) -> _Grades:
    return {name: to_json(replace(result.grade, seconds=0.0)) for name, result in results.items()}


def _different(usual: _Grades, other: _Grades) -> list[str]:
    """Which grades differ, and from where on."""
    return [f"{name}: {_first(usual[name], grade)}" for name, grade in other.items() if grade != usual[name]]


def _first(usual: bytes, other: bytes) -> str:
    place = len(os.path.commonprefix([usual, other]))
    return " instead of ".join(ascii(grade[max(0, place - 60) : place + 40].decode()) for grade in (other, usual))


if __name__ == "__main__":
    main()
