"""Whether a grade depends on the way it was come by: how many processes, where, from what, in whose company."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
from tqdm import tqdm

from autograder.classroom.pool import Pool
from autograder.classroom.run import Engine
from autograder.classroom.worker import Task
from autograder.grade import Person, Result, Submission
from tools.attacks import attacks
from tools.certify.proof import Found

__all__ = ["SECRET", "graded", "grades_by_other_ways"]

SECRET = b"certify"
"""Private numbers are drawn with it: for one secret, grades are the same."""
_SLOW = ("resources", "time")
"""Families of attacks that wait for limits; the tests have them in a class of their own."""


def grades_by_other_ways(submissions: Sequence[Submission], workers: int) -> Iterator[Found]:
    """Each way, and the submissions that it gives other grades than so many *workers* do."""
    from distributed import LocalCluster  # takes a second to import, and is not in every environment

    from autograder.classroom.cluster import Cluster

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
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as machines, Cluster(machines.scheduler_address) as cluster:  # type: ignore[no-untyped-call]
        yield Found("same grades by a Dask cluster", _different(usual, graded(cluster, tasks, "Dask")), len(tasks))


def graded(graders: Engine, tasks: Sequence[Task], name: str) -> dict[str, Result]:
    """All results, by the submissions' names."""
    results = tqdm(graders.grade(tasks), total=len(tasks), unit="file", desc=name)
    return {task.submission.name: result for task, result in results}


def _among_hostile_ones(tasks: Sequence[Task]) -> list[Task]:
    hostile = [attack for attack in attacks() if attack.family not in _SLOW][: max(1, len(tasks) // 2)]
    theirs = (Submission(one.file_name, (Person("mallory"),), one.content) for one in hostile)
    everyone = [*tasks, *(Task(submission, SECRET) for submission in theirs)]
    random.Random(0).shuffle(everyone)
    return everyone


def _different(usual: dict[str, Result], other: dict[str, Result]) -> list[str]:
    kept = msgspec.json.encode  # where a number that is none is like another one
    return [name for name, result in usual.items() if kept(result.grade) != kept(other[name].grade)]
