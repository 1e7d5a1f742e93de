"""The example class, end to end through the command line: every submission gets the grade that the table says."""

from __future__ import annotations

import csv
import json

import pytest

from autograder import cli, course

EXAMPLES = course.ROOT / "examples"
EXPECTED = EXAMPLES / "expected.csv"


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder into which the examples were graded."""
    folder = tmp_path_factory.mktemp("out")
    assert cli.main(["grade", str(EXAMPLES / "submissions"), "--out", str(folder), "--workers", "2"]) == 0
    return folder


@pytest.mark.parametrize("name", rows(EXPECTED))
def test_example_gets_its_grade(name, out):
    """Score, points of each question and status are those of `examples/expected.csv`."""
    expected = rows(EXPECTED)[name]
    graded = rows(out / "grades.csv")[name]
    assert {column: graded[column] for column in expected} == expected


def test_every_submission_has_one_row_and_its_pages(out):
    """No row is missing, none is there twice, and each has a feedback page and Gradescope's results."""
    names = list(rows(EXPECTED))
    assert len(names) >= 20
    assert sorted(rows(out / "grades.csv")) == sorted(names)
    for name in names:
        assert (out / "feedback" / f"{name}.html").is_file()
        results = json.loads((out / "results" / f"{name}.json").read_text(encoding="utf-8"))
        assert results["score"] == float(rows(EXPECTED)[name]["score"])


def test_second_run_grades_nothing_again(out, monkeypatch):
    """What is known is not run again: the second run starts no grading process."""

    def started(*args, **kwargs):
        raise AssertionError("a grading process was started")

    monkeypatch.setattr("autograder.pool.Worker.__init__", started)
    before = (out / "grades.csv").read_bytes()
    assert cli.main(["grade", str(EXAMPLES / "submissions"), "--out", str(out), "--workers", "2"]) == 0
    assert (out / "grades.csv").read_bytes() == before
