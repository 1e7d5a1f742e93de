"""Who is in the class: what earlier runs enrolled, completed by what this one was given."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import PurePosixPath

from autograder.classroom.gradebook import Seat
from autograder.course import assignment
from autograder.grade import Note, Person, Submission
from autograder.intake import Entry, Listed, SetAside, join
from autograder.intake.archives import File
from autograder.intake.choice import choose
from autograder.intake.roster import keys

__all__ = ["completed", "with_roster"]


def completed(
    before: Sequence[Seat],
    given: Sequence[Entry],
    kept: Callable[[str], Submission | None],
    roster: Sequence[Listed] = (),
) -> tuple[list[Seat], list[Entry], list[SetAside]]:
    """The class *before*, with what is *given* now: a newer submission of a person takes the place of an older one.

    Which counts is chosen as among files that are given at once, of which intake has chosen one a person already:
    *kept* gives the older ones by name. Nobody's seat is lost. Returns also what is to be graded, under its names in
    the gradebook, and the submissions that do not count, or no longer.
    """
    seats = list(before)
    uses = Counter(seat.submission for seat in before)
    counting: list[Entry] = []
    replaced: dict[str, SetAside] = {}
    for entry, places in _placed(seats, given, roster):
        old = [seats[at].submission for at in places]
        who = ", ".join(person.name for person in entry.people)
        later = (seats[at].submission for at in places if "" < entry.time < seats[at].time)
        if newer := next((name for name in later if name != entry.name), ""):
            replaced[entry.name] = SetAside(entry.name, Note("older-attempt", {"newer": newer}), who)
            continue
        older = kept(old[0]) if {*old} == {old[0]} - {entry.name} else None
        if older and (why := _outdone(entry, older)):
            counts = Note("another-counted", {"counted": older.name, "why": why})
            replaced[entry.name] = SetAside(entry.name, Note(why) if why == "attachment" else counts, who)
            continue
        uses.subtract(old)
        name = _free(entry.name, uses)
        counting.append(replace(entry, name=name))
        uses[name] += len(old)
        about = (name, entry.time, entry.attempts, entry.late)
        for at, person in zip(places, entry.people, strict=True):
            seats[at] = Seat(_joined(seats[at].person, person), person, *about, seats[at].adjustments)
        replaced |= {one: SetAside(one, Note("newer-attempt", {"newer": name}), who) for one in old if one}
    return sorted(seats, key=_order), counting, [aside for name, aside in replaced.items() if not uses[name]]


def _outdone(entry: Entry, older: Submission) -> str:
    """Why an *older* submission counts nevertheless; nothing if it does not."""
    told = {each.name: getattr(older, each.name) for each in fields(Submission)}
    was = Entry(**told, file=File(older.name, lambda _: older.content), moment=(-1, "", 0))
    _, others = choose([entry, was], assignment())
    return next((why for one, why in others if one.name == entry.name), "")


def with_roster(seats: Sequence[Seat], roster: Sequence[Listed]) -> list[Seat]:
    """*seats* with what the *roster* knows of their people, and a seat for each of it who handed in nothing."""
    handed_in = [seat for seat in seats if seat.submission]
    found = join(roster, [seat.given for seat in handed_in], apart=True)
    known = [replace(seat, person=_joined(found.get(seat.given, seat.person), seat.given)) for seat in handed_in]
    present = {seat.person for seat in known} | set(found.values())
    absent = {seat.person: seat for seat in seats if not seat.submission}
    for old, new in join(roster, absent).items():  # the roster may have been corrected since
        absent[new] = replace(absent.pop(old), person=new, given=new)
    absent = {each.person: Seat(each.person, each.person) for each in roster} | absent
    others = [seat for person, seat in absent.items() if person not in present]
    return sorted([*known, *others], key=_order)


def _placed(seats: list[Seat], given: Sequence[Entry], roster: Sequence[Listed]) -> Iterator[tuple[Entry, list[int]]]:
    """Each entry with the places of its people: found on the *roster*, by id, email, a name that is unique, or file.

    Where a platform gave the seat, its ids tell people of one name apart. A roster knows of ids of several kinds. Who
    has no seat, or could have more than one, gets a new one; no seat is given twice.
    """
    known = defaultdict[tuple[str, object], list[int]](list)
    taken = [(place, seat) for place, seat in enumerate(seats) if seat.submission]
    before = join(roster, [seat.given for _, seat in taken], apart=True)
    for place, seat in taken:
        for key in (("roster", before.get(seat.given)), *keys(seat.given), ("file", seat.submission)):
            known[key].append(place)
    waiting = {seat.person: place for place, seat in enumerate(seats) if not seat.submission}
    everyone = [one for entry in given for one in entry.people]
    now = join(roster, everyone, apart=True)
    listed = join([Listed(person) for person in waiting], everyone, apart=True)
    free = set(range(len(seats)))

    def place_of(person: Person, submission: str) -> int:
        for key in (("roster", now.get(person, person)), *keys(person), ("file", submission)):
            same = key[0] == "roster"
            places = [at for at in known[key] if at in free and (same or not _differ(seats[at].given, person))]
            if len(places) == 1:
                break
        else:
            places = [waiting[listed[person]]] if person in listed else []
        if not free.intersection(places):
            seats.append(Seat(person, person))
            return len(seats) - 1
        free.discard(places[0])
        return places[0]

    for entry in given:
        yield entry, [place_of(person, entry.name) for person in entry.people]


def _differ(one: Person, other: Person) -> bool:
    """Whether they are told apart by ids or, without these, by emails."""
    told = (one.id, other.id) if one.id and other.id else (one.email, other.email)
    return all(told) and told[0].casefold() != told[1].casefold()


def _joined(better: Person, other: Person) -> Person:
    return Person(better.name or other.name, better.id or other.id, better.email or other.email)


def _order(seat: Seat) -> tuple[bool, str, str]:
    return not seat.submission, seat.submission, seat.person.name


def _free(name: str, uses: Mapping[str, int]) -> str:
    """*name*, or `name~2.ipynb`, ... where it is that of somebody else's submission."""
    path = PurePosixPath(name)
    others = (str(path.with_name(f"{path.stem}~{number}{path.suffix}")) for number in itertools.count(2))
    return next(each for each in itertools.chain([name], others) if not uses.get(each))
