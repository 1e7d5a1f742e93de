"""A student's way through the notebook, in a real kernel: fill in, check, check all, export, and be graded."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from autograder.pool import Pool
from autograder.records import Submission
from autograder.text import LANGUAGES, Language

ROOT = Path(__file__).parents[2]
QUESTIONS = [f"q{number}" for number in range(1, 9)]
CHECK_SECONDS = 0.2


@dataclass
class Output:
    """What a cell shows."""

    text: str = ""
    """Results as plain text."""
    html: str = ""
    error: str = ""
    """The traceback, without colours."""


class Kernel:
    """A Jupyter kernel that goes from one folder to the next, each time as if it had been restarted."""

    def __init__(self, home: Path) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel(env=os.environ | {"PYTHONUTF8": "1", "IPYTHONDIR": str(home)})
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, source: str) -> Output:
        shown = Output()

        def show(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] in ("execute_result", "display_data"):
                shown.text += content["data"].get("text/plain", "")
                shown.html += content["data"].get("text/html", "")
            elif message["msg_type"] == "stream":
                shown.text += content["text"]
            elif message["msg_type"] == "error":
                shown.error = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(content["traceback"]))

        self.client.execute_interactive(source, output_hook=show, allow_stdin=False, timeout=60)
        return shown

    def run_all(self, notebook: Path) -> dict[str, Output]:
        """The outputs of all cells by their source, run in the notebook's folder; errors stop nothing."""
        self.run("%reset -f")
        self.run(f"import os; os.chdir({str(notebook.parent)!r}); del os")
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return {source: self.run(source) for source in map(source_of, cells_of("code", cells))}

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def cells_of(kind: str, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["cell_type"] == kind]


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def hand_out(folder: Path, lang: Language, solved: list[str], *, name: str = "rnn.ipynb") -> Path:
    """The files of an edition in a *folder* of their own, with the answers of *solved* filled in."""
    shutil.copytree(ROOT / "assignment" / lang, folder)
    solution = json.loads((ROOT / "solutions" / "rnn.ipynb").read_text(encoding="utf-8"))
    answers = {cell["metadata"].get("question"): cell["source"] for cell in solution["cells"]}
    notebook = json.loads((folder / "rnn.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("question") in solved:
            cell["source"] = answers[cell["metadata"]["question"]]
    (folder / "rnn.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return (folder / "rnn.ipynb").rename(folder / name)


@dataclass
class Loop:
    """Every way through the notebook of one edition."""

    lang: Language
    blank: dict[str, Output] = field(default_factory=dict)
    half: dict[str, Output] = field(default_factory=dict)
    alone: dict[str, Output] = field(default_factory=dict)
    """Solved, renamed, and without the folder of public checks."""
    alone_files: set[str] = field(default_factory=set)
    export: Path = Path()
    two: dict[str, Output] = field(default_factory=dict)
    """Solved, with a second notebook in the folder."""
    named_export: Output = field(default_factory=Output)
    seconds: list[float] = field(default_factory=list)
    """How long each question's check takes once Otter has warmed up."""


@pytest.fixture(scope="module", params=LANGUAGES)
def loop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """All ways in one kernel, since a kernel's imports are what takes time."""
    return walked(request.param, tmp_path_factory.mktemp(request.param))


def walked(lang: Language, folder: Path) -> Loop:
    loop, kernel = Loop(lang), Kernel(folder / "ipython")
    try:
        loop.blank = kernel.run_all(hand_out(folder / "blank", lang, []))
        loop.half = kernel.run_all(hand_out(folder / "half", lang, QUESTIONS[:4]))

        alone = hand_out(folder / "alone", lang, QUESTIONS, name="rnn (1).ipynb")
        shutil.rmtree(alone.parent / "tests")
        loop.alone = kernel.run_all(alone)
        loop.alone_files = {path.name for path in (alone.parent / "tests").iterdir()}
        (loop.export,) = alone.parent.glob("*.zip")

        two = hand_out(folder / "two", lang, QUESTIONS)
        shutil.copy(two, two.with_name("notes.ipynb"))
        loop.two = kernel.run_all(two)
        loop.named_export = kernel.run('grader.export("rnn.ipynb", pdf=False)')
        kernel.run("import time, timeit")
        for question in QUESTIONS:
            # The least of several is what the check takes, whatever else the machine does.
            once = kernel.run(f"min(timeit.repeat(lambda: grader.check('{question}'), number=1, repeat=3))")
            loop.seconds.append(float(once.text))
    finally:
        kernel.stop()
    return loop


def check(outputs: dict[str, Output], question: str) -> Output:
    return outputs[f'grader.check("{question}")']


@pytest.mark.parametrize("question", QUESTIONS)
def test_blank_question_fails_and_says_what_to_do(loop: Loop, question: str) -> None:
    """Before anything is filled in, every check fails by a sentence in the edition's language, above any code."""
    shown = check(loop.blank, question)
    assert not shown.error
    for form in (shown.text, shown.html):
        told = form[: form.index("Error at line")]
        assert "❌" in form
        assert re.search(r"None입니다|기대한" if loop.lang == "ko" else r"is still None|expected", told)


def test_blank_notebook_shows_no_traceback_but_the_students_own(loop: Loop) -> None:
    """Given cells that need an answer stumble over None in their own line; checks, set-up and pictures never do."""
    for source, shown in loop.blank.items():
        if shown.error:
            assert not re.match(r"grader|import|display|# @title", source), source
            assert re.search(r"NoneType|None|not defined", shown.error.splitlines()[-1]), shown.error
            assert "tests/q" not in shown.error


def test_half_done_notebook_passes_what_is_done(loop: Loop) -> None:
    """With the first four questions answered, their checks pass and the others fail."""
    verdicts = [check(loop.half, question).text for question in QUESTIONS]
    assert ["All test cases passed!" in verdict for verdict in verdicts] == [True] * 4 + [False] * 4


def test_solved_notebook_on_its_own_passes(loop: Loop) -> None:
    """Renamed by a browser and without its checks, the notebook writes them and every cell runs and passes."""
    assert loop.alone_files == {f"{question}.py" for question in QUESTIONS}
    assert not [shown.error for shown in loop.alone.values() if shown.error]
    for question in QUESTIONS:
        assert check(loop.alone, question).text == f"{question} results: All test cases passed!"
    assert loop.alone["grader.check_all()"].text.count("All test cases passed!") == len(QUESTIONS)


def test_second_notebook_in_the_folder_disturbs_the_export_only(loop: Loop) -> None:
    """Beside another notebook all checks pass; the export asks which one, and takes the name that the text gives."""
    errors = {source: shown.error for source, shown in loop.two.items() if shown.error}
    assert list(errors) == ["grader.export(pdf=False)"]
    assert errors["grader.export(pdf=False)"].endswith("Could not resolve notebook path")
    assert loop.two["grader.check_all()"].text.count("All test cases passed!") == len(QUESTIONS)
    assert not loop.named_export.error
    assert ".zip" in loop.named_export.html


def test_each_check_answers_at_once(loop: Loop) -> None:
    """After the first, no check keeps a student waiting."""
    assert max(loop.seconds) < CHECK_SECONDS


def test_exported_zip_earns_everything(loop: Loop) -> None:
    """What the last cell of a solved notebook exports is graded 100, in the edition's language."""
    with Pool(workers=1) as pool:
        ((_, result),) = pool.grade([Submission(loop.export.name, "student", loop.export.read_bytes())])
    assert (result.grade.status, result.grade.score, result.grade.lang) == ("graded", 100.0, loop.lang)
