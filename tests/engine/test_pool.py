"""Many grading processes: everything graded once, lazily, and nothing left running."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import course
from autograder.classroom import pool as pools
from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.grade import Note, Person, Submission
from tools.cases import with_answers


def task(content: bytes, name: str = "a.ipynb") -> Task:
    return Task(Submission(name, (Person("a"),), content), b"secret")


def unreadable(count: int) -> list[Task]:
    """Submissions that are graded at once."""
    return [task(b"", f"{number}.ipynb") for number in range(count)]


def test_every_submission_comes_back_once(pool: Pool) -> None:
    """Whatever the order, each has one result."""
    given = unreadable(20)
    results = list(pool.grade(given))
    assert sorted(one.submission.name for one, _ in results) == sorted(one.submission.name for one in given)
    assert {result.grade.status for _, result in results} == {"unreadable"}


def test_submissions_are_asked_for_lazily_and_in_the_callers_thread(pool: Pool) -> None:
    """No more are read than are graded soon, and reading them needs no lock."""
    threads = set()
    asked = 0

    def source() -> Iterator[Task]:
        nonlocal asked
        for one in unreadable(20):
            asked += 1
            threads.add(threading.current_thread())
            yield one

    for number, _ in enumerate(pool.grade(source()), 1):
        assert asked <= number + 3
    assert threads == {threading.current_thread()}


def test_fault_of_the_source_ends_the_grading(pool: Pool) -> None:
    """What goes wrong in reading submissions is the caller's to know, and the pool can be used again."""

    def source() -> Iterator[Task]:
        yield from unreadable(3)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(pool.grade(source()))
    assert len(list(pool.grade(unreadable(3)))) == 3


def processes(pool: Pool) -> list[int]:
    """The grading processes, by their names among what the fork server started."""
    server = pool._server._process.pid
    pids = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(pid) for pid in pids if Path(f"/proc/{pid}/comm").read_text() == "worker\n"]


@pytest.fixture
def beside_a_broken_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `import torch` would load by itself, and fail with."""
    installed = tmp_path / "broken-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[torch.backends]\nbroken = broken:load\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("beside_a_broken_extension")
def test_worker_that_dies_or_hangs_is_no_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its submission has no score and keeps its evidence, and the next one is graded by a new process."""
    solved = course.REFERENCE.read_bytes() + b"\n" * 1_000_000  # more than fits between two processes
    monkeypatch.setattr(pools, "SENDING_SECONDS", 1)
    with closing(Pool(1)) as pool:
        pool.grade_one(task(b""))
        for number in (signal.SIGKILL, signal.SIGSTOP):
            os.kill(*processes(pool), number)
            with monkeypatch.context() as patch:
                patch.setattr(pools, "ANSWER_SECONDS", 1.0)
                result = pool.grade_one(Task(task(solved).submission, b"secret", b"evidence"))
            assert (result.grade.status, result.grade.score) == ("could-not-grade", None)
            assert result.evidence == b"evidence"
            assert pool.grade_one(task(solved)).grade.score == course.maximum()


def test_workers_keep_to_their_memory(pool: Pool) -> None:
    """None may grow without end, and few descriptors are soon closed."""
    list(pool.grade(unreadable(6)))
    workers = processes(pool)
    assert workers
    for pid in workers:
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        (line,) = (line for line in limits if line.startswith("Max address space"))
        assert int(line.split()[3]) < 64 << 30
        (line,) = (line for line in limits if line.startswith("Max open files"))
        assert int(line.split()[3]) < 1000


def test_regrading_runs_no_student_code_and_gives_the_same_grade(pool: Pool) -> None:
    """With its own secret and evidence a submission is graded again without being run; a remark of intake's stays."""
    wrong = with_answers({"q1": "embedding = batch_emb = None", "q6": "decoded_ids = batch"})
    remark = Note("one-of-several", {"counted": "a.ipynb"})
    first = replace(task(wrong), submission=replace(task(wrong).submission, remarks=(remark,)))
    ((_, graded),) = pool.grade([first])
    ((_, again),) = pool.grade([replace(first, evidence=graded.evidence)])
    assert again.runs == 0 < graded.runs
    assert again.grade == graded.grade
    assert graded.grade.remarks[0] == remark
