"""The build and what it hands out."""

from __future__ import annotations

import base64
import bz2
import contextlib
import html
import io
import itertools
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest

from autograder.build import __main__ as build
from autograder.build.bundle import bundle
from autograder.build.checks import student_checks
from autograder.build.master import Cell, cells, check_asides, filled, in_language, written
from autograder.build.questions import check_structure, table
from autograder.course import CourseError, questions
from autograder.language import LANGUAGES, Language

ROOT = Path(__file__).parents[2]
QUESTIONS = [question.id for question in questions()]
MASTER = ROOT / "solutions" / "rnn.py"


def notebook(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return loaded


def code_cells(path: str) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook(path)["cells"] if cell["cell_type"] == "code"]


def answer_cells(path: str) -> dict[str, str]:
    found = [cell for cell in notebook(path)["cells"] if "question" in cell["metadata"]]
    assert [cell["metadata"]["question"] for cell in found] == QUESTIONS
    return {cell["metadata"]["question"]: "".join(cell["source"]) for cell in found}


def run_cells(sources: list[str]) -> tuple[dict[str, Any], list[Exception]]:
    """Run cells one after another, as a student does who goes on after an error; what they define, and the errors."""
    namespace: dict[str, Any] = {"grader": Mock()}
    errors = []
    for source in sources:
        if "import otter" in source:
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                exec(source, namespace)
        except Exception as error:
            errors.append(error)
    return namespace, errors


def built_files(folder: Path) -> dict[str, bytes]:
    files = [*(folder / "assignment").rglob("*"), folder / "solutions" / "rnn.ipynb"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.is_file()}


def lines(source: str) -> set[str]:
    """The lines of code in *source*, without indentation, comments and brackets that stand alone."""
    stripped = (line.split("  #")[0].strip() for line in source.splitlines())
    return {line for line in stripped if len(line) > 2 and not line.startswith("#")}


