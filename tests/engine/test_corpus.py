"""The graders accept every right answer and catch every known mistake."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from autograder import attacks, certify, corpus
from autograder.pool import Pool
from autograder.records import Submission
from autograder.sandbox import Allowance, Limits

SLOW = {"time"}
"""Families of attacks that wait for limits, which would make the test long; `test_attacks` has them beside others."""
BRIEF = Allowance(30.0, 2.0, 1.5, run=Limits(wall_seconds=4, cpu_seconds=8, memory_bytes=512 << 20))
"""Limits that an honest submission is far from, so that hostile ones end soon."""
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


def test_honest_ones_are_graded_among_hostile_ones_as_without(corpus_grades):
    """A class of 200, a third of it hostile, in which each honest submission gets the grade it gets without them."""
    honest = {f"{case.kind}/{case.id}": case.submission for case in list(certify.cases())[::2][:134]}
    hostile = [attack for attack in attacks.attacks() if attack.family not in SLOW][:66]
    assert (len(honest), len(hostile)) == (134, 66)
    everyone = [*honest.values(), *(Submission(one.file_name, "mallory", one.content) for one in hostile)]
    random.Random(0).shuffle(everyone)
    with Pool(workers=2, allowance=BRIEF) as pool:
        grades = {submission.name: replace(result.grade, seconds=0.0) for submission, result in pool.grade(everyone)}
    for name, submission in honest.items():
        without, _ = corpus_grades[name]
        assert grades[submission.name] == replace(without, seconds=0.0), name
