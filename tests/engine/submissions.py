"""Submissions that tests make: the solution with other answers, with more cells, with cells changed."""

from __future__ import annotations

import json

from autograder import course
from autograder.grade import Grade
from tools.cases import with_answers

__all__ = [
    *("MAXIMUM", "POINTS", "after", "blank", "checks", "lost_by", "notebook", "scores", "solution", "solved"),
    *("with_cell", "worth"),
]

POINTS = {question.id: question.points for question in course.questions()}
MAXIMUM = sum(POINTS.values())


def checks(*names: str) -> set[str]:
    """All checks, as `q6 test_decoded_ids`, of questions that are named; a check may be named by itself."""
    every = [f"{check.question} {check.name}" for check in course.checks()]
    found = {name: {one for one in every if f"{one} ".startswith(f"{name} ")} for name in names}
    assert all(found.values()), found
    return set().union(*found.values())


def worth(*names: str) -> float:
    """The points of questions, and of checks, that are named."""
    named = checks(*names)
    return sum(check.points for check in course.checks() if f"{check.question} {check.name}" in named)


def notebook(cells: list[str], **metadata: str) -> bytes:
    """A notebook of these code cells."""
    code = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": code, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def solution(**answers: str) -> list[str]:
    """The solution's code cells, with other answers to some questions."""
    cells = json.loads(with_answers(answers))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def solved(**answers: str) -> bytes:
    """The solution, with other answers to some questions."""
    return notebook(solution(**answers))


def after(check: str, *more: str, **answers: str) -> bytes:
    """The solution with *more* cells after a question's check."""
    cells = solution(**answers)
    place = cells.index(f'grader.check("{check}")') + 1
    return notebook([*cells[:place], *more, *cells[place:]])


def with_cell(old: str, new: str, **answers: str) -> bytes:
    """The solution with a piece of code, which may stand in a given cell, written differently wherever it stands."""
    cells = solution(**answers)
    assert any(old in cell for cell in cells)
    return notebook([cell.replace(old, new) for cell in cells])


def blank(lang: str = "en") -> bytes:
    """An edition as it is handed out."""
    return (course.ASSIGNMENT / lang / "rnn.ipynb").read_bytes()


def scores(grade: Grade) -> dict[str, float]:
    return {question.question: question.score for question in grade.questions}


def lost_by(grade: Grade) -> set[str]:
    """The questions that lost points."""
    return {question for question, score in scores(grade).items() if score < POINTS[question]}