def test_build_writes_what_is_committed(tmp_path: Path) -> None:
    """A build gives the committed files byte for byte and no other checks, also where the locale is not UTF-8."""
    taken_out = tmp_path / "assignment" / "en" / "tests" / "q99.py"
    taken_out.parent.mkdir(parents=True)
    taken_out.write_text("")
    plain = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "autograder.build", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    fresh, committed = built_files(tmp_path), built_files(ROOT)
    stale = sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))
    assert not stale, f"out of date, run `make build`: {stale}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_student_notebook_says_which_edition_it_is(lang: Language) -> None:
    """The notebook's metadata names its language, and its kernel is plain Python."""
    metadata = notebook(f"assignment/{lang}/rnn.ipynb")["metadata"]
    assert metadata["edition"] == lang
    assert metadata["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize("path", ["assignment/ko/rnn.ipynb", "assignment/en/rnn.ipynb", "solutions/rnn.ipynb"])
def test_each_answer_cell_is_followed_by_its_check(path: str) -> None:
    """Every question has one answer cell, and the next code cell is its check."""
    code = [cell for cell in notebook(path)["cells"] if cell["cell_type"] == "code"]
    following = {
        cell["metadata"]["question"]: "".join(after["source"])
        for cell, after in itertools.pairwise(code)
        if "question" in cell["metadata"]
    }
    assert following == {question: f'grader.check("{question}")' for question in QUESTIONS}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_answer_cells_hold_no_line_of_the_answer(lang: Language) -> None:
    """Of an answer cell, students see the lines of its prompt and those around it, and no other line of the answer."""
    handed_out, solved = answer_cells(f"assignment/{lang}/rnn.ipynb"), answer_cells("solutions/rnn.ipynb")
    edition = cells(MASTER, prose=[lang], code=lang, values={lang: {}})
    masters = {cell.role: cell.source for cell in edition if cell.role.startswith("q")}
    for question in QUESTIONS:
        prompt = masters[question].split("# BEGIN SOLUTION")[0] + masters[question].split("# END SOLUTION")[-1]
        given_away = lines(handed_out[question]) & (lines(solved[question]) - lines(prompt))
        assert not given_away, question


def test_nothing_handed_out_holds_a_trace_of_an_answer() -> None:
    """No line of an answer that is not given code too occurs anywhere under assignment/, packed checks included."""
    given = set().union(*(lines(source) for source in code_cells("assignment/ko/rnn.ipynb")))
    needles = set().union(*(lines(source) for source in answer_cells("solutions/rnn.ipynb").values())) - given
    assert len(needles) >= len(QUESTIONS)
    for path in (ROOT / "assignment").rglob("*"):
        if path.is_file():
            content = path.read_text(encoding="utf-8")
            for packed in re.findall(r'public_checks = \\"([^"\\]+)', content):
                content += bz2.decompress(base64.b64decode(packed)).decode()
            content += content.replace('\\"', '"')
            assert not [needle for needle in needles if needle in content], path
            assert "SOLUTION" not in content, path
            assert "PROMPT" not in content, path
            assert not re.search(r"hidden: true|HIDDEN|reference|tests/hidden", content), path


@pytest.mark.parametrize("lang", LANGUAGES)
def test_blank_notebook_raises_only_where_a_none_is_used(lang: Language) -> None:
    """With every TODO open, cells fail for a None or for a name that is left undefined, and for nothing else."""
    _, errors = run_cells(code_cells(f"assignment/{lang}/rnn.ipynb"))
    assert errors
    for error in errors:
        assert isinstance(error, (TypeError, NameError)), repr(error)
        assert re.search("None|not defined", str(error)), repr(error)


OTHER_SIZES = {
    r"data = \[\n.*?\n\]": "data = [[7, 1], [5, 3, 2]]",
    "hidden_size = 512": "hidden_size = 6",
    "embedding_size = 256": "embedding_size = 5",
    "num_layers = 2\n": "num_layers = 4\n",
}


def at_other_sizes(sources: list[str], **others: str) -> list[str]:
    """The cells with the released data and sizes replaced."""
    joined = "\x00".join(sources)
    for released, other in OTHER_SIZES.items():
        joined, count = re.subn(released, others.get(other.split()[0], other), joined, flags=re.DOTALL)
        assert count
    return joined.split("\x00")


def test_solution_runs_at_other_sizes() -> None:
    """The reference and the given cells, pictures included, work with one sequence, other sizes and more layers."""
    namespace, errors = run_cells(at_other_sizes(code_cells("solutions/rnn.ipynb"), data="data = [[5, 3, 2]]"))
    assert not errors
    assert namespace["h_n_by_layer"].shape == (4, 2, 1, 6)
    assert namespace["decoded_ids"].shape == (3, 1)


def labels(picture: Any) -> list[str]:
    """The texts of a picture without its caption, in order.

    It is an image: in a notebook that is not trusted, Jupyter removes SVG and leaves a heap of its texts.
    """
    (image,) = re.findall(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)"', picture._repr_html_())
    drawn = base64.b64decode(image).decode()
    return [html.unescape(label) for label in re.findall(r">([^<>]+)</text>", drawn)][1:]


def test_pictures_show_the_notebooks_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other data and sizes every number in the pictures is another one."""
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    _, errors = run_cells(at_other_sizes(code_cells("solutions/rnn.ipynb")))
    assert not errors
    padding, grid, packing, blocks = map(labels, shown)
    assert [label for label in padding if label.isdigit()] == ["5", "3", "2", "3", "7", "1", "0", "2"]
    assert "t = 0 … 2   (L = 3)" in padding
    assert [label for label in grid if re.search(r"\(\d|at t", label)] == [
        *(f"x at t = {t}" for t in range(3)),
        "hidden_states   (L, B, d_h) = (3, 2, 6)",
        "= (2, 2, 6)",
    ]
    assert packing[:8] == ["5", "7", "2", "0", "3", "1", "2", "1"]
    assert packing[-1] == "B * L = 6  →  sum(batch_lens) = 5"
    assert [label for label in blocks if label.startswith("=")] == ["= (8, 2, 6)", "= (4, 2, 2, 6)"]
    assert sum(label.startswith("layer 3") for label in blocks) == 4


def test_pictures_are_drawn_in_less_than_20_ms() -> None:
    """Drawing costs next to nothing, since the run at the released sizes does it for every submission."""
    sources = code_cells("solutions/rnn.ipynb")
    namespace, _ = run_cells(sources)
    pictures = [source for source in sources if "display(draw_" in source]
    assert len(pictures) == 4
    for source in pictures:
        compiled = compile(source, "picture", "exec")
        started = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compiled, namespace)
        assert time.process_time() - started < 0.02


@pytest.fixture
def otter_present(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Otter that costs no time to import."""
    otter = ModuleType("otter")
    otter.__version__ = "7.0.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "otter", otter)


@pytest.mark.usefixtures("otter_present")
def test_setup_cell_writes_missing_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a notebook without tests/, the set-up cell writes the very files that are handed out."""
    monkeypatch.chdir(tmp_path)
    exec(code_cells("assignment/en/rnn.ipynb")[0], {})
    written = {path.name: path.read_text(encoding="utf-8") for path in Path("tests").iterdir()}
    assert written == student_checks("en")


@pytest.mark.usefixtures("otter_present")
def test_setup_cell_leaves_present_checks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder tests/ that exists, the set-up cell adds what is missing and changes nothing."""
    monkeypatch.chdir(tmp_path)
    Path("tests").mkdir()
    Path("tests", "q1.py").write_text("own")
    exec(code_cells("assignment/en/rnn.ipynb")[0], {})
    assert Path("tests", "q1.py").read_text() == "own"
    assert {path.stem for path in Path("tests").iterdir()} == set(QUESTIONS)


def test_setup_cell_writes_nothing_under_the_grader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the grader's stand-in for Otter, where files cannot or should not be written, the cell does nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "otter", ModuleType("otter"))
    exec(code_cells("assignment/ko/rnn.ipynb")[0], {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tables_give_the_points_of_the_hidden_checks(lang: Language) -> None:
    """README and notebook hold the same table, made from the hidden checks; its total is what the headings promise."""
    prose = "\n".join("".join(cell["source"]) for cell in notebook(f"assignment/{lang}/rnn.ipynb")["cells"])
    readme = (ROOT / "assignment" / lang / "README.md").read_text(encoding="utf-8")
    assert table(lang) in prose
    assert table(lang) in readme
    for question in QUESTIONS:
        source = (ROOT / "tests" / "hidden" / f"test_{question}.py").read_text(encoding="utf-8")
        marked = re.findall(r"points\(([1-9].*)\)\n(?:@.*\n)*def test_\w+\((\w+)", source)
        assert marked, question
        for points, name in marked:
            assert re.search(rf"\| {question} \|.*`{name}`.* {points} [·|]", table(lang))
    promised = [float(points) for points in re.findall(r"### q\d+\b.*\(([\d.]+)(?:점| points?)\)", prose)]
    assert len(promised) == len(QUESTIONS)
    assert re.search(rf"\| (합계|total) \| \| {sum(promised):g} \|", table(lang))
    assert "{{" not in readme


@pytest.mark.parametrize(
    ("lang", "points", "others", "said"),
    [
        ("ko", "({0:g}점)", "({1:g}점)", 'there is "### {2} … ({1:g}점)"'),
        ("en", "({0:g} points)", "({1:g} points)", 'there is "### {2} … ({1:g} points)"'),
        ("en", "({0:g} points)", "(points)", 'wants "### {2} … ({0:g} points)"'),
    ],
)
def test_heading_that_contradicts_the_points_fails_the_build(
    lang: Language, points: str, others: str, said: str
) -> None:
    """The points in a question's heading are those of its hidden checks, or the build says which differ, and where."""
    first = questions()[0]
    points, others, said = (form.format(first.points, first.points + 0.5, first.id) for form in (points, others, said))
    right = cells(MASTER, prose=[lang], code=lang, values={lang: {}})
    check_structure(right, lang)
    wrong = [replace(cell, source=cell.source.replace(points, others)) for cell in right]
    with pytest.raises(CourseError, match=r"at line \d+: " + f".*{re.escape(said)}"):
        check_structure(wrong, lang)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("# %% q3\n", "# %%\n", r'grader.check\("q3"\), where .* an answer cell q3'),
        ("# %% q3\n", "# %% Q3\n", "no kind of cell Q3"),
        ('grader.check("q3")', "pass", r'an answer cell q4, where .* grader.check\("q3"\)'),
        ("NO PROMPT\nhidden", "NO PROMT\nhidden", "PROMPT means nothing here: an answer cell needs the lines"),
        ("# END SOLUTION\n\n# %%\ngrader.check", "\n# %%\ngrader.check", "PROMPT means nothing here"),
        ("\n# {{questions}}", "\n# {{ question }}", "{{ question }} means nothing"),
        ("# embed: handout/set_up.py", "#embed: handout/set_up.py", "#embed: handout/set_up.py means nothing"),
        ("# embed: handout/set_up.py", "# embed: handout/setup.py", "setup.py: No such file"),
        ("None  # TODO", "None", "there is no TODO"),
        ('[markdown] lang="ko"', "[markdown] lang=ko", "lang=ko means nothing"),
        ('[markdown] lang="ko"', '[markdown] lang="jp"', "no edition is in the language 'jp'"),
        ('# %% [markdown] lang="en"\n# Real words', "#\n# Real words", "2 in ko, 1 in en: a text is missing"),
        ("vocab_size = 100", "vocab_size = = 100", "invalid syntax: vocab_size = = 100"),
        ("# ## 마무리\n", "# ## 마무리\n# ![](gates.png)\n", "gates.png is not handed out"),
        ("# ## 마무리\n", "# ## 마무리\n# <img src='gates.png'>\n", "gates.png is not handed out"),
    ],
)
def test_mistake_in_the_master_fails_the_build(
    right: str, wrong: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip is named with the line of its cell: no answer is handed out, no question is without check or text."""
    (tmp_path / "handout").symlink_to(ROOT / "solutions" / "handout")
    (tmp_path / "rnn.py").write_text(MASTER.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(build, "_MASTER", tmp_path / "rnn.py")
    with pytest.raises(CourseError, match=complaint) as told:
        build._edition("ko")
    assert re.match(r"solutions/rnn.py, the cell at line \d+: |.*/handout/", str(told.value))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("\ufeff# %% q1\r\nx = 1\r\n", "x = 1"),
        ("# %% q1\nx = 1\n", "x = 1"),
        ("# %% q1\n# ko:하나\n# en: one\n", "# 하나"),
        ("# %% q1\nx = '하나' # ko\nx = 'one' # en\n", "x = '하나'"),
    ],
)
def test_master_is_read_whatever_editor_saved_it(written: str, meant: str, tmp_path: Path) -> None:
    """A byte order mark, the line ends of Windows and other spaces around a mark change nothing."""
    (tmp_path / "rnn.py").write_bytes(written.encode())
    (cell,) = cells(tmp_path / "rnn.py", prose=["ko"], code="ko", values={"ko": {}})
    assert (cell.role, cell.source) == ("q1", meant)


def test_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    """What an editor saved in the encoding of a Korean Windows is told in a line."""
    (tmp_path / "rnn.py").write_bytes("# 길이\n".encode("cp949"))
    with pytest.raises(CourseError, match=r"rnn\.py: is not saved as UTF-8"):
        cells(tmp_path / "rnn.py", prose=["ko"], code="ko", values={"ko": {}})


def test_embedded_files_and_values_are_filled_in(tmp_path: Path) -> None:
    """A line that embeds a file becomes that file, in the cell's language and with its values."""
    (tmp_path / "tool.py").write_text("word = '하나'  # ko\nword = 'one'  # en\nnames = {{names}}\n", encoding="utf-8")
    (tmp_path / "rnn.py").write_text("# %% picture\n# embed: tool.py\n", encoding="utf-8")
    (cell,) = cells(tmp_path / "rnn.py", prose=["en"], code="en", values={"en": {"names": "[1]"}})
    assert (cell.role, cell.source) == ("picture", "word = 'one'\nnames = [1]")
    assert filled("{{a}} {{b}}", {"a": "1"}) == "1 {{b}}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_errors_stop_no_run_of_all_cells(lang: Language) -> None:
    """Every code cell handed out carries the tag by which Jupyter goes on after an error."""
    code = [cell for cell in notebook(f"assignment/{lang}/rnn.ipynb")["cells"] if cell["cell_type"] == "code"]
    assert all("raises-exception" in cell["metadata"]["tags"] for cell in code)


@pytest.mark.parametrize("visibility", ["visible", "after_published"])
def test_bundle_tells_gradescope_when_results_are_shown(visibility: str) -> None:
    """The visibility that the build was asked for stands in the bundle's program, and nothing is left to fill in."""
    with zipfile.ZipFile(io.BytesIO(bundle(visibility))) as archive:
        program = archive.read("run_autograder").decode()
        setup = archive.read("setup.sh").decode()
    assert f"--visibility={visibility}" in program
    assert "{{" not in program + setup
    assert re.search(r"--no-deps --index-url \S+/cpu .*torch==", setup)


def test_no_cell_needs_an_aside() -> None:
    """What hidden scenarios pass over is known by a tag, and the build refuses one that another cell needs."""
    tagged = [
        cell for cell in notebook("assignment/en/rnn.ipynb")["cells"] if "aside" in cell["metadata"].get("tags", ())
    ]
    assert sum("display(draw_" in "".join(cell["source"]) for cell in tagged) == 4
    assert sum("set_up()" in "".join(cell["source"]) for cell in tagged) == 1
    aside, answer_cell = Cell("code", "steps = 3", "aside"), Cell("code", "x = steps", "q1")
    for other in (answer_cell, Cell("code", "steps = 4", "")):
        with pytest.raises(ValueError, match="steps: bound by an aside"):
            check_asides([aside, other])
    check_asides([aside, Cell("code", "print(steps)", "aside"), Cell("code", "x = 4", "q2")])


def test_comment_lines_are_kept_in_one_language() -> None:
    """A comment marked for one edition loses its mark there and is gone from the other."""
    source = "x = 1\n    # ko: 하나\n    # en: one\ny = 2"
    assert in_language(source, "en") == "x = 1\n    # one\ny = 2"
    assert in_language(source, "ko") == "x = 1\n    # 하나\ny = 2"


def test_lines_of_code_are_kept_in_one_language() -> None:
    """A line of code marked for one edition is there without its mark, and is gone from the other."""
    source = "draw('하나')  # ko\ndraw('one')  # en\nx = 2  # (B, L)"
    assert in_language(source, "en") == "draw('one')\nx = 2  # (B, L)"
    assert in_language(source, "ko") == "draw('하나')\nx = 2  # (B, L)"


def test_answer_is_left_without_prompt_and_markup() -> None:
    """The solution notebook holds an answer as a student would write it."""
    prompt = '""" # BEGIN PROMPT\nb = None\n"""  # END PROMPT\n'
    solution = "# BEGIN SOLUTION NO PROMPT\nb = 2\n# END SOLUTION\n"
    for like in (prompt, prompt.replace('"""  #', '"""; #'), prompt.replace("PROMPT\n", "PROMPT  \n")):
        cell = Cell("code", f"a = 1\n{like}{solution}\nc = 3", "q1")
        assert written(cell, "answer") == "a = 1\nb = 2\n\nc = 3"
        assert written(cell, "prompt") == "a = 1\nb = None\n\nc = 3"
