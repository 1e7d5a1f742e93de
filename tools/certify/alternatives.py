"""Right answers, kept as data in `tests/alternatives`: what the graders are proven with."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder import course
from autograder.course.corpus import answer, with_answers
from autograder.course.files import entries

__all__ = ["Alternative", "alternatives"]


@dataclass(frozen=True)
class Alternative:
    """A right answer, or a whole submission, that is written differently."""

    id: str
    answers: Mapping[str, str]
    """The answer cells that it replaces; none where it is a whole submission."""
    whole: bytes = b""
    """The whole submission, a notebook or a script, if it is one."""
    given_edited: bool = False
    """Whether given cells are edited in it: the graders put them back, students' own checks cannot."""

    @property
    def content(self) -> bytes:
        """The submission."""
        return self.whole or with_answers(self.answers)

    @property
    def file_name(self) -> str:
        return f"{self.id}.ipynb" if self.content.startswith(b"{") else f"{self.id}.py"


@functools.cache
def alternatives() -> tuple[Alternative, ...]:
    """All of `tests/alternatives`."""
    files = sorted((course.ROOT / "tests" / "alternatives").glob("*.toml"))
    more = ("source", "script", "notebook", "given_edited", *(question.id for question in course.questions()))
    return tuple(_alternative(entry) for _, _, entry in entries(files, "alternative", ("id",), more))


def _alternative(entry: dict[str, Any]) -> Alternative:
    answers = {question.id: entry[question.id] for question in course.questions() if question.id in entry}
    whole = b""
    if "script" in entry:
        whole = (entry["script"] + _lacking_from(entry["script"])).encode()
    elif "notebook" in entry:
        whole = _as_notebook([*entry["notebook"], _lacking_from("\n".join(entry["notebook"]))])
    return Alternative(entry["id"], answers, whole, entry.get("given_edited", False))


def _lacking_from(code: str) -> str:
    """The reference's answers to questions that a whole submission, perhaps written before they were asked, lacks."""
    lacking = [question.id for question in course.questions() if not any(name in code for name in question.names)]
    return "".join(f"\n\n{answer(question)}\ngrader.check({question!r})" for question in lacking)


def _as_notebook(cells: list[str]) -> bytes:
    code: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell}
        for cell in cells
        if cell.strip()
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
