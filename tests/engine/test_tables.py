"""Tables, file names, terminal and Gradescope's results: right, harmless, and complete."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grade import Adjustment, Grade, Note, Person, Row
from autograder.intake import SetAside
from autograder.report.files import file_names, write
from autograder.report.gradescope import results_json
from autograder.report.summary import summary_lines
from autograder.report.tables import grades_csv, grades_table, set_aside_csv, width
from autograder.report.words import one_line, plain, points

from .classes import QUESTIONS, earned, row

pytestmark = pytest.mark.usefixtures("hundred_points")

EVIL = "<script>\x1b[31m\u202e\u200b\ud800&\"'"


def table(rows: list[Row], delimiter: str = ",") -> list[list[str]]:
    text = grades_csv(rows, ["q1", "q2"]).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def cells(one: Row) -> dict[str, str]:
    header, line = table([one])
    return dict(zip(header, line, strict=True))


def test_csv_has_a_byte_order_mark_and_every_field_in_quotes() -> None:
    """Spreadsheets read it as UTF-8, and no field as anything but itself."""
    content = grades_csv([row("김민수", 85, id="20210001", email="kim@example.org")], ["q1"])
    assert content.startswith(b"\xef\xbb\xbf")
    header, line, end = content.decode("utf-8-sig").split("\r\n")
    assert end == ""
    expected = ("김민수.ipynb", "김민수", "20210001", "kim@example.org", "85", "100", "8.5", "graded", "", "1", "", "")
    assert line == ",".join(f'"{field}"' for field in expected)
    assert header.startswith('"submission","student","id","email","score","max_score","q1","status"')


def test_csv_leaves_scores_empty_where_there_are_none() -> None:
    """What could not be graded has empty cells, never zeros; an unreadable file has zeros."""
    assert [cells(row("a", None))[key] for key in ("score", "q1", "status")] == ["", "", "could-not-grade"]
    unreadable = replace(row("a"), grade=Grade("unreadable", 0.0, 100.0))
    assert [cells(unreadable)[key] for key in ("score", "q1")] == ["0", "0"]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "＝1", "\u200b=1", "a;=1", 'a;"=1', "a,=1", "a; +1"]
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_cells_cannot_be_formulas(name: str, delimiter: str) -> None:
    """A name that a spreadsheet would compute is text, also where it parts cells by semicolons."""
    evil = replace(row(name), submission=name, person=Person(name, name, name))
    for line in table([evil, evil], delimiter):
        assert not [cell for cell in line if re.match(r"[\s\"]*[=+\-@＝]", cell)]


def test_numbers_stay_numbers() -> None:
    """A total that was adjusted below nothing is no formula."""
    below = replace(row(score=0), adjustments=(Adjustment("Kim", "", -5.0, "", relative=True),))
    assert cells(below)["score"] == "-5"


@given(st.text())
def test_csv_has_one_line_a_person_whatever_the_names(name: str) -> None:
    """No name breaks the table or its encoding."""
    hostile = replace(row(), submission=name, person=Person(name, name, name))
    assert len(grades_csv([hostile, hostile], ["q1"]).decode("utf-8-sig").split("\r\n")) == 4


def test_set_aside_files_are_listed_with_owner_and_reason() -> None:
    """The table says what is not graded, whose it is, and why."""
    aside = SetAside("kim/old;=1.ipynb", Note("newer-attempt", {"newer": "kim/rnn.ipynb"}), "Kim")
    header, line, _ = set_aside_csv([aside]).decode("utf-8-sig").split("\r\n")
    assert header == '"file","student","reason"'
    assert line.startswith('"kim/old;\'=1.ipynb","Kim","')


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (0.0, "0"), (100.0, "100"), (7.5, "7.5"), (10 / 3, "3.33")])
def test_points_are_written_as_people_do(value: float | None, shown: str) -> None:
    """Two decimals at most, and none that say nothing."""
    assert points(value) == shown


def test_control_direction_and_invisible_characters_are_shown_as_such() -> None:
    """Nothing that moves a cursor, changes direction, hides or breaks an encoding is left."""
    assert plain("a\x1b\u202e\ud800\u200b\u3164\x00b\t\r\nc") == "a\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdb\t\nc"
    assert one_line(" a\x1b[31m red\x1b[0m\n\x1b]0;title\x07b ") == "a red b"


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


def test_folder_named_like_a_page_is_not_in_its_way() -> None:
    """A folder `a.html` and the page of a submission `a` can both be written."""
    files = file_names(["a", "a.html/b", "a.json/b"]).values()
    assert not {f"{file}.html" for file in files} & {file.partition("/")[0] for file in files}


def test_write_replaces_in_one_step(tmp_path: Path) -> None:
    """Writing leaves the file and nothing beside it."""
    write(tmp_path / "new" / "a.txt", "한글")
    write(tmp_path / "new" / "a.txt", b"x")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "new").iterdir()] == [("a.txt", b"x")]


def results(of: Row, visibility: str = "visible") -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(results_json(of, visibility))
    return parsed


def test_results_hold_a_test_for_each_check() -> None:
    """Gradescope gets every check with its points and title, and the total after adjustments, rounded."""
    adjusted = replace(row(score=50), adjustments=(Adjustment("Kim", "q1", 10 / 3, "oral", relative=True),))
    found = results(adjusted, "after_published")
    assert found["score"] == 53.33
    checks = [check for question in QUESTIONS for check in question.checks]
    assert [test["max_score"] for test in found["tests"]] == [check.points for check in checks]
    assert [test["name"].split(": ", 1)[1] for test in found["tests"]] == [check.titles["en"] for check in checks]
    assert {part["visibility"] for part in (found, *found["tests"])} == {"after_published"}
    assert "oral" in found["output"]


def test_results_have_no_score_where_there_is_none() -> None:
    """A fault of the grader's is no zero on Gradescope either."""
    assert "score" not in results(row(score=None))


