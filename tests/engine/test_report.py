"""What people read: true to what was found, harmless, complete, and readable for everybody."""

from __future__ import annotations

import ast
import base64
import functools
import hashlib
import itertools
import json
import re
import shutil
import string
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import course
from autograder.course.corpus import misconceptions
from autograder.grade import (
    Adjustment,
    Difference,
    Example,
    Note,
    OwnCell,
    QuestionGrade,
    Row,
    Status,
)
from autograder.intake import SetAside
from autograder.language import LANGUAGES, Language, speaking
from autograder.report import words
from autograder.report.pages import feedback_page, report_page, titles
from autograder.report.pictures import grids
from autograder.report.summary import Summary, anonymous
from autograder.report.words import one_line, plain

from . import sample_grades as samples

PACKAGE = Path(words.__file__).parent.parent
STYLE = (PACKAGE / "report" / "style.css").read_text(encoding="utf-8")
VOID = {"br", "col", "hr", "input", "link", "meta", "rect", "circle", "path"}


@pytest.fixture(autouse=True)
def shown_examples() -> Iterator[None]:
    """The sample grades have a shown example of their own."""
    titles.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "shown_examples", lambda: samples.EXAMPLES)
        yield
    titles.cache_clear()


class Page(HTMLParser):
    """The tags, attributes and text of a page. Tags that are not closed in order are an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["style"], ["script"]):
            self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [has for name, has in self.elements if name == tag and attributes.items() <= has.items()]


def feedback(row: Row, back: str = "") -> Page:
    return Page(feedback_page(row, back))


def link(row: Row) -> str:
    return f"feedback/{len(row.submission)}.html" if row.submission else ""


def report(rows: list[Row], lang: Language = "en", set_aside: Sequence[SetAside] = ()) -> Page:
    return Page("".join(report_page(rows, set_aside, link, lang)))


# Words


MAKERS = {"Note", "Mismatch"}
"""What is called with a kind of note."""


def _notes(path: Path) -> Iterator[str]:
    """The kinds of the notes that a module makes, as far as they are written out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=made), args=[ast.Constant(value=str(kind)), *_]) if made in MAKERS:
                yield kind
                if made == "Mismatch":
                    yield f"hidden-{kind}"


def test_every_kind_of_note_in_the_code_has_words_in_both_languages() -> None:
    """No kind is left to a general sentence, and none has words in one language only."""
    made = {kind: path for path in PACKAGE.rglob("*.py") for kind in _notes(path)}
    assert "stopped" in made
    assert {kind: path.name for kind, path in made.items() if kind not in words.KINDS} == {}
    for kind, said in words.KINDS.items():
        assert said.keys() == set(LANGUAGES), kind
        assert all(re.search(r"[.}]$", sentence) for sentence in said.values()), kind


NO_KINDS = {"rnn-autograder", "dist-packages", "site-packages"}
"""Names of folders that look like kinds."""


@pytest.mark.parametrize("area", ["course", "grading", "intake", "classroom"])
def test_kinds_that_are_handed_on_have_words_too(area: str) -> None:
    """Whatever is written as a kind is, wherever it becomes a note, has a sentence; so has why another file counted."""
    known = {*words.KINDS, *words.WHY, *get_args(Status), *NO_KINDS}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (PACKAGE / area).glob("*.py")]
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    kinds = {text for text in texts if isinstance(text, str) and re.fullmatch("[a-z]+(-[a-z]+)+", text)}
    assert kinds - known - words.WHERE.keys() == set()


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


def test_sentences_name_the_same_things_in_both_languages() -> None:
    """What one language tells, the other does."""
    assert {kind for kind, said in words.KINDS.items() if _fields(said["ko"]) != _fields(said["en"])} == set()


def test_of_hidden_scenarios_no_value_is_told() -> None:
    """A hidden finding names the student's variable and nothing else."""
    hidden = [said for kind, said in words.KINDS.items() if kind.startswith("hidden-")]
    assert len(hidden) > 8
    assert set().union(*(_fields(sentence) for said in hidden for sentence in said.values())) == {"name"}


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_status_has_a_word_and_all_but_graded_a_sentence(status: Status, lang: Language) -> None:
    """Whatever was not simply graded is explained."""
    with speaking(lang):
        assert words.status_word(status)
        assert bool(words.status_sentence(status)) == (status != "graded")


