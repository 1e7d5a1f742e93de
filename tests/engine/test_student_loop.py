"""A student's way through the notebook, in a real kernel: predict, fill in, check, check all, export."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from autograder import course
from autograder.course import corpus
from autograder.language import LANGUAGES, Language

ROOT = Path(__file__).parents[2]
QUESTIONS = [question.id for question in course.questions()]
CHECK_SECONDS = 0.2
SHAPES = ["(10, 20, 256)", "(10.0, 20, 256)", "[10, 20, 256]", "'(10, 20, 256)'", "batch.shape + (256,)"]
"""Of `batch_emb`, as people write it."""
OTTERS_WORDS = re.compile(r"results:|passed!|Test case|message:|Error at line|AssertionError|exported|Click")
"""What Otter says where its words are not replaced."""
SAMPLE = 20
ALONE = {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
"""A kernel that shares its cores with other tests does not wait for its own threads."""


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
        self.manager.start_kernel(env=os.environ | ALONE | {"IPYTHONDIR": str(home)})
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
        return {source: self.run(source) for source in code_of(notebook)}

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == "code"]


def code_of(notebook: Path) -> list[str]:
    return [cell["source"] for cell in cells_of(notebook)]


def hand_out(folder: Path, lang: Language, solved: list[str], *, name: str = "rnn.ipynb") -> Path:
    """The files of an edition in a *folder* of their own, with the answers of *solved* filled in."""
    shutil.copytree(ROOT / "assignment" / lang, folder)
    notebook = json.loads((folder / "rnn.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("question") in solved:
            cell["source"] = corpus.answer(cell["metadata"]["question"])
    (folder / "rnn.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return (folder / "rnn.ipynb").rename(folder / name)


@dataclass
class Loop:
    """Every way through the notebook of one edition."""

    lang: Language
    last: nbformat.NotebookNode = field(default_factory=nbformat.NotebookNode)
    """The last code cell of the blank notebook, after a run of all cells by Jupyter's own rules."""
    blank: dict[str, Output] = field(default_factory=dict)
    half: dict[str, Output] = field(default_factory=dict)
    stale: Output = field(default_factory=Output)
    """The check of q3 after its answer cell, which had passed, ended with an error."""
    outrun: Output = field(default_factory=Output)
    """The check of q3 after its answer cell had passed and the cell of q2 was run again."""
    mended: Output = field(default_factory=Output)
    mistakes: dict[str, Output] = field(default_factory=dict)
    """What the check says of known wrong answers."""
    guessed: list[Output] = field(default_factory=list)
    """The cells of predictions once something was guessed, with no question answered."""
    in_words: list[str] = field(default_factory=list)
    """What is said of the right shape, however it is written."""
    alone: dict[str, Output] = field(default_factory=dict)
    """Solved, renamed, and without the folder of public checks."""
    rebound: str = ""
    """What is shown when names that held a number get a tensor."""
    offline: Output = field(default_factory=Output)
    """The set-up cell where Otter is missing and cannot be installed."""
    alone_files: set[str] = field(default_factory=set)
    export: Path = Path()
    two: dict[str, Output] = field(default_factory=dict)
    """Solved, with a second notebook in the folder."""
    named_export: Output = field(default_factory=Output)
    seconds: list[float] = field(default_factory=list)
    """How long each question's check takes once Otter has warmed up."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One for all ways, since a kernel's imports are what takes time."""
    kernel = Kernel(tmp_path_factory.mktemp("ipython"))
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module", params=LANGUAGES)
def loop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kernel: Kernel) -> Loop:
    return walked(request.param, tmp_path_factory.mktemp(request.param), kernel)


def walked(lang: Language, folder: Path, kernel: Kernel) -> Loop:
    loop = Loop(lang)
    loop.last = all_run(kernel, hand_out(folder / "untouched", lang, []))
    loop.blank = kernel.run_all(hand_out(folder / "blank", lang, []))
    loop.half = kernel.run_all(hand_out(folder / "half", lang, QUESTIONS[:4]))
    answer = "hidden_states, h_n = rnn(batch_emb.transpose(0, 1))"
    kernel.run(answer)
    kernel.run(answer.replace("rnn(", "rnn(oops, "))
    loop.stale = kernel.run('grader.check("q3")')
    kernel.run("num_layers = num_dirs = 1")  # as the cell above q2 has them
    kernel.run(corpus.answer("q2"))
    kernel.run(answer)
    kernel.run(corpus.answer("q2"))
    loop.outrun = kernel.run('grader.check("q3")')
    kernel.run(answer)
    loop.mended = kernel.run('grader.check("q3")')

    alone = hand_out(folder / "alone", lang, QUESTIONS, name="rnn (1).ipynb")
    shutil.rmtree(alone.parent / "tests")
    loop.alone = kernel.run_all(alone)
    loop.alone_files = {path.name for path in (alone.parent / "tests").iterdir()}
    (loop.export,) = alone.parent.glob("*.zip")
    kernel.run("".join(f"{' = '.join(question.names)} = None\n" for question in course.questions()))
    loop.guessed = [kernel.run(source.replace("guess = None", "guess = 2")) for source in predictions(alone)]
    loop.in_words = [kernel.run(f"reveal('batch_emb', {guess})").text for guess in SHAPES]
    kernel.run("count = 0")
    loop.rebound = kernel.run("count = torch.zeros(2)").text
    kernel.run("import sys; there = sys.modules['otter'], sys.executable; sys.modules['otter'] = None")
    kernel.run("sys.executable = '/bin/false'")
    loop.offline = kernel.run(code_of(alone)[0])
    kernel.run("sys.modules['otter'], sys.executable = there")

    two = hand_out(folder / "two", lang, QUESTIONS)
    shutil.copy(two, two.with_name("notes.ipynb"))
    loop.two = kernel.run_all(two)
    loop.named_export = kernel.run('grader.export("rnn.ipynb", pdf=False)')
    kernel.run("import time, timeit")
    for question in QUESTIONS:
        # The least of several is what the check takes, whatever else the machine does.
        repeated = f"timeit.repeat(lambda: grader.check('{question}'), timer=time.process_time, number=1, repeat=3)"
        once = kernel.run(f"min({repeated})")
        loop.seconds.append(float(once.text))
    for mistake in sampled(lang):
        loop.mistakes[mistake.id] = mistaken(kernel, two, mistake)
    return loop


