"""Whether the shown examples tell every known mistake from a right answer, and from every other mistake."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from autograder import course
from autograder.course.corpus import misconceptions
from autograder.grading.explanation import leave_the_same
from autograder.grading.trials import Trial
from autograder.wire.log import Record
from tools.certify.judging import judge
from tools.certify.proof import Found

__all__ = ["told_apart"]


def told_apart(question: str) -> Found:
    """Look for mistakes that are right in every shown example, and for pairs that only hidden scenarios tell apart."""
    trials = [Trial(one.id, question, one.answers) for one in misconceptions() if one.question == question]
    failed = judge().failing(trials, course.shown_examples())
    wrong = [f"{one.id} looks right" for one in trials if not failed[one.id]]
    shown = [judge().observed(trials, example) for example in course.shown_examples()]
    hidden = [judge().observed(trials, scenario) for scenario in course.scenarios()]
    for one, other in itertools.combinations([trial.id for trial in trials], 2):
        if _alike(question, one, other, shown) and not _alike(question, one, other, hidden):
            wrong.append(f"{one} looks like {other}")
    return Found("mistakes told apart by shown examples", wrong, len(trials))


def _alike(question: str, one: str, other: str, settings: Sequence[Mapping[str, Record]]) -> bool:
    """Whether two mistakes leave the same values and errors in all *settings*."""
    asked = course.question(question)
    return all(leave_the_same(asked, found.get(one), found.get(other)) for found in settings)
