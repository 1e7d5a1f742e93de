"""What people get to read: right, harmless, and complete."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Question
from autograder.gradebook import Row
from autograder.records import CheckResult, Grade, QuestionGrade, StatementError, Status
from autograder.render.clean import one_line, plain, printed
from autograder.render.feedback import feedback_page
from autograder.render.files import file_names, write
from autograder.render.gradescope import results_json
from autograder.render.output import remove_output, write_output, write_pages
from autograder.render.points import points
from autograder.render.report import NAMED, report_page, summarise
from autograder.render.table import grades_csv
from autograder.render.terminal import MAX_ROWS, closing, grades_table, width
from autograder.text import Language

QUESTIONS = [
    Question("q1", 10.0, {"ko": "임베딩", "en": "The embedding"}, (), ()),
    Question("q2", 20.0, {"ko": "순전파", "en": "The forward call"}, (), ()),
]
EVIL = "<script>alert(1)</script>\x1b[31m\u202e\ud800&\"'"


def row(name: str = "kim.ipynb", lang: Language = "en", score: float = 4.0) -> Row:
    checks = (
        CheckResult("test_a", "`a` is right.", 4.0, "passed"),
        CheckResult("test_b", "b is right.", 6.0, "failed", "expected (L=7, B=4)\nreceived (4, 7)", "4 sequences"),
    )
    first = QuestionGrade("q1", 10.0, score, checks, "Which axis comes first?", "axes-swapped")
    second = QuestionGrade("q2", 20.0, 20.0, (CheckResult("test_c", "c is right.", 20.0, "passed"),))
    error = StatementError(3, 2, "NameError", "name 'y' is not defined", "x = y")
    grade = Grade(
        "graded", score + 20, 30.0, (first, second), lang, "", ("A remark.",), (error,), "a\rb\n", "landlock", 0.5
    )
    return Row(name, "Kim", grade)


def write_all(folder: Path, rows: list[Row], shown: dict[str, str] | None = None) -> dict[str, str]:
    """Write everything for a class of *rows*."""
    by_name = {row.name: row for row in rows}
    students = {row.name: row.student for row in rows}
    written = write_pages(folder, students, by_name.__getitem__, QUESTIONS, shown or {})
    write_output(folder, by_name, rows, QUESTIONS)
    return written


def report(rows: list[Row], links: dict[str, str]) -> str:
    return "".join(report_page(summarise(rows, QUESTIONS), rows, QUESTIONS, links))


def without_score(status: Status = "could-not-grade") -> Row:
    return Row("lee.ipynb", "lee", Grade(status, None, 30.0, (), "ko", "SandboxFault: it died"))


def table(rows: list[Row]) -> list[dict[str, str]]:
    return list(csv.DictReader(grades_csv(rows, ["q1", "q2"]).decode("utf-8-sig").splitlines()))


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_csv_has_the_contracts_columns_and_byte_order_mark() -> None:
    """The table begins with a byte order mark and the agreed header, in CRLF lines."""
    content = grades_csv([row()], ["q1", "q2"])
    assert content.startswith(b"\xef\xbb\xbfsubmission,student,score,max_score,q1,q2,status,detail\r\n")
    assert content.endswith(b"\r\nkim.ipynb,Kim,24,30,4,20,graded,\r\n")


def test_csv_leaves_scores_empty_where_there_are_none() -> None:
    """What could not be graded has empty cells, never zeros."""
    (cells,) = table([without_score()])
    assert [cells[key] for key in ("score", "q1", "q2")] == ["", "", ""]
    assert cells["status"] == "could-not-grade"
    assert cells["detail"] == "SandboxFault: it died"


def test_csv_shows_zeros_for_an_unreadable_file() -> None:
    """What could not be read has zeros, also where the grade lists no questions."""
    (cells,) = table([Row("a", "a", Grade("unreadable", 0.0, 30.0, (), "ko"))])
    assert [cells[key] for key in ("score", "q1", "q2")] == ["0", "0", "0"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " ="])
def test_csv_cells_cannot_be_formulas(start: str) -> None:
    """A name that a spreadsheet would compute is quoted."""
    (cells,) = table([replace(row(), name=f"{start}1+1", student=f"{start}1+1")])
    assert cells["submission"].startswith("'")
    assert cells["student"].startswith("'")


@given(st.text())
def test_csv_has_one_line_a_submission_whatever_its_name(name: str) -> None:
    """No name or detail breaks the table or its encoding."""
    hostile = Row(name, name, replace(row().grade, detail=name))
    assert len(grades_csv([hostile, hostile], ["q1"]).decode("utf-8-sig").split("\r\n")) == 4


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (0.0, "0"), (100.0, "100"), (7.5, "7.5"), (10 / 3, "3.33")])
def test_points_are_written_as_people_do(value: float | None, shown: str) -> None:
    """Two decimals at most, and none that say nothing."""
    assert points(value) == shown


def test_control_and_direction_characters_are_replaced() -> None:
    """Nothing that moves a cursor, changes direction or breaks an encoding is left."""
    assert plain("a\x1b\u202e\ud800\x00b\t\r\nc") == "a\ufffd\ufffd\ufffd\ufffdb\t\nc"
    assert one_line(" a\x1b[31m red\x1b[0m\n\x1b]0;title\x07b ") == "a red b"


def test_printed_output_is_what_a_terminal_shows_last() -> None:
    """A progress bar that overwrites itself leaves its last state."""
    assert printed("pad:  0%\rpad: 100%\r\n\x1b[1mdone\x1b[0m\n") == "pad: 100%\ndone\n"


@given(st.lists(st.text(min_size=1), unique=True))
def test_file_names_stay_below_their_folder_and_apart(names: list[str]) -> None:
    """Whatever submissions are called, their files are distinct, relative, short, and valid everywhere."""
    files = file_names(names)
    assert list(files) == sorted(names)
    assert len({file.casefold() for file in files.values()}) == len(names)
    for file in files.values():
        parts = file.split("/")
        assert all(part and not part.startswith(".") and len(part.encode()) <= 200 for part in parts)
        assert not re.search(r'[\0-\x1f<>:"\\|?*]', file)


@pytest.mark.parametrize("name", ["김하늘_rnn (1).ipynb", "kim/rnn.ipynb", "=1.ipynb"])
def test_file_names_are_the_submissions_wherever_possible(name: str) -> None:
    """Results and pages are found by the submission's name."""
    assert file_names([name]) == {name: name}


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "..", "a/./x", "CON", "nul.ipynb", "x."])
def test_file_names_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    """Names that mean something to a file system do not."""
    path = (tmp_path / file_names([name])[name]).resolve()
    assert path.is_relative_to(tmp_path)
    assert path != tmp_path
    assert path.name.lower() not in ("con", "nul.ipynb")


