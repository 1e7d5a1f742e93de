"""Grading again from what the runs left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import cli, corpus, course
from autograder.evidence import MAX_BYTES, Evidence
from autograder.gradebook import Gradebook
from autograder.job import Job
from autograder.observation import pack
from autograder.pool import Pool
from autograder.records import Grade, Result, Submission
from autograder.run import regrade
from autograder.runlog import RunLog
from autograder.runner import JobWithTensors


class Sandbox:
    """Runs nothing: a run leaves behind the frame that its cells name, and is counted."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []

    def run(self, jobs: Sequence[JobWithTensors], seconds: float) -> list[RunLog | None]:
        self.ran += [job.cells for job, _ in jobs]
        frames = (
            pack({"kind": "record", "question": "q1", "values": {}}),
            b"".join(c.encode() for c in jobs[0][0].cells),
        )
        return [RunLog(frames, "finished", "printed", (1,), 0.5, clean=not index) for index in range(len(jobs))]


def job(*cells: str, names: Sequence[str] = ("a",), **fields: object) -> JobWithTensors:
    return Job(list(cells), {"q1": list(names)}, **fields), {}  # type: ignore[arg-type]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def kept(sandbox: Sandbox, *jobs: JobWithTensors) -> bytes:
    """The evidence of runs of *jobs*, each in a child of its own."""
    evidence = Evidence(sandbox.run)
    for one in jobs:
        evidence.run([one], 1.0)
    sandbox.ran.clear()
    return evidence.encode()


def test_run_is_answered_as_it_was(sandbox: Sandbox) -> None:
    """What a run left behind comes back whole, and nothing is run."""
    first = Evidence(sandbox.run)
    logs = first.run([job("x")], 1.0)
    again = Evidence(sandbox.run, first.encode())
    assert again.run([job("x")], 1.0) == logs
    assert (first.runs, again.runs, len(sandbox.ran)) == (1, 0, 1)


@pytest.mark.parametrize(
    "other",
    [
        job("y"),
        job("x", skip=[3]),
        job("x", batch_first=True),
        job("x", values=False),
        job("x", verbose=True),
        job("x", replacements={"dropout": [(0.1, 0.0)]}),
        job("x", names=("a", "b")),
    ],
)
def test_other_run_is_run(sandbox: Sandbox, other: JobWithTensors) -> None:
    """Another code, scenario or rebinding is another run, and so is one that takes down more."""
    again = Evidence(sandbox.run, kept(sandbox, job("x")))
    again.run([other], 1.0)
    assert again.runs == 1


def test_run_that_took_down_more_answers(sandbox: Sandbox) -> None:
    """A check that asks for fewer names than before, or has more time, needs no new run."""
    again = Evidence(sandbox.run, kept(sandbox, job("x", names=("a", "b"))))
    again.run([job("x", names=("b",), statement_seconds=9.0)], 1.0)
    assert again.runs == 0


def test_only_what_is_missing_is_run(sandbox: Sandbox) -> None:
    """Of jobs that are asked for together, those that are known are not run."""
    again = Evidence(sandbox.run, kept(sandbox, job("x"), job("z")))
    again.run([job("x"), job("y"), job("z")], 1.0)
    assert sandbox.ran == [["y"]]


def test_run_alone_was_the_first_of_its_process(sandbox: Sandbox) -> None:
    """What ran after another job does not answer for a run alone, and is replaced by it."""
    first = Evidence(sandbox.run)
    first.run([job("x"), job("y")], 1.0)
    again = Evidence(sandbox.run, first.encode())
    again.run([job("x")], 1.0)
    assert again.runs == 0
    (log,) = again.run([job("y")], 1.0)
    assert again.runs == 1
    assert log is not None
    assert log.clean


def test_equal_frames_are_kept_once(sandbox: Sandbox) -> None:
    """Runs that leave the same behind take the room of one."""
    noise = os.urandom(20_000).hex()
    one = len(kept(sandbox, job(noise)))
    five = len(kept(sandbox, *(job(noise, skip=[number]) for number in range(5))))
    assert five < 1.1 * one


def test_evidence_is_bounded(sandbox: Sandbox) -> None:
    """What does not fit is left out, and would be run again."""
    jobs = [job(os.urandom(30_000).hex()) for _ in range(20)]
    evidence = kept(sandbox, *jobs)
    assert 0.5 * MAX_BYTES < len(evidence) <= MAX_BYTES
    again = Evidence(sandbox.run, evidence)
    for one in jobs:
        again.run([one], 1.0)
    assert 0 < again.runs < len(jobs)


