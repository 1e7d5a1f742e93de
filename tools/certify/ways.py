"""Whether a grade depends on the way it was come by: how many processes, where, from what, in whose company.

`python -m tools.certify.ways WORKERS` grades submissions that come as JSON, in an environment of other packages.
"""

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
from tqdm import tqdm

from autograder import course
from autograder.classroom.pool import Pool
from autograder.classroom.run import Engine
from autograder.classroom.worker import Task
from autograder.grade import Grade, Person, Result, Submission, from_json, to_json
from tools.attacks import attacks
from tools.certify.proof import Found

__all__ = ["SECRET", "graded", "grades_by_other_ways"]

SECRET = b"certify"
"""Private numbers are drawn with it: for one secret, grades are the same."""
_SLOW = ("resources", "time")
"""Families of attacks that wait for limits; the tests have them in a class of their own."""


def grades_by_other_ways(submissions: Sequence[Submission], workers: int, environment: Path | None) -> Iterator[Found]:
    """Each way, and the submissions that it gives other grades than so many *workers* do."""
    tasks = [Task(submission, SECRET) for submission in submissions]
    with Pool(workers) as pool:
        usual = graded(pool, tasks, f"{workers} workers")
        kept = [replace(task, evidence=usual[task.submission.name].evidence) for task in tasks]
        regraded = graded(pool, kept, "regrade")
        mixed = graded(pool, _among_hostile_ones(tasks), "mixed class")
    again = [f"{name}: student code was run again" for name, result in regraded.items() if result.runs]
    yield Found("same grades by regrading, nothing run", [*again, *_different(usual, regraded)], len(tasks))
    yield Found("same grades among hostile submissions", _different(usual, mixed), len(tasks))
    with Pool(1) as pool:
        yield Found("same grades by one worker", _different(usual, graded(pool, tasks[::-1], "1 worker")), len(tasks))
    with _cluster(workers) as cluster:
        yield Found("same grades by a Dask cluster", _different(usual, graded(cluster, tasks, "Dask")), len(tasks))
    if environment:
        other = _elsewhere(submissions, workers, environment)
        yield Found("same grades without development packages", _different(usual, other), len(tasks))


def graded(graders: Engine, tasks: Sequence[Task], name: str) -> dict[str, Result]:
    """All results, by the submissions' names."""
    results = tqdm(graders.grade(tasks), total=len(tasks), unit="file", desc=name)
    return {task.submission.name: result for task, result in results}


@contextmanager
def _cluster(workers: int) -> Iterator[Engine]:
    from distributed import LocalCluster  # takes a second to import, and is not in every environment

    from autograder.classroom.cluster import Cluster

    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as machines, Cluster(machines.scheduler_address) as cluster:  # type: ignore[no-untyped-call]
        yield cluster


def _among_hostile_ones(tasks: Sequence[Task]) -> list[Task]:
    hostile = [attack for attack in attacks() if attack.family not in _SLOW][: max(1, len(tasks) // 2)]
    mallory = (Person("mallory"),)
    everyone = [*tasks, *(Task(Submission(one.file_name, mallory, one.content), SECRET) for one in hostile)]
    random.Random(0).shuffle(everyone)
    return everyone


def _elsewhere(submissions: Sequence[Submission], workers: int, environment: Path) -> dict[str, Result]:
    """By the packages of another *environment*."""
    command = [str(environment / "bin" / "python"), "-m", "tools.certify.ways", str(workers)]
    given = msgspec.json.encode(submissions)
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, cwd=course.ROOT, check=True)
    grades = msgspec.json.decode(done.stdout, type=dict[str, Grade])
    return {name: Result(grade) for name, grade in grades.items()}


def main() -> None:
    """Grade what comes by standard input; the grades go to standard output."""
    submissions = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Submission])
    with Pool(int(sys.argv[1])) as pool:
        results = graded(pool, [Task(submission, SECRET) for submission in submissions], "other packages")
    sys.stdout.buffer.write(msgspec.json.encode({name: result.grade for name, result in results.items()}))


def _different(usual: dict[str, Result], other: dict[str, Result]) -> list[str]:
    return [name for name, result in usual.items() if _plain(result.grade) != _plain(other[name].grade)]


def _plain(grade: Grade) -> Grade:
    """As it is read from where it is kept."""
    return from_json(to_json(replace(grade, seconds=0.0)))


if __name__ == "__main__":
    main()
