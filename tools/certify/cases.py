"""Submissions whose grade is known beforehand, what is wrong with the grade that they got, and what they are told."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autograder import course
from autograder.course.corpus import Misconception, misconceptions, with_answers
from autograder.grade import Grade, Person, QuestionGrade, Submission
from autograder.language import LANGUAGES
from autograder.student.program import of_cell
from tools.certify.alternatives import alternatives

__all__ = [
    "LEAST_TOLD",
    "Case",
    "beside_another_mistake",
    "beside_right_answers",
    "corpus",
    "in_other_words",
    "problems",
    "told",
]

LEAST_LOSS = 0.3
"""The share of its question's points that a wrong answer loses at least."""
LEAST_TOLD = 0.98
"""The share of wrong answers that must be told more than that they are wrong."""
RECOGNISED, EXACT, UNTOLD = "recognised", "told the exact difference", "told only that they differ"


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

    @property
    def questions(self) -> frozenset[str]:
        """The questions that it is about, if not all."""
        return frozenset(mistake.question for mistake in self.mistakes) or frozenset(self.answers)

    @property
    def submission(self) -> Submission:
        answers = dict(self.answers)
        for mistake in self.mistakes:
            answers |= mistake.answers
        content = self.content or with_answers(answers)
        suffix = "ipynb" if content.startswith(b"{") else "py"
        return Submission(f"{self.kind}/{self.id}.{suffix}", (Person(self.id),), content)


def corpus() -> Iterator[Case]:
    """The reference, the blank editions, every alternative, and every misconception alone."""
    yield Case("reference", "solution", content=course.REFERENCE.read_bytes())
    for lang in LANGUAGES:
        yield Case("blank", lang, content=(course.ASSIGNMENT / lang / "rnn.ipynb").read_bytes())
    for right in alternatives():
        yield Case("alternative", right.id, (), right.answers, right.whole)
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


def problems(case: Case, grade: Grade) -> list[str]:
    """What is wrong with the grade that *case* got: nothing, if the graders are right."""
    if grade.status not in ("graded", "stopped") or not grade.questions:
        return [f"{grade.status}: {grade.detail}"]
    by_question = {mistake.question: mistake for mistake in case.mistakes}
    alone = case.kind == "misconception"
    return [
        f"{question.question}: {problem}"
        for question in grade.questions
        for problem in (
            _of_a_wrong_one(by_question[question.question], question, alone=alone)
            if question.question in by_question
            else _of_a_right_one(question, 0.0 if case.kind == "blank" else question.points)
        )
    ]


def _of_a_right_one(question: QuestionGrade, score: float) -> Iterator[str]:
    if question.score != score:
        failed = [f"{check.check} ({check.note.kind})" for check in question.checks if check.note]
        yield f"earned {question.score:g} instead of {score:g}: {', '.join(failed)}"


def _of_a_wrong_one(mistake: Misconception, question: QuestionGrade, *, alone: bool) -> Iterator[str]:
    failed = [check.check for check in question.checks if not check.passed]
    if question.score > (1 - LEAST_LOSS) * question.points:
        yield f"{mistake.id} keeps {question.score:g} of {question.points:g} points"
    if mistake.catches not in failed:
        yield f"{mistake.id} slips through {mistake.catches}"
    if question.misconception != mistake.id and (alone or question.misconception):
        yield f"{mistake.id} is explained as {question.misconception or 'nothing known'}"


def told(case: Case, grade: Grade) -> Iterator[tuple[str, str]]:
    """Each wrong answer of *case*, and what its owner is told of it."""
    mistaken = {mistake.question for mistake in case.mistakes}
    for question in grade.questions:
        if question.question in mistaken and question.score < question.points:
            example = question.example
            exact = question.notes or (example and (example.differences or example.error))
            what = RECOGNISED if question.misconception else EXACT if exact else UNTOLD
            yield f"{case.id}: {question.question}", what
