"""Who moves when a class is graded again, by how much, and why."""

from collections import defaultdict
from dataclasses import dataclass, field

from autograder.grade import Grade, Submission
from autograder.report.words import one_line, points

__all__ = ["Moves"]

_LISTED = 5


@dataclass
class Moves:
    """Submissions whose score or status changes, grouped by what changed in them. Adjustments do not matter here."""

    dropped: int = 0
    """How many lose points, or have no score any more."""
    raised: int = 0
    _causes: defaultdict[tuple[str, ...], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, submission: Submission, before: Grade, after: Grade) -> None:
        """Take one submission into account."""
        if (before.score, before.status) != (after.score, after.status):
            old, new = (-1.0 if grade.score is None else grade.score for grade in (before, after))
            self.dropped += new < old
            self.raised += new > old
            who = one_line(", ".join(person.name for person in submission.people) or submission.name)
            self._causes[_cause(before, after)].append(f"{who}: {_shown(before)} to {_shown(after)}")

    def lines(self, graded: int) -> list[str]:
        """A line on all that were *graded*, and one on each cause with an example, the commonest first."""
        moved = sum(map(len, self._causes.values()))
        causes = sorted(self._causes.items(), key=lambda item: -len(item[1]))
        lines = [f"{moved} of {graded} submissions move: {self.raised} up, {self.dropped} down"]
        for changes, who in causes:
            why = "; ".join(changes[:_LISTED]) + ("; …" if len(changes) > _LISTED else "")
            lines.append(f"  {len(who)}: {why} ({who[0]})")
        return lines


def _cause(before: Grade, after: Grade) -> tuple[str, ...]:
    old, new = _checks(before), _checks(after)
    changes = [f"{before.status} becomes {after.status}"] if before.status != after.status else []
    for check in {**old, **new}:
        if old.get(check) != new.get(check):
            changes.append(f"{check} {_became(old.get(check), new.get(check))}")
    return tuple(changes)


def _checks(grade: Grade) -> dict[str, tuple[bool, float]]:
    return {f"{q.question} {c.check}": (c.passed, c.points) for q in grade.questions for c in q.checks}


def _became(old: tuple[bool, float] | None, new: tuple[bool, float] | None) -> str:
    if new is None:
        return "is gone"
    says = "passes" if new[0] else "fails"
    if old is None:
        return f"is new and {says}"
    return f"now {says}" if old[0] != new[0] else f"counts {points(new[1])} points, not {points(old[1])}"


def _shown(grade: Grade) -> str:
    return grade.status if grade.score is None else points(grade.score)
