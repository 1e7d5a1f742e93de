"""Whether the shown examples tell every known mistake from a right answer, and from every other mistake."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from autograder import course
from autograder.course.compare import alike
from autograder.course.corpus import misconceptions
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
    names = course.question(question).names
    for one, other in itertools.combinations([trial.id for trial in trials], 2):
        if _alike(one, other, shown, names) and not _alike(one, other, hidden, names):
            wrong.append(f"{one} looks like {other}")
    return Found("mistakes told apart by shown examples", wrong, len(trials))


def _alike(one: str, other: str, settings: Sequence[Mapping[str, Record]], names: Sequence[str]) -> bool:
    """Whether two mistakes leave the same values and errors in all *settings*."""
    return all(_same(found.get(one), found.get(other), names) for found in settings)


def _same(one: Record | None, other: Record | None, names: Sequence[str]) -> bool:
    if one is None or other is None:
        return one is other
    errors = [[_error(record, name) for name in names] for record in (one, other)]
    return errors[0] == errors[1] and alike([one[n] for n in names], [other[n] for n in names], [False] * len(names))


def _error(record: Record, name: str) -> tuple[str, str] | None:
    failure = record.failures.get(name)
    return None if failure is None else (failure.kind, failure.text)
