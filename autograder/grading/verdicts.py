"""What the hidden checks say of a submission's questions, each as if those before it had been right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder import course
from autograder.course import Question, Scenario
from autograder.grade import Note
from autograder.grading.hidden import Look, Looking
from autograder.grading.runs import NOTHING, Remedy, Runs, later
from autograder.wire.log import Log, Record
from autograder.wire.values import Layer

__all__ = ["Verdict", "verdicts"]


@dataclass(frozen=True)
class Verdict:
    """What the hidden checks say of one question over all hidden scenarios."""

    question: Question
    remedy: Remedy
    """How what came before it was put right."""
    moment: int
    """Which of the two moments counts, see `Log.moments`."""
    failures: Mapping[str, tuple[Note, Scenario]]
    """By check, what it found in the first scenario in which it failed."""
    answered: bool
    """Whether any cell of the student's own binds one of its names."""

    @property
    def points(self) -> float:
        return sum((check.points for check in self.question.checks if check.name not in self.failures), 0.0)

    @property
    def right(self) -> bool:
        return not self.failures


def verdicts(runs: Runs, look: Looking) -> list[Verdict]:
    """The verdicts on all questions, in order.

    An answer that gives the right values in any of its runs is right. Only where one does not, and may not because of
    what came before it, is the submission run again with that put right.
    """
    found: list[Verdict] = []
    for question in course.questions():
        # An answer that is right at the end alone was wrong when the next questions' answers were made with it.
        wrong = [verdict.question for verdict in found if not verdict.right or verdict.moment == 1]
        found.append(_verdict(question, wrong, runs, look))
    return found


def _verdict(question: Question, wrong: Sequence[Question], runs: Runs, look: Looking) -> Verdict:
    plain = _under(NOTHING, question, runs, look)
    if plain.right or not plain.answered:
        return plain
    tried: list[Verdict] = []
    failed_in = {scenario for _, scenario in plain.failures.values()}
    changes = any(_changes(question, runs.under(scenario)) for scenario in failed_in)
    for remedy in _remedies(wrong, runs, changes=changes):
        tried.append(_under(remedy, question, runs, look))
        if tried[-1].right:
            break
    # Of equal ones, that in which the mistake is its own: not that of a question before it, nor of a changed name.
    return max((*tried, plain), key=lambda verdict: (verdict.points, verdict.remedy.put_back))


def _remedies(wrong: Sequence[Question], runs: Runs, *, changes: bool) -> Iterator[Remedy]:
    """The ways to put right what came before a question; where it cannot be told which is meant, each."""
    names = tuple(one.id for one in wrong)
    layouts = [False, True] if any(_has_either_layout(one, runs) for one in wrong) else [False]
    for put_back in (False, True):
        if put_back and not changes:
            return
        for batch_first in layouts:
            if names or put_back:
                yield Remedy(names, batch_first, put_back)


def _has_either_layout(question: Question, runs: Runs) -> bool:
    """Whether the right values of *question* can stand in either layout: the code after it may expect one or other."""
    right = runs.reference(course.scenarios()[0]).at[question.id]
    return bool(question.either_layout) or any(
        isinstance(value := getattr(right, name), Layer) and "batch_first" in value.arguments for name in question.names
    )


def _changes(question: Question, log: Log) -> bool:
    """Whether given names, or those of earlier answers, are not what they should be at its check or before."""
    after = later(question.id)
    return any(record.message.changed and record.message.question not in after for record in log.records)


def _under(remedy: Remedy, question: Question, runs: Runs, look: Looking) -> Verdict:
    """The verdict on *question* with *remedy*, by the moment that earns more; of equal ones, the first."""
    answered = is_answered(question, runs)
    tried = []
    for moment in (0, 1):
        tried.append(Verdict(question, remedy, moment, _failures(remedy, question, moment, runs, look), answered))
        if tried[-1].right:
            break
    return max(tried, key=lambda verdict: verdict.points)


def is_answered(question: Question, runs: Runs) -> bool:
    """Whether any cell of the student's own binds one of the names of *question*."""
    outline = runs.under(course.scenarios()[0]).outline
    return any(not set(cell.binds).isdisjoint(question.names) for cell in outline.own)


def _failures(
    remedy: Remedy, question: Question, moment: int, runs: Runs, look: Looking
) -> dict[str, tuple[Note, Scenario]]:
    failures: dict[str, tuple[Note, Scenario]] = {}
    for scenario in course.scenarios():
        record = runs.under(scenario, remedy).moments(question.id, later(question.id))[moment]
        for name, note in findings(question, record, scenario, remedy, runs, look).items():
            if note is not None and name not in failures:
                failures[name] = note, scenario
        if len(failures) == len(question.checks):
            break
    return failures


def findings(
    question: Question, record: Record, scenario: Scenario, remedy: Remedy, runs: Runs, look: Looking
) -> Mapping[str, Note | None]:
    """What the checks of *question* find in *record*."""
    return look(Look(question.id, record, runs.reference(scenario, remedy).at[question.id], scenario))
