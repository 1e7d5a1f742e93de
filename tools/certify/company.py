"""Mistakes among other answers: recognised all the same, and costing nobody else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from autograder import corpus, course
from autograder.certify.cases import costs_only
from autograder.corpus import Misconception
from autograder.pool import Pool
from autograder.records import Submission

__all__ = ["Company", "companies", "judged"]

Answers = Mapping[str, str]


@dataclass(frozen=True)
class Company:
    """Submissions that hold one of the *mistakes* each, and what stands beside it."""

    name: str
    members: Sequence[tuple[Misconception, Answers, frozenset[str]]]
    """The mistake, all the answers, and the questions that are wrong."""


def companies(mistakes: Sequence[Misconception]) -> Iterator[Company]:
    """Each of *mistakes* beside right answers in other words, and beside a mistake in an earlier question."""
    yield Company("beside right answers in other words", [_beside_alternatives(one) for one in mistakes])
    later = [(one, other) for one in mistakes if (other := _earlier(one)) is not None]
    pairs = [(one, {**other.answers, **one.answers}, frozenset([other.question, one.question])) for one, other in later]
    yield Company("beside an earlier mistake", pairs)


def _beside_alternatives(mistake: Misconception) -> tuple[Misconception, Answers, frozenset[str]]:
    draw = random.Random(mistake.id)
    answers: dict[str, str] = {}
    for question in course.questions():
        # Answers to a single question go with any others.
        right = [one.answers[question.id] for one in corpus.alternatives() if set(one.answers) == {question.id}]
        if right:
            answers[question.id] = draw.choice(right)
    return mistake, {**answers, **mistake.answers}, frozenset([mistake.question])


def _earlier(mistake: Misconception) -> Misconception | None:
    """Some mistake in a question before that of *mistake* which it says nothing of."""
    plain = [one for one in corpus.misconceptions() if set(one.answers) == {one.question}]
    before = [one for one in plain if one.question < mistake.question and one.question not in mistake.answers]
    return random.Random(mistake.id).choice(before) if before else None


def judged(company: Company, pool: Pool) -> tuple[list[str], list[str]]:
    """The mistakes that were not explained by their own hint, and what they cost beyond their questions."""
    submissions = [
        Submission(f"{number}.ipynb", mistake.id, corpus.with_answers(answers))
        for number, (mistake, answers, _) in enumerate(company.members)
    ]
    strange, costly = [], []
    for submission, result in tqdm(pool.grade(submissions), total=len(submissions), unit="file", desc=company.name):
        mistake, _, wrong = company.members[int(submission.name.partition(".")[0])]
        explained = {question.question: question.misconception for question in result.grade.questions}
        if explained.get(mistake.question) != mistake.id:
            strange.append(f"{mistake.id}: explained as {explained.get(mistake.question) or 'nothing known'}")
        beside = "".join(f" beside a wrong {question}" for question in sorted(wrong - {mistake.question}))
        costly += [f"{mistake.id}{beside}: {problem}" for problem in costs_only(wrong, result.grade)]
    return sorted(strange), sorted(costly)
