"""Which of one person's files counts: by evidence, and never by the alphabet."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum

from autograder.grade import Note, Origin, Submission
from autograder.intake import limits
from autograder.intake.archives import File, Refused
from autograder.intake.files import Kind, kind_of, leftover
from autograder.intake.notebook import Assignment, answers, belongs, read

__all__ = ["Entry", "Worth", "choose", "rejected", "weighed"]


Worth = IntEnum("Worth", "NOT_READ UNREADABLE ANOTHER_ASSIGNMENT BLANK FAULT ANSWERED")
"""What a file is worth as a submission, the least first. One that the grader cannot read might be answered."""


@dataclass(frozen=True)
class Entry(Submission):
    """A file that is, or could be, the submission of a person or a group. Its bytes are read only when asked for."""

    content: bytes = b""
    file: File = field(kw_only=True, repr=False)
    key: tuple[str, ...] = ()
    """What tells people apart."""
    recency: tuple[int, str, int] = (0, "", 0)
    """Attempt, time, and which of the named paths it came with; the largest is the newest."""
    origin: Origin = field(default_factory=Origin)
    written: bool = False
    """Whether the platform wrote it, rather than that a person handed it in."""
    worth: Worth = Worth.NOT_READ
    answers: int = 0
    size: int = 0

    def read(self) -> Submission:
        """The submission with its bytes, or with why it has none."""
        told = {each.name: getattr(self, each.name) for each in fields(Submission)}
        try:
            return Submission(**told | {"content": self.file.load()})
        except Refused as refused:
            return Submission(**told | {"fault" if refused.fault else "problem": refused.note})

    @property
    def kind(self) -> Kind:
        return kind_of(self.name)

    def rank(self) -> tuple[object, ...]:
        """The file with the largest rank counts: of equals the nearest to the top, then that with the shortest name."""
        nearest = -self.name.count("/"), -len(self.name), self.name
        return (self.worth, self.recency, -self.kind, self.answers, self.origin.order, *nearest)


def choose(found: Sequence[Entry], assignment: Assignment) -> tuple[Entry, list[tuple[Entry, str]]]:
    """The candidate that counts, and each of the others with the reason why it does not.

    A single candidate is not read.
    """
    likely = max(Kind.SCRIPT, min(each.kind for each in found))
    choice = [each for each in found if each.kind <= likely]
    judged = _judged(choice, assignment) if len(choice) > 1 else choice
    best = max(judged, key=Entry.rank)
    others = [(each, _reason(each, best)) for each in judged if each is not best]
    return best, others + [(each, "attachment") for each in found if each.kind > likely]


def rejected(other: Entry, why: str, counted: str) -> Note:
    """Why *other* does not count but the file called *counted*, to be told; *why* is what `choose` says."""
    plain = Note(leftover(other.name) or why)
    return plain if why == "attachment" else Note("another-counted", {"counted": counted, "why": why})


def _judged(candidates: list[Entry], assignment: Assignment) -> list[Entry]:
    """The candidates with what they are worth. The likeliest are read first; one that could not win is not read."""
    judged = list[Entry]()
    for candidate in sorted(candidates, key=Entry.rank, reverse=True):
        at_best = replace(candidate, worth=Worth.ANSWERED, answers=len(assignment.names))
        room = len(judged) < limits.READ and sum(each.size for each in judged) < limits.FILE_BYTES
        if room and max(map(Entry.rank, judged), default=()) < at_best.rank():
            candidate = weighed(candidate, assignment)
        judged.append(candidate)
    return judged


def weighed(candidate: Entry, assignment: Assignment) -> Entry:
    """The candidate with what it is worth."""
    content = b""
    try:
        content = candidate.file.load()
        source = read(content, candidate.name)
    except Refused as why:
        return replace(candidate, worth=Worth.FAULT if why.fault else Worth.UNREADABLE, size=len(content))
    own = len(answers(source, assignment))
    worth = Worth.ANSWERED if own else Worth.BLANK if belongs(source, assignment) else Worth.ANOTHER_ASSIGNMENT
    return replace(candidate, worth=worth, answers=own, size=len(content))


def _reason(other: Entry, best: Entry) -> str:
    """Why *other* does not count: the first thing in which it is behind."""
    if other.worth not in (Worth.NOT_READ, best.worth):
        return other.worth.name.lower().replace("_", "-")
    if other.recency < best.recency:
        return "older"
    if other.kind > best.kind:
        return "no-notebook"
    return "not-read" if other.worth == Worth.NOT_READ else "copy"
