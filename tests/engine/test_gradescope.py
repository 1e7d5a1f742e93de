"""Gradescope's autograder zip, unpacked and run as Gradescope does, but for the set-up."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder import course
from autograder.build.bundle import bundle
from autograder.classroom import gradescope
from autograder.classroom.pool import Pool

SOLVED = course.REFERENCE.read_bytes()
BLANK = (course.ROOT / "assignment" / "en" / "rnn.ipynb").read_bytes()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Gradescope unpacks."""
    folder = tmp_path_factory.mktemp("source")
    with zipfile.ZipFile(io.BytesIO(bundle())) as archive:
        for info in archive.infolist():
            path = folder / info.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(info))
    return folder


def hand_in(root: Path, **files: bytes) -> None:
    """Put *files* where Gradescope does; `__` in a name is `/`."""
    (root / "results").mkdir()
    (root / "submission").mkdir()
    for name, content in files.items():
        path = root / "submission" / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def graded(source: Path, root: Path, *options: str, **files: bytes) -> subprocess.CompletedProcess[str]:
    """Hand *files* in and run the autograder as it was unpacked."""
    hand_in(root, **files)
    command = [sys.executable, "-m", "autograder.classroom.gradescope", *options, "--root", str(root)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def graded_here(tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Hand files in and let the autograder of this process, which has its grading processes already, run."""

    def graded_here(**files: bytes) -> int:
        hand_in(tmp_path, **files)
        monkeypatch.setattr(gradescope, "Pool", lambda workers: contextlib.nullcontext(pool))
        monkeypatch.setattr(sys, "argv", ["gradescope", "--root", str(tmp_path)])
        return gradescope.main()

    return graded_here


def results(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((root / "results" / "results.json").read_text(encoding="utf-8"))
    return loaded


def test_zip_has_its_programs_at_the_root_and_is_the_same_each_time() -> None:
    """`setup.sh` and `run_autograder` can be executed; nothing compiled and no solution in text form comes along."""
    zipped = bundle()
    assert zipped == bundle()
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        for name in ("setup.sh", "run_autograder"):
            info = archive.getinfo(name)
            assert (info.external_attr >> 16) & stat.S_IXUSR
            assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")
        assert not [name for name in archive.namelist() if name.endswith(".pyc") or name == "solutions/rnn.py"]


def test_solved_notebook_gets_its_results_from_the_zip_alone(source: Path, tmp_path: Path) -> None:
    """All tests passed, all points, and their sum is the score; all can be seen when the instructor chose."""
    done = graded(source, tmp_path, "--visibility", "after_published", **{"rnn (1).ipynb": SOLVED})
    assert done.returncode == 0, done.stderr
    found = results(tmp_path)
    assert {part["visibility"] for part in (found, *found["tests"])} == {"after_published"}
    assert found["score"] == sum(test["score"] for test in found["tests"]) == course.maximum()
    assert {test["status"] for test in found["tests"]} == {"passed"}


def test_of_several_files_the_notebook_is_graded_and_the_student_is_told(
    graded_here: Callable[..., int], tmp_path: Path
) -> None:
    """The answered one counts, wherever it is and whatever it is called, as in a class that is downloaded."""
    files = {"a_blank.ipynb": BLANK, "work__rnn.ipynb": SOLVED}
    assert graded_here(**files) == 0
    found = results(tmp_path)
    assert (found["score"], found["extra_data"]["submission"]) == (course.maximum(), "work/rnn.ipynb")
    assert found["output"]


@pytest.mark.parametrize("files", [{}, {"rnn.ipynb": b"{"}], ids=["nothing", "damaged"])
def test_what_cannot_be_read_has_no_points_and_a_reason(
    graded_here: Callable[..., int], tmp_path: Path, files: dict[str, bytes]
) -> None:
    """Its author is told what to do."""
    assert graded_here(**files) == 0
    found = results(tmp_path)
    assert (found["score"], found["extra_data"]["status"]) == (0, "unreadable")
    assert found["output"]


def test_fault_of_the_grader_leaves_no_results(source: Path, tmp_path: Path) -> None:
    """Gradescope then says that the autograder failed; a zero would be the student's."""
    check = source / "tests" / "hidden" / "test_q1.py"
    sound = check.read_text(encoding="utf-8")
    try:
        check.write_text(sound.replace("same(", "nothing_of_this_name("), encoding="utf-8")
        done = graded(source, tmp_path, **{"rnn.ipynb": SOLVED})
    finally:
        check.write_text(sound, encoding="utf-8")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("autograder: could not grade: ")
    assert not list((tmp_path / "results").iterdir())
