"""Known wrong answers, by which mistakes are recognised, and the reference's answers: all kept as data."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass

from autograder.course.files import REFERENCE, ROOT, entries, expect, expect_keys
from autograder.course.questions import questions
from autograder.language import LANGUAGES, Language

__all__ = ["Misconception", "answer", "misconceptions"]


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that students really give."""

    id: str
    question: str
    answers: Mapping[str, str]
    """By question: the wrong answer cell, and right ones of other questions that it presupposes."""
    catches: str
    """The hidden check that must fail."""
    hints: Mapping[Language, str]


@functools.cache
def answer(question: str) -> str:
    """The reference's answer cell."""
    cells = json.loads(REFERENCE.read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["metadata"].get("question") == question)


@functools.cache
def misconceptions() -> tuple[Misconception, ...]:
    """All of `tests/misconceptions`, question by question."""
    found = []
    checks = {question.id: [check.name for check in question.checks] for question in questions()}
    files = sorted((ROOT / "tests" / "misconceptions").glob("*.toml"))
    for where, question, entry in entries(files, "misconception", ("id", "catches", "hint"), ("source", *checks)):
        expect(where, "answer to", [question], entry)
        expect(where, "check", [str(entry["catches"])], checks[question])
        expect_keys(f"{where}, hint", entry["hint"], LANGUAGES)
        answers = {id_: entry[id_] for id_ in checks if id_ in entry}
        found.append(Misconception(entry["id"], question, answers, entry["catches"], entry["hint"]))
    return tuple(found)
