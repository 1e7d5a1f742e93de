"""What the hidden checks say of a submission's questions, each graded as if those before it were right."""

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder import course
from autograder.course import Question, Scenario
from autograder.grade import Note
from autograder.grading.hidden import findings
from autograder.grading.reference import ReferenceValues
from autograder.grading.runs import NOTHING, Remedy, Runs, later
from autograder.wire.log import Record
from autograder.wire.values import Layer

__all__ = ["Verdict", "verdicts"]


@dataclass(frozen=True)
class Verdict:
    """What the hidden checks say of one question."""

    question: Question
    runs: Runs
    remedy: Remedy
    """How what came before it was put right."""
    moment: int
    """Which of the two moments counts, see `Log.moments`."""

    def record(self, scenario: Scenario) -> Record:
        """The question's names, as they stood at that moment."""
        moments = self.runs.under(scenario, self.remedy).moments(self.question.id, later(self.question.id))
        return moments[self.moment]

    def reference(self, scenario: Scenario) -> ReferenceValues:
        """What they are compared with."""
        return self.runs.reference(scenario, self.remedy).at[self.question.id]

    def findings(self, scenario: Scenario) -> dict[str, Note]:
        """What its checks find wrong, by the check's name."""
        return findings(self.question, self.record(scenario), self.reference(scenario))

    @functools.cached_property
    def failures(self) -> dict[str, tuple[Note, Scenario]]:
        """By check, what it found in the first hidden scenario in which it failed."""
        failures: dict[str, tuple[Note, Scenario]] = {}
        for scenario in course.scenarios():
            for name, note in self.findings(scenario).items():
                failures.setdefault(name, (note, scenario))
            if len(failures) == len(self.question.checks):
                break
        return failures

    @property
    def points(self) -> float:
        return sum((check.points for check in self.question.checks if check.name not in self.failures), 0.0)

    @property
    def right(self) -> bool:
        return not self.failures

    @property
    def there(self) -> int:
        """How many of the question's names hold anything, or would but for an error."""
        record = self.record(course.scenarios()[0])
        return sum(record[name] is not None or name in record.failures for name in self.question.names)

    @functools.cached_property
    def answers(self) -> Mapping[int, tuple[int, int]]:
        """The cells of the student's own that bind the question's names, by number: from which line to which."""
        own = self.runs.under(course.scenarios()[0]).outline.own
        lines = {cell.number: [cell.binds[name] for name in self.question.names if name in cell.binds] for cell in own}
        return {number: (min(each)[0], max(last for _, last in each)) for number, each in lines.items() if each}


def verdicts(runs: Runs) -> list[Verdict]:
    """The verdicts on all questions, in order.

    An answer that gives the right values in any of its runs is right. If it does not, perhaps because of what came
    before it, the submission is run again with that put right.
    """
    found: list[Verdict] = []
    for question in course.questions():
        # An answer that is right after later ones only was perhaps wrong when these were made with it.
        before = [verdict for verdict in found if not verdict.right or verdict.moment == 1 or _is_late(verdict)]
        found.append(_verdict(question, before, runs))
    return found


def _verdict(question: Question, before: Sequence[Verdict], runs: Runs) -> Verdict:
    plain = _under(NOTHING, question, runs)
    if plain.right or not plain.answers:
        return plain
    tried: list[Verdict] = []
    for remedy in _remedies(before, changes=_changes(plain)):
        tried.append(_under(remedy, question, runs))
        if tried[-1].right:
            break
    # Of equals the one that puts most right: then the mistake that is left is this question's own.
    return max((*tried, plain), key=lambda verdict: (verdict.points, verdict.remedy.put_back))


def _under(remedy: Remedy, question: Question, runs: Runs) -> Verdict:
    """The verdict on *question* with *remedy*, at the moment that earns more or, of equals, at which more is bound."""
    first, last = (Verdict(question, runs, remedy, moment) for moment in (0, 1))
    return first if first.right else max(first, last, key=lambda verdict: (verdict.points, verdict.there))


def _remedies(before: Sequence[Verdict], *, changes: bool) -> Iterator[Remedy]:
    """All ways to put right what came before a question that the code after it may need."""
    layouts = {verdict.question.id: _layouts(verdict) for verdict in before}
    chosen = (tuple(one for one, possible in layouts.items() if choose(possible)) for choose in (min, max))
    for put_back, batch_first in itertools.product([False, True] if changes else [False], dict.fromkeys(chosen)):
        if before or put_back:
            yield Remedy(tuple(layouts), batch_first, put_back)


def _layouts(verdict: Verdict) -> set[bool]:
    """Whether later code may expect what is put right with the batch first: as in a right layer, or either way."""
    values = verdict.reference(scenario := course.scenarios()[0])
    for name in verdict.question.names:
        right, own = getattr(values, name), verdict.record(scenario)[name]
        if isinstance(right, Layer) and "batch_first" in right.arguments:
            return {own.batch_first} if verdict.right and isinstance(own, Layer) else {False, True}
    return {False, True} if verdict.question.either_layout else {False}


def _is_late(verdict: Verdict) -> bool:
    """Whether a later question is answered in a cell before the one that calls the check that counts."""
    log, after = verdict.runs.under(course.scenarios()[0]), later(verdict.question.id)
    names = {name for question in after for name in course.question(question).names}
    settled = log.settled_in(verdict.question.id, after)
    return any(cell.number < settled and not names.isdisjoint(cell.binds) for cell in log.outline.own)


def _changes(verdict: Verdict) -> bool:
    """Whether given names, or those of earlier answers, are not what they should be anywhere in the notebook."""
    logs = [verdict.runs.under(scenario, verdict.remedy) for _, scenario in verdict.failures.values()]
    return any(record.message.changed for log in logs for record in log.records)
