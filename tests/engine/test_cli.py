"""The command line: exit statuses, one-line complaints, and help that teaches."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import cli
from autograder.classroom import pool
from autograder.classroom.gradebook import Gradebook
from autograder.report.returns import WAYS

from .classes import Engine, handed_in, table

pytestmark = pytest.mark.usefixtures("hundred_points")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine in the place of the pool of grading processes."""
    engine = Engine()
    monkeypatch.setattr(pool, "Pool", lambda *_: engine)
    return engine


@pytest.fixture
def given(tmp_path: Path) -> Path:
    return handed_in(tmp_path / "submissions", kim="1", lee="1", park="1")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_grade_exits_0_however_badly_they_did(
    given: Path, out: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """All graded is success; what was found is told before, what came of it and where after."""
    handed_in(given, lee="0")
    assert cli.main(["grade", str(given), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "3 students: 3 graded" in said.out
    assert "mean 66.7, median 100.0 of 100, of 3 with a score" in said.out
    assert str(out / "report.html") in said.out
    header = (out / "grades.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    columns = "submission,student,id,email,score,max_score,q1,q2,q3,q4,q5,q6,q7,q8,status,late,attempts,adjusted,detail"
    assert header.replace('"', "") == columns


def test_grade_exits_1_when_the_grader_failed(given: Path, out: Path, engine: Engine) -> None:
    """A submission that could not be graded fails the command, as do two people of one name."""
    handed_in(given, lee="!")
    assert cli.main(["grade", str(given), "--out", str(out)]) == 1
    handed_in(given, lee="1", LEE="1")
    assert cli.main(["grade", str(given), "--out", str(out)]) == 1


def test_grade_exits_1_when_the_folder_is_deleted(
    given: Path, out: Path, engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written there anew, since the gradebook is lost; one line says so."""
    graded = engine.grade
    monkeypatch.setattr(engine, "grade", lambda tasks: (shutil.rmtree(out), graded(tasks))[1])
    assert cli.main(["grade", str(given), "--out", str(out)]) == 1
    assert not out.exists()
    told = capsys.readouterr()
    assert told.out == ""
    assert "gradebook.sqlite: is gone: the folder was deleted or moved during the run" in told.err.splitlines()[-1]


def test_grade_exits_1_when_there_is_nothing_to_grade(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder or file without a submission is told with the reason, and leaves no gradebook."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 cut off")
    (tmp_path / "essay.pdf").write_bytes(b"%PDF-1.7")
    for path in ("empty", "cut.zip", "essay.pdf"):
        assert cli.main(["grade", str(tmp_path / path), "--out", str(out)]) == 1
        told = capsys.readouterr().err
        assert told.splitlines()[-1].startswith("autograder: ")
    assert "\nessay.pdf: " in told
    assert not out.exists()


def test_grade_exits_130_when_interrupted(
    given: Path, out: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is told from failure."""
    handed_in(given, lee="^")
    assert cli.main(["grade", str(given), "--out", str(out)]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "autograder: the run was interrupted"


def test_hangup_that_is_ignored_ends_nothing(given: Path, out: Path, engine: Engine) -> None:
    """Under nohup the run goes on after its terminal was closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert cli.main(["grade", str(given), "--out", str(out)]) == 0
    assert signal.signal(signal.SIGHUP, before) == signal.SIG_IGN


def test_language_grades_nothing_again(given: Path, out: Path, engine: Engine) -> None:
    """Asking for another language makes pages only."""
    for options in ([], ["--lang", "en"], ["--lang", "ko"]):
        assert cli.main(["grade", str(given), "--out", str(out), *options]) == 0
    assert engine.opened == 1


def test_regrade_and_its_preview(given: Path, out: Path, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview succeeds and changes nothing; a dropped score needs to be accepted."""
    cli.main(["grade", str(given), "--out", str(out)])
    engine.scale = 0.9
    assert cli.main(["regrade", str(out), "--preview"]) == 0
    assert "3 of 3 submissions move: 0 up, 3 down" in capsys.readouterr().out
    assert cli.main(["regrade", str(out)]) == 1
    assert "--accept" in capsys.readouterr().err
    assert table(out)[0]["score"] == "100"
    assert cli.main(["regrade", str(out), "--accept"]) == 0
    assert table(out)[0]["score"] == "90"


def test_export_writes_into_the_folder_and_leaves_the_file(
    given: Path, out: Path, tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written over is listed; the downloaded file stays as it was; adjustments count."""
    cli.main(["grade", str(given), "--out", str(out)])
    (out / "adjustments.csv").write_text("student,question,points,reason\nkim,,50,oral\n")
    downloaded = tmp_path / "canvas.csv"
    downloaded.write_text("Student,ID,Section,RNN (7)\nKim,1,A,30\nLee,2,A,\n")
    assert cli.main(["export", str(out), "--to", "canvas", str(downloaded)]) == 0
    said = capsys.readouterr().out
    assert "written over there (1): kim: 30 to 50" in said
    assert (out / "export" / "canvas.csv").read_text() == "Student,ID,Section,RNN (7)\nKim,1,A,50\nLee,2,A,100\n"
    assert downloaded.read_text().count("30") == 1


def usage_error(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """The last line of the complaint about a command that must exit with 2."""
    try:
        status: object = cli.main([str(argument) for argument in argv])
    except SystemExit as end:
        status = end.code
    assert status == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_usage_errors_are_one_line_and_exit_2(
    given: Path, out: Path, tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong commands are told by name, before anything is written."""
    assert "nothing cannot be read." in usage_error(capsys, "grade", tmp_path / "nothing", "--out", out)
    assert "is not a folder" in usage_error(capsys, "grade", given, "--out", given / "kim.ipynb")
    assert "holds the submissions" in usage_error(capsys, "grade", given, "--out", given)
    (tmp_path / "circle").symlink_to("circle")
    assert "is not a folder" in usage_error(capsys, "grade", given, "--out", tmp_path / "circle")
    assert "circle cannot be read" in usage_error(capsys, "grade", tmp_path / "circle", "--out", out)
    assert "'0' is not a number from 1" in usage_error(capsys, "grade", given, "--out", out, "--workers", "0")
    assert "required" in usage_error(capsys, "grade", given)
    roster = usage_error(capsys, "grade", given, "--out", out, "--roster", tmp_path / "no.csv")
    assert "no.csv: the roster cannot be read" in roster
    assert "a platform and at most one file" in usage_error(capsys, "export", out, "--to", "blackbird")
    for command in (("regrade",), ("export", "--to", "email")):
        assert "holds no gradebook.sqlite" in usage_error(capsys, command[0], out, *command[1:])
    assert not out.exists()


def test_errors_in_files_beside_the_gradebook_exit_2(
    given: Path, out: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong line of adjustments.csv, and an export that has no way back, are told."""
    out.mkdir()
    (out / "adjustments.csv").write_text("student,question,points,reason\nnobody,q1,5,x\n")
    assert "adjustments.csv, line 2: there is no student" in usage_error(capsys, "grade", given, "--out", out)
    assert engine.opened == 0
    (out / "adjustments.csv").unlink()
    cli.main(["grade", str(given), "--out", str(out)])
    assert "moodle needs FILE" in usage_error(capsys, "export", out, "--to", "moodle")
    (out / "adjustments.csv").write_text("student,question,points,reason\nkim,,excuse,\nlee,,excuse,\npark,,excuse,\n")
    assert "nobody has a score" in usage_error(capsys, "export", out, "--to", "canvas")
    (out / "adjustments.csv").unlink()
    assert cli.main(["export", str(out), "--to", "moodle", "no.csv"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "autograder: no.csv: No such file or directory"
    (out / "adjustments.csv").write_bytes(b"\x81")
    assert "adjustments.csv is no table in CSV" in usage_error(capsys, "grade", given, "--out", out)


def test_names_cannot_write_into_the_terminal(
    tmp_path: Path, out: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape, direction and invisible characters of file names are shown as such, on both channels."""
    handed_in(tmp_path / "a", **{"kim\x1b[2J\u202e\u200b": "1", "KIM\x1b[2J\u202e\u200b": "1"})
    cli.main(["grade", str(tmp_path / "a"), "--out", str(out), "--rows"])
    cli.main(["grade", str(tmp_path / "no\x1b[2J\u202e"), "--out", str(out)])
    said = capsys.readouterr()
    assert "\ufffd" in said.out
    assert not set(said.out + said.err) & set("\x1b\u202e\u200b")


def test_folder_in_use_is_refused(given: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run into the same folder at once is told so."""
    with Gradebook(out):
        assert "another run is using it" in usage_error(capsys, "grade", given, "--out", out)


def test_environment_that_drops_docstrings_or_letters_changes_nothing(tmp_path: Path) -> None:
    """Titles of checks are docstrings, and names are Korean: neither hangs on variables of the shell's."""
    file = tmp_path / "autograder"
    told = "lambda: print(sys.flags.optimize, sys.getfilesystemencoding(), sys.argv[1:])"
    file.write_text(f"import sys\nfrom autograder import cli\ncli.main = {told}\ncli.script()\n")
    poor = {"PYTHONOPTIMIZE": "2", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, file, "grade", "한지우"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | poor)
    assert done.stdout == "0 utf-8 ['grade', '한지우']\n"


def test_interruption_is_told_whenever_it_comes(
    given: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C before or after grading, as by somebody who presses it twice, ends in a line, too."""

    def interrupt(*_: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "collect", interrupt)
    assert cli.main(["grade", str(given), "--out", str(out)]) == cli.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_command_line_does_not_import_torch() -> None:
    """Help, usage errors and runs with nothing to grade need not wait for torch."""
    script = """
import sys
import autograder.cli, autograder.classroom.run, autograder.classroom.pool, autograder.report.returns
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("argv", [["--help"], ["grade", "--help"], ["regrade", "--help"], ["export", "--help"]])
def test_help_teaches(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows examples or what comes out, in lines that fit a terminal."""
    with pytest.raises(SystemExit):
        cli.main(argv)
    shown = capsys.readouterr().out
    assert any(word in shown for word in ("report.html", "--accept", "mail merge"))
    assert max(map(len, shown.splitlines())) <= 80


def test_usage_of_export_has_the_order_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types what the usage shows, with the folder first, is understood."""
    with pytest.raises(SystemExit):
        cli.main(["export", "--help"])
    assert "autograder export [-h] DIR --to PLATFORM [FILE]" in capsys.readouterr().out


def test_export_help_names_every_platform(capsys: pytest.CaptureFixture[str]) -> None:
    """What can be exported to, and nothing else, has a line of its own."""
    with pytest.raises(SystemExit):
        cli.main(["export", "--help"])
    assert re.findall(r"^  (\w+) {2,}[Fa]", capsys.readouterr().out, re.MULTILINE) == [*WAYS]
