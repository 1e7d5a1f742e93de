"""Who is in the class: what earlier runs enrolled, completed by what this one was given."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from autograder.classroom.gradebook import Seat
from autograder.grade import Note, Person
from autograder.intake import Entry, Listed, SetAside, join

__all__ = ["Enrolled", "completed", "with_roster"]


@dataclass(frozen=True)
class Enrolled:
    """A class after it was completed."""

    seats: tuple[Seat, ...]
    names: Mapping[str, str]
    """The name in the gradebook of each submission that is to be graded, by the name that it was given under."""
    replaced: tuple[SetAside, ...]
    """Submissions that do not count, or no longer."""


def completed(before: Sequence[Seat], given: Sequence[Entry]) -> Enrolled:
    """The class *before*, with what is *given* now: a newer submission of a person takes the place of an older one.

    Nobody's seat is lost. Of what is given at once, intake has chosen one submission a person already.
    """
    seats = list(before)
    place = _Places(seats, [person for entry in given for person in entry.people])
    uses = Counter(seat.submission for seat in before)
    names: dict[str, str] = {}
    replaced: dict[str, SetAside] = {}
    for entry in given:
        places = [place(person, entry.name) for person in entry.people]
        old = [seats[at].submission for at in places]
        who = ", ".join(person.name for person in entry.people)
        later = (seats[at].submission for at in places if "" < entry.time < seats[at].time)
        if newer := next((name for name in later if name != entry.name), ""):
            replaced[entry.name] = SetAside(entry.name, Note("older-attempt", {"newer": newer}), who)
            continue
        uses.subtract(old)
        names[entry.name] = name = _free(entry.name, uses)
        uses[name] += len(old)
        about = (name, entry.time, entry.attempts, entry.late)
        for at, person in zip(places, entry.people, strict=True):
            seats[at] = Seat(_joined(seats[at].person, person), person, *about, seats[at].adjustments)
        replaced |= {one: SetAside(one, Note("newer-attempt", {"newer": name}), who) for one in old if one}
    gone = tuple(aside for name, aside in replaced.items() if not uses[name])
    return Enrolled(tuple(sorted(seats, key=_order)), names, gone)


def with_roster(seats: Sequence[Seat], roster: Sequence[Listed]) -> tuple[Seat, ...]:
    """*seats* with what the *roster* knows of their people, and a seat for each of it who handed in nothing."""
    handed_in = [seat for seat in seats if seat.submission]
    joined = join(roster, [seat.given for seat in handed_in])
    known = [replace(seat, person=_joined(joined.found.get(seat.given, seat.person), seat.given)) for seat in handed_in]
    present = {seat.person for seat in known} | set(joined.found.values())
    absent = [*joined.missing, *(seat.person for seat in seats if not seat.submission)]
    others = [Seat(person, person) for person in dict.fromkeys(absent) if person not in present]
    return tuple(sorted([*known, *others], key=_order))


class _Places:
    """Gives people of this run their places in a class: found by id, else email, submission, or a name that is unique.

    Where a platform gave the seat, its ids tell people of one name apart. A roster's may be of another kind. Who has no
    seat, or could have more than one, gets a new one; no seat is given twice.
    """

    def __init__(self, seats: list[Seat], people: Sequence[Person]) -> None:
        self._seats = seats
        self._taken: set[int] = set()
        self._places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, seat in enumerate(seats):
            for key in _keys(seat.given, seat.submission) if seat.submission else ():
                self._places[key].append(place)
        waiting = {seat.person: place for place, seat in enumerate(seats) if not seat.submission}
        found = join([Listed(person) for person in waiting], people).found
        self._waiting = {person: waiting[listed] for person, listed in found.items()}

    def __call__(self, person: Person, submission: str) -> int:
        place = self._found(person, submission)
        if place is None or place in self._taken:
            place = len(self._seats)
            self._seats.append(Seat(person, person))
        self._taken.add(place)
        return place

    def _found(self, person: Person, submission: str) -> int | None:
        for key in _keys(person, submission):
            places = [place for place in self._places.get(key, ()) if place not in self._taken]
            places = [place for place in places if not _differ(self._seats[place].given, person)]
            if len(places) == 1:
                return places[0]
        return self._waiting.get(person)


def _keys(person: Person, submission: str) -> list[tuple[str, str]]:
    name = "".join(filter(str.isalnum, person.name.casefold()))
    keys = (("id", person.id.casefold()), ("email", person.email.casefold()), ("file", submission), ("name", name))
    return [key for key in keys if key[1]]


def _differ(one: Person, other: Person) -> bool:
    """Whether they are told apart by ids or, without these, by emails."""
    if one.id and other.id:
        return one.id.casefold() != other.id.casefold()
    return bool(one.email and other.email) and one.email.casefold() != other.email.casefold()


def _joined(better: Person, other: Person) -> Person:
    return Person(better.name or other.name, better.id or other.id, better.email or other.email)


def _order(seat: Seat) -> tuple[bool, str, str]:
    return not seat.submission, seat.submission, seat.person.name


def _free(name: str, uses: Mapping[str, int]) -> str:
    """*name*, or `name~2.ipynb`, ... where it is that of somebody else's submission."""
    path, free, number = PurePosixPath(name), name, 1
    while uses.get(free):
        number += 1
        free = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
    return free
