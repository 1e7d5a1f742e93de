"""The graders accept every right answer and catch every known mistake."""

from __future__ import annotations

import pytest

from autograder import corpus
from autograder.certify.cases import Case, cases, judge
from autograder.pool import Pool

ALL = list(cases())
SOME = [*ALL[:3], *ALL[3::3]]
"""Reference and blank editions, and every third of the others; `make certify` takes all."""


@pytest.fixture(scope="module")
def problems(pool: Pool) -> dict[str, list[str]]:
    """What is wrong with the grade of each."""
    return {case.id: problems for case, _, problems in judge(SOME, pool)}


@pytest.mark.parametrize("case", SOME, ids=lambda case: f"{case.kind}/{case.id}")
def test_case_gets_the_grade_it_must_get(case: Case, problems: dict[str, list[str]]) -> None:
    """Right answers earn all; a mistake is caught by its check, explained by its hint, and costs its own question."""
    assert problems[case.id] == []


def test_corpus_is_as_large_as_promised() -> None:
    """At least 80 misconceptions, six a question, and 40 alternatives, each with an id of its own."""
    questions = [misconception.question for misconception in corpus.misconceptions()]
    assert len(questions) >= 80
    assert min(questions.count(f"q{number}") for number in range(1, 9)) >= 6
    assert len(corpus.alternatives()) >= 40
    assert len({(case.kind, case.id) for case in ALL}) == len(ALL)
    assert [case.kind for case in ALL[:3]] == ["reference", "blank", "blank"]