def test_results_say_what_was_wrong_in_the_students_language() -> None:
    """A failed check has its sentence; no text of a student's gets through unseen."""
    first = earned(0.0).questions[0]
    failed = replace(first.checks[0], note=Note("hidden-values", {"name": EVIL}))
    wrong = replace(earned(0.0), lang="ko", questions=(replace(first, checks=(failed,)),))
    output = results(replace(row(), grade=wrong))["tests"][0]["output"]
    assert re.search("[가-힣]", output)
    assert not re.search("[\x1b\u202e\u200b\ud800]", output)


def test_results_speak_both_languages_where_the_students_is_not_known() -> None:
    """Whoever hands in a file without text, or a broken one, is told what is wrong in Korean and in English."""
    broken = Grade("unreadable", 0.0, 100.0, earned(0.0).questions[:1], detail=Note("empty-file"))
    found = results(replace(row(), grade=broken))
    for said in (found["output"], found["tests"][0]["name"]):
        assert re.search("[가-힣]", said)
        assert re.search("[a-z]{4} ", said)


def test_terminal_table_fits_eighty_columns() -> None:
    """Long and wide names are cut so that eight questions and the longest status fit."""
    rows = [row("아주-긴-이름" * 10), row("a"), row("b", None)]
    lines = grades_table(rows, [f"q{i}" for i in range(1, 9)])
    assert max(map(width, lines)) == 80
    assert len({width(line.removesuffix("could-not-grade").rstrip()) for line in lines}) == 1


def test_terminal_shows_no_escape_sequences() -> None:
    """A name cannot move the cursor of the instructor's terminal."""
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\u200b\ud800]", "".join(grades_table([row(EVIL)], ["q1"])))


def test_mean_is_of_those_with_a_score() -> None:
    """Who has none is counted, but in no mean."""
    absent = replace(row(), submission="", grade=Grade("not-submitted", None, 100.0))
    assert summary_lines([row(score=50), row(score=100), row(score=None), absent]) == [
        "4 students: 1 could-not-grade, 2 graded, 1 not-submitted",
        "mean 75.0, median 75.0 of 100, of 2 with a score",
    ]
