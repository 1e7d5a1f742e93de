"""A class full of hostile files and names, graded as a grader would: by the command, into files that people open."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from autograder import cli, course
from autograder.intake import Intake, collect
from tools.attacks import attacks

from .hostile_files import make_class
from .submissions import worth
from .test_attacks import BYSTANDERS, CANARY, SCORES

SHOWN = [attack for attack in attacks() if attack.family == "rendering"]
FAULTS = ("link-to-", "pipe.")
"""What the grader does not open: no score, and never a zero."""


@dataclass(frozen=True)
class Graded:
    status: int
    rows: dict[str, dict[str, str]]
    said: dict[str, str]
    """All text that a person gets to see, by where it stands; of pages also as a browser shows it."""
    entries: list[str]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, autograder: Callable[..., tuple[int, str, str]]) -> Graded:
    folder = tmp_path_factory.mktemp("hostile")
    submissions, out = folder / "submissions", folder / "out"
    submissions.mkdir()
    make_class(submissions)
    for name, content in {**{attack.file_name: attack.content for attack in SHOWN}, **BYSTANDERS}.items():
        (submissions / name).write_bytes(content)
    found: list[Intake] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_CANARY", CANARY)
        patch.setattr(cli, "collect", lambda *args, **kwargs: found.append(collect(*args, **kwargs)) or found[0])
        status, output, errors = autograder("grade", submissions, "--out", out)
    said = {"terminal": output, "errors": errors}
    files = [path for path in out.rglob("*.*") if path.suffix in (".html", ".json", ".csv")]
    said |= {str(path): path.read_text(encoding="utf-8-sig") for path in files}
    said |= {f"{path} as shown": html.unescape(said[str(path)]) for path in files if path.suffix == ".html"}
    table = csv.DictReader(io.StringIO(said[str(out / "grades.csv")]))
    entries = [entry.name for entry in found[0].entries]
    return Graded(status, {row["submission"]: row for row in table}, said, entries)


def test_every_file_has_one_row_and_hostile_ones_no_points(graded: Graded) -> None:
    """No file is too much for the grader, none earns points by being odd, and what is not opened is told."""
    assert len(graded.rows) == len(graded.entries) > 60
    assert graded.status == 1
    known = {**{attack.file_name: worth(*attack.earns) for attack in SHOWN}, **SCORES}
    for name, row in graded.rows.items():
        could_not = name.startswith(FAULTS)
        assert (row["status"] == "could-not-grade") == could_not, (name, row)
        assert row["score"] == ("" if could_not else f"{known.get(name, 0):g}"), (name, row)


def test_nothing_hidden_is_in_any_output(graded: Graded) -> None:
    """Neither hidden inputs and checks nor the grader's environment stand in anything that was written."""
    hidden = [str(scenario.values["data"])[1:40] for scenario in course.scenarios()]
    hidden += [(course.HIDDEN / "scenarios.toml").read_text(encoding="utf-8")[:60], "import same", CANARY]
    assert [(place, secret) for place, text in graded.said.items() for secret in hidden if secret in text] == []


def test_nothing_acts_on_those_who_look(graded: Graded) -> None:
    """No escape, tag, formula or change of direction gets from a name, a text or an error into an output."""
    absent = {mark for attack in SHOWN for mark in attack.absent} - {"<script"}  # the report has one of its own
    absent |= {"\x1b", "\x07", "\u202e", "<script>alert"}
    for place, text in graded.said.items():
        marks = [mark for mark in absent if place.endswith(".html") or not mark.startswith("<")]
        assert [mark for mark in marks if mark in text] == [], place
        if place.endswith(".csv"):
            cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
            assert [c for c in cells if c.startswith(("=", "+", "-", "@", "\t")) and not c[1:].isdigit()] == [], place
