"""The graders accept every right answer and catch every known mistake."""

from __future__ import annotations

import pytest

from autograder import certify, corpus

CASES = [f"{case.kind}/{case.id}" for case in certify.cases()]


@pytest.mark.parametrize("case", CASES)
def test_case_gets_the_grade_it_must_get(case, corpus_grades):
    """Right answers earn all; a mistake is caught by its check, explained by its hint, and costs its own question."""
    _, problems = corpus_grades[case]
    assert problems == []


def test_corpus_is_as_large_as_promised():
    """At least 80 misconceptions, six a question, and 40 alternatives, each with an id of its own."""
    questions = [misconception.question for misconception in corpus.misconceptions()]
    assert len(questions) >= 80
    assert min(questions.count(f"q{number}") for number in range(1, 9)) >= 6
    assert len(corpus.alternatives()) >= 40
    assert len(CASES) == len(set(CASES))
