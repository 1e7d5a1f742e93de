"""What the hidden checks say of a submission's questions, each as if those before it had been right."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from torch import nn

from autograder import course
from autograder.checks import Finding, Findings
from autograder.corpus import Misconception
from autograder.course import Question, Scenario
from autograder.records import StatementError
from autograder.reference import Reference
from autograder.runlog import Record, RunLog
from autograder.runner import NOTHING, Remedy, Runner

__all__ = ["Explain", "Failure", "Judge", "Verdict", "verdicts"]

_T = TypeVar("_T")
_SETTING = re.compile(r"\.\s*\w+\s*=(?!=)|set|__|\bdel\b|\bvars\b")
"""What code that changes anything beside its own names has in it, such as an attribute's assignment."""

Judge = Callable[[Question, Scenario, Record], Findings]
"""What the hidden checks of a question say of a record under a scenario."""

Explain = Callable[[Question, Sequence[Record]], "Misconception | None"]
"""The known mistake that leaves behind what a question's records hold, one for each hidden scenario."""


@dataclass(frozen=True)
class Failure:
    """The first scenario in which a check failed, and what it said there."""

    finding: Finding
    scenario: Scenario
    log: RunLog

    def error(self, names: Sequence[str]) -> StatementError | None:
        """The error that left one of *names* unbound in that run."""
        return next((error for error in self.log.errors if set(error.names) & set(names)), None)


@dataclass(frozen=True)
class Verdict:
    """What the hidden checks say of one question over all hidden scenarios."""

    question: Question
    records: Sequence[Record]
    failures: Mapping[str, Failure]
    """By the check's name."""
    calls: Sequence[Mapping[str, int]]
    """By scenario, the calls of the question's check that may be the one that the answer was ready for."""
    mistake: Misconception | None = None
    """The known mistake that it is."""

    @property
    def points(self) -> float:
        hidden = course.hidden_checks(self.question)
        return sum(check.points for check in hidden if check.name not in self.failures)

    @property
    def right(self) -> bool:
        return not self.failures

    @property
    def ran_out_of_time(self) -> bool:
        """Whether a statement that was to bind the question's names did not end: it left nothing to recognise."""
        errors = (failure.error(self.question.names) for failure in self.failures.values())
        return any(error is not None and error.kind == "TimeLimit" for error in errors)


@dataclass
class _Runs:
    """What the hidden scenarios left behind."""

    remedy: Remedy
    logs: dict[Scenario, RunLog]


def verdicts(runner: Runner, reference: Reference, judge: Judge, explain: Explain) -> list[Verdict]:
    """The verdicts on all questions, in order.

    An answer that gives the right values is right, whatever came before it. Only where one does not, and may not
    because of an earlier one, is the submission run again.
    """

    def timed(question: Question, scenario: Scenario, record: Record) -> Findings:
        started = time.monotonic()
        try:
            return judge(question, scenario, record)
        finally:
            runner.spend(time.monotonic() - started)

    final: list[Verdict] = []
    wrong: list[Verdict] = []
    runs = _Runs(NOTHING, runner.hidden())
    for question in course.questions():
        verdict = _best(question, runs.logs, timed)
        if not verdict.right and len(runs.remedy.wrong) < len(wrong) and _is_answered(question, runner):
            verdict, runs = _follow_through(question, wrong, runner, reference, timed, explain)
        elif not verdict.right:
            verdict = _settled(question, runs, runner, timed, explain)
        final.append(verdict)
        if not verdict.right:
            wrong.append(verdict)
    return final


def _is_answered(question: Question, runner: Runner) -> bool:
    """Whether any cell that was not handed out like that speaks of the question's names.

    What is left blank does not depend on the questions before it, and needs no explanation.
    """
    return any(name in cell for cell in runner.own_cells for name in question.names)


def _follow_through(
    question: Question,
    wrong: Sequence[Verdict],
    runner: Runner,
    reference: Reference,
    judge: Judge,
    explain: Explain,
) -> tuple[Verdict, _Runs]:
    """The verdict on *question* as if the *wrong* ones before it had been right, and the runs that it is from.

    Where it cannot be told what the code after them expects, each possibility is tried, and the best counts.
    """
    best: tuple[Verdict, _Runs] | None = None
    for remedy in _remedies(wrong, runner, reference):
        runs = _Runs(remedy, runner.hidden(remedy))
        verdict = _settled(question, runs, runner, judge, explain)
        if best is None or verdict.points > best[0].points:
            best = verdict, runs
        if verdict.right:
            break
    assert best is not None
    return best


