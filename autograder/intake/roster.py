"""The class's roster: who is in it, and who of those handed in."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.grade import Note, Person
from autograder.intake.files import bounded

__all__ = ["Joined", "Listed", "RosterError", "fold", "join", "read_roster"]

_COLUMNS = {
    "id": "id,student id,studentid,student number,sid,sis user id,orgdefinedid,id number,username,학번,아이디,식별자",
    "name": "name,student,student name,full name,fullname,display name,이름,성명,학생,학생 이름",
    "first": "first name,firstname,given name",
    "last": "last name,lastname,surname,family name,성",
    "email": "email,e-mail,email address,mail,이메일,메일,전자우편",
    "alias": "alias,aliases,login,sis login id,github,github username,nickname,별명,별칭,로그인",
}
_FIELDS = {title: field for field, titles in _COLUMNS.items() for title in titles.split(",")}


class RosterError(Exception):
    """The roster cannot be read; `note` says why."""

    def __init__(self, kind: str, path: Path) -> None:
        super().__init__(kind)
        self.note = Note(kind, {"file": bounded(path.name)})


@dataclass(frozen=True)
class Listed:
    """Somebody on the roster."""

    person: Person
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joined:
    found: Mapping[Person, Person]
    """Who handed in, as the roster has them."""
    missing: tuple[Person, ...]
    """Those on the roster for whom nothing was handed in."""
    unknown: tuple[Person, ...]
    """Those who handed in and are not on the roster, or cannot be told apart there."""


def read_roster(path: Path) -> list[Listed]:
    """The people in a CSV file with a line of titles, in any usual encoding. Raises RosterError."""
    try:
        content = path.read_bytes()
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp949", errors="replace")
    except OSError as error:
        raise RosterError("roster-unreadable", path) from error
    first = text.split("\n", 1)[0]
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise RosterError("roster-unreadable", path) from error
    fields = [_FIELDS.get(" ".join(title.lower().replace("_", " ").split()), "") for title in (rows or [[]])[0]]
    if not {"id", "name", "email", "last"} & set(fields):
        raise RosterError("roster-columns", path)
    return [listed for row in rows[1:] if (listed := _listed(fields, row)) is not None]


def _listed(fields: Sequence[str], row: Sequence[str]) -> Listed | None:
    values: dict[str, list[str]] = defaultdict(list)
    for field, value in zip(fields, row, strict=False):
        if value.strip():
            values[field].append(bounded(value.strip(), 200))
    name = values["name"] or [" ".join(values["first"] + values["last"])]
    person = Person(name[0], (values["id"] or [""])[0], (values["email"] or [""])[0])
    if not (person.name or person.id or person.email):
        return None
    aliases = [alias.strip() for value in values["alias"] for alias in re.split("[,;|]", value)]
    return Listed(person, tuple(filter(None, (*aliases, *values["id"][1:]))))


def fold(name: str) -> str:
    """*name* as it is compared: without case, spaces and signs, which platforms drop."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


def join(roster: Sequence[Listed], people: Iterable[Person]) -> Joined:
    """Find *people* on the roster by id, then email, then name; whatever fits two of its people is no match."""
    by: list[dict[str, set[Person]]] = [defaultdict(set), defaultdict(set), defaultdict(set)]
    for listed in roster:
        for index, keys in enumerate(_keys(listed.person)):
            for key in [*keys, *map(fold, listed.aliases)]:
                by[index][key].add(listed.person)
    found, unknown = {}, []
    for person in people:
        matches = [by[index].get(key, set()) for index, keys in enumerate(_keys(person)) for key in keys[:1]]
        match = next((match for match in matches if match), set())
        if len(match) == 1:
            found[person] = next(iter(match))
        else:
            unknown.append(person)
    here = set(found.values())
    return Joined(found, tuple(each.person for each in roster if each.person not in here), tuple(unknown))


def _keys(person: Person) -> tuple[list[str], list[str], list[str]]:
    """What an id, an email and a name are compared by; a name's words may begin with any of them: `Martin, Ava`."""
    words = [word for word in re.split(r"[\s,]+", person.name) if word]
    names = [fold("".join(words[i:] + words[:i])) for i in range(len(words))]
    return [fold(person.id)] * bool(person.id), [person.email.casefold()] * bool(person.email), names