def all_run(kernel: Kernel, path: Path) -> nbformat.NotebookNode:
    """The last code cell after a run of all cells, which ends at an error unless the cell's tags say otherwise."""
    kernel.run(f"import os; os.chdir({str(path.parent)!r}); del os")
    notebook = nbformat.read(path, as_version=4)
    runner = NotebookClient(notebook, km=kernel.manager)
    runner.execute()
    runner.kc.stop_channels()
    return [cell for cell in notebook.cells if cell.cell_type == "code"][-1]


def predictions(notebook: Path) -> list[str]:
    return [source for source in code_of(notebook) if source.startswith("guess = None")]


def sampled(lang: Language) -> list[corpus.Misconception]:
    """A few misconceptions of every question, others in each edition."""
    known = corpus.misconceptions()
    return list(known[LANGUAGES.index(lang) :: len(known) // SAMPLE])


def mistaken(kernel: Kernel, notebook: Path, mistake: corpus.Misconception) -> Output:
    """What the check of its question says of *mistake*, all cells before being right."""
    before = []
    for cell in cells_of(notebook):
        question = cell["metadata"].get("question")
        if question == mistake.question:
            break
        if "aside" not in cell["metadata"]["tags"] and not cell["source"].startswith(("grader.", "import otter")):
            before.append(mistake.answers.get(question, cell["source"]))
    smaller = "\n\n".join(before).replace("hidden_size = 512", "hidden_size = 16")  # soon done
    kernel.run(smaller.replace("embedding_size = 256", "embedding_size = 8"))
    kernel.run(mistake.answers[mistake.question])
    return kernel.run(f'grader.check("{mistake.question}")')


def check(outputs: dict[str, Output], question: str) -> Output:
    return outputs[f'grader.check("{question}")']


@pytest.mark.parametrize("question", QUESTIONS)
def test_blank_question_is_one_line(loop: Loop, question: str) -> None:
    """Before anything is filled in, a check says in one line of the edition's language what has no result."""
    shown = check(loop.blank, question)
    assert not shown.error
    assert re.fullmatch(rf"✗ {question}: `.*(아직 결과가 없습니다|no result yet)\..*", shown.text)
    assert ("아직" in shown.text) == (loop.lang == "ko")
    assert shown.html.count("<br>") == 0


def test_blank_notebook_shows_no_traceback_but_the_students_own(loop: Loop) -> None:
    """Given cells that need an answer stumble over None in their own line; all else goes on or says what is open."""
    for source, shown in loop.blank.items():
        if shown.error:
            assert not re.match(r"grader|import|display|# @title|guess|num_classes|with after", source), source
            assert re.search(r"NoneType|None|not defined", shown.error.splitlines()[-1]), shown.error
            assert "tests/q" not in shown.error


def test_run_all_reaches_the_end_of_a_blank_notebook(loop: Loop) -> None:
    """By their tags, the errors of open questions stop no run of all cells."""
    assert loop.last.outputs
    assert not [output for output in loop.last.outputs if output.output_type == "error"]


def test_half_done_notebook_passes_what_is_done(loop: Loop) -> None:
    """With the first four questions answered, their checks pass and the others fail."""
    assert [check(loop.half, question).text[0] for question in QUESTIONS] == ["✓"] * 4 + ["✗"] * (len(QUESTIONS) - 4)


ASKS = {
    "ko": "guess에 예상을 적은 뒤에 이 셀을 다시 실행해 보세요.",
    "en": "Type what you expect after guess, then run this cell again.",
}
WAITS = {"ko": "{}을 푼 뒤에 이 셀을 다시 실행해 보세요.", "en": "Solve {} first, then run this cell again."}


def test_open_asides_say_so(loop: Loop) -> None:
    """A cell that is only to look at says which question it waits for; a prediction asks for a guess first."""
    looks = {source: shown.text for source, shown in loop.blank.items() if re.search(r'^with after\("q', source, re.M)}
    assert len(looks) >= 7
    for source, text in looks.items():
        (question,) = re.findall(r'^with after\("(q\d)"\):$', source, re.MULTILINE)
        asked = [ASKS[loop.lang]] * ("\nreveal(" in source)
        assert text.splitlines() == [*asked, WAITS[loop.lang].format(question)], source


def test_predictions_are_compared_once_they_are_made(loop: Loop) -> None:
    """No prediction tells the answer before something was guessed; each does afterwards, whatever answers hold."""
    actual = {"ko": "실제", "en": "actual"}[loop.lang]
    assert len(loop.guessed) >= 5
    assert all(actual in shown.text for shown in loop.guessed)
    assert not any(actual in shown.text for shown in loop.alone.values())


def test_right_prediction_is_right_however_it_is_written(loop: Loop) -> None:
    """As a tuple, as a list, in quotes, or as a shape."""
    verdict = {"ko": "맞습니다", "en": "right"}[loop.lang]
    assert all(f": {verdict}. " in text for text in loop.in_words)


def test_names_may_hold_anything_in_turn(loop: Loop) -> None:
    """What is noted of a student's variables shows nothing, whatever they held before."""
    assert loop.rebound == ""


def test_missing_otter_is_told_in_a_sentence(loop: Loop) -> None:
    """Offline, the set-up cell says what to look at, and ends with the error that the README speaks of."""
    assert {"ko": "설치하지 못했습니다", "en": "could not be installed"}[loop.lang] in loop.offline.text
    assert "ModuleNotFoundError" in loop.offline.error


def test_solved_notebook_on_its_own_passes(loop: Loop) -> None:
    """Renamed by a browser and without its checks, the notebook writes them and every cell runs and passes."""
    assert loop.alone_files == {f"{question}.py" for question in QUESTIONS}
    assert not [shown.error for shown in loop.alone.values() if shown.error]
    for question in QUESTIONS:
        assert check(loop.alone, question).text.startswith(f"✓ {question} ")
    assert loop.alone["grader.check_all()"].text.count("✓") == len(QUESTIONS)


def test_passed_check_says_what_it_did_not_look_at(loop: Loop) -> None:
    """Who passes reads what was looked at, and what was not."""
    not_seen = {"ko": "보지 않았습니다", "en": "Not looked at"}[loop.lang]
    for question in QUESTIONS:
        assert not_seen in check(loop.alone, question).text
        assert not_seen in check(loop.alone, question).html


def test_check_warns_of_old_values(loop: Loop) -> None:
    """After an answer cell that ended with an error, or was outrun, its check says so, until it is run again."""
    assert loop.stale.text.startswith("⚠ q3: ")
    assert "⚠" in loop.stale.html
    (warning,) = (line for line in loop.outrun.text.splitlines() if "⚠" in line)
    assert "`rnn`" in warning
    assert "batch" not in warning
    assert loop.mended.text.startswith("✓")
    assert "⚠" not in loop.mended.text
    assert not any("⚠" in check(loop.blank, question).text for question in QUESTIONS)


def test_each_failure_is_told_once(loop: Loop) -> None:
    """Of every known mistake that the checks see, one failure is told: expected, received, one hint."""
    told = [shown for shown in loop.mistakes.values() if "✗" in shown.text]
    assert len(told) >= 0.8 * len(loop.mistakes) >= 0.8 * SAMPLE
    for shown in told:
        lines = shown.text.splitlines()
        assert len(lines) == len(set(lines)) <= 3, shown.text
        assert sum(line.startswith("✗") for line in lines) == 1
        assert shown.html.count("<br>") == len(lines) - 1


def test_nothing_of_otters_english_is_shown(loop: Loop) -> None:
    """Verdicts are in our words, in the edition's language, as text and as HTML."""
    ways = [loop.blank, loop.half, loop.alone, loop.mistakes]
    for source, shown in [item for way in ways for item in way.items()]:
        if not shown.error:
            assert not OTTERS_WORDS.search(shown.text + shown.html), source


def test_second_notebook_in_the_folder_disturbs_the_export_only(loop: Loop) -> None:
    """Beside another notebook all checks pass; the export asks which one, and takes the name that the text gives."""
    errors = {source: shown.error for source, shown in loop.two.items() if shown.error}
    assert [source.splitlines()[0] for source in errors] == ["grader.export(pdf=False, display_link=False)"]
    assert next(iter(errors.values())).endswith("Could not resolve notebook path")
    assert loop.two["grader.check_all()"].text.count("✓") == len(QUESTIONS)
    assert not loop.named_export.error
    assert ".zip" in loop.named_export.html


def test_each_check_answers_at_once(loop: Loop) -> None:
    """After the first, no check keeps a student waiting."""
    assert max(loop.seconds) < CHECK_SECONDS


def test_exported_zip_holds_the_notebook(loop: Loop) -> None:
    """What the last cell of a solved notebook exports is the notebook as it was saved."""
    with zipfile.ZipFile(loop.export) as archive:
        assert archive.read("rnn (1).ipynb") == (loop.export.parent / "rnn (1).ipynb").read_bytes()
