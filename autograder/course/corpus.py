"""Right and wrong answers, kept as data: what the graders are proven with, and what mistakes are recognised by."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from autograder.course.files import REFERENCE, ROOT
from autograder.language import LANGUAGES, Language

__all__ = ["Alternative", "Misconception", "alternatives", "answer", "misconceptions", "with_answers"]

ALTERNATIVES = ROOT / "tests" / "alternatives"
MISCONCEPTIONS = ROOT / "tests" / "misconceptions"


@dataclass(frozen=True)
class Alternative:
    """A right answer, or a whole submission, that is written differently."""

    id: str
    content: bytes
    """The submission, a notebook or a script."""
    answers: Mapping[str, str]
    """The answer cells that it replaces; none where it is a whole submission."""
    given_edited: bool = False
    """Whether given cells are edited in it: the graders put them back, students' own checks cannot."""

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
    return REFERENCE.read_text(encoding="utf-8")


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


@functools.cache
def alternatives() -> tuple[Alternative, ...]:
    """All of `tests/alternatives`."""
    return _each_once(_alternative(entry) for entry in _entries("alternatives", "alternative"))


def _alternative(entry: dict[str, Any]) -> Alternative:
    answers = _answers(entry)
    if "script" in entry:
        return Alternative(entry["id"], (entry["script"] + _lacking_from(entry["script"])).encode(), answers)
    if "notebook" in entry:
        cells = [*entry["notebook"], _lacking_from("\n".join(entry["notebook"]))]
        return Alternative(entry["id"], _as_notebook(cells), answers, entry.get("given_edited", False))
    return Alternative(entry["id"], with_answers(answers), answers)


def _lacking_from(code: str) -> str:
    """The reference's answers to questions that a whole submission, perhaps written before they were asked, lacks."""
    from autograder.course.questions import questions

    lacking = [question.id for question in questions() if not any(name in code for name in question.names)]
    return "".join(f"\n\n{answer(question)}\ngrader.check({question!r})" for question in lacking)


def _as_notebook(cells: list[str]) -> bytes:
    code: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell}
        for cell in cells
        if cell.strip()
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@functools.cache
def misconceptions() -> tuple[Misconception, ...]:
    """All of `tests/misconceptions`, question by question."""
    return _each_once(
        Misconception(
            entry["id"],
            entry["question"],
            _answers(entry),
            entry["catches"],
            {lang: entry["hint"][lang] for lang in LANGUAGES},
        )
        for entry in _entries("misconceptions", "misconception")
    )


def _entries(folder: str, kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "tests" / folder).glob("*.toml")):
        for entry in tomli.loads(path.read_text(encoding="utf-8"))[kind]:
            yield {"question": path.stem, **entry}


def _answers(entry: Mapping[str, Any]) -> dict[str, str]:
    return {key: code for key, code in entry.items() if key.startswith("q") and key != "question"}


def _each_once(entries: Iterable[Any]) -> tuple[Any, ...]:
    found = tuple(entries)
    for name, times in Counter(entry.id for entry in found).items():
        if times > 1:
            raise ValueError(f"the id {name!r} is given twice: hints are found by it")
    return found
