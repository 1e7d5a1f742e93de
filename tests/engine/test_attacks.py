"""Hostile submissions, graded in one class with honest ones: nothing gained, nothing leaked, nobody harmed."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder import course
from autograder.sandbox import libc
from tools.attacks import BASE, Attack, attacks

from .submissions import MAXIMUM, POINTS, blank, solved, worth

CANARY = "canary-in-the-environment-of-the-grader"
SECONDS = 15.0
ABOUT_CONFINEMENT = {"doors", "endings", "network", "reading", "writing"}
"""The families that depend on who runs the grader; the others are tried by one user only."""

RUN = f"""
import sys, time
from pathlib import Path
import msgspec
from autograder import course
from autograder.grade import Person, Submission
from autograder.grading import Grader
from autograder.sandbox import Allowance, Limits, Sandbox

course.scenarios = lambda found=course.scenarios()[:1]: found  # what an attack comes to needs no more
course.shown_examples = lambda found=course.shown_examples()[:1]: found
limits = Limits(wall_seconds=2, cpu_seconds=2, memory_bytes=256 << 20, frames_bytes=4 << 20)
allowance = Allowance(cpu_seconds={SECONDS}, statement_seconds=0.5, run=limits)

def work(grader):
    for path in sorted(Path(sys.argv[1]).iterdir()):
        started = time.monotonic()
        grade = grader.grade(Submission(path.name, (Person("x"),), path.read_bytes()), b"secret").grade
        told = {{"seconds": time.monotonic() - started, **msgspec.to_builtins(grade)}}
        Path(sys.argv[2], path.name).write_bytes(msgspec.json.encode(told))

with Sandbox(secrets=(course.REFERENCE, *course.HIDDEN.glob("*.py"))) as sandbox:
    work(Grader(sandbox, allowance))
"""

ORDINARY_USER = """
import os, sys
from autograder.sandbox import libc
NEWNS, BIND, PRIVATE, RECURSIVE = 0x20000, 1 << 12, 1 << 18, 1 << 14
above = [sys.base_prefix[:i] for i, letter in enumerate(sys.base_prefix) if letter == "/" and i] + [sys.base_prefix]
closed = [folder for folder in above if not os.stat(folder).st_mode & 1]
libc.call("unshare", NEWNS)
libc.call("mount", b"none", b"/", None, PRIVATE | RECURSIVE, None)
interpreter = os.open(sys.base_prefix, os.O_PATH)
if closed:  # the interpreter lies in a home that only its owner enters: show it to everyone, in this process only
    libc.call("mount", b"none", closed[0].encode(), b"tmpfs", 0, b"mode=755")
    os.makedirs(sys.base_prefix, exist_ok=True)
    libc.call("mount", b"/proc/self/fd/%d" % interpreter, sys.base_prefix.encode(), None, BIND, None)
os.setgroups([]); os.setgid(12345); os.setuid(12345)
libc.prctl(4, 1)  # PR_SET_DUMPABLE: be like a process that was never root
"""
"""Code that turns a process of root's into one of an ordinary user's."""
_CAP_SYS_ADMIN = 21
USERS = {"as it is": ""}
if os.geteuid() == 0 and libc.capabilities() >> _CAP_SYS_ADMIN & 1:
    USERS |= {"an ordinary user": ORDINARY_USER}

BYSTANDERS = {"a-first.ipynb": solved(), "m-wrong.ipynb": solved(q3="h_n = batch"), "z-last.ipynb": blank()}
"""Honest submissions, before, among and after the attacks."""
SCORES = {"a-first.ipynb": MAXIMUM, "m-wrong.ipynb": MAXIMUM - POINTS["q3"], "z-last.ipynb": 0}

TELLING = """
import os
def print(*words, **options):
    if any(mark in str(word) for mark in MARKS for word in words):
        os._exit(7)
