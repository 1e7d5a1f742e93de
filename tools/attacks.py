"""Hostile submissions, kept as data: what the sandbox and everything around it are proven with.

`tests/attacks/*.toml` holds code that is laid over one submission, partly right, that earns the points of `BASE` by
itself: an attack that gains anything shows.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder import course
from autograder.course import corpus
from autograder.course.files import toml
from tools.cases import answered, code_cell

__all__ = ["BASE", "Attack", "attacks", "base"]

BASE = tuple(question.id for question in course.questions()[:6])
"""The questions that are right in it; the others are blank."""


@dataclass(frozen=True)
class Attack:
    family: str
    id: str
    content: bytes
    """The notebook."""
    status: str
    earns: tuple[str, ...]
    """The questions, and checks such as `q6 test_decoded_ids`, whose points it must get: `BASE`, or less."""
    absent: tuple[str, ...]
    """What may stand in no output."""
    unconfined: bool
    """Whether it is harmless enough to be run without a sandbox."""

    @property
    def file_name(self) -> str:
        return f"{self.family}-{self.id}.ipynb"


def base() -> bytes:
    """The submission under all attacks, without one."""
    return _laid_over({})


@functools.cache
def attacks() -> tuple[Attack, ...]:
    """All of `tests/attacks`, family by family."""
    return tuple(
        _attack(path.stem, entry)
        for path in sorted((course.ROOT / "tests" / "attacks").glob("*.toml"))
        for entry in toml(path)["attack"]
    )


def _attack(family: str, entry: Mapping[str, Any]) -> Attack:
    earns, absent = tuple(entry.get("earns", BASE)), tuple(entry.get("absent", ()))
    unconfined = entry.get("unconfined", False)
    return Attack(family, entry["id"], _laid_over(entry), entry["verdict"], earns, absent, unconfined)


def _laid_over(entry: Mapping[str, Any]) -> bytes:
    """The submission with the code of one attack in it."""
    right = {question: corpus.answer(question) for question in BASE}
    notebook = answered(course.ASSIGNMENT / "en" / "rnn.ipynb", {**right, **entry})
    start, times = entry.get("start_times", (entry.get("start", ""), 1))
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if start and "grader = otter.Notebook()" in cell["source"]:
            cells.append(code_cell(start * times))  # after the imports
    if "end" in entry:
        cells.append(code_cell(entry["end"]))
    return json.dumps({**notebook, "cells": cells}).encode()