def english(note: Note, cells: dict[int, str] | None = None) -> str:
    with speaking("en"):
        return words.sentence(note, cells)


def test_a_shape_is_told_with_its_axes_and_in_either_layout() -> None:
    """The expected sizes are named; one layout or the other is right."""
    (difference, _) = samples.q3().example.differences  # type: ignore[union-attr]
    assert english(difference.note) == (
        "`hidden_states` should have the shape `(L=5, B=3, d_h=4)` or `(B=3, L=5, d_h=4)`; it has `(3, 5, 4)`."
    )


def test_a_class_of_the_same_name_is_told_apart() -> None:
    """Nobody reads "expected nn.RNN, received RNN"."""
    note = Note("namesake", {"name": "rnn", "expected": "nn.RNN", "received": "RNN"})
    assert english(note) == "The class of `rnn` shares no more than its name with PyTorch's `nn.RNN`."


def test_places_are_named_as_the_notebook_shows_them() -> None:
    """A line of an answer is named by its question, another by its cell."""
    note = Note("typed-size", {"number": 256, "cell": 7, "line": 2})
    assert english(note, {7: "q2"}).startswith("Answer to q2, line 2: the number `256` is typed in.")
    assert english(note).startswith("Code cell 7, line 2:")


def test_line_of_a_cell_that_answers_several_questions_is_named_by_the_question_it_is_told_with() -> None:
    """A number typed in for q2 does not stand in the answer to q3; and lines are counted from where the code begins."""
    row = samples.row(lang="en")
    q2, q3 = (replace(one, cells=(OwnCell(10, "rnn = nn.RNN(\n    256)", 6),)) for one in row.grade.questions[1:3])
    q2 = replace(q2, notes=(Note("typed-size", {"number": 256, "cell": 10, "line": 7}),))
    page = feedback(samples.with_questions(row, q2, q3))
    assert "Answer to q2, line 7: the number" in page.text
    assert '<pre style="counter-reset: line 5"><code><span>rnn = nn.RNN(\n</span><span class="at">' in page.html


def test_where_values_differ_is_said() -> None:
    """The note's `where` becomes a sentence of its own."""
    note = Note("values", {"name": "decoded_ids", "where": "step", "step": 2})
    assert english(note) == "`decoded_ids` holds other values than it should. They first differ at t=2."


def test_sequences_that_differ_are_called_so() -> None:
    """The rows of `decoded_ids` are steps, as hints have it, and its columns are sequences."""
    rows = Note("values", {"name": "decoded_ids", "where": "rows", "rows": [0, 2]})
    assert english(rows).endswith("Sequences that differ: b = 0, 2.")


@given(st.text(), st.lists(st.text(), max_size=30))
def test_what_a_note_speaks_of_cannot_break_its_sentence(name: str, names: list[str]) -> None:
    """Sentences stay one line of bounded length, whatever they name."""
    for note in (Note("missing", {"name": name * 50}), Note("given-changed", {"names": names})):
        said = english(note)
        assert len(said) < 2_000
        assert said == plain(said).replace("\n", "").replace("\t", "")


def test_control_and_direction_characters_are_replaced() -> None:
    """Nothing that moves a cursor, changes direction or breaks an encoding is left."""
    assert plain("a\x1b\u202e\ud800\x00b\t\r\nc") == "a\ufffd\ufffd\ufffd\ufffdb\t\nc"
    assert one_line(" a\x1b[31m red\x1b[0m\n\x1b]0;title\x07b ") == "a red b"


# Pictures


def _differences() -> list[Difference]:
    examples = [answer.example for answer in samples.row().grade.questions]
    return [difference for example in examples if example for difference in example.differences]


def _flat(nested: Any) -> list[Any]:
    return [leaf for part in nested for leaf in _flat(part)] if isinstance(nested, (list, tuple)) else [nested]


def _bold(svg: str) -> list[tuple[str, bool]]:
    """The numbers of a picture, and whether each is marked."""
    numbers = []
    for line in re.findall(r"<text [^>]*textLength[^>]*>(.*?)</text>", svg):
        for bold, run in re.findall(r"(<tspan>)?([^<]+)", re.sub(r"</tspan>", "<", line)):
            numbers += [(number, bool(bold)) for number in run.split()]
    return numbers