def test_file_names_do_not_differ_in_case_only() -> None:
    """On file systems that ignore case, no page overwrites another."""
    first, second = file_names(["A.ipynb", "a.ipynb"]).values()
    assert first.casefold() != second.casefold()


def test_folder_named_like_a_page_is_not_in_its_way(tmp_path: Path) -> None:
    """A folder `a.html` and the page of a submission `a` can both be written."""
    write_all(tmp_path, [row("a"), row("a.html/b"), row("a.json/b")])
    assert len([path for path in (tmp_path / "feedback").rglob("*.html") if path.is_file()]) == 3


def test_write_replaces_in_one_step(tmp_path: Path) -> None:
    """Writing leaves the file and nothing beside it."""
    write(tmp_path / "new" / "a.txt", "한글")
    write(tmp_path / "new" / "a.txt", b"x")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "new").iterdir()] == [("a.txt", b"x")]


def results(of: Row) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(results_json(of))
    return parsed


def test_results_hold_a_test_for_each_check() -> None:
    """Gradescope gets every check with its points, status and message, and the total."""
    found = results(row())
    assert found["score"] == 24.0
    assert [(test["number"], test["score"], test["max_score"], test["status"]) for test in found["tests"]] == [
        ("1.1", 4.0, 4.0, "passed"),
        ("1.2", 0.0, 6.0, "failed"),
        ("2.1", 20.0, 20.0, "passed"),
    ]
    assert "expected (L=7, B=4)\nreceived (4, 7)" in found["tests"][1]["output"]
    assert "Hint: Which axis comes first?" in found["tests"][1]["output"]
    assert found["tests"][0]["output"] == ""


