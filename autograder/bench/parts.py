"""Where the time of grading goes: one grader in this process, every part of it timed."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import course
from autograder.bench.limit import KindedJob
from autograder.records import Result, Submission
from autograder.sandbox import Sandbox

if TYPE_CHECKING:
    from torch import Tensor

    from autograder.checks import Findings, Look
    from autograder.job import Job
    from autograder.runlog import RunLog

__all__ = ["Parts", "graded_here"]

_STARTS = 15


@dataclass
class Parts:
    """Seconds for all submissions together, by what they were spent on."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    jobs: list[KindedJob] = field(default_factory=list)
    """All runs of student code."""
    results: list[tuple[Submission, Result]] = field(default_factory=list)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - started


def graded_here(submissions: Sequence[Submission], folder: Path) -> Parts:
    """Grade in this process, by the same grader as in a worker's, and keep what it was asked to run."""
    import torch

    from autograder.checks import serve
    from autograder.evidence import Evidence
    from autograder.grader import Grader
    from autograder.runlog import RunLog

    torch.set_num_threads(1)
    parts = Parts()
    with Sandbox() as sandbox:
        grading: list[Submission] = []  # the one being graded; the reference's runs are nobody's

        def run(job: Job, tensors: dict[str, Tensor], seconds: float) -> RunLog:
            with parts.timed("packing"):
                payload = job.encode(tensors)
            started = time.perf_counter()
            outcome = sandbox.run(payload, capture=job.verbose)
            if grading:
                kind = "as-released" if job.verbose else "hidden"
                parts.jobs.append((kind, job, tensors))
                parts.seconds[f"{kind} runs"] += outcome.seconds
                parts.seconds["starting and ending them"] += time.perf_counter() - started - outcome.seconds
            lines = tuple(len(cell.splitlines()) for cell in job.cells)
            log = RunLog(outcome.frames, outcome.ending, outcome.printed.decode("utf-8", "replace"), lines)
            with parts.timed("reading frames"):
                _ = log.messages, log.records
            return log

        def grade_all(look: Callable[[Look], Findings]) -> None:
            def timed_look(at: Look) -> Findings:
                with parts.timed("checks"):
                    return look(at)

            grader = Grader(run, timed_look)
            grader.explainer.known()  # once a process
            parts.seconds.clear()
            for submission in submissions:
                grading[:] = [submission]
                evidence = Evidence(grader.run)
                with parts.timed("all"):
                    grade = grader.grade(submission, None, evidence.run)
                with parts.timed("keeping evidence"):
                    kept = evidence.encode()
                parts.results.append((submission, Result(grade, kept, evidence.runs)))
            grading.clear()

        serve(grade_all)
        parts.seconds["fork"] = _start_seconds("process") * len(parts.jobs)
        parts.seconds["confinement"] = _start_seconds("full") * len(parts.jobs) - parts.seconds["fork"]
    _write(parts, folder)
    return parts


def _start_seconds(isolation: str) -> float:
    """What starting and ending a child costs that does nothing."""
    with Sandbox(isolation="full" if isolation == "full" else "process", entry="autograder.bench.nothing") as sandbox:
        sandbox.run(b"")
        walls = []
        for _ in range(_STARTS):
            started = time.perf_counter()
            sandbox.run(b"")
            walls.append(time.perf_counter() - started)
    return statistics.median(walls)


def _write(parts: Parts, folder: Path) -> None:
    from autograder.gradebook import Gradebook
    from autograder.render.output import write_output, write_pages

    questions = [question for question in course.questions() if question.points]
    students = {submission.name: submission.student for submission, _ in parts.results}
    with Gradebook(folder) as book:
        book.enrol(students)
        with parts.timed("gradebook"):
            for submission, result in parts.results:
                book.record(submission, result.grade, result.evidence, "bench")
        rows = {row.name: row for row in book.rows()}
        with parts.timed("pages"):
            write_pages(folder, students, rows.__getitem__, questions, {})
            write_output(folder, students, rows.values(), questions)