@pytest.mark.parametrize("difference", [d for d in _differences() if d.wrong], ids=lambda d: d.name)
def test_what_is_marked_is_what_differs(difference: Difference) -> None:
    """Bold numbers and corner marks stand where the values differ; blocks without any are left out."""
    expected, received = grids(difference)
    shown = [_bold(grid.drawn) for grid in (expected, received)]
    written = [f"{n:.3f}" if isinstance(n, float) else str(n) for n in _flat(difference.received.numbers)]
    pairs = list(zip(written, _flat(difference.wrong), strict=True))
    assert [pair for pair in shown[1] if pair[1]] == [pair for pair in pairs if pair[1]]
    assert [wrong for _, wrong in shown[0]] == [wrong for _, wrong in shown[1]]
    for grid in (expected, received):
        corners = re.search(r'class="mark" d="([^"]*)"', grid.drawn)
        assert corners
        assert corners[1].count("z") == sum(wrong for _, wrong in pairs)


def test_pictures_of_another_shape_mark_nothing() -> None:
    """Where the shapes differ, both are shown as they are; what came has no names of axes."""
    (difference, _) = samples.q3().example.differences  # type: ignore[union-attr]
    expected, received = grids(difference)
    assert (expected.shape, received.shape) == ("shape = (L=5, B=3, d_h=4)", "shape = (3, 5, 4)")
    assert 'class="mark"' not in expected.drawn + received.drawn
    assert "t=0" in expected.drawn
    assert "t=0" not in received.drawn


def test_the_first_departing_step_of_a_decoding_is_pointed_at() -> None:
    """The first line that differs carries an arrow."""
    decoding = next(d for d in _differences() if d.name == "decoded_ids")
    assert re.findall("▸t=.", grids(decoding)[1].drawn) == ["▸t=2"]


def test_rows_of_a_packed_sequence_stand_below_their_step() -> None:
    """A PackedSequence is told with its batch sizes, and each row below its step."""
    packing = next(d for d in _differences() if d.name == "packed_batch")
    for grid, sizes in zip(grids(packing), (packing.expected.batch_sizes, packing.received.batch_sizes), strict=True):
        assert f"batch_sizes = {sizes}" in grid.shape
        steps = [int(y) for y in re.findall(r'y="(\d+)">t=\d', grid.drawn)]
        rows = [int(y) for y in re.findall(r'y="(\d+)" textLength', grid.drawn)]
        below = [sum(start < row < end for row in rows) for start, end in itertools.pairwise(steps)]
        assert below[:2] == [*sizes[:2]]


def test_reach_marks_the_places_that_disagree() -> None:
    """A place that moves and must not, or the other way round, has a corner mark in both halves, in either layout."""
    (reach,) = samples.q7().example.reach  # type: ignore[union-attr]
    moved, expected = ([list(zip(*places, strict=True))] for places in (reach.moved, reach.expected))
    turned = replace(reach, moved=moved[0], expected=expected[0], symbols="B L num_dirs*d_h")
    for either in (reach, turned):
        may, does = grids(either)
        assert (may.drawn.count("●"), does.drawn.count("●")) == (3, 5)
        assert (may.drawn.count("v7l-7-7z"), does.drawn.count("v7l-7-7z")) == (2, 2)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats(), lambda s: st.lists(s, min_size=1, max_size=3))
)
def test_any_numbers_can_be_drawn(number: Any) -> None:
    """Huge, missing and non-finite numbers have a short form."""
    held = [list(_flat(number))]
    (_, received) = grids(samples.values_differ("x", "1 B", held, held))
    assert max(len(shown) for shown, _ in _bold(received.drawn)) <= 9


# The student's page


def test_the_page_tells_checks_scenarios_hints_remarks_and_errors() -> None:
    """All that was found is told, in the page's language."""
    page = feedback(samples.row(lang="en"))
    hints = {known.id: known.hints["en"] for known in misconceptions()}
    for part in (
        *("embedding_size", "4 / 10", "batch_emb: its values are not what was expected.", "a single sequence (B = 1)"),
        *(hints["batch-axis-as-time"], "Answer to q4, line 2: NameError: name 'hiden_size' is not defined"),
        *("max_len, batch", "three sequences of lengths 5, 3 and 2", "hidden_states, h_n = rnn(batch_emb)"),
    ):
        assert part in page.text
    assert page.all("html", lang="en")


