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
from typing import TYPE_CHECKING, Any

from autograder import course
from autograder.bench.limit import KindedJob
from autograder.records import Result, Submission
from autograder.sandbox import DEFAULT, Isolation, Limits, Sandbox
from autograder.sandbox.session import Session

if TYPE_CHECKING:
    from autograder.checks import Findings, Look
    from autograder.runlog import RunLog
    from autograder.runner import JobWithTensors
    from autograder.sandbox.box import AnySession

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


class _Watched(Sandbox):
    """A sandbox that knows what its children cost."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sessions: list[Session] = []

    def session(self, *, limits: Limits = DEFAULT, capture: bool = False) -> AnySession:
        session = super().session(limits=limits, capture=capture)
        assert isinstance(session, Session)
        self.sessions.append(session)
        return session

    @property
    def cpu_seconds(self) -> float:
        return sum(session.cpu_seconds for session in self.sessions)


def graded_here(submissions: Sequence[Submission], folder: Path) -> Parts:
    """Grade in this process, by the same grader as in a worker's, and keep what it was asked to run."""
    import torch

    from autograder.checks import serve
    from autograder.evidence import Evidence
    from autograder.grader import Grader
    from autograder.process import StudentProcess

    torch.set_num_threads(1)
    parts = Parts()
    sandbox = _Watched()
    with sandbox:
        process = StudentProcess(sandbox, DEFAULT)

        def run(jobs: Sequence[JobWithTensors], seconds: float) -> list[RunLog | None]:
            kind = "as-released" if jobs[0][0].verbose else "hidden"
            with watched(kind), parts.timed("running"):
                logs = process.run(jobs, seconds)
            parts.jobs += [(kind, job, tensors) for job, tensors in jobs]
            with parts.timed("reading frames"):
                _ = [log and log.records for log in logs]
            return logs

        @contextmanager
        def watched(kind: str) -> Iterator[None]:
            children, cpu = len(sandbox.sessions), sandbox.cpu_seconds
            yield
            parts.children[kind] += len(sandbox.sessions) - children
            parts.seconds[f"{kind} runs"] += sandbox.cpu_seconds - cpu

        def grade_all(look: Callable[[Look], Findings]) -> None:
            def timed_look(at: Look) -> Findings:
                with parts.timed("checks"):
                    return look(at)

            grader = Grader(process.run, timed_look)
            for question in course.questions():
                grader.explainer.known(question)  # once a process, not once a submission
            process.close()
            sandbox.sessions.clear()
            for submission in submissions:
                started = time.perf_counter()
                evidence = Evidence(run)
                with parts.timed("grader"):
                    grade = grader.grade(submission, None, evidence.run)
                with watched("hidden"):
                    process.close()
                sandbox.sessions.clear()
                with parts.timed("keeping evidence"):
                    kept = evidence.encode()
                parts.wall_seconds += time.perf_counter() - started
                parts.results.append((submission, Result(grade, kept, evidence.runs)))

        serve(grade_all)
    forking, starting = _start_seconds("process"), _start_seconds("full")
    parts.seconds["fork"] = forking * parts.children.total()
    parts.seconds["confinement"] = (starting - forking) * parts.children.total()
    _write(parts, folder)
    return parts


def _start_seconds(isolation: Isolation) -> float:
    """Processor time of a child that does nothing."""
    sandbox = _Watched(isolation=isolation, entry="autograder.bench.nothing")
    with sandbox:
        for _ in range(_STARTS):
            sandbox.run(b"")
        return statistics.median(session.cpu_seconds for session in sandbox.sessions)


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
