"""Grading again from what the runs left behind."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace as other_job
from torch import Tensor

from autograder.grade import Person, Submission
from autograder.grading.evidence import MAX_BYTES, Evidence
from autograder.wire.job import Correction, Job
from autograder.wire.log import Log
from autograder.wire.messages import Recorded, encode

from .submissions import lost_by, solved


class Running:
    """Runs nothing: a run leaves behind a record and its own code, and is counted."""

    def __init__(self) -> None:
        self.ran: list[Job] = []

    def __call__(self, job: Job, tensors: Mapping[str, Tensor]) -> Log:
        self.ran.append(job)
        frames = (encode(Recorded("q1", "end", {})), "".join(job.cells).encode())
        return Log(frames, True, (1,), False, 0.5)


JOB = Job(("x",), {"q1": ("a",)})


def kept(*jobs: Job) -> bytes:
    kept = Evidence(Running())
    for job in jobs:
        kept.run(job, {})
    return kept.encode()


def told(log: Log) -> tuple[object, ...]:
    return log.frames, log.finished, log.lines, log.of_memory, log.cpu_seconds


def test_run_is_answered_as_it_was():
    """What a run left behind comes back whole, and nothing is run."""
    run = Running()
    again = Evidence(run, kept(JOB))
    assert told(again.run(JOB, {})) == told(Running()(JOB, {}))
    assert (again.runs, run.ran) == (0, [])


@pytest.mark.parametrize(
    "change",
    [
        {"cells": ("y",)},
        {"skip": (3,)},
        {"put_back": True},
        {"salt": "1"},
        {"public": True},
        {"replacements": {"dropout": (0.1, 0.0)}},
        {"corrections": (Correction("q1", {}),)},
        {"corrections": (Correction("q1", {}, batch_first=True),)},
        {"settling_calls": {"q1": 1}},
        {"names": {"q1": ("a", "b")}},
        {"numbered": ((1, 0),)},
        {"statement_seconds": 6.0},
    ],
    ids=str,
)
def test_other_run_is_run(change):
    """Another code, scenario, limit or remedy is another run, and so is one that takes down more."""
    run = Running()
    again = Evidence(run, kept(JOB))
    again.run(other_job(JOB, **change), {})
    assert (again.runs, len(run.ran)) == (1, 1)


def test_equal_frames_are_kept_once_and_all_within_bounds():
    """A submission that sends much has its later runs forgotten: they would be run again."""
    alike = [other_job(JOB, cells=("x" * 100_000,), salt=str(number)) for number in range(20)]
    assert len(kept(*alike)) < 5_000
    import random

    chance = random.Random(0)
    large = [other_job(JOB, cells=(chance.randbytes(30_000).hex(),)) for _ in range(40)]
    encoded = kept(*large)
    assert 0 < len(encoded) <= MAX_BYTES
    run = Running()
    again = Evidence(run, encoded)
    again.run(large[0], {})
    assert run.ran == []
    again.run(large[-1], {})
    assert run.ran == [large[-1]]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"q2": "rnn = nn.GRU(embedding_size, hidden_size)", "q5": "lstm_states, (c_n, lstm_h_n) = lstm(batch_emb)"},
        {"q3": "import os\nos._exit(1)"},
    ],
    ids=["right", "wrong", "stopped"],
)
def test_graded_again_without_running_anything(answers, grader):
    """From its evidence a submission gets the very grade that it had, explanations included."""
    submission = Submission("rnn.ipynb", (Person("x"),), solved(**answers))
    first = grader.grade(submission, b"secret")
    again = grader.grade(submission, b"secret", first.evidence)
    assert again.runs == 0 < first.runs
    assert again.grade == first.grade
    assert again.evidence == first.evidence


def test_evidence_of_another_submission_is_of_no_use(grader):
    """Code that differs is run."""
    first = grader.grade(Submission("a", (Person("x"),), solved()), b"secret")
    again = grader.grade(Submission("a", (Person("x"),), solved(q8="last_forward = 1")), b"secret", first.evidence)
    assert again.runs > 0
    assert lost_by(again.grade) == {"q8"}