def _remedies(wrong: Sequence[Verdict], runner: Runner, reference: Reference) -> Iterator[Remedy]:
    layouts = [False, True] if any(_is_open(verdict, runner, reference) for verdict in wrong) else [False]
    # Mostly a check is called once, after the answer. If not, the last call is the likeliest, then the first.
    for place in dict.fromkeys((-1, 0)) if any(len(verdict.calls) > 1 for verdict in wrong) else (-1,):
        for batch_first in layouts:
            yield Remedy([(verdict.question, verdict.calls[place]) for verdict in wrong], batch_first)


def _is_open(verdict: Verdict, runner: Runner, reference: Reference) -> bool:
    """Whether it cannot be told in which layout the code after a wrong question expects the right values.

    So it is with a recurrent layer where the submission has none to take the layout from, and with tensors that are
    right in either and that the submission speaks of again.
    """
    own = "\n".join(runner.own_cells)
    if any(own.count(name) > 1 for name in verdict.question.either_layout):
        return True
    values = reference.at(course.scenarios()[0], verdict.question.id)
    recurrent = [name for name in verdict.question.names if isinstance(getattr(values, name), nn.RNNBase)]
    return any(not isinstance(record[name], nn.RNNBase) for name in recurrent for record in verdict.records)


def _settled(question: Question, runs: _Runs, runner: Runner, judge: Judge, explain: Explain) -> Verdict:
    """The verdict by *runs*, in which no check fails because of what had run in the same process before.

    So a check fails by a run that was the first of its process; or by the very values that a known mistake leaves, in
    code that sets nothing beside its own names.
    """
    while True:
        verdict = _best(question, runs.logs, judge)
        if verdict.right or (question.points and not _is_answered(question, runner)):
            return verdict
        if question.points and not verdict.ran_out_of_time:
            verdict = replace(verdict, mistake=explain(question, verdict.records))
        doubtful = next((failure.scenario for failure in verdict.failures.values() if not failure.log.clean), None)
        if doubtful is None or (verdict.mistake is not None and not _sets_attributes(runner)):
            return verdict
        runs.logs[doubtful] = runner.alone(doubtful, runs.remedy)


def _sets_attributes(runner: Runner) -> bool:
    """Whether the code may change what all runs in a process share, such as a function of torch; rather yes than no."""
    return any(_SETTING.search(cell) for cell in runner.own_cells)


def _best(question: Question, logs: Mapping[Scenario, RunLog], judge: Judge) -> Verdict:
    """The verdict on those of the records that may count which earn most; of equal ones, the first."""
    later = [q.id for q in course.questions()[course.questions().index(question) + 1 :]]
    candidates = [log.candidates(question.id, later) or [Record(question.id, {}, b"")] for log in logs.values()]
    calls = [log.settling_calls(question.id, later) or [0] for log in logs.values()]
    by_scenario = [
        {scenario.id: _at(own, place) for scenario, own in zip(logs, calls, strict=True)}
        for place in range(max(map(len, calls)))
    ]
    best: Verdict | None = None
    for place in range(max(map(len, candidates))):
        records = [_at(own, place) for own in candidates]
        verdict = Verdict(question, records, _failures(question, logs, records, judge), by_scenario)
        if best is None or verdict.points > best.points:
            best = verdict
        if best.right:
            break
    assert best is not None
    return best


def _at(items: Sequence[_T], place: int) -> _T:
    return items[min(place, len(items) - 1)]


def _failures(
    question: Question, logs: Mapping[Scenario, RunLog], records: Sequence[Record], judge: Judge
) -> dict[str, Failure]:
    failures: dict[str, Failure] = {}
    for (scenario, log), record in zip(logs.items(), records, strict=True):
        for name, finding in judge(question, scenario, record).items():
            if not finding.passed and name not in failures:
                failures[name] = Failure(finding, scenario, log)
    return failures
