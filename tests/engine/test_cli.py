"""Grading runs and the command line, with an engine that grades by the file's first byte."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autograder import cli, pool
from autograder.course import Question
from autograder.gradebook import Gradebook
from autograder.intake import collect
from autograder.records import Grade, QuestionGrade, Result, Submission
from autograder.run import Report, grade_into

QUESTIONS = [Question("q1", 10.0, {"ko": "하나", "en": "One"}, (), ())]


class Fault(Exception):
    """The fake engine's own failure."""


@dataclass
class Engine:
    """Gives 10 points to all but: `0`, no points; `!`, its own failure; `x`, Fault; `^`, Ctrl-C."""

    isolation: str = "fake"
    seen: list[str] = field(default_factory=list)
    opened: int = 0

    def __enter__(self) -> Engine:
        self.opened += 1
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def grade(self, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Result]]:
        return self.regrade((submission, b"") for submission in submissions)

    def regrade(self, kept: Iterable[tuple[Submission, bytes]]) -> Iterator[tuple[Submission, Result]]:
        for submission, evidence in kept:
            self.seen.append(submission.name)
            match submission.content[:1]:
                case b"x":
                    raise Fault("the sandbox is gone")
                case b"^":
                    raise KeyboardInterrupt
                case b"!":
                    grade = Grade("could-not-grade", None, 10.0, (), "ko", "MemoryError")
                case first:
                    score = 0.0 if first == b"0" else 10.0
                    grade = Grade("graded", score, 10.0, (QuestionGrade("q1", 10.0, score, ()),), "ko")
            yield submission, Result(grade, b"evidence", runs=0 if evidence else 1)


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.py").write_text("1")
    return folder


def run(submissions: Path, engine: Engine, fingerprint: str = "v1") -> Report:
    out = submissions.parent / "out"
    return grade_into(out, collect([submissions]), QUESTIONS, lambda: engine, fingerprint, faults=(Fault,))


def grades(out: Path) -> dict[str, tuple[str, str]]:
    """Status and score by submission, from the table."""
    rows = csv.DictReader((out / "grades.csv").read_text(encoding="utf-8-sig").splitlines())
    return {row["submission"]: (row["status"], row["score"]) for row in rows}


def test_run_writes_everything_that_the_contract_names(submissions: Path) -> None:
    """After a run the folder holds gradebook, table, results, pages and report, and nothing else."""
    report = run(submissions, Engine())
    out = submissions.parent / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        *("feedback", "gradebook.sqlite", "grades.csv", "report.html", "results"),
    ]
    assert sorted(path.name for path in (out / "results").iterdir()) == ["a.py.json", "b.py.json", "c.py.json"]
    assert (report.graded, report.fault, {row.grade.isolation for row in report.rows}) == (3, "", {"fake"})


def test_second_run_grades_only_what_is_new_or_changed(submissions: Path) -> None:
    """A file added and a file changed are graded, the rest is known."""
    run(submissions, Engine())
    (submissions / "b.py").write_text("0")
    (submissions / "d.py").write_text("1")
    engine = Engine()
    report = run(submissions, engine)
    assert engine.seen == ["b.py", "d.py"]
    assert (report.graded, report.known, len(report.rows)) == (2, 2, 4)
    assert grades(submissions.parent / "out")["b.py"] == ("graded", "0")


def test_engine_is_not_started_when_all_is_known(submissions: Path) -> None:
    """A run with nothing to grade costs no start-up."""
    run(submissions, Engine())
    engine = Engine()
    run(submissions, engine)
    assert engine.opened == 0


def test_changed_grader_grades_all_again(submissions: Path) -> None:
    """Another fingerprint makes nothing known."""
    run(submissions, Engine())
    assert run(submissions, Engine(), "v2").graded == 3


def test_submission_taken_away_leaves_the_table(submissions: Path) -> None:
    """The table and the pages are those of this run's submissions."""
    run(submissions, Engine())
    (submissions / "b.py").unlink()
    run(submissions, Engine())
    out = submissions.parent / "out"
    assert set(grades(out)) == {"a.py", "c.py"}
    assert not (out / "feedback" / "b.py.html").exists()


def test_interrupted_run_keeps_what_it_graded(submissions: Path) -> None:
    """After Ctrl-C every submission has a row, and the next run goes on from there."""
    (submissions / "b.py").write_text("^")
    report = run(submissions, Engine())
    assert report.interrupted
    assert grades(submissions.parent / "out") == {
        "a.py": ("graded", "10"),
        "b.py": ("could-not-grade", ""),
        "c.py": ("could-not-grade", ""),
    }
    (submissions / "b.py").write_text("1")
    engine = Engine()
    run(submissions, engine)
    assert engine.seen == ["b.py", "c.py"]


