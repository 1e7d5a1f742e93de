"""Hostile submissions, graded in one class with honest ones: nothing gained, nothing leaked, nobody harmed."""

from __future__ import annotations

import csv
import ctypes
import hashlib
import html
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from autograder import course
from autograder.certify import attacks, hostile_files
from autograder.certify.cases import cases
from autograder.gradebook import Gradebook, Row
from autograder.intake import collect
from autograder.records import Grade

from .people import PEOPLE

CANARY = "canary-in-the-environment-of-the-grader"
SUBMISSION_SECONDS = 15.0
RUN = f"""
import functools, sys
from autograder import cli, pool
from autograder.sandbox import Allowance, Limits
limits = Limits(wall_seconds=3, cpu_seconds=6, memory_bytes=256 << 20, frames_bytes=4 << 20, output_bytes=1 << 18)
allowance = Allowance({SUBMISSION_SECONDS}, statement_seconds=1.5, run=limits)
pool.Pool = functools.partial(pool.Pool, allowance=allowance)
sys.exit(cli.main(["grade", sys.argv[1], "--out", sys.argv[2], "--workers", "2"]))
"""
ABOUT_CONFINEMENT = {"endings", "network", "reading", "writing"}
"""The families of attacks that depend on who runs the grader; the others are tried by one user only."""
HOSTILE_FILES = "as it is"
"""Who gets the files that attack the reader, which depend on nobody's rights."""
HONEST = ("solution", "en", *(case.id for case in itertools.islice(cases(), 5, None, 20)))
"""Cases of the corpus that stand among the attacks."""


@dataclass(frozen=True)
class Graded:
    """What came of the whole class."""

    status: int
    terminal: str
    folder: Path
    rows: dict[str, Row]
    seconds: float
    left_running: list[int]


def honest() -> dict[str, bytes]:
    """The honest ones by file name."""
    return {case.submission.student + ".ipynb": case.content for case in cases() if case.id in HONEST}


def hostile(user: str) -> list[attacks.Attack]:
    return [attack for attack in attacks.attacks() if user == "as it is" or attack.family in ABOUT_CONFINEMENT]


CASES = [
    pytest.param(user, attack, id=f"{attack.file_name[:-6]}, {user}") for user in PEOPLE for attack in hostile(user)
]


@pytest.fixture(scope="module")
def graded(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Graded]]:
    """Grade the class as one of the users, once each."""
    found: dict[str, Graded] = {}
    folders: list[Path] = []

    def graded(user: str) -> Graded:
        if user not in found:
            folders.append(Path(tempfile.mkdtemp()))  # where an ordinary user may enter
            found[user] = grade(user, folders[-1])
        return found[user]

    yield graded
    for folder in folders:
        shutil.rmtree(folder)


def grade(user: str, folder: Path) -> Graded:
    submissions, out = folder / "submissions", folder / "out"
    submissions.mkdir()
    out.mkdir()
    folder.chmod(0o755)
    out.chmod(0o777)
    for attack in hostile(user):
        (submissions / attack.file_name).write_bytes(attack.content)
    for name, content in honest().items():
        (submissions / name).write_bytes(content)
    if user == HOSTILE_FILES:
        hostile_files.make_class(submissions)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GRADER_CANARY": CANARY}
    with orphans() as left_running:
        begun = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-c", PEOPLE[user] + RUN, submissions, out],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
        seconds = time.monotonic() - begun
    with Gradebook(out) as book:
        rows = {row.name: row for row in book.rows()}
    assert rows, run.stdout.decode()
    return Graded(run.returncode, run.stdout.decode(), out, rows, seconds, left_running)


class orphans:
    """Processes that outlived those who started them: this process becomes their parent."""

    _SUBREAPER = 36

    def __enter__(self) -> list[int]:
        self._set(1)
        self._before = self._children()
        self._found: list[int] = []
        return self._found

    def __exit__(self, *exc: object) -> None:
        time.sleep(0.2)  # what has been killed needs a moment
        self._found += [pid for pid in self._children() - self._before if self._is_alive(pid)]
        self._set(0)

    def _set(self, on: int) -> None:
        ctypes.CDLL(None).prctl(self._SUBREAPER, on, 0, 0, 0)

    @staticmethod
    def _children() -> set[int]:
        return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}

    @staticmethod
    def _is_alive(pid: int) -> bool:
        return os.waitpid(pid, os.WNOHANG)[0] == 0


def test_there_are_attacks_of_every_kind() -> None:
    """The promise is about no fewer than sixty attacks, and each has its name once."""
    names = [attack.file_name for attack in attacks.attacks()]
    assert len(names) == len(set(names)) >= 60
    assert {attack.family for attack in attacks.attacks()} > ABOUT_CONFINEMENT


@pytest.mark.parametrize(("user", "attack"), CASES)
def test_attack_comes_to_its_verdict(graded: Callable[[str], Graded], user: str, attack: attacks.Attack) -> None:
    """An attack gets the status and the points that it deserves, in its time, and never more than without it."""
    grade = graded(user).rows[attack.file_name].grade
    assert (grade.status in attack.statuses, grade.score) == (True, attack.score), (grade.status, grade.detail)
    assert attack.score <= attacks.BASE_SCORE
    assert grade.seconds <= SUBMISSION_SECONDS + 2


