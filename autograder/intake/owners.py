"""Whose each file of a place is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.grade import Note, Person
from autograder.intake.archives import File
from autograder.intake.beside import Record, iso, records
from autograder.intake.choice import Candidate, Worth, weighed
from autograder.intake.evidence import Assignment
from autograder.intake.files import Kind, bounded, kind_of, leftover
from autograder.intake.platforms import Place

__all__ = ["Claim", "SetAside", "claims"]


@dataclass(frozen=True)
class SetAside:
    """A file that is not graded."""

    name: str
    reason: Note
    person: str = ""
    """Whose it is, if it is anybody's."""


@dataclass(frozen=True)
class Claim:
    """A file, and what its path tells of whose it is."""

    key: tuple[str, ...]
    """What tells people apart."""
    people: tuple[Person, ...]
    candidate: Candidate
    handed_in: bool = True
    """Whether a person did, rather than that the platform wrote it."""
    attempts: int = 1


def claims(place: Place, number: int, assignment: Assignment, aside: list[SetAside]) -> Iterator[Claim]:
    """The files that are somebody's, the *number*-th place's; what is nobody's goes to *aside*."""
    written = records(place)
    for name, file in place.inside():
        told = place.layout.match(name)
        if place.layout.is_beside(name):
            continue
        if told is None or (told.get("loose") and _is_helper(file, assignment)):
            aside.append(SetAside(file.name, Note(leftover(name) or "no-owner")))
            continue
        keys = (told.get("key") or "", *map(str, PurePosixPath(name).parents))
        record = next((written[key] for key in keys if key in written), Record())
        identifier = bounded(told.get("id") or told.get("id_behind") or "", 200)
        person = Person(bounded(told.get("name") or identifier, 200), identifier)
        attempt = int(told.get("attempt") or 0)
        moment = (attempt, record.time or iso(told.get("time") or ""), number)
        yield Claim(
            key=(place.layout.platform, told.get("key") or "", person.id, person.name),
            people=record.people() or (person,),
            candidate=Candidate(file, moment, late=bool(told.get("late")), order=int(told.get("order") or 0)),
            handed_in=bool(told.get("own") or told.get("loose")),
            attempts=max(record.attempts, attempt),
        )


def _is_helper(file: File, assignment: Assignment) -> bool:
    """Whether a file that lies loose among people's files and folders is a script of another purpose."""
    return kind_of(file.name) == Kind.SCRIPT and weighed(Candidate(file), assignment).worth == Worth.OTHER
