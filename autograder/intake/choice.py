"""Which of one person's files counts: by evidence, and never by the alphabet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache, partial

from autograder.intake.archives import MAX_BYTES, File, Refused, refuse, unpack
from autograder.intake.evidence import Assignment, answers, belongs
from autograder.intake.files import Kind, kind_of, sift
from autograder.intake.notebook import Unreadable, read

__all__ = ["Candidate", "Worth", "choose", "unpacked", "weighed"]

_READ = 8
"""Most files of one person that are read: whoever hands in hundreds takes no more time than others."""
_NESTED = 2
"""Archives within archives: an export of Otter's in a zip."""


class Worth(IntEnum):
    """What a file is worth as a submission. One that the grader cannot read might be the answered one."""

    UNREAD = 0
    UNREADABLE = 1
    OTHER = 2
    BLANK = 3
    FAULT = 4
    ANSWERED = 5


_BEHIND = {Worth.UNREAD: "not-read", Worth.UNREADABLE: "unreadable", Worth.OTHER: "another-assignment"}


@dataclass(frozen=True)
class Candidate:
    """A file that could be somebody's submission."""

    file: File
    moment: tuple[int, str, int] = (0, "", 0)
    """Attempt, time, and which of the named paths it came with; the largest is the newest."""
    late: bool = False
    order: int = 0
    """The platform's number for the file, if it has one."""
    worth: Worth = Worth.UNREAD
    answers: int = 0
    size: int = 0

    @property
    def kind(self) -> Kind:
        return kind_of(self.file.name)

    def rank(self) -> tuple[object, ...]:
        """The largest counts. Of equals it is the one nearest the top; a copy has the longer name."""
        name = self.file.name
        return (self.worth, self.moment, -self.kind, self.answers, self.order, -name.count("/"), -len(name), name)


def choose(candidates: Iterable[Candidate], assignment: Assignment) -> tuple[Candidate, list[tuple[Candidate, str]]]:
    """The candidate that counts, and each of the others with the reason why it does not.

    Nothing is read where there is no choice.
    """
    found = [inner for candidate in candidates for inner in unpacked(candidate)]
    likely = min(found, key=lambda candidate: candidate.kind).kind
    choice = [candidate for candidate in found if candidate.kind <= max(likely, Kind.SCRIPT)]
    judged = _judged(choice, assignment) if len(choice) > 1 else choice
    best = max(judged, key=Candidate.rank)
    others = [(each, _reason(each, best)) for each in judged if each is not best]
    return best, others + [(each, "attachment") for each in found if each.kind > max(likely, Kind.SCRIPT)]


def unpacked(candidate: Candidate, nested: int = _NESTED) -> Iterator[Candidate]:
    """The candidates in an archive; any other candidate, and an archive without any, as it is."""
    if candidate.kind != Kind.ARCHIVE:
        yield candidate
        return
    archive = candidate.file
    try:
        names = list(_contents(archive)) if nested else []
        code = [name for name in names if kind_of(name) <= Kind.SCRIPT]
        inside = code or [name for name in names if kind_of(name) == Kind.TEXT]
        if not inside:
            raise Refused("archive-without-notebook")
    except Refused as refused:
        yield replace(candidate, file=File(archive.name, partial(refuse, refused)))
        return
    for name in sorted(inside, key=lambda name: (kind_of(name), name.count("/")))[: 4 * _READ]:
        member = File(f"{archive.name}/{name}", partial(_member, archive, name))
        yield from unpacked(replace(candidate, file=member), nested - 1)


@lru_cache(maxsize=2)
def _contents(archive: File) -> dict[str, File]:
    """The files of the archive looked at last, so that no entry keeps an archive in memory."""
    return {file.name: file for file in sift(unpack(archive.load()))}


def _member(archive: File, name: str) -> bytes:
    return _contents(archive)[name].load()


def _judged(candidates: list[Candidate], assignment: Assignment) -> list[Candidate]:
    """The candidates with what they are worth, the likeliest read first; scripts only where they could count."""
    judged: list[Candidate] = []
    best, left = None, MAX_BYTES
    for candidate in sorted(candidates, key=Candidate.rank, reverse=True):
        settled = (
            best and best.worth == Worth.ANSWERED and best.moment >= candidate.moment and best.kind < candidate.kind
        )
        if not settled and left > 0 and len(judged) < _READ:
            candidate = weighed(candidate, assignment)
            left -= candidate.size
        best = max(best or candidate, candidate, key=Candidate.rank)
        judged.append(candidate)
    return judged


def weighed(candidate: Candidate, assignment: Assignment) -> Candidate:
    """The candidate with what it is worth."""
    try:
        content = candidate.file.load()
        source = read(content, candidate.file.name)
    except Refused as refused:
        return replace(candidate, worth=Worth.FAULT if refused.fault else Worth.UNREADABLE)
    except Unreadable:
        return replace(candidate, worth=Worth.UNREADABLE, size=len(content))
    own = len(answers(source, assignment))
    worth = Worth.ANSWERED if own else Worth.BLANK if belongs(source, assignment) else Worth.OTHER
    return replace(candidate, worth=worth, answers=own, size=len(content))


def _reason(other: Candidate, best: Candidate) -> str:
    """Why *other* does not count: the first thing in which it is behind."""
    if other.kind > best.kind and other.worth in (Worth.UNREAD, best.worth):
        return "script"
    if other.worth < best.worth:
        return _BEHIND.get(other.worth, "blank")
    return "older" if other.moment < best.moment else "copy"
