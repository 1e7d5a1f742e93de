"""Who is in the class: what earlier runs enrolled, completed by what this one was given."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
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
    find = _Finder(before, [person for entry in given for person in entry.people])
    uses = Counter(seat.submission for seat in before)
    names: dict[str, str] = {}
    replaced: dict[str, SetAside] = {}
    taken: set[int] = set()
    for entry in given:
        places = []
        for person in entry.people:
            place = find(person, entry.name, taken)
            if place is None:
                place = len(seats)
                seats.append(Seat(person, person))
            taken.add(place)
            places.append(place)
        old = [seats[place] for place in places]
        who = ", ".join(person.name for person in entry.people)
        newer = [seat.submission for seat in old if "" < entry.time < seat.time and seat.submission != entry.name]
        if newer:
            replaced[entry.name] = SetAside(entry.name, Note("older-attempt", {"newer": newer[0]}), who)
            continue
        uses.subtract(seat.submission for seat in old)
        names[entry.name] = name = _free(entry.name, uses)
        uses[name] += len(old)
        for place, seat, person in zip(places, old, entry.people, strict=True):
            seats[place] = Seat(_joined(seat.person, person), person, name, entry.time, entry.attempts, entry.late)
            if seat.submission:
                older = SetAside(seat.submission, Note("newer-attempt", {"newer": name}), who)
                replaced[seat.submission] = older
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


class _Finder:
    """Finds people of this run on the seats of earlier ones: by id, else email, submission, or a name that is unique.

    Where a platform gave the seat, its ids tell people of one name apart. A roster's may be of another kind.
    """

    def __init__(self, seats: Sequence[Seat], people: Sequence[Person]) -> None:
        self._seats = seats
        self._places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, seat in enumerate(seats):
            for key in _keys(seat.given, seat.submission) if seat.submission else ():
                self._places[key].append(place)
        waiting = {seat.person: place for place, seat in enumerate(seats) if not seat.submission}
        found = join([Listed(person) for person in waiting], people).found
        self._waiting = {person: waiting[listed] for person, listed in found.items()}

    def __call__(self, person: Person, submission: str, taken: Collection[int]) -> int | None:
        """The place of *person* that is not *taken*; None if nobody, or more than one, could be meant."""
        for key in _keys(person, submission):
            places = [place for place in self._places.get(key, ()) if place not in taken]
            places = [place for place in places if not _differ(self._seats[place].given, person)]
            if len(places) == 1:
                return places[0]
        place = self._waiting.get(person)
        return None if place in taken else place


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
