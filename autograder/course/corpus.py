"""Right and wrong answers, kept as data: what the graders are proven with, and what mistakes are recognised by."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.files import REFERENCE, ROOT, entries, expect, expect_keys
from autograder.course.questions import questions
from autograder.language import LANGUAGES, Language

__all__ = ["Alternative", "Misconception", "alternatives", "answer", "misconceptions", "with_answers"]


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
def answer(question: str) -> str:
    """The reference's answer cell."""
    _, cells = _solution()
    return str(cells[question]["source"])


def with_answers(answers: Mapping[str, str]) -> bytes:
    """The solution notebook with the answer cells of some questions replaced."""
    notebook, cells = _solution()
    for question, code in answers.items():
        cells[question]["source"] = code
    return json.dumps(notebook).encode()


def _solution() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The solution notebook, and its answer cells by question."""
    notebook = json.loads(REFERENCE.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook, {cell["metadata"].get("question"): cell for cell in notebook["cells"]}


@functools.cache
def alternatives() -> tuple[Alternative, ...]:
    """All of `tests/alternatives`."""
    more = ("source", "script", "notebook", "given_edited", *_ids())
    return tuple(_alternative(entry) for _, _, entry in entries(_files("alternatives"), "alternative", ("id",), more))


def _alternative(entry: dict[str, Any]) -> Alternative:
    if "script" in entry:
        content = (entry["script"] + _lacking_from(entry["script"])).encode()
    elif "notebook" in entry:
        content = _as_notebook([*entry["notebook"], _lacking_from("\n".join(entry["notebook"]))])
    else:
        content = with_answers(_answers(entry))
    return Alternative(entry["id"], content, _answers(entry), entry.get("given_edited", False))


def _lacking_from(code: str) -> str:
    """The reference's answers to questions that a whole submission, perhaps written before they were asked, lacks."""
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
    found = []
    checks = {question.id: [check.name for check in question.checks] for question in questions()}
    for where, question, entry in entries(
        _files("misconceptions"), "misconception", ("id", "catches", "hint"), ("source", *_ids())
    ):
        expect(where, "answer to", [question], entry)
        expect(where, "check", [entry["catches"]], checks[question])
        expect_keys(f"{where}, hint", entry["hint"], LANGUAGES)
        found.append(Misconception(entry["id"], question, _answers(entry), entry["catches"], entry["hint"]))
    return tuple(found)


def _files(kind: str) -> list[Path]:
    return sorted((ROOT / "tests" / kind).glob("*.toml"))


def _ids() -> list[str]:
    return [question.id for question in questions()]


def _answers(entry: Mapping[str, Any]) -> dict[str, str]:
    return {question: entry[question] for question in _ids() if question in entry}
