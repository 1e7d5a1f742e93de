"""`autograder check`: a student's own check from a shell."""

from __future__ import annotations

import contextlib
import io
import json
import platform
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder import course, selfcheck
from autograder.render.terminal import width
from autograder.sandbox import Sandbox, SandboxFault

ROOT = Path(__file__).parents[2]
SOLUTION = ROOT / "solutions" / "rnn.ipynb"


def with_answers(path: Path, answers: dict[str, str]) -> Path:
    """The solution at *path*, with other answers to some questions."""
    notebook = json.loads(SOLUTION.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["metadata"].get("question"), cell["source"])
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def verdicts(table: str) -> list[tuple[str, bool]]:
    """Question and verdict of each row."""
    rows = (line.split()[:2] for line in table.splitlines() if line.startswith(" q"))
    return [(question, verdict in ("통과", "passed")) for question, verdict in rows]


def otter_verdicts(path: Path) -> list[tuple[str, bool]]:
    """The same from Otter, the cells run one after another whether or not they raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Otter imports uses traits in a deprecated way
        from otter.test_files.exception_test import ExceptionTestFile
    namespace: dict[str, Any] = {}
    found: list[tuple[str, bool]] = []

    def check(question: str) -> None:
        file = ExceptionTestFile.from_file(str(ROOT / "assignment" / "ko" / "tests" / f"{question}.py"))
        file.run(namespace)
        found.extend((question, result.passed) for result in file.test_case_results)

    namespace["grader"] = SimpleNamespace(check=check, check_all=lambda: None, export=lambda **_: None)
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "import otter" not in source:
            with (
                contextlib.suppress(Exception),
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                exec(source, namespace)
    return found


MISTAKES = {
    "q3": "hidden_states, h_n = rnn(batch_emb)",
    "q5": "lstm_states, lstm_h_n = lstm(batch_emb.transpose(0, 1), (h_0, c_0))",
    "q6": "decoded_ids = torch.zeros(max_len, batch.shape[0])",
    "q8": "raise ValueError('\x1b[31mnot yet')",
}


def test_verdicts_are_those_of_otter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Right and wrong answers get the verdicts that `grader.check` gives them, in lines of at most 80 columns."""
    path = with_answers(tmp_path / "rnn.ipynb", MISTAKES)
    assert selfcheck.check(path, "en") == selfcheck.FAILED
    shown = capsys.readouterr().out
    assert verdicts(shown) == otter_verdicts(path)
    assert "`h_n`: expected shape (1, B=10, d_h=512), received (1, 20, 512)." in shown
    assert "ValueError: not yet" in shown
    assert max(map(width, shown.splitlines())) <= 80


def test_solved_notebook_passes_in_its_own_language(capsys: pytest.CaptureFixture[str]) -> None:
    """A file in which all checks pass says so, in the language of its edition, with exit status 0."""
    assert selfcheck.check(SOLUTION, None) == selfcheck.PASSED
    shown = capsys.readouterr().out
    assert {passed for _, passed in verdicts(shown)} == {True}
    assert "점수는 공개하지 않은 검사가" in " ".join(shown.split())
    assert max(map(width, shown.splitlines())) <= 80


def test_only_the_public_checks_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where hidden graders and solution are missing, as with students, and there is no sandbox, the check works."""
    asked = []

    def sandbox(*, isolation: Any) -> Sandbox:
        asked.append(isolation)
        if isolation == "full":
            raise SandboxFault("none here")
        return Sandbox(isolation=isolation)

    monkeypatch.setattr(course, "HIDDEN", tmp_path / "hidden")
    monkeypatch.setattr(course, "REFERENCE", tmp_path / "rnn.ipynb")
    monkeypatch.setattr(selfcheck, "Sandbox", sandbox)
    assert selfcheck.check(ROOT / "assignment" / "en" / "rnn.ipynb", None) == selfcheck.FAILED
    assert asked == ["full", "process"]
    shown = capsys.readouterr().out
    assert {passed for _, passed in verdicts(shown)} == {False}
    assert "`embedding` is still None." in shown


def test_file_runs_in_a_plain_process_where_there_is_no_linux(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On other systems one's own file runs in a fresh interpreter, with the same verdicts."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert selfcheck.check(SOLUTION, "en") == selfcheck.PASSED
    assert "20 of 20 checks passed." in capsys.readouterr().out


def test_nothing_is_imported_that_only_some_systems_have() -> None:
    """Where modules of Unix are missing, as on Windows, one's own file is checked all the same."""
    code = (
        "import platform, sys; platform.system = lambda: 'Windows'; sys.modules.update(fcntl=None, resource=None)\n"
        "from autograder import cli; sys.exit(cli.main(['check', sys.argv[1], '--lang', 'en']))"
    )
    run = subprocess.run([sys.executable, "-c", code, SOLUTION], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (selfcheck.PASSED, "")
    assert "20 of 20 checks passed." in run.stdout


@pytest.mark.parametrize(("name", "content"), [("rnn.ipynb", b"{"), ("rnn.docx", b"PK"), ("rnn.py", b"")])
def test_file_that_is_no_notebook_is_told_so(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unreadable file gets one sentence on standard error, and a status of its own."""
    path = tmp_path / name
    path.write_bytes(content)
    assert selfcheck.check(path, "en") == selfcheck.UNREADABLE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"{path}: ")
