"""The class's roster: who is in it, and who of those handed in."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.grade import Note, Person
from autograder.intake import limits
from autograder.intake.archives import Refused
from autograder.intake.files import bounded, named
from autograder.intake.sheet import TITLES_WITHIN, Sheet, SheetError

__all__ = ["LINE", "Listed", "Told", "fields", "fold", "join", "joined", "people_in", "plain", "read_roster", "told"]


def fold(name: str) -> str:
    """*name* as it is compared: without width, case, spaces and signs, which platforms drop; vowels may be marks."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]", lambda sign: sign[0] if unicodedata.category(sign[0])[0] == "M" else "", plain)


_TITLES = msgspec.toml.decode(Path(__file__).with_name("columns.toml").read_bytes(), type=dict[str, list[str]])
_FIELDS = {fold(title): field for field, titles in _TITLES.items() for title in titles}
"""What a column of a roster or of a table of grades holds, by its title, folded."""
_Key = tuple[str, str]
"""What somebody is known by: that it is an id, an email or a name, and what it is, as it is compared."""
Told = defaultdict[str, list[str]]
"""What a line tells, by field."""
_NOBODY = ("Points Possible", "Student, Test")  # in Canvas's gradebook
_BRACKETS = re.compile(r"[][<>/（）]|\((?!\d\))|(?<!\(\d)\)")  # but for those of copies: `김하늘 (1)`
LINE = r"^\[?\d{1,3}[]) _.-]+"  # the number of a line, which stands before a name or an id: `01_김하늘`
_FLOAT = re.compile(r"(\d)(?:[.,](\d+)E\+?|E\+)(\d+)", re.IGNORECASE)  # as spreadsheets and programs write one


@dataclass(frozen=True)
class Listed:
    """Somebody on the roster."""

    person: Person
    aliases: tuple[str, ...] = ()


def read_roster(path: Path) -> list[Listed]:
    """The people in a CSV file with a line of titles, in any usual encoding. Raises Refused."""
    about = {"file": named(path.name)}
    try:
        table = Sheet(path.read_bytes()).values()
    except (OSError, SheetError) as error:
        raise Refused(Note("roster-unreadable", about)) from error
    titles = [fields(line) for line in table[:TITLES_WITHIN]]
    held, at = max(((each, at) for at, each in enumerate(titles)), key=lambda each: sum(map(bool, each[0])))
    if not {"id", "name", "email", "last"} & set(held):
        raise Refused(Note("roster-columns", about))
    people: dict[object, Listed] = {}
    for each in (each for line in table[at + 1 :] for each in people_in(told(held, line))):
        key = (fold(each.person.name), each.person.id) if each.person.id else each.person
        if first := people.get(key):  # whoever takes two courses, or has two addresses
            each = Listed(joined(first.person, each.person), (*first.aliases, *each.aliases, each.person.email))
        people[key] = each
    return list(people.values())


def joined(better: Person, other: Person) -> Person:
    """What is told of somebody twice."""
    return Person(better.name or other.name, better.id or other.id, better.email or other.email)


def fields(titles: Sequence[str]) -> list[str]:
    """What each column holds by its title, which may be in two languages: `학번(Student ID)`; nothing if unknown."""
    parts = ([fold(part.replace("#", "no")) for part in (title, *re.split(r"[()/\n]", title))] for title in titles)
    held = [next((_FIELDS[part] for part in each if part in _FIELDS), "") for each in parts]
    if "last" in held and "first" not in held:  # beside a surname, `name` or `이름` is the given one
        held = ["first" if field == "name" else field for field in held]
    return held


def told(held: Sequence[str], line: Sequence[str]) -> Told:
    """What a line tells; *held* says what its columns hold."""
    values = Told(list)
    for field, value in zip(held, line, strict=False):
        # Spreadsheets write `="0123"` or `'0123` for text, and 123.0 for a number; Brightspace writes `#0123`.
        value = re.sub(r'^=?"(.*)"$|^\'?(\d+)(?:\.0)?$|^#(.+)$', r"\1\2\3", value.strip())
        if number := _FLOAT.fullmatch(value) if field == "id" else None:  # all of its digits, or it is spoilt
            digits = number[1] + (number[2] or "")
            value = digits if len(digits) == int(number[3]) + 1 else ""
        if value:
            values[field].append(bounded(value, limits.PERSON_CHARACTERS))
    return values


def people_in(values: Told) -> Iterator[Listed]:
    """The person whom a line is about, if it is about one."""
    name = values["name"] or [" ".join(values["first"] + values["last"])]
    person = Person(name[0], *((values[field] or [""])[0] for field in ("id", "email")))
    if person != Person("") and person.name.strip() not in _NOBODY:
        aliases = [alias.strip() for value in values["alias"] for alias in re.split("[,;|]", value)]
        yield Listed(person, tuple(filter(None, (*aliases, *values["id"][1:], *values["name"][1:]))))


def join(roster: Sequence[Listed], people: Iterable[Person], *, apart: bool = False) -> Mapping[Person, Person]:
    """Those of *people* who are on the roster without doubt, and who they are there.

    They are found by id, then email, then name; whatever fits two of its people is no match.

    If they are people *apart*, rather than what somebody may be called, a name that several have fits nobody either,
    nor does that of somebody whom another is by id, by email, or by the whole name rather than by one in brackets.
    """
    listed = _by_key(roster)
    found, claims = dict[Person, tuple[Person, int]](), defaultdict[Person, list[int]](list)
    for person in people:
        key = next((key for key in _keys(person) if key in listed), None)
        if key and len(listed[key]) == 1:
            doubt = 0 if key[0] != "name" else 1 if key[1] == fold(person.name) else 2
            (match,) = listed[key]
            found[person] = match, doubt
            claims[match].append(doubt)
    return {
        person: match
        for person, (match, doubt) in found.items()
        if not (apart and doubt) or sum(other <= doubt for other in claims[match]) == 1
    }


def _by_key(roster: Sequence[Listed]) -> Mapping[_Key, set[Person]]:
    """Whom each key may stand for."""
    people = defaultdict[_Key, set[Person]](set)
    for each in roster:
        # A name's words may begin with any of them: `Martin, Ava`.
        names = (part for name in (each.person.name, *each.aliases) for part in (name, *_BRACKETS.split(name)))
        for words in (re.split(r"[\s,]+", name) for name in names):
            for i in range(len(words)):
                people["name", fold("".join(words[i:] + words[:i]))].add(each.person)
        for person in (each.person, *(Person(alias, alias, alias) for alias in each.aliases)):
            for key in _keys(person):
                people[key].add(each.person)
    return people


def _keys(person: Person) -> list[_Key]:
    """What a person is looked for by, the surest first.

    Universities put ids into names: `김하늘(20231234)`, which Canvas writes as `김하늘20231234`. What else stands in
    brackets is another name, or an address; a line's number may stand before it.
    """
    keys = (
        ("id", plain(person.id)),
        ("email", person.email.casefold()),
        ("name", fold(person.name)),
        *(("id", plain(each)) for each in re.findall(r"\d[\d-]{4,}", person.name)),
        *(("email", part.casefold()) if "@" in part else ("name", fold(part)) for part in _BRACKETS.split(person.name)),
        ("name", fold(re.sub(LINE, "", person.name))),
    )
    return [key for key in keys if key[1]]


def plain(identifier: str) -> str:
    """An id as it is compared. Spreadsheets drop the zeros that it begins with."""
    return fold(identifier).lstrip("0")
