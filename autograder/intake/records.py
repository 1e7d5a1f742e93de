"""What platforms write beside submissions: who handed one in, when and how often."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.grade import Person
from autograder.intake import limits
from autograder.intake.archives import File, Refused
from autograder.intake.files import bounded
from autograder.intake.platforms import Place

__all__ = ["Record", "moment", "person", "records"]

_MOMENT = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)(?:\D?(\d\d))?")


@dataclass(frozen=True)
class Record:
    """What is written of one submission."""

    people: tuple[Person, ...] = ()
    time: str = ""
    attempts: int = 1


def records(place: Place) -> Mapping[str, Record]:
    """What the platform wrote, by the folder that it is about; of Blackboard, by the key in its files' names."""
    found: dict[str, Record] = {}
    for path, file in place.files:
        told, (folder, name) = place.layout.match(path), posixpath.split(path)
        if told.get("written") and place.layout.platform == "Blackboard":
            found[told["key"]] = _blackboard(_text(file))
        elif told and not told.get("name") and name == "submission_metadata.yml":
            found |= {f"{folder}/{key}": record for key, record in _gradescope(_text(file))}
        elif told and not told.get("name") and name == "timestamp.txt":
            found[folder] = Record(time=moment(_text(file)))
    return found


def person(name: str, identifier: str = "", email: str = "") -> Person:
    return Person(*(bounded(part, limits.PERSON_CHARACTERS) for part in (name, identifier, email)))


def moment(text: str) -> str:
    """The moment that *text* begins with, or tells as Brightspace does, as ISO 8601; nothing where it tells none."""
    try:
        return datetime.strptime(re.sub(r"\b(\d{3} [AP]M)", r"0\1", text), "%b %d, %Y %I%M %p").isoformat()
    except ValueError:
        match = _MOMENT.match(text)
    zone = "Z" if text.rstrip().endswith(("Z", "UTC")) else ""
    return "{}-{}-{}T{}:{}:{}{}".format(*match.groups(default="00"), zone) if match else ""


def _text(file: File) -> str:
    try:
        return file.load().decode("utf-8-sig", errors="replace")
    except Refused:
        return ""


def _gradescope(roster: str) -> Iterator[tuple[str, Record]]:
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
            people += [person(name or email or identifier, identifier, email)] if any(told.values()) else []
        attempts = 1 + len(re.findall(r"^ {2,4}- :", sections.get("history", ""), re.MULTILINE))
        yield key, Record(tuple(people), moment(_scalar(sections.get("created_at", ""))), attempts)


def _scalar(value: str) -> str:
    """A scalar of YAML as text."""
    value = value.strip()
    if value[:1] == "'" == value[-1:]:
        return value[1:-1].replace("''", "'")
    if value[:1] == '"' == value[-1:]:
        return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else m[2], value[1:-1])
    return value


def _blackboard(text: str) -> Record:
    """The `.txt` that Blackboard writes for an attempt; its first line says `Name: Mia Lee (mlee)`."""
    match = re.match(r"(?:Name|이름)\s*:\s*(.+?)\s*\(([^()\n]+)\)\s*(?:\n|$)", text[:1000])
    return Record((person(match[1], match[2]),) if match else ())
