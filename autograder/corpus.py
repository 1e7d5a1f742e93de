"""Right and wrong answers, kept as data: what the graders are proven with, and what mistakes are recognised by."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from autograder import course
from autograder.text import LANGUAGES, Language

__all__ = ["Alternative", "Misconception", "alternatives", "answer", "misconceptions", "with_answers"]

ALTERNATIVES = course.ROOT / "tests" / "alternatives"
MISCONCEPTIONS = course.ROOT / "tests" / "misconceptions"


@dataclass(frozen=True)
class Alternative:
    """A right answer, or a whole submission, that is written differently."""

    id: str
    content: bytes
    """The submission, a notebook or a script."""
    answers: Mapping[str, str]
    """The answer cells that it replaces; none where it is a whole submission."""

    @property
    def file_name(self) -> str:
        return f"{self.id}.ipynb" if self.content.startswith(b"{") else f"{self.id}.py"


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that students really give."""

    id: str
    question: str
    answers: Mapping[str, str]
    """The wrong answer cell, and right ones of other questions that it presupposes."""
    catches: str
    """The hidden check that must fail."""
    hints: Mapping[Language, str]

    @property
    def content(self) -> bytes:
        """The solution with this mistake in it."""
        return with_answers(self.answers)


@functools.cache
def _solution() -> str:
    return course.REFERENCE.read_text(encoding="utf-8")


@functools.cache
def answer(question: str) -> str:
    """The reference's answer cell."""
    return str(_answer_cells(json.loads(_solution()))[question]["source"])


def _answer_cells(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    cells = {}
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        question = cell["metadata"].get("question")
        if question:
            cells[question] = cell
    return cells


def with_answers(answers: Mapping[str, str]) -> bytes:
    """The solution notebook with the answer cells of some questions replaced."""
    notebook = json.loads(_solution())
    cells = _answer_cells(notebook)
    for question, code in answers.items():
        cells[question]["source"] = code
    return json.dumps(notebook).encode()


def _as_notebook(cells: list[str]) -> bytes:
    code: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell} for cell in cells
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@functools.cache
def alternatives() -> tuple[Alternative, ...]:
    """All of `tests/alternatives`."""
    found = []
    for path in sorted(ALTERNATIVES.glob("*.toml")):
        for entry in tomli.loads(path.read_text(encoding="utf-8"))["alternative"]:
            answers = {key: code for key, code in entry.items() if key.startswith("q")}
            if "script" in entry:
                content = entry["script"].encode()
            elif "notebook" in entry:
                content = _as_notebook(entry["notebook"])
            else:
                content = with_answers(answers)
            found.append(Alternative(entry["id"], content, answers))
    _each_once([one.id for one in found])
    return tuple(found)


@functools.cache
def misconceptions() -> tuple[Misconception, ...]:
    """All of `tests/misconceptions`, question by question."""
    found = []
    for path in sorted(MISCONCEPTIONS.glob("q*.toml")):
        for entry in tomli.loads(path.read_text(encoding="utf-8"))["misconception"]:
            answers = {key: code for key, code in entry.items() if key.startswith("q")}
            hints = {lang: entry["hint"][lang] for lang in LANGUAGES}
            found.append(Misconception(entry["id"], path.stem, answers, entry["catches"], hints))
    _each_once([one.id for one in found])
    return tuple(found)


def _each_once(ids: list[str]) -> None:
    for name in ids:
        if ids.count(name) > 1:
            raise ValueError(f"the id {name!r} is given twice: hints are found by it")
