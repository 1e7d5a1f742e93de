"""A digest of all that decides a grade: with another one, a submission is graded again."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from autograder.course.corpus import misconceptions
from autograder.course.files import ASSIGNMENT, HIDDEN, REFERENCE, ROOT, SHOWN, digest

__all__ = ["fingerprint"]

_ENGINE = ("course", "grading", "sandbox", "student", "wire")
"""The folders of the engine that decide a grade; how submissions are found, and all that people read, do not."""


@functools.cache
def fingerprint() -> str:
    """A digest of all that decides a grade: limits and policy, child, wire, grading, course, reference and corpus."""
    return digest(_deciding(), version("torch"), _mistakes())


def _deciding() -> Iterator[Path]:
    engine = ROOT / "autograder"
    for folder in _ENGINE:
        yield from engine.joinpath(folder).rglob("*.py")
    yield from (engine / "intake" / name for name in ("limits.py", "notebook.py"))
    yield from (path for path in HIDDEN.iterdir() if path.is_file())
    yield from ASSIGNMENT.glob("*/rnn.ipynb")
    yield SHOWN
    yield REFERENCE


def _mistakes() -> str:
    """What of the corpus decides a grade: mistakes and the checks that catch them, but no hint."""
    return json.dumps([[one.id, one.question, one.answers, one.catches] for one in misconceptions()])