"""
"""Nobody reads what is printed: an attack that prints that it succeeded is ended, which is another verdict."""


def hostile(user: str) -> list[Attack]:
    return [attack for attack in attacks() if user == "as it is" or attack.family in ABOUT_CONFINEMENT]


CASES = [
    pytest.param(user, attack, id=f"{attack.file_name[:-6]}, {user}") for user in USERS for attack in hostile(user)
]


def telling(attack: Attack) -> bytes:
    if attack.family == "rendering":  # it prints what nobody may see, and that is no success
        return attack.content
    notebook = json.loads(attack.content)
    source = TELLING.replace("MARKS", repr(attack.absent))
    notebook["cells"].insert(0, {"cell_type": "code", "metadata": {}, "outputs": [], "source": source})
    return json.dumps(notebook).encode()


@dataclass(frozen=True)
class Graded:
    """What came of the whole class."""

    status: int
    said: str
    grades: dict[str, dict[str, Any]]
    left_running: list[int]


@pytest.fixture(scope="module")
def graded() -> Iterator[Callable[[str], Graded]]:
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
    submissions, out, cache = folder / "submissions", folder / "out", folder / "cache"
    for place in (submissions, out, cache):
        place.mkdir()
        place.chmod(0o777)
    folder.chmod(0o755)
    for name, content in {**{a.file_name: telling(a) for a in hostile(user)}, **BYSTANDERS}.items():
        (submissions / name).write_bytes(content)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "GRADER_CANARY": CANARY}
    with orphans() as left_running:
        run = subprocess.run(
            [sys.executable, "-c", USERS[user] + RUN, submissions, out],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, "XDG_CACHE_HOME": str(cache)},
            check=False,
        )
    said = run.stdout.decode()
    grades = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in out.iterdir()}
    return Graded(run.returncode, said, grades, left_running)


@contextmanager
def orphans() -> Iterator[list[int]]:
    """Processes that outlive those who started them: this process becomes their parent."""
    subreaper = 36
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)
    before, found = children(), list[int]()
    yield found
    time.sleep(0.2)  # what has been killed needs a moment
    found += [pid for pid in children() - before if os.waitpid(pid, os.WNOHANG)[0] == 0]
    ctypes.CDLL(None).prctl(subreaper, 0, 0, 0, 0)


def children() -> set[int]:
    return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_there_are_attacks_of_every_kind() -> None:
    """The promise is about no fewer than a hundred attacks, and each has its name once."""
    names = [attack.file_name for attack in attacks()]
    assert len(names) == len(set(names)) >= 100
    assert {attack.family for attack in attacks()} > ABOUT_CONFINEMENT


@pytest.mark.parametrize(("user", "attack"), CASES)
def test_attack_comes_to_its_verdict(graded: Callable[[str], Graded], user: str, attack: Attack) -> None:
    """An attack gets the status and the points that it deserves, in its time, and never more than without it."""
    grade = graded(user).grades[attack.file_name]
    assert (grade["status"], grade["score"]) == (attack.status, worth(*attack.earns)), grade["detail"]
    assert worth(*attack.earns) <= worth(*BASE)
    assert grade["seconds"] <= SECONDS * 8  # of the clock on the wall, where others use the machine, too


@pytest.mark.parametrize("user", USERS)
def test_class_is_graded_to_its_end(graded: Callable[[str], Graded], user: str) -> None:
    """The grader survives every attack, and every file has its grade."""
    result = graded(user)
    assert result.status == 0, result.said
    assert result.grades.keys() == {attack.file_name for attack in hostile(user)} | BYSTANDERS.keys()


@pytest.mark.parametrize("user", USERS)
def test_bystanders_are_graded_as_if_alone(graded: Callable[[str], Graded], user: str) -> None:
    """Honest submissions among hostile ones get the points that they get by themselves."""
    found = {name: graded(user).grades[name] for name in BYSTANDERS}
    assert {name: grade["score"] for name, grade in found.items()} == SCORES
    assert {grade["status"] for grade in found.values()} == {"graded"}


@pytest.mark.parametrize("user", USERS)
def test_nothing_hidden_is_in_any_grade(graded: Callable[[str], Graded], user: str) -> None:
    """Hidden inputs, hidden tests, the grader's environment, and what an attack tried to smuggle out, are in none."""
    secrets = [str(scenario.values["data"])[1:40] for scenario in course.scenarios()]
    secrets += [(course.HIDDEN / "scenarios.toml").read_text(encoding="utf-8")[:60], "import same", CANARY, "LEAK"]
    secrets += [mark for attack in hostile(user) for mark in attack.absent if mark.isalnum()]
    result = graded(user)
    for name, grade in {**result.grades, "what was said": result.said}.items():
        for question in grade["questions"] if name in result.grades else ():
            question["cells"] = []  # the student's own code, which names what it tries
        text = json.dumps(grade, ensure_ascii=False)
        assert not [secret for secret in secrets if secret in text], name


@pytest.mark.parametrize("user", USERS)
def test_nothing_is_left_behind(graded: Callable[[str], Graded], user: str) -> None:
    """After the run no process is left, no file was written, and the course is what it was."""
    before = digest()
    assert graded(user).left_running == []
    assert digest() == before
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/", ".", course.ROOT):
        assert not list(Path(folder).glob("attack-was-here*")), folder
        assert not list(Path(folder).glob("kept")), folder


def digest() -> str:
    files = [path for folder in (course.HIDDEN, course.PUBLIC) for path in sorted(folder.glob("*.*"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*files, course.REFERENCE])).hexdigest()


@pytest.mark.parametrize("user", USERS)
def test_isolation_is_told(graded: Callable[[str], Graded], user: str) -> None:
    """What confined the code stands in every grade."""
    (isolation,) = {grade["isolation"] for grade in graded(user).grades.values()}
    assert isolation.startswith("landlock ")
    assert "seccomp" in isolation
