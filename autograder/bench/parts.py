"""Where the time of grading goes: one grader in this process, every part of it timed.

Processor time, since on a busy machine wall time tells of the others.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import course
from autograder.bench.limit import KindedJob
from autograder.records import Result, Submission
from autograder.sandbox import Isolation, Sandbox

if TYPE_CHECKING:
    from autograder.checks import Findings, Look
    from autograder.runlog import RunLog
    from autograder.runner import JobWithTensors

__all__ = ["Parts", "graded_here"]

_STARTS = 15


@dataclass
class Parts:
    """What grading all submissions took."""

    wall_seconds: float = 0.0
    """From each submission to its grade and evidence."""
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Processor time by what it was spent on."""
    children: Counter[str] = field(default_factory=Counter)
    """How many there were, of each kind of run."""
    jobs: list[KindedJob] = field(default_factory=list)
    """All runs of student code."""
    results: list[tuple[Submission, Result]] = field(default_factory=list)

    @property
    def cpu_seconds(self) -> float:
        """Of grading, the runs included; but for the warm process's part in forks, which nobody tells."""
        return sum(self.seconds[part] for part in ("grader", "keeping evidence", "as-released runs", "hidden runs"))

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds[part] += time.process_time() - started


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

        def run(jobs: Sequence[JobWithTensors], seconds: float) -> list[RunLog | None]:
            first, _ = jobs[0]
            kind = "as-released" if first.verbose else "hidden"
            with parts.timed("packing"):
                payload = b"".join(job.encode(tensors) for job, tensors in jobs)
            outcome = sandbox.run(payload, capture=first.verbose)
            if grading:
                parts.jobs += [(kind, job, tensors) for job, tensors in jobs]
                parts.seconds[f"{kind} runs"] += outcome.cpu_seconds
                parts.children[kind] += 1
            lines = tuple(len(cell.splitlines()) for cell in first.cells)
            printed = outcome.printed.decode("utf-8", "replace")
            with parts.timed("reading frames"):
                logs = RunLog(outcome.frames, outcome.ending, printed, lines).parted(len(jobs))
                _ = [log and log.records for log in logs]
            return logs

        def grade_all(look: Callable[[Look], Findings]) -> None:
            def timed_look(at: Look) -> Findings:
                with parts.timed("checks"):
                    return look(at)

            grader = Grader(run, timed_look)
            for question in course.questions():
                grader.explainer.known(question)  # once a process, not once a submission
            parts.seconds.clear()
            for submission in submissions:
                grading[:] = [submission]
                started = time.perf_counter()
                evidence = Evidence(grader.run)
                with parts.timed("grader"):
                    grade = grader.grade(submission, None, evidence.run)
                with parts.timed("keeping evidence"):
                    kept = evidence.encode()
                parts.wall_seconds += time.perf_counter() - started
                parts.results.append((submission, Result(grade, kept, evidence.runs)))
            grading.clear()

        serve(grade_all)
    forking, starting = _start_seconds("process"), _start_seconds("full")
    parts.seconds["fork"] = forking * parts.children.total()
    parts.seconds["confinement"] = (starting - forking) * parts.children.total()
    _write(parts, folder)
    return parts


def _start_seconds(isolation: Isolation) -> float:
    """Processor time of a child that does nothing."""
    with Sandbox(isolation=isolation, entry="autograder.bench.nothing") as sandbox:
        return statistics.median(sandbox.run(b"").cpu_seconds for _ in range(_STARTS))


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
