"""Whose each file of a place is: what its path tells, and what the platform wrote beside submissions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from autograder.grade import Note, Person
from autograder.intake.archives import File, Refused
from autograder.intake.choice import Candidate, Worth, weighed
from autograder.intake.evidence import Assignment
from autograder.intake.files import Kind, bounded, kind_of, leftover
from autograder.intake.platforms import Place

__all__ = ["Claim", "SetAside", "claims"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDY = re.compile(r"(\w{3})\w* (\d{1,2}), (\d{4}) (\d{1,2}):?(\d\d) ([AP])M", re.IGNORECASE)
_MOMENT = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)(?:\D?(\d\d))?")


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
    written = _records(place)
    for name, file in place.inside():
        told = place.layout.match(name)
        if place.layout.is_beside(name):
            continue
        if told is None or (told.get("loose") and _is_helper(file, assignment)):
            aside.append(SetAside(file.name, Note(leftover(name) or "no-owner")))
            continue
        keys = (told.get("key") or "", *map(str, PurePosixPath(name).parents))
        record = next((written[key] for key in keys if key in written), _Record())
        identifier = bounded(told.get("id") or told.get("id_behind") or "", 200)
        person = Person(bounded(told.get("name") or identifier, 200), identifier)
        attempt = int(told.get("attempt") or 0)
        moment = (attempt, record.time or _iso(told.get("time") or ""), number)
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


@dataclass
class _Record:
    """What is written of one submission."""

    submitters: list[dict[str, str]] = field(default_factory=list)
    time: str = ""
    attempts: int = 1

    def people(self) -> tuple[Person, ...]:
        told = [(each.get("name", ""), each.get("sid", ""), each.get("email", "")) for each in self.submitters]
        return tuple(Person(name or email or sid, sid, email) for name, sid, email in told if name or email or sid)


def _records(place: Place) -> Mapping[str, _Record]:
    """What the platform wrote, by the folder that it is about; of Blackboard, by the key in its files' names."""
    found: dict[str, _Record] = {}
    for name, file in place.inside():
        if place.layout.platform == "Gradescope" and name == "submission_metadata.yml":
            found |= _gradescope(_text(file))
        elif place.layout.platform in ("nbgrader", "Sakai") and name.endswith("/timestamp.txt"):
            if place.layout.is_beside(name):
                found[str(PurePosixPath(name).parent)] = _Record(time=_iso(_text(file)))
        elif place.layout.platform == "Blackboard" and (told := place.layout.match(name)) and told["own"] is None:
            found[told["key"] or ""] = _blackboard(_text(file))
    return found


def _text(file: File) -> str:
    try:
        return file.load().decode("utf-8-sig", errors="replace")
    except Refused:
        return ""


def _gradescope(roster: str) -> dict[str, _Record]:
    """Gradescope's `submission_metadata.yml`, line by line, at the indentation that Gradescope writes.

    So a name that looks like something else in YAML is a name; and what a student's code printed stands further right.
    """
    found: dict[str, _Record] = {}
    record, section = _Record(), ""
    for line in roster.split("\n"):
        if start := re.fullmatch(r"(submission_\d+):\s*", line):
            record = found.setdefault(start[1], _Record())
        elif key := re.fullmatch(r"  :(\w+):(.*)", line):
            section = key[1]
            record.time = _iso(_scalar(key[2])) if section == "created_at" else record.time
        elif item := re.fullmatch(r"(?:  )?  (- |  ):(\w+):(.*)", line):
            record.attempts += section == "history" and item[1] == "- "
            if section == "submitters":
                record.submitters += [{}] if item[1] == "- " or not record.submitters else []
                record.submitters[-1][item[2]] = bounded(_scalar(item[3]), 200)
    return found


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
    return _Record([{"name": bounded(match[1], 200), "sid": bounded(match[2], 200)}] if match else [])


def _iso(text: str) -> str:
    """The moment that *text* begins with, or tells in words, as ISO 8601; nothing where it tells none."""
    wordy, moment = _WORDY.search(text), _MOMENT.match(text)
    if wordy and wordy[1].lower() in _MONTHS:
        hour = int(wordy[4]) % 12 + 12 * (wordy[6] in "Pp")
        return f"{wordy[3]}-{_MONTHS.index(wordy[1].lower()) + 1:02}-{int(wordy[2]):02}T{hour:02}:{wordy[5]}:00"
    if moment:
        zone = "Z" if text.rstrip().endswith(("Z", "UTC")) else ""
        return "{}-{}-{}T{}:{}:{}{}".format(*moment.groups(default="00"), zone)
    return ""
