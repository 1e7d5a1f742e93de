"""Bad days: kills at any moment, a full disk, folders that cannot be written, faults of the grader's own."""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder import course
from autograder.classroom.gradebook import FILE_NAME, Gradebook, Rows
from autograder.grade import Grade, Note
from autograder.grading import Grader, reference, trials
from autograder.grading import grader as graders
from autograder.sandbox import Sandbox
from tools.cases import with_answers

from .submissions import lost_by

CLASS = 8


def command(*arguments: object, prelude: str = "", cwd: Path | None = None) -> dict[str, Any]:
    """The command line in a process of its own, which does *prelude* before, as `subprocess` wants it.

    It is that of the tree at *cwd*.
    """
    code = f"{textwrap.dedent(prelude)}\nfrom autograder.cli import script\nscript()"
    return {
        "args": [sys.executable, "-c", code, *map(str, arguments)],
        "env": {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [cwd or course.ROOT, *sys.path]))},
        "text": True,
        "cwd": cwd,
    }


def run_cli(*arguments: object, prelude: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(**command(*arguments, prelude=prelude, cwd=cwd), capture_output=True, check=False)


def grades(out: Path) -> dict[str, Grade]:
    """All grades by submission."""
    with Gradebook(out) as book:
        return {row.submission: row.grade for row in Rows(book)}


def files(out: Path) -> dict[str, bytes]:
    """Everything that people read."""
    paths = [path for path in sorted(out.rglob("*")) if path.is_file() and not path.name.startswith(FILE_NAME)]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def wrong() -> bytes:
    """A notebook of which q7 and q8 are wrong."""
    return with_answers({"q7": "last_forward = None", "q8": "last_backward = None"})


# Kills


@pytest.fixture(scope="module")
def small_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Right answers mostly, which are graded fast; each file is another one."""
    folder = tmp_path_factory.mktemp("class")
    for number in range(CLASS):
        content = wrong() if number == CLASS // 2 else course.REFERENCE.read_bytes()
        (folder / f"student-{number:02}.ipynb").write_bytes(content + b"\n" * number)
    return folder


@dataclass
class Run:
    """A run of the whole grader that is going to be disturbed."""

    process: subprocess.Popen[str]
    out: Path

    def recorded(self) -> int:
        """How much has been written into the gradebook, in bytes; it is locked, so this is all that shows."""
        size = 0
        for path in self.out.glob(f"{FILE_NAME}*"):
            with contextlib.suppress(FileNotFoundError):  # its log is gone as soon as it is merged
                size += path.stat().st_size
        return size

    def victims(self, kind: str) -> list[int]:
        if kind == "run":
            return [self.process.pid]
        servers = children(self.process.pid)
        if kind == "fork server":
            return servers
        return [pid for server in servers for pid in children(server) if name(pid) == kind]

    def kill(self, kind: str, chance: random.Random) -> bool:
        """Kill one process of that kind, if there is one at the moment."""
        victims = [] if self.over() else self.victims(kind)
        if not victims:
            return False
        try:
            os.kill(chance.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            return False
        if kind == "run":
            self.process.wait()
        return True

    def over(self) -> bool:
        return self.process.poll() is not None


def name(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def children(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in path.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture
def start() -> Iterator[Callable[[Path, Path, int], Run]]:
    """Start grading submissions into a folder, to be disturbed; what it says goes nowhere."""
    runs = []

    def start(submissions: Path, out: Path, workers: int) -> Run:
        arguments = command("grade", submissions, "--out", out, "--workers", workers)
        runs.append(Run(subprocess.Popen(**arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), out))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()


def test_kills_at_random_moments_change_nothing(
    small_class: Path, tmp_path: Path, start: Callable[[Path, Path, int], Run], autograder: Callable[..., Any]
) -> None:
    """After SIGKILLs of the run and its processes, grading again gives the undisturbed gradebook."""
    undisturbed = tmp_path / "undisturbed"
    assert autograder("grade", small_class, "--out", undisturbed)[0] == 0
    chance = random.Random(20)
    kinds = ["run", "worker", "zygote", "fork server"]
    chance.shuffle(kinds)
    laps = itertools.count()
    out = tmp_path / f"out-{next(laps)}"
    run: Run | None = None
    for kind in kinds:
        killed = False
        while not killed:
            if run is None or run.over():
                if run is not None and run.process.returncode == 0:
                    assert_same(out, undisturbed)
                    out = tmp_path / f"out-{next(laps)}"
                run = start(small_class, out, 1)
            wait_for_progress(run, chance)
            killed = run.kill(kind, chance)
    assert run is not None
    run.process.wait()
    assert autograder("grade", small_class, "--out", out)[0] == 0  # what a dying worker had in hand, too
    assert_same(out, undisturbed)


def wait_for_progress(run: Run, chance: random.Random) -> None:
    """Until more has been recorded than now, or for a moment: during start, grading, or the writing of pages."""
    before, deadline = run.recorded(), time.monotonic() + chance.choice([0.1, 0.5, 1.0, 3.0])
    while not run.over() and time.monotonic() < deadline and run.recorded() <= before:
        time.sleep(0.01)
    time.sleep(chance.random() * 0.1)


def assert_same(out: Path, undisturbed: Path) -> None:
    assert grades(out) == grades(undisturbed)
    assert files(out) == files(undisturbed)


def test_killed_run_leaves_no_process(
    tmp_path: Path, start: Callable[[Path, Path, int], Run], sandbox: Sandbox
) -> None:
    """Workers, warm processes and children end with the run, also in the middle of a submission."""
    sleeper = tmp_path / "sleeper.ipynb"
    code = "import torch\nimport signal, threading\nsignal.pthread_sigmask(0, signal.valid_signals())\n"
    code += "threading.Event().wait(600)\n"  # sleeping is over at once
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code}
    sleeper.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    run = start(sleeper, tmp_path / "out", 1)
    # Fork server, worker, warm process and child; where there are namespaces, the first process of the child's, too.
    number = 5 if "namespaces" in sandbox.isolation else 4
    everyone, before = list[int](), list[int]()
    while not (len(everyone) == number and everyone == before) and not run.over():
        time.sleep(0.5)  # the reference's runs are over sooner
        warm = run.victims("zygote")
        found = [*run.victims("fork server"), *run.victims("worker"), *warm]
        everyone, before = [*found, *(child for pid in warm for child in children(pid))], everyone
    assert len(everyone) == number
    run.process.kill()
    run.process.wait()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in everyone) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in everyone if Path(f"/proc/{pid}").exists()]


# The output folder

FAKE_ENGINE = """
    from autograder.classroom import pool
    from autograder.grade import Grade, Note, QuestionGrade, Result
    class Fake:
        def __init__(self, *options): pass
        def __enter__(self): return self
        def __exit__(self, *exc): pass
        def grade(self, tasks):
            for task in tasks:
                questions = tuple(QuestionGrade(f"q{n}", 10.0, 10.0) for n in range(1, 9))
                remark = Note("one-of-several", {"counted": "x" * 5000})
                yield task, Result(Grade("graded", 80.0, 100.0, questions, "en", remarks=(remark,)), b"")
    pool.Pool = Fake
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(40):
        (folder / f"{number}.ipynb").write_text(f"{number}")
    return folder


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """What a run leaves behind that nothing disturbs."""
    return complete(many, tmp_path_factory.mktemp("undisturbed"))


def complete(many: Path, out: Path) -> dict[str, Grade]:
    assert run_cli("grade", many, "--out", out, prelude=FAKE_ENGINE).returncode == 0
    return grades(out)


@pytest.mark.parametrize("kibibytes", [0, 4, 40, 100])
def test_full_disk_is_told_and_the_next_run_completes(
    many: Path, undisturbed: dict[str, Grade], tmp_path: Path, kibibytes: int
) -> None:
    """Where nothing more can be written the run ends with one line and status 1; with room again it completes."""
    out = tmp_path / "out"
    full = f"""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({kibibytes << 10}, -1))
    """
    run = run_cli("grade", many, "--out", out, prelude=textwrap.dedent(FAKE_ENGINE) + textwrap.dedent(full))
    complaint = run.stderr
    assert run.returncode in (1, 2)
    assert "Traceback" not in complaint
    assert complaint.splitlines()[-1].startswith("autograder: ")
    assert complete(many, out) == undisturbed


def test_read_only_folder_is_told(many: Path, tmp_path: Path) -> None:
    """A folder that may not be written is told in one line, and nothing is graded."""
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    rights = "from autograder.sandbox import libc; libc.set_capabilities(0)\n"  # also root may not
    run = run_cli("grade", many, "--out", out, prelude=textwrap.dedent(FAKE_ENGINE) + rights)
    complaint = run.stderr
    assert run.returncode in (1, 2)
    assert "Traceback" not in complaint
    assert str(out) in complaint.splitlines()[-1]
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("nobody", ["<&- >&- 2>&-", ">/dev/full 2>&1", "2>&1 | true"])
def test_grading_needs_nobody_who_listens(
    many: Path, undisturbed: dict[str, Grade], tmp_path: Path, nobody: str
) -> None:
    """Streams that are closed, a log on a full disk, a reader who has gone: all are graded, and the report is there."""
    options = command("grade", many, "--out", "out", prelude=FAKE_ENGINE, cwd=course.ROOT)
    line = shlex.join(options.pop("args"))
    subprocess.run(f"({line}; echo $? > status) {nobody}", shell=True, **{**options, "cwd": tmp_path}, check=True)
    assert (tmp_path / "status").read_text() == "0\n"
    assert (tmp_path / "out" / "report.html").exists()
    assert grades(tmp_path / "out") == undisturbed


def test_two_runs_at_once_do_not_disturb_each_other(many: Path, undisturbed: dict[str, Grade], tmp_path: Path) -> None:
    """Of runs on one folder at the same time each completes or says that another one is at work."""
    with ThreadPoolExecutor(3) as at_once:
        arguments = ("grade", many, "--out", tmp_path / "out")
        runs = list(at_once.map(lambda _: run_cli(*arguments, prelude=FAKE_ENGINE), range(3)))
    assert 0 in [run.returncode for run in runs]
    for run in runs:
        assert run.returncode == 0 or "another run is using it" in run.stderr, run.stderr
    assert grades(tmp_path / "out") == undisturbed


def test_full_disk_of_the_cache_costs_nobody_a_grade(
    run: reference.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What known mistakes leave behind is learned anew where it cannot be kept."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trials, "_folder", lambda: tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    learned = trials.Learned(run, reference.Reference(run))
    assert learned.records("q8", course.shown_examples()[0])


def test_user_without_a_home_is_graded_and_leaves_nothing_behind(
    run: reference.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container of a user without a name nothing is kept, there or in a folder for what passes."""

    def nobody(_: int) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    learned = trials.Learned(run, reference.Reference(run))
    assert learned.records("q8", course.shown_examples()[0])
    assert list(tmp_path.iterdir()) == []


# The grader's own faults

WRONG = [
    ("tests/hidden/test_q3.py", ".points(", ".point(", r"test_q3\.py, test_hidden_states: there is no mark point;"),
    ("tests/hidden/test_q3.py", "points(", "points('7', ", "test_hidden_states: points are a number from 0, not '7', "),
    ("tests/hidden/test_q3.py", '("hidden_states")', '("states")', "test_hidden_states, .* no parameter states;"),
    ("tests/hidden/test_q3.py", "def test_h_n(", "deff test_h_n(", r"test_q3\.py: SyntaxError: .* line \d+"),
    ("tests/hidden/scenarios.toml", "hidden_size", "hiden_size", "scenario other-sizes: there is no key hiden_size;"),
    ("tests/hidden/scenarios.toml", "en = ", "english = ", "scenario other-sizes: there is no key en;"),
    ("tests/hidden/scenarios.toml", '"square"', '"other-sizes"', "scenario other-sizes: another one has that id"),
    ("tests/hidden/scenarios.toml", '"square"', '"square', r"scenarios\.toml: .*\(at line \d+, column \d+\)"),
    (
        "tests/hidden/scenarios.toml",
        "num_layers = 3",
        "num_layers = '3'",
        "num_layers: there is no type str; there is int",
    ),
    ("tests/hidden/scenarios.toml", "[margin]", "[[margin]]", "margin: must be one table with code, least"),
    ("tests/hidden/scenarios.toml", "least =", "last =", "margin: there is no key least; there is last, code"),
    ("tests/shown/examples.toml", "[[example]]", "[[exmple]]", "tests/shown/examples.toml: there is no key exmple;"),
    ("tests/misconceptions/q3.toml", '= "test_h', '= "test_hh', "batch-axis-as-time: there is no check test_hh"),
    ("tests/misconceptions/q3.toml", "q3 = ", "q33 = ", "misconception batch-axis-as-time: there is no key q33;"),
    ("tests/misconceptions/q3.toml", '= "test_hidden_states"', "= ['test_h_n']", r"no check \['test_h_n'\]; there is"),
    ("tests/misconceptions/q3.toml", "ko = ", "kr = ", "batch-axis-as-time, hint: there is no key ko; there is kr, en"),
    ("tests/alternatives/q3.toml", "q3 = ", "q99 = ", "alternative .*: there is no key q99; there is id, .* q3"),
]
READ = """
import json, sys
from pathlib import Path
from autograder import course
from autograder.course import corpus, files
from autograder.course.scenarios import margin
from tools.cases import alternatives
readers = (course.questions, course.scenarios, course.shown_examples, margin, corpus.misconceptions)
assert files.ROOT == Path.cwd(), files.ROOT
said = []
for name, old, new, _ in json.loads(sys.stdin.read()):
    content = Path(name).read_text(encoding="utf-8")
    Path(name).write_text(content.replace(old, new, 1), encoding="utf-8")
    try:
        for read in (*readers, alternatives):
            read.cache_clear()
            read()
        said.append("")
    except course.CourseError as error:
        said.append(str(error))
    Path(name).write_text(content, encoding="utf-8")
print(json.dumps(said))
"""


def test_mistake_in_the_courses_files_is_told_in_one_line(tmp_path: Path) -> None:
    """What instructors mistype is named with its file and entry, and with what could have been meant."""
    for folder in ("autograder", "solutions", "tests", "tools"):
        shutil.copytree(course.ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "engine"))
    command = [sys.executable, "-B", "-c", READ]
    done = subprocess.run(command, input=json.dumps(WRONG), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    for (*_, complaint), said in zip(WRONG, json.loads(done.stdout), strict=True):
        assert re.search(complaint, said), said
        assert "\n" not in said


def test_graders_that_find_the_solution_wrong_grade_nobody(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hidden check that fails the solution is a mistake of the check's, and is named before anybody is graded."""
    grader.prove()
    wrong = {"test_h_n": Note("shape", {"name": "h_n"})}
    monkeypatch.setattr(graders, "findings", lambda question, *_: wrong if question.id == "q3" else {})
    with pytest.raises(
        course.CourseError, match=r"test_q3\.py, test_h_n, in scenario 'other-sizes': finds the solution"
    ):
        grader.prove()


def test_given_name_that_the_solution_does_not_bind_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped name in `given.py` would never be put back: it is told before anybody is graded."""
    monkeypatch.setattr(course, "given", lambda: ("hiden_size",))
    with pytest.raises(course.CourseError, match=r"tests/hidden/given\.py: there is no name hiden_size;"):
        reference.Reference(run).shared(course.scenarios()[0])


def test_check_that_raises_is_no_zero_and_is_tried_again(tmp_path: Path, autograder: Callable[..., Any]) -> None:
    """A hidden check that breaks on one submission leaves that one without a score, and the others alone."""
    for folder in ("autograder", "solutions", "tests"):
        shutil.copytree(course.ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    check = tmp_path / "tests" / "hidden" / "test_q8.py"
    fault = "    _ = 1 / (last_forward is not None)\n    same(last_forward,"
    check.write_text(check.read_text(encoding="utf-8").replace("    same(last_forward,", fault), encoding="utf-8")
    submissions = tmp_path / "submissions"
    submissions.mkdir()
    (submissions / "right.ipynb").write_bytes(course.REFERENCE.read_bytes())
    (submissions / "wrong.ipynb").write_bytes(wrong())
    arguments = ("grade", submissions, "--out", tmp_path / "out", "--workers", "1")
    assert run_cli(*arguments, cwd=tmp_path).returncode == 1
    found = grades(tmp_path / "out")
    assert (found["right.ipynb"].status, found["right.ipynb"].score) == ("graded", course.maximum())
    assert (found["wrong.ipynb"].status, found["wrong.ipynb"].score) == ("could-not-grade", None)
    detail = found["wrong.ipynb"].detail
    assert detail is not None
    assert "ZeroDivisionError" in detail.about["error"]
    assert autograder(*arguments)[0] == 0
    assert lost_by(grades(tmp_path / "out")["wrong.ipynb"]) == {"q7", "q8"}


TAKE_AWAY_LANDLOCK = """
    import ctypes, struct
    from autograder.sandbox import libc
    rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7FFF0000)]
    code = b"".join(struct.pack("=HBBI", *rule) for rule in rules)
    libc.prctl(38, 1)
    libc.prctl(22, 2, struct.pack("@HP", 4, ctypes.cast(code, ctypes.c_void_p).value))
"""


def test_system_without_a_sandbox_is_refused_in_one_line(tmp_path: Path) -> None:
    """Without file confinement nothing is run and nothing graded: what is missing is told, here and on Gradescope."""
    submission = tmp_path / "submission" / "right.ipynb"
    submission.parent.mkdir()
    submission.write_bytes(course.REFERENCE.read_bytes())
    refused = run_cli("grade", submission, "--out", tmp_path / "out", "--workers", "1", prelude=TAKE_AWAY_LANDLOCK)
    assert refused.returncode == 1
    assert "Landlock" in refused.stderr.splitlines()[-1]
    assert refused.stderr.splitlines()[-1].startswith("autograder: ")
    with Gradebook(tmp_path / "out") as book:
        assert book.count() == 0
    (line,) = csv.DictReader((tmp_path / "out" / "grades.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (line["score"], line["status"]) == ("", "could-not-grade")
    program = (
        f"{textwrap.dedent(TAKE_AWAY_LANDLOCK)}\nimport runpy, sys\nsys.argv = ['x', '--root', {str(tmp_path)!r}]\n"
    )
    program += "runpy.run_module('autograder.classroom.gradescope', run_name='__main__')"
    refused = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "Landlock" in refused.stderr.splitlines()[-1]
    assert not (tmp_path / "results").exists()