def test_results_have_no_score_where_there_is_none() -> None:
    """A fault of the grader's is no zero on Gradescope either."""
    assert "score" not in results(without_score())


def test_results_are_in_the_students_language() -> None:
    """Korean editions get Korean words around the checks."""
    assert "확인한 설정: 4 sequences" in results(row(lang="ko"))["tests"][1]["output"]


def test_feedback_tells_checks_points_messages_and_errors() -> None:
    """The student's page holds all that was found, and the titles in the page's language."""
    page = Page(feedback_page(row(), QUESTIONS))
    for part in (
        *("Kim", "24", "30", "The embedding", "b is right.", "0/6", "received (4, 7)", "4 sequences"),
        *("Which axis comes first?", "A remark.", "NameError", "x = y", "line 2", "What your code printed"),
    ):
        assert part in page.text
    assert ("lang", "en") in page.attributes
    assert "code" in page.tags


def test_feedback_tells_one_reason_once() -> None:
    """Checks that fail with the same message share it."""
    question = row().grade.questions[0]
    same = [replace(question.checks[1], check=f"test_{i}", title=f"title {i}") for i in range(3)]
    grade = replace(row().grade, questions=(replace(question, checks=tuple(same)),))
    text = Page(feedback_page(replace(row(), grade=grade), QUESTIONS)).text
    assert text.count("received (4, 7)") == 1
    assert all(f"title {i}" in text for i in range(3))


def test_feedback_folds_all_but_the_first_errors() -> None:
    """A page is not buried under the errors that one error causes, yet none is left out."""
    errors = tuple(StatementError(1, line, "NameError", f"message {line}", "") for line in range(1, 8))
    html = feedback_page(replace(row(), grade=replace(row().grade, errors=errors)), QUESTIONS)
    assert html.index("message 3") < html.index("Errors after these: 4") < html.index("message 4")
    assert "message 7" in html


