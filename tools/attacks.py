"""Hostile submissions, kept as data: what the sandbox and everything around it are proven with.

`tests/attacks/*.toml` holds code that is laid over one submission, partly right, that earns `BASE_SCORE` points by
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

__all__ = ["BASE_SCORE", "Attack", "attacks", "base"]

BASE_SCORE = 80.0
"""q1 to q6 are right, q7 and q8 are blank."""


@dataclass(frozen=True)
class Attack:
    family: str
    id: str
    content: bytes
    """The notebook."""
    status: str
    score: float
    """The points that it must get: what the submission would earn without the attack, or less."""
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
    status, score = entry["verdict"].split()
    absent, unconfined = tuple(entry.get("absent", ())), entry.get("unconfined", False)
    return Attack(family, entry["id"], _laid_over(entry), status, float(score), absent, unconfined)


def _laid_over(entry: Mapping[str, Any]) -> bytes:
    """The submission with the code of one attack in it."""
    right = {question.id: corpus.answer(question.id) for question in course.questions()[:6]}
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