def test_interrupted_run_shows_no_grade_of_an_older_file(submissions: Path) -> None:
    """A grade is not shown for a file that has changed since and was not reached again."""
    run(submissions, Engine())
    (submissions / "b.py").write_text("^")
    (submissions / "c.py").write_text("0")
    run(submissions, Engine())
    assert [status for status, _ in grades(submissions.parent / "out").values()] == [
        *("graded", "could-not-grade", "could-not-grade"),
    ]


def test_fault_of_the_engine_gives_rows_without_scores(submissions: Path) -> None:
    """When the engine itself fails, what it did not reach has no score and says why."""
    (submissions / "b.py").write_text("x")
    report = run(submissions, Engine())
    assert (report.fault, report.interrupted) == ("the sandbox is gone", False)
    assert [row.grade.detail for row in report.rows] == ["", *["not graded: the sandbox is gone"] * 2]


def test_could_not_grade_is_tried_again(submissions: Path) -> None:
    """What the grader failed on is graded by the next run."""
    (submissions / "b.py").write_text("!")
    run(submissions, Engine())
    engine = Engine()
    run(submissions, engine)
    assert engine.seen == ["b.py"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine in the place of the pool of grading processes."""
    engine = Engine()
    monkeypatch.setattr(pool, "Pool", lambda **_: engine)
    return engine


def test_grade_exits_0_however_badly_they_did(
    submissions: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """All graded is success, and the end of the output tells what and where."""
    (submissions / "b.py").write_text("0")
    out = submissions.parent / "out"
    assert cli.main(["grade", str(submissions), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "3 submissions: 3 graded" in shown
    assert str(out / "report.html") in shown
    header = (out / "grades.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "submission,student,score,max_score,q1,q2,q3,q4,q5,q6,q7,q8,status,detail"


def test_grade_exits_1_when_the_grader_failed(submissions: Path, engine: Engine) -> None:
    """A submission that could not be graded fails the command."""
    (submissions / "b.py").write_text("!")
    assert cli.main(["grade", str(submissions), "--out", str(submissions.parent / "out")]) == 1


def test_grade_exits_130_when_interrupted(
    submissions: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is told from failure."""
    (submissions / "b.py").write_text("^")
    assert cli.main(["grade", str(submissions), "--out", str(submissions.parent / "out")]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "autograder: the run was interrupted"


def test_language_and_isolation_belong_to_a_grade(submissions: Path, engine: Engine) -> None:
    """Asking for another language or isolation grades again."""
    command = ["grade", str(submissions), "--out", str(submissions.parent / "out")]
    for options in ([], ["--lang", "en"], ["--lang", "en", "--isolation", "process"]):
        cli.main([*command, *options])
    assert len(engine.seen) == 9


def usage_error(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """The last line of the complaint about a command that must exit with 2."""
    try:
        status: object = cli.main([str(argument) for argument in argv])
    except SystemExit as end:
        status = end.code
    assert status == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_usage_errors_are_one_line_and_exit_2(
    submissions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong commands are told by name, before anything is written."""
    out = tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "No such file" in usage_error(capsys, "grade", tmp_path / "nothing", "--out", out)
    assert "no submissions in" in usage_error(capsys, "grade", empty, "--out", out)
    assert "is not a folder" in usage_error(capsys, "grade", submissions, "--out", submissions / "a.py")
    assert "holds the submissions" in usage_error(capsys, "grade", submissions, "--out", submissions)
    assert "'0' is not a number from 1" in usage_error(capsys, "grade", submissions, "--out", out, "--workers", "0")
    assert "required" in usage_error(capsys, "grade", submissions)
    assert "no such file" in usage_error(capsys, "check", tmp_path / "nothing.ipynb")
    assert not out.exists()


def test_folder_in_use_is_refused(submissions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run into the same folder at once is told so."""
    with Gradebook(tmp_path / "out"):
        assert "another run is using it" in usage_error(capsys, "grade", submissions, "--out", tmp_path / "out")


def test_command_line_does_not_import_torch() -> None:
    """Help, usage errors and runs with nothing to grade need not wait for torch."""
    script = """
import sys
import autograder.cli, autograder.run, autograder.pool, autograder.sandbox
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("argv", [["--help"], ["grade", "--help"]])
def test_help_teaches(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows examples or what comes out, in lines that fit a terminal."""
    with pytest.raises(SystemExit):
        cli.main(argv)
    shown = capsys.readouterr().out
    assert "report.html" in shown
    assert max(map(len, shown.splitlines())) <= 100
