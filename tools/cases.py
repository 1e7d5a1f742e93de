"""Submissions whose grade is known beforehand: the solution with answers of the corpus, right and wrong."""

import functools
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder import course
from autograder.course.corpus import Misconception, answer, misconceptions
from autograder.course.files import entries
from autograder.grade import Person, Submission
from autograder.language import LANGUAGES
from autograder.student.program import of_cell

__all__ = [
    *("Case", "alternatives", "answered", "beside_another_mistake", "beside_right_answers", "code_cell", "corpus"),
    *("in_other_words", "made_up_class", "with_answers"),
]


@dataclass(frozen=True)
class Case:
    """A submission whose grade is known beforehand."""

    kind: str
    id: str
    mistakes: tuple[Misconception, ...] = ()
    """The known mistakes in it, of different questions; all else is right, unless it is `blank`."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Right answers in it, in other words than the solution's."""
    content: bytes = b""
    """Nothing where it is the solution with these mistakes and answers."""
    given_edited: bool = False
    """Whether given cells are edited in it: the graders put them back, students' own checks cannot."""

    @property
    def questions(self) -> frozenset[str]:
        """The questions that it is about, if not all."""
        return frozenset(mistake.question for mistake in self.mistakes) or frozenset(self.answers)

    @property
    def code(self) -> dict[str, str]:
        """All answer cells in it that are not the solution's."""
        wrong = {question: code for mistake in self.mistakes for question, code in mistake.answers.items()}
        return {**self.answers, **wrong}

    @property
    def submission(self) -> Submission:
        content = self.content or with_answers(self.code)
        suffix = "ipynb" if content.startswith(b"{") else "py"
        return Submission(f"{self.kind}/{self.id}.{suffix}", (Person(self.id),), content)


def with_answers(answers: Mapping[str, str]) -> bytes:
    """The solution notebook with the answer cells of some questions replaced."""
    return json.dumps(answered(course.REFERENCE, answers)).encode()


def answered(path: Path, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook at *path*, the solution's or an edition's, with these answer cells."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["metadata"].get("question"), "".join(cell["source"]))
    return notebook


def code_cell(source: str) -> dict[str, Any]:
    """A cell of a notebook that was not run."""
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}


@functools.cache
def alternatives() -> tuple[Case, ...]:
    """All right answers of `tests/alternatives`, and the whole submissions there."""
    files = sorted((course.ROOT / "tests" / "alternatives").glob("*.toml"))
    more = ("source", "script", "notebook", "given_edited", *(question.id for question in course.questions()))
    return tuple(_alternative(entry) for _, _, entry in entries(files, "alternative", ("id",), more))


def _alternative(entry: dict[str, Any]) -> Case:
    answers = {question.id: entry[question.id] for question in course.questions() if question.id in entry}
    content = b""
    if "script" in entry:
        content = (entry["script"] + _lacking_from(entry["script"])).encode()
    elif "notebook" in entry:
        cells = [*entry["notebook"], _lacking_from("\n".join(entry["notebook"]))]
        code = [code_cell(cell) for cell in cells if cell.strip()]
        content = json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    return Case("alternative", entry["id"], (), answers, content, entry.get("given_edited", False))


def _lacking_from(code: str) -> str:
    """The reference's answers to questions that a whole submission, perhaps written before they were asked, lacks."""
    lacking = [question.id for question in course.questions() if not any(name in code for name in question.names)]
    return "".join(f"\n\n{answer(question)}\ngrader.check({question!r})" for question in lacking)


def corpus() -> Iterator[Case]:
    """The reference, the blank editions, every alternative, and every misconception alone."""
    yield Case("reference", "solution", content=course.REFERENCE.read_bytes())
    for lang in LANGUAGES:
        yield Case("blank", lang, content=(course.ASSIGNMENT / lang / "rnn.ipynb").read_bytes())
    yield from alternatives()
    for mistake in misconceptions():
        yield Case("misconception", mistake.id, (mistake,))


def beside_right_answers() -> Iterator[Case]:
    """Every misconception, with the other questions answered right, but in other words than the solution's."""
    right = in_other_words()
    for mistake in misconceptions():
        draw = random.Random(mistake.id)
        answers = {question: draw.choice(codes) for question, codes in right.items()}
        yield Case("company", mistake.id, (mistake,), answers)


def in_other_words() -> dict[str, list[str]]:
    """Right answers to each question, in other words than the solution's, that go with any others.

    Each answers that question alone, and binds the names of no other one.
    """
    found: dict[str, list[str]] = {}
    alone = [right.answers for right in alternatives() if len(right.answers) == 1]
    for question in course.questions():
        of_others = {name for other in course.questions() if other != question for name in other.names}
        for code in (answers[question.id] for answers in alone if question.id in answers):
            binds = {name for statement in of_cell(1, code) for name in statement.names}
            if binds.isdisjoint(of_others):
                found.setdefault(question.id, []).append(code)
    return found


def beside_another_mistake() -> Iterator[Case]:
    """Every misconception together with one of every other question, drawn at random, where both can be made.

    First each with one of the next question, then each with one of the question after that, and so on.
    """
    ids = [question.id for question in course.questions()]
    seen: set[frozenset[str]] = set()
    for step in range(1, len(ids)):
        for mistake in misconceptions():
            question = ids[(ids.index(mistake.question) + step) % len(ids)]
            others = [one for one in misconceptions() if one.question == question]
            others = [one for one in others if one.answers.keys().isdisjoint(mistake.answers)]
            for other in random.Random(f"{mistake.id} {question}").sample(others, min(1, len(others))):
                pair = frozenset((mistake.id, other.id))
                if pair not in seen:
                    seen.add(pair)
                    yield Case("pair", f"{mistake.id}+{other.id}", (mistake, other))


def made_up_class(size: int) -> Iterator[Submission]:
    """So many submissions, no two alike; a larger class begins with the submissions of a smaller one.

    Four in ten have no mistake; the others have one, or, a quarter of them, two.
    """
    right = in_other_words()
    wrong = [one for one in misconceptions() if set(one.answers) == {one.question}]
    for number in range(size):
        draw = random.Random(f"1 {number}")
        answers = {q: draw.choice(right[q]) for q in right if draw.random() < 0.5}
        if draw.random() >= 0.4:
            for mistake in draw.sample(wrong, draw.choice([1, 1, 1, 2])):
                answers[mistake.question] = mistake.answers[mistake.question]
        first = course.questions()[0].id  # no two people write alike
        answers[first] = f"# submission {number}\n{answers.get(first) or answer(first)}"
        yield Submission(f"{number:06}.ipynb", (Person(f"{number:06}"),), with_answers(answers))