@pytest.mark.parametrize("status", ["timed-out", "crashed", "unreadable", "could-not-grade"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_feedback_explains_a_status(status: Status, lang: Language) -> None:
    """Whatever was not simply graded is explained in a sentence; the grader's own fault is not shown in detail."""
    lee = without_score(status)
    text = Page(feedback_page(replace(lee, grade=replace(lee.grade, lang=lang)), QUESTIONS)).text
    assert re.search(r"니다\." if lang == "ko" else r"[a-z]\.", text)
    assert ("SandboxFault" in text) == (status in ("timed-out", "crashed"))


def evil_row() -> Row:
    check = CheckResult("test_a", EVIL, 1.0, "failed", EVIL, EVIL)
    question = QuestionGrade("q1", 10.0, 0.0, (check,), EVIL, EVIL)
    error = StatementError(1, 1, EVIL, EVIL, EVIL)
    return Row(EVIL, EVIL, Grade("crashed", 0.0, 30.0, (question,), "en", EVIL, (EVIL,), (error,), EVIL, EVIL))


@pytest.mark.parametrize("kind", ["feedback", "report"])
def test_pages_escape_everything_and_load_nothing(kind: str) -> None:
    """Text of a student's is never markup, and a page asks no server for anything."""
    evil = evil_row()
    html = feedback_page(evil, QUESTIONS) if kind == "feedback" else report([evil], {EVIL: "x"})
    page = Page(html)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert not [key for key, _ in page.attributes if key.startswith("on") or key == "src"]
    assert any("default-src 'none'" in (value or "") for _, value in page.attributes)
    assert not re.search(r"https?:|url\(|@import", html)
    assert not re.search("[\x1b\u202e\ud800]", html)


def test_summary_counts_scores_checks_and_misconceptions() -> None:
    """What could not be graded counts among the submissions but in no mean."""
    summary = summarise([row("a"), row("b", score=10.0), without_score()], QUESTIONS)
    assert (summary.submissions, summary.statuses["could-not-grade"]) == (3, 1)
    assert (summary.mean, summary.median, sum(summary.bins)) == (27.0, 27.0, 2)
    assert [(q.id, q.mean, q.full_marks) for q in summary.questions] == [("q1", 7.0, 1), ("q2", 20.0, 2)]
    assert [(check.check, check.failed) for check in summary.hardest] == [("test_b", 2)]
    assert [(m.id, m.count, m.names) for m in summary.misconceptions] == [("axes-swapped", 2, ("a", "b"))]


def test_summary_names_a_few_of_those_who_share_a_misconception() -> None:
    """The names do not grow with the class; the count does. A hint is English where any student's was."""
    rows = [row(str(number), lang="ko" if number else "en") for number in reversed(range(100))]
    (misconception,) = summarise(iter(rows), QUESTIONS).misconceptions
    assert (misconception.count, len(misconception.names)) == (100, NAMED)


def test_report_links_every_page(tmp_path: Path) -> None:
    """The links of the report lead to the pages that were written, whatever the submissions' names."""
    names = ["김 하늘#1?.ipynb", "a/b%20.ipynb", "x&y.ipynb"]
    write_all(tmp_path, [row(name) for name in names])
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    links = {unquote(value or "") for key, value in page.attributes if key == "href"}
    assert len(links) == 3
    assert all((tmp_path / link).is_file() for link in links)


def test_report_of_nobody_is_a_page() -> None:
    """A class in which nothing could be graded has a report, too."""
    assert "not graded yet" in report([without_score()], {"lee.ipynb": "x"})


def test_output_of_former_submissions_is_removed(tmp_path: Path) -> None:
    """Pages of what is no longer given go; files of anybody else's stay."""
    write_all(tmp_path, [row("a"), row("b")])
    (tmp_path / "feedback" / "notes.html").write_text("mine")
    remove_output(tmp_path, ["b"], ["a"])
    assert sorted(path.name for path in (tmp_path / "feedback").iterdir()) == ["a.html", "notes.html"]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["a.json"]


def test_pages_that_stand_are_not_written_again(tmp_path: Path) -> None:
    """Only a page that would differ, or is gone, is written."""
    rows = [row("a"), row("b"), row("c")]
    shown = write_all(tmp_path, rows)
    (tmp_path / "feedback" / "b.html").unlink()
    renamed = replace(rows[2], student="another")
    assert write_all(tmp_path, [*rows[:2], renamed], shown).keys() == {"b", "c"}
    assert (tmp_path / "feedback" / "b.html").exists()


def test_terminal_table_fits_eighty_columns() -> None:
    """Long and wide names are cut so that eight questions and the longest status fit."""
    rows = [row("아주-긴-이름" * 10), row("a"), without_score()]
    lines = grades_table(rows, [f"q{i}" for i in range(1, 9)])
    assert max(map(width, lines)) == 80
    assert len({width(line.removesuffix("could-not-grade").rstrip()) for line in lines}) == 1


def test_terminal_shows_no_escape_sequences() -> None:
    """A name cannot move the cursor of the instructor's terminal."""
    lines = closing(Path("out"), summarise([evil_row()], QUESTIONS), [evil_row()], QUESTIONS)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\ud800]", "".join(lines))


def test_terminal_shows_a_summary_where_there_are_no_rows() -> None:
    """More rows than fit on a screen are left to the files."""
    summary = summarise([row(f"{i:03}.ipynb") for i in range(MAX_ROWS + 1)], QUESTIONS)
    lines = closing(Path("out"), summary, [], QUESTIONS, ["3 of them known from an earlier run"])
    assert lines[0] == f"{MAX_ROWS + 1} submissions: {MAX_ROWS + 1} graded"
    assert "3 of them known from an earlier run" in lines
