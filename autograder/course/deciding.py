"""Digests of the files that decide a grade, and of those that decide what a run leaves behind."""

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from autograder.course.corpus import misconceptions
from autograder.course.files import ASSIGNMENT, HIDDEN, REFERENCE, ROOT, SHOWN

__all__ = ["fingerprint", "inside"]

_ENGINE = ROOT / "autograder"


@functools.cache
def fingerprint() -> str:
    """A digest of all that decides a grade: with another one, a submission is graded again.

    That is limits and policy, child, wire, grading, course, reference and corpus. How submissions are found, and all
    that people read, such as the hint of a mistake, decides nothing.
    """
    mistakes = [[one.id, one.question, one.answers, one.catches] for one in misconceptions()]
    return _digest(_deciding(), json.dumps(mistakes))


@functools.cache
def inside() -> str:
    """A digest of what runs inside the sandbox: what a job leaves behind depends on nothing else."""
    return _digest(_modules("student", "wire"))


def _deciding() -> Iterator[Path]:
    yield from _modules("course", "grading", "sandbox", "student", "wire")
    yield from (_ENGINE / "intake" / name for name in ("limits.py", "notebook.py"))
    yield from (path for path in HIDDEN.iterdir() if path.is_file())
    yield from ASSIGNMENT.glob("*/rnn.ipynb")
    yield from (SHOWN, REFERENCE)


def _modules(*folders: str) -> Iterator[Path]:
    return (path for folder in folders for path in (_ENGINE / folder).rglob("*.py"))


def _digest(paths: Iterable[Path], text: str = "") -> str:
    """A digest of files, with their names below the project's folder, of torch's version and of other *text*."""
    total = hashlib.sha256(f"{text}\0{version('torch')}".encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
