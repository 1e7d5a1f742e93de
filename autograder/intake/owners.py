"""Whose each file of a place is: what its path tells, and what the platform wrote beside submissions."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

from autograder.grade import Note, Person
from autograder.intake import limits
from autograder.intake.archives import File, Refused
from autograder.intake.choice import Entry, Worth, weighed
from autograder.intake.evidence import Assignment
from autograder.intake.files import Kind, bounded, leftover, opened
from autograder.intake.platforms import Place

__all__ = ["SetAside", "candidates"]

_MOMENT = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)(?:\D?(\d\d))?")


@dataclass(frozen=True)
class SetAside:
    """A file that is not graded."""

    name: str
    reason: Note
    person: str = ""
    """Whose it is, if it is anybody's."""


def candidates(place: Place, number: int, assignment: Assignment, aside: list[SetAside]) -> Iterator[Entry]:
    """The files that are somebody's, the *number*-th place's; what is nobody's goes to *aside*."""
    written = _records(place)
    rooms = defaultdict[tuple[str, ...], Iterator[int]](lambda: iter(range(limits.READ)))
    for path, file in place.files:
        told = place.layout.match(path)
        identifier = told.get("id") or told.get("id_behind") or told.get("id_alone") or ""
        person = _person(told.get("name") or identifier, identifier)
        if not told or (told.get("loose") and _is_helper(file, assignment)):
            aside.append(SetAside(file.name, Note(leftover(file.name) or "no-owner")))
        elif person.name:
            keys = (told.get("key", ""), *map(str, PurePosixPath(path).parents))
            record = next((written[key] for key in keys if key in written), _Record())
            attempt = int(told.get("attempt") or 0)
            candidate = Entry(
                file.name,
                record.people or (person,),
                time=record.time or _iso(told.get("time", "")),
                attempts=max(record.attempts, attempt),
                late=bool(told.get("late")),
                file=file,
                key=(place.layout.platform, told.get("key", ""), person.id, person.name),
                order=int(told.get("order") or 0),
                written=bool(told.get("written")),
            )
            moment = (attempt, candidate.time, number)
            inside = opened(file, rooms[candidate.key])
            yield from (replace(candidate, name=each.name, file=each, moment=moment) for each in inside)


def _is_helper(file: File, assignment: Assignment) -> bool:
    """Whether a file that lies loose among people's files and folders is a script of another purpose."""
    entry = Entry(file.name, (), file=file)
    return entry.kind == Kind.SCRIPT and weighed(entry, assignment).worth == Worth.ANOTHER_ASSIGNMENT


def _person(name: str, identifier: str = "", email: str = "") -> Person:
    return Person(*(bounded(part, limits.PERSON_CHARACTERS) for part in (name, identifier, email)))


@dataclass(frozen=True)
class _Record:
    """What is written of one submission."""

    people: tuple[Person, ...] = ()
    time: str = ""
    attempts: int = 1


def _records(place: Place) -> Mapping[str, _Record]:
    """What the platform wrote, by the folder that it is about; of Blackboard, by the key in its files' names."""
    found: dict[str, _Record] = {}
    for path, file in place.files:
        told, (folder, name) = place.layout.match(path), posixpath.split(path)
        if told.get("written") and place.layout.platform == "Blackboard":
            found[told["key"]] = _blackboard(_text(file))
        elif told and not told.get("name") and name == "submission_metadata.yml":
            found |= {f"{folder}/{key}": record for key, record in _gradescope(_text(file))}
        elif told and not told.get("name") and name == "timestamp.txt":
            found[folder] = _Record(time=_iso(_text(file)))
    return found


def _text(file: File) -> str:
    try:
        return file.load().decode("utf-8-sig", errors="replace")
    except Refused:
        return ""


def _gradescope(roster: str) -> Iterator[tuple[str, _Record]]:
    """Gradescope's `submission_metadata.yml`, line by line, at the indentation that Gradescope writes.

    So a name that looks like something else in YAML is a name; and what a student's code printed stands further right.
    """
    _, *submissions = re.split(r"^(submission_\d+):\s*$", roster, flags=re.MULTILINE)
    for key, written in zip(submissions[::2], submissions[1::2], strict=True):
        sections = dict(re.findall(r"^  :(\w+):(.*(?:\n(?:    |  - ).*)*)", written, re.MULTILINE))
        people = []
        for item in re.split(r"^ {2,4}- ", sections.get("submitters", ""), flags=re.MULTILINE)[1:]:
            told = {name: _scalar(value) for name, value in re.findall(r"^ *:(\w+):(.*)", item, re.MULTILINE)}
            name, identifier, email = (told.get(each, "") for each in ("name", "sid", "email"))
            people += [_person(name or email or identifier, identifier, email)] if any(told.values()) else []
        attempts = 1 + len(re.findall(r"^ {2,4}- :", sections.get("history", ""), re.MULTILINE))
        yield key, _Record(tuple(people), _iso(_scalar(sections.get("created_at", ""))), attempts)


def _scalar(value: str) -> str:
    """A scalar of YAML as text."""
    value = value.strip()
    if value[:1] == "'" == value[-1:]:
        return value[1:-1].replace("''", "'")
    if value[:1] == '"' == value[-1:]:
        return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else m[2], value[1:-1])
    return value


def _blackboard(text: str) -> _Record:
    """The `.txt` that Blackboard writes for an attempt; its first line says `Name: Mia Lee (mlee)`."""
    match = re.match(r"(?:Name|이름)\s*:\s*(.+?)\s*\(([^()\n]+)\)\s*(?:\n|$)", text[:1000])
    return _Record((_person(match[1], match[2]),) if match else ())


def _iso(text: str) -> str:
    """The moment that *text* begins with, or tells as Brightspace does, as ISO 8601; nothing where it tells none."""
    try:
        return datetime.strptime(re.sub(r"\b(\d{3} [AP]M)", r"0\1", text), "%b %d, %Y %I%M %p").isoformat()
    except ValueError:
        match = _MOMENT.match(text)
    zone = "Z" if text.rstrip().endswith(("Z", "UTC")) else ""
    return "{}-{}-{}T{}:{}:{}{}".format(*match.groups(default="00"), zone) if match else ""