def test_lines_that_are_spoken_of_are_marked() -> None:
    """The line of an error and that of a typed number stand out in the student's own cell."""
    marked = re.findall(r'<span class="at">(.*)', feedback(samples.row()).html)
    assert marked == ["    input_size=256,", "lstm = nn.LSTM(embedding_size, hiden_size)"]


def test_a_page_survives_being_stored() -> None:
    """A grade read back from the gradebook, with lists for tuples, makes the same page."""
    row = samples.row()
    read = msgspec.json.decode(msgspec.json.encode(row), type=Row)
    assert feedback(read).html == feedback(row).html


def test_a_blank_notebook_has_one_line_a_question() -> None:
    """Nobody reads a page of failures for what was not begun, or stands under other names than it was to have."""
    row = samples.row()
    blank = feedback(samples.with_questions(row, *map(samples.blank, row.grade.questions)))
    assert blank.text.count("아직 답이 없습니다.") == 8
    assert "답을 담을 이름: lstm_states, lstm_h_n, c_n" in blank.text
    assert not blank.all("ul")
    assert not blank.all("svg")


def test_a_check_without_points_is_neutral() -> None:
    """No red cross stands where nothing was lost."""
    page = feedback(samples.row())
    neutral = page.html[page.html.index('<li class="neutral">') :]
    assert "참고" in neutral[:300]
    assert "✗" not in neutral[: neutral.index("</li>")]


def test_an_unknown_edition_gets_both_languages() -> None:
    """Korean comes first, then English, each marked with its language and with anchors of its own."""
    page = feedback(samples.row(lang=None))
    assert [has["lang"] for has in page.all("article")] == ["ko", "en"]
    ids = [has["id"] for _, has in page.elements if has.get("id")]
    assert len(ids) == len(set(ids))
    assert "내가 쓴 답" in page.text
    assert "Your answer" in page.text


def test_adjustments_and_circumstances_are_shown() -> None:
    """Which file counted, when, that it was late, and what was changed by hand."""
    adjustments = (
        Adjustment("x", "q3", 5.0, "office hours", relative=True),
        Adjustment("x", "", 0.0, "", kind="excuse"),
    )
    row = samples.row(lang="en", time="2026-11-20T23:41", attempts=2, late=True, adjustments=adjustments)
    page = feedback(row, back="../report.html")
    for part in ("김하늘_rnn.ipynb", "2026-11-20 23:41", "attempt 2", "late", "q3: +5 points (office hours)"):
        assert part in page.text
    assert "Adjusted excused" in page.text
    assert page.all("a", href="../report.html")
    assert not feedback(row).all("a", href="../report.html")


def test_the_graders_own_fault_is_told_without_detail() -> None:
    """What could not be graded is explained, and nothing is blamed on the student."""
    row = samples.without_score()
    page = feedback(replace(row, grade=replace(row.grade, lang="en", detail=Note("empty-file"))))
    assert "no fault of your code" in page.text
    assert "The file is empty" not in page.text


def test_of_an_unreadable_file_no_question_is_spoken_of() -> None:
    """Whoever handed in a broken file reads what is wrong with the file, not that there are no answers."""
    row = samples.row(lang="en")
    questions = tuple(QuestionGrade(answer.question, answer.points, 0.0) for answer in row.grade.questions)
    detail = Note("zip-password")
    grade = replace(row.grade, status="unreadable", score=0.0, questions=questions, detail=detail, remarks=())
    page = feedback(replace(row, grade=grade))
    assert "The zip has a password." in page.text
    assert "There is no answer yet." not in page.text


def _long(answer: QuestionGrade) -> QuestionGrade:
    """The same with as much as a student can make of it."""
    cells = tuple(OwnCell(number, "&'\"<가\n" * 5_000) for number in range(1, 4))
    big = samples.values_differ("x" * 500, "L B d_h", samples.numbers(5, 3, 20), samples.numbers(5, 3, 20, seed=1))
    return replace(answer, cells=cells, example=Example("uneven", (big,) * 4))


@pytest.mark.parametrize("lang", [None, "ko"])
def test_no_page_is_larger_than_150_kilobytes(lang: Language | None) -> None:
    """Whatever students write, a page stays small, and says that code was left out."""
    row = samples.row(lang=lang)
    hostile = feedback(samples.with_questions(row, *map(_long, row.grade.questions)))
    assert len(hostile.html.encode()) < 150_000
    assert "길어서 싣지 않았습니다." in hostile.text
    assert len(feedback(row).html.encode()) < 150_000