def without_time(grade: Grade) -> Grade:
    return replace(grade, seconds=0.0)


def submissions() -> list[Submission]:
    """Right, wrong in one question, wrong in several that follow from one another, blank, and no notebook."""
    wrong = [corpus.misconceptions()[0].content, corpus.misconceptions()[-1].content]
    blank = (course.ROOT / "assignment" / "en" / "rnn.ipynb").read_bytes()
    several = corpus.with_answers({"q1": "embedding = batch_emb = None", "q6": "decoded_ids = batch"})
    contents = [course.REFERENCE.read_bytes(), *wrong, several, blank, b"", b"{"]
    return [Submission(f"{number}.ipynb", str(number), content) for number, content in enumerate(contents)]


@pytest.fixture(scope="module")
def graded(pool: Pool) -> dict[str, tuple[Submission, Result]]:
    return {submission.name: (submission, result) for submission, result in pool.grade(submissions())}


def test_regrading_runs_no_student_code_and_gives_the_same_grades(
    pool: Pool, graded: dict[str, tuple[Submission, Result]]
) -> None:
    """Where nothing has changed, neither does any grade, and all of it comes from the evidence."""
    again = dict(pool.regrade((submission, result.evidence) for submission, result in graded.values()))
    for submission, result in again.items():
        assert result.runs == 0
        assert without_time(result.grade) == without_time(graded[submission.name][1].grade)
        assert len(result.evidence) <= MAX_BYTES


def test_missing_follow_through_is_run(pool: Pool, graded: dict[str, tuple[Submission, Result]]) -> None:
    """Where a run was never made, as after a check that fails anew, it is made, told, and changes no other grade."""
    from autograder.evidence import _decoded, _encoded

    submission, result = graded["3.ipynb"]
    runs = list(_decoded(result.evidence).items())
    first_round = _encoded(runs[: 1 + len(course.scenarios())])
    assert len(runs) > 1 + len(course.scenarios())
    ((_, again),) = pool.regrade([(submission, first_round)])
    assert again.runs > 0
    assert without_time(again.grade) == without_time(result.grade)
    assert len(_decoded(again.evidence)) == len(runs)


def test_regrade_writes_grades_and_pages_anew(
    tmp_path: Path, pool: Pool, graded: dict[str, tuple[Submission, Result]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The gradebook's grades are replaced, what is kept stays, and the pages follow."""
    submission, result = graded["0.ipynb"]
    stale = Grade("graded", 1.0, 100.0, (), "ko", isolation="as it was")
    with Gradebook(tmp_path) as book:
        book.enrol({submission.name: submission.student})
        book.record(submission, stale, result.evidence, "v1")

    class Open:
        def __enter__(self) -> Pool:
            return pool

        def __exit__(self, *exc: object) -> None: ...

    questions = [question for question in course.questions() if question.points]
    report = regrade(tmp_path, questions, Open, "v2")
    assert (report.graded, report.reruns, report.fault) == (1, 0, "")
    assert [(row.grade.score, row.grade.isolation) for row in report.rows] == [(100.0, "as it was")]
    assert "100" in (tmp_path / "grades.csv").read_text(encoding="utf-8-sig")
    with Gradebook(tmp_path) as book:
        assert book.known(submission, "v2")
        assert list(book.kept()) == [(submission, result.evidence)]


def test_regrade_of_nothing_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without a gradebook is told so, and nothing is made in it."""
    assert cli.main(["regrade", str(tmp_path)]) == 2
    assert "holds no gradebook.sqlite" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_run_after_others_fails_no_check_by_itself(grade: Callable[..., Grade]) -> None:
    """What a submission changes for its later runs costs it nothing: each failure is confirmed by a run of its own."""
    change = "torch.set_default_dtype(torch.float64)\n"
    answers = {"q8": corpus.answer("q8") + change}
    assert grade(corpus.with_answers(answers)).score == course.maximum()
    shown = "import builtins\nif hasattr(builtins, 'before'):\n    batch = None\nbuiltins.before = True\n"
    assert grade(corpus.with_answers({"q1": shown + corpus.answer("q1")})).score == course.maximum()