@pytest.mark.parametrize("user", PEOPLE)
def test_every_file_has_one_row_and_hostile_ones_no_points(graded: Callable[[str], Graded], user: str) -> None:
    """Whatever a file is, it gets one row; none is too much for the grader, and none earns points by being odd."""
    result = graded(user)
    entries = collect([result.folder.parent / "submissions"])
    assert sorted(result.rows) == sorted(entry.name for entry in entries)
    known = {attack.file_name for attack in hostile(user)} | honest().keys()
    if user == HOSTILE_FILES:
        assert len(entries) >= len(known) + len(hostile_files.FILES) + len(hostile_files.NAMES) // 2
    assert result.status == 0
    for name, row in result.rows.items():
        assert row.grade.status != "could-not-grade", (name, row.grade.detail)
        if name not in known:
            assert row.grade.score == 0.0, name
            assert row.grade.seconds <= SUBMISSION_SECONDS + 2


@pytest.mark.parametrize("user", PEOPLE)
@pytest.mark.parametrize("name", HONEST)
def test_bystander_is_graded_as_if_alone(
    graded: Callable[[str], Graded], grade: Callable[..., Grade], user: str, name: str
) -> None:
    """An honest submission among hostile ones gets the very grade that it gets by itself."""
    among = graded(user).rows[f"{name}.ipynb"].grade
    alone = grade(honest()[f"{name}.ipynb"], f"{name}.ipynb")
    assert replace(among, seconds=0.0, isolation="") == replace(alone, seconds=0.0, isolation="")


@pytest.mark.parametrize("user", PEOPLE)
def test_nothing_hidden_is_in_any_output(graded: Callable[[str], Graded], user: str) -> None:
    """Hidden inputs, reference values, hidden tests and the grader's environment stand in nothing that was written."""
    hidden = [str(scenario.values["data"])[1:40] for scenario in course.scenarios()]
    hidden += [(course.HIDDEN / "scenarios.toml").read_text(encoding="utf-8")[:60], "def test_", "import same"]
    hidden += [CANARY, "LEAK"]
    result = graded(user)
    for place, text in outputs(result):
        for secret in hidden:
            assert secret not in text, (place, secret)
    for name, row in result.rows.items():
        assert not [secret for secret in hidden if secret in json.dumps(row.grade.output)], name


@pytest.mark.parametrize("user", PEOPLE)
def test_nothing_acts_on_those_who_look(graded: Callable[[str], Graded], user: str) -> None:
    """What an attack tried to put into the outputs, such as escapes, tags and formulas, is in none of them."""
    result = graded(user)
    absent = {text for attack in hostile(user) for text in attack.absent} | {"<script", "\x1b", "\x07", "\u202e"}
    tags = {text for text in absent if text.startswith("<")}
    for place, text in outputs(result):
        for forbidden in absent if place.endswith(".html") else absent - tags:
            assert forbidden not in text, (place, forbidden)
    table = (result.folder / "grades.csv").read_text(encoding="utf-8-sig")
    for record in csv.reader(table.splitlines()):
        for cell in record:
            assert not cell.startswith(("=", "+", "-", "@", "\t")), cell


def outputs(result: Graded) -> Iterator[tuple[str, str]]:
    """All text that a person gets to see, by where it is; of pages, both as written and as shown."""
    yield "terminal", "\n".join(line.rpartition("\r")[2] for line in result.terminal.split("\n"))
    for path in result.folder.rglob("*"):
        if path.suffix in (".html", ".json", ".csv"):
            text = path.read_text(encoding="utf-8")
            yield path.name, text
            if path.suffix == ".html":
                yield f"{path.name} as shown", html.unescape(text)


@pytest.mark.parametrize("user", PEOPLE)
def test_nothing_is_left_behind(graded: Callable[[str], Graded], user: str) -> None:
    """After the run no process is left, and no file was written outside of the output folder."""
    before = digest()
    result = graded(user)
    assert result.left_running == []
    assert digest() == before
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/", ".", course.ROOT):
        assert not list(Path(folder).glob("attack-was-here*")), folder
        assert not list(Path(folder).glob("kept")), folder
    written = {path.name for path in result.folder.iterdir()}
    assert written == {"feedback", "results", "gradebook.sqlite", "grades.csv", "report.html"}


def digest() -> str:
    files = [path for folder in (course.HIDDEN, course.PUBLIC) for path in sorted(folder.glob("*.*"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*files, course.REFERENCE])).hexdigest()


@pytest.mark.parametrize("user", PEOPLE)
def test_isolation_is_told(graded: Callable[[str], Graded], user: str) -> None:
    """What confined the code stands in every grade and on the report."""
    result = graded(user)
    told = {row.grade.isolation for row in result.rows.values()}
    assert len(told) == 1
    (isolation,) = told
    assert isolation.startswith("landlock ")
    assert "seccomp" in isolation
    assert html.escape(isolation) in (result.folder / "report.html").read_text(encoding="utf-8")


def test_roster_that_a_student_handed_in_renames_nobody(tmp_path: Path) -> None:
    """Who a submission belongs to is told by the platform's list, not by a file of that name among the submissions."""
    for owner in ("1", "2"):
        folder = tmp_path / f"submission_{owner}"
        folder.mkdir()
        (folder / "rnn.ipynb").write_bytes(b"{}")
    forged = "submission_1:\n  :submitters:\n  - :name: Mallory\nsubmission_2:\n  :submitters:\n  - :name: Mallory\n"
    (tmp_path / "submission_2" / "submission_metadata.yml").write_text(forged)
    (tmp_path / "submission_metadata.yml").write_text("submission_1:\n  :submitters:\n  - :name: Alice\n")
    assert {entry.name: entry.student for entry in collect([tmp_path])} == {
        "submission_1/rnn.ipynb": "Alice",
        "submission_2/rnn.ipynb": "submission_2",
    }