# The class report


def scored(*scores: float) -> list[Row]:
    """People who got so much of q6 and nothing else."""
    question = samples.q6()
    answers = [replace(question, score=score, checks=()) for score in scores]
    return [samples.with_questions(samples.row(str(n)), answer) for n, answer in enumerate(answers)]


def test_the_summary_counts_people_with_a_score_only() -> None:
    """What has no score counts among the people but in no mean."""
    summary = Summary([*scored(0, 10, 20), samples.without_score()])
    assert (summary.people, summary.mean, summary.median, sum(summary.bins)) == (4, 10.0, 10.0, 3)
    assert "mean of 3 with a score" in report([*scored(0, 10, 20), samples.without_score()]).text


def test_discrimination_compares_the_best_quarter_with_the_weakest() -> None:
    """A question that all of the best and none of the weakest solve has 1; of too few people nothing is said."""
    found = Summary(scored(0, 0, 5, 9, 12, 14, 20, 20)).questions
    q6 = next(of for of in found if of.question.id == "q6")
    assert (q6.discrimination, q6.mean, q6.full_marks) == (1.0, 10.0, 2)
    few = Summary(scored(0, 20)).questions
    assert {question.discrimination for question in few} == {None}


def test_adjustments_count_in_the_report() -> None:
    """The class report speaks of the grades that people get."""
    (row,) = scored(0)
    adjusted = replace(row, adjustments=(Adjustment("0", "q6", 20.0, "x"),))
    assert Summary([adjusted]).mean == 20.0


def test_equal_mistakes_are_gathered() -> None:
    """Wrong answers that nothing explains are told once for all who behave alike, the commonest first."""
    rows = [samples.row("a"), samples.row("b"), *scored(0)]
    summary = Summary(rows)
    assert [(seen.answer.misconception, seen.count) for seen in summary.commonest(explained=True)] == [
        ("batch-axis-as-time", 2),
        ("every-length-is-the-longest", 2),
    ]
    assert [(seen.answer.question, seen.count) for seen in summary.commonest(explained=False)][:2] == [
        ("q6", 3),
        ("q1", 2),
    ]


def test_an_answer_is_shown_without_its_author() -> None:
    """Comments and strings could name somebody; code that cannot be read is not shown."""
    source = '# by Kim Ha-neul\nx = "Kim" + f"{y} Kim"  # Kim\n"""Kim"""\n'
    assert anonymous([OwnCell(1, source)]) == "x = '…' + f'{y}…'\n'…'"
    assert anonymous([OwnCell(1, "%time x = 'Kim'")]) == ""
    assert anonymous([OwnCell(1, "x = " + "(" * 5_000)]) == ""
    assert anonymous([OwnCell(1, "-" * 15_000 + "1")]) == ""


def test_the_report_lists_everybody_with_flags_and_links() -> None:
    """Everybody has a line; a link leads to each page there is; what needs a look is flagged."""
    rows = [*samples.class_of(50)]
    other = replace(rows[0], grade=replace(rows[0].grade, remarks=(Note("other-assignment"),)))
    page = report([other, *rows[1:]], set_aside=[SetAside("notes.txt", Note("empty-file"))])
    lines = re.findall(r'<tr><th scope="row">', page.html)
    assert len(lines) == len(rows) == 52
    assert page.all("a", href=link(rows[0]))
    for flag in ("wrong assignment?", "stopped", "not graded yet", "not handed in", "adjusted", "late", "notes.txt"):
        assert flag in page.text


def test_the_report_speaks_korean_too() -> None:
    """With another language it says the same."""
    page = report([*samples.class_of(10)], "ko")
    assert page.all("html", lang="ko")
    assert "변별도" in page.text
    assert "discrimination" not in page.text


def test_the_report_takes_less_than_three_kilobytes_a_person() -> None:
    """A class of 1,000 makes at most 3 MB."""
    rows = [*samples.class_of(200)]
    assert len(report(rows).html.encode()) < 3_000 * len(rows)


def test_the_report_of_nobody_is_a_page() -> None:
    """A class in which nothing could be graded has a report, too."""
    assert "not graded yet" in report([samples.without_score()]).text
    assert report([]).all("main")


# Both


@functools.cache
def _pages() -> dict[str, Page]:
    evil = samples.evil_row()
    return {
        "feedback": feedback(samples.row()),
        "both": feedback(samples.row(lang=None)),
        "hostile": feedback(evil),
        "report": report([*samples.class_of(30)], set_aside=[SetAside(samples.EVIL, Note("empty-file"))]),
        "hostile report": report([evil], set_aside=[SetAside(samples.EVIL, Note("missing", {"name": samples.EVIL}))]),
    }


@pytest.mark.parametrize("kind", ["feedback", "both", "hostile", "report", "hostile report"])
def test_pages_have_a_structure_that_can_be_heard(kind: str) -> None:
    """One main part, headings without gaps, headers with a scope, described pictures, labelled fields."""
    page = _pages()[kind]
    assert len(page.all("main")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(has.get("scope") in ("col", "row") for has in page.all("th"))
    assert all(has.get("role") == "img" for has in page.all("svg"))
    assert page.html.count("<svg") == len(re.findall(r"<svg [^>]*><title>[^<]+</title>", page.html))
    assert len(page.all("input")) == len(page.all("label", **{"for": "find"}))


@pytest.mark.parametrize("kind", ["hostile", "hostile report"])
def test_pages_escape_everything_and_load_nothing(kind: str) -> None:
    """Text of a student's is never markup, and a page asks no server for anything and runs no other script."""
    page = _pages()[kind]
    assert not {"img", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not [key for _, has in page.elements for key in has if key.startswith("on") or key == "src"]
    assert not re.search(r"https?:|url\(|@import", page.html)
    assert not re.search("[\x1b\u202e\ud800]", page.html)
    (policy,) = (has["content"] for has in page.all("meta", **{"http-equiv": "Content-Security-Policy"}))
    scripts = re.findall("<script>(.*?)</script>", page.html, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = "".join(f"; script-src 'sha256-{digest}'" for digest in hashes)
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'{allowed}"


def _contrast(one: str, other: str) -> float:
    """How far two colours stand apart, from 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#") if len(colour) == 7 else "".join(2 * digit for digit in colour.lstrip("#"))
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(theme: int) -> None:
    """Every text colour has a contrast of at least 4.5 (WCAG 2.2, 1.4.3) with every ground that it is set on."""
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", STYLE.split(":root {")[theme + 1].split("}")[0]))
    grounds = {"ground", "panel", "code", "bad-tint", "hint-tint"}
    for ink in ("ink", "soft", "good", "bad", "hint", "link"):
        for ground in grounds - ({"bad-tint", "hint-tint"} if ink in ("good", "link") else set()):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, f"{ink} on {ground}"


# In a browser

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HEIGHT = 4000
"""Of the browser's window, in pixels: two questions with their pictures are on the screen."""
in_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed, in which pages could be looked at")


def _looked_at(folder: Path, html: str, script: str = "", *options: str, width: int = 1280, dark: bool = False) -> str:
    """The text of the element `#result` that *script* makes in a browser, or the page as the browser has it then."""
    if script:
        html = re.sub(r"<meta http-equiv[^>]*>", "", html) + f"<script>{script}</script>"
    (folder / "page.html").write_text(html, encoding="utf-8")
    quiet = "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    command = [
        *(str(BROWSER), "--headless", "--no-sandbox", "--disable-sync", "--virtual-time-budget=20000", "--dump-dom"),
        *(*quiet.split(), f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{HEIGHT}"),
        *(*options, f"--blink-settings=preferredColorScheme={0 if dark else 1}", (folder / "page.html").as_uri()),
    ]
    dom = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)
    return found[1] if found else dom


TELL = """
function tell(found) {
  const result = document.createElement("pre");
  result.id = "result"; result.textContent = JSON.stringify(found); document.body.append(result);
}"""


@in_browser
def test_the_report_can_be_searched_and_sorted(tmp_path: Path) -> None:
    """Its script runs under the page's own policy; typing leaves matching lines, a click on a header sorts."""
    html = report([*samples.class_of(30)]).html
    assert '<p class="find">' in _looked_at(tmp_path, html)
    script = (
        TELL
        + """
      const cell = (n) => [...body.rows].filter((row) => !row.hidden).map((row) => row.cells[n].textContent);
      table.tHead.rows[0].cells[2].querySelector("button").click();
      const up = cell(2); table.tHead.rows[0].cells[2].querySelector("button").click(); const down = cell(2);
      find.value = "STUDENT 0004"; find.dispatchEvent(new Event("input"));
      tell([up, down, cell(0)]);"""
    )
    up, down, names = json.loads(_looked_at(tmp_path, html, script))
    numbers = [float(score) for score in up if score]
    assert numbers == sorted(numbers)
    assert up[-2:] == ["", ""]
    assert [float(score) for score in down if score] == numbers[::-1]
    assert down[-2:] == ["", ""]
    assert names == ["Student 0004"]


@functools.cache
def _axe() -> str:
    """The source of axe-core, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, from which axe-core comes, is not installed")
    folder = Path(tempfile.mkdtemp())
    got = subprocess.run([npm, "pack", "axe-core@4.11.1"], cwd=folder, capture_output=True, timeout=120)
    if got.returncode:
        pytest.skip("axe-core cannot be had from npm here")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@in_browser
@pytest.mark.parametrize(
    ("kind", "width", "dark"), [("feedback", 390, True), ("feedback", 1280, False), ("report", 390, False)]
)
def test_axe_finds_nothing_and_nothing_is_cut_off(tmp_path: Path, kind: str, width: int, dark: bool) -> None:
    """No violation that axe knows, in either theme; nothing wider than its window, no text below 12 pixels."""
    script = f"""{_axe()}{TELL}
      const written = (e) => [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      const size = (e) => parseFloat(getComputedStyle(e).fontSize);
      const small = [...document.querySelectorAll("main *")].filter((e) => written(e) && size(e) < 12);
      const beyond = document.documentElement.scrollWidth - innerWidth;
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      axe.run("main", {{ resultTypes: ["violations"] }}).then(({{ violations }}) => tell([
        violations.map((v) => [v.id, v.nodes[0].html]), small.map((e) => e.outerHTML.slice(0, 80)), beyond, dark]));"""
    violations, small, beyond, is_dark = json.loads(
        _looked_at(tmp_path, _pages()[kind].html, script, width=width, dark=dark)
    )
    assert (violations, small, is_dark) == ([], [], dark)
    assert beyond <= 0


@in_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_wrong_places_are_tinted_and_their_digits_are_read(tmp_path: Path, dark: bool) -> None:
    """On the screen, wrong places stand on another colour than the labels beside them, and their digits on it."""
    # The corner marks are hidden, lest they be taken for digits.
    page = feedback(samples.with_questions(samples.row(), samples.q5(), samples.q8()))
    html = page.html.replace("</style>", "svg .mark { visibility: hidden; }</style>")
    boxes = f"""{TELL}
      const boxes = (selector) => [...document.querySelectorAll(selector)].map((e) => e.getBoundingClientRect());
      tell(["svg tspan", "svg .l"].map((selector) => boxes(selector).filter((box) => box.width > 0)));"""
    places = json.loads(_looked_at(tmp_path, html, boxes, f"--screenshot={tmp_path / 'screen.png'}", dark=dark))
    screen = base64.b64encode((tmp_path / "screen.png").read_bytes()).decode()
    colours = f"""{TELL}
      const image = new Image(), sheet = document.createElement("canvas").getContext("2d");
      const colours = (box) => {{
        const {{ data }} = sheet.getImageData(box.x, box.y, box.width, box.height), counts = {{}};
        for (let at = 0; at < data.length; at += 4) {{
          const colour = "#" + [0, 1, 2].map((part) => data[at + part].toString(16).padStart(2, "0")).join("");
          counts[colour] = (counts[colour] || 0) + 1;
        }}
        return Object.keys(counts).sort((one, other) => counts[other] - counts[one]);
      }};
      image.onload = () => {{
        Object.assign(sheet.canvas, {{ width: image.width, height: image.height }});
        sheet.drawImage(image, 0, 0);
        tell({json.dumps(places)}.map((boxes) => boxes.map(colours)));
      }};
      image.src = "data:image/png;base64,{screen}";"""
    wrong, labels = json.loads(_looked_at(tmp_path, "<!doctype html>", colours))
    assert wrong
    assert labels
    for ground, *others in wrong:
        assert min(_contrast(ground, label[0]) for label in labels) > 1.1
        assert max((_contrast(ground, other) for other in others), default=1) >= 4.5
