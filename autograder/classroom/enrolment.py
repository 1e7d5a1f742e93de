"""Who is in the class: what earlier runs enrolled, completed by what this one was given."""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import PurePosixPath

from autograder.classroom.gradebook import Seat
from autograder.course import assignment
from autograder.grade import Note, Person, Submission
from autograder.intake import Entry, Listed, SetAside, join
from autograder.intake.archives import File
from autograder.intake.choice import choose
from autograder.intake.roster import joined

__all__ = ["completed", "with_roster"]


def completed(
    before: Sequence[Seat],
    given: Sequence[Entry],
    kept: Callable[[str], Submission | None],
) -> tuple[list[Seat], list[Entry], list[SetAside]]:
    """The class *before*, with what is *given* now: for each person this counts, or what did until now.

    Which of them is chosen as among files that are given at once: *kept* gives the older ones by name. Nobody's seat is
    lost. Returns also what is to be graded, under its names in the gradebook, and what does not count, or no longer.
    """
    seats = list(before)
    uses = Counter(seat.submission for seat in before)
    counting: dict[str, Entry] = {}
    aside = defaultdict[str, list[tuple[Note, str]]](list)
    for entry, places in _placed(seats, given):
        about = (entry.time, entry.attempts, entry.late)
        won: dict[int, Seat] = {}
        for at, person in zip(places, entry.people, strict=True):
            seat = seats[at]
            was, time = kept(seat.submission), seat.time if entry.time else ""
            older = counting.get(seat.submission) or (_entry(was, time) if was else None)
            if older and (why := _outdone(entry, older, seat.past)):
                counts = Note("another-counted", {"counted": seat.submission, "why": why})
                aside[entry.name].append((Note(why) if why == "attachment" else counts, person.name))
                if why not in ("attachment", "older", "copy"):
                    seats[at] = replace(seat, remarks=(Note("later-not-counted", {"file": entry.name, "why": why}),))
                continue
            past = tuple(dict.fromkeys((*seat.past, _digest(older)))) if older else seat.past
            won[at] = Seat(joined(seat.person, person), person, "", *about, seat.adjustments, past, seat.listed)
        uses.subtract(seats[at].submission for at in won)
        name = _free(entry.name, uses)
        uses[name] += len(won)
        counting[name] = replace(entry, name=name, people=tuple(seat.given for seat in won.values()))
        for at, seat in won.items():
            if (old := seats[at].submission) not in ("", name):
                aside[old].append((Note("newer-attempt", {"newer": name}), seat.given.name))
            seats[at] = replace(seat, submission=name)
    replaced = [SetAside(name, whose[0][0], ", ".join(who for _, who in whose)) for name, whose in aside.items()]
    return sorted(seats, key=_order), [entry for name, entry in counting.items() if uses[name]], replaced


def _entry(older: Submission, time: str) -> Entry:
    """What counted until now, as if it had been given before all that is given now."""
    told = {each.name: getattr(older, each.name) for each in fields(Submission)}
    return Entry(**told, file=File(older.name, lambda _: older.content), moment=(0, time, -1))


def _outdone(entry: Entry, older: Entry, past: Container[str]) -> str:
    """Why an *older* submission counts nevertheless; nothing if it does not.

    What counted in the *past* is no newer, unless a platform says so: it comes with an old download.
    """
    if (digest := _digest(entry)) == _digest(older):
        return ""
    given_again = digest in past and not "" < older.moment[1] < entry.time
    moment = (-1, "", 0) if given_again else entry.moment
    best, [(_, why)] = choose([replace(entry, key=(), moment=moment), replace(older, key=("older",))], assignment())
    return why if best.key else ""


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.read().content).hexdigest()


def with_roster(seats: Sequence[Seat], roster: Sequence[Listed]) -> list[Seat]:
    """*seats* with what the *roster* knows of their people, and a seat for each of it who handed in nothing.

    Who was on an earlier one, such as another section's, is still, unless it has the same id or email.
    """
    earlier = {seat.listed.person: seat.listed for seat in seats if seat.listed}
    for old, new in join(roster, earlier).items():
        if not _differ(old, new) or "" < old.email == new.email:
            earlier.pop(old)
    listed = {each.person: each for each in (*roster, *earlier.values())}
    roster = list(listed.values())
    asked = [(seat.listed.person if seat.listed else seat.given, seat) for seat in sorted(seats, key=_order)]
    found = join(roster, [who for who, seat in asked if seat.submission], apart=True)
    missing = join(roster, [who for who, seat in asked if not seat.submission])  # it may have been corrected since
    present = set[Person]()
    known: list[Seat] = []
    for who, seat in asked:
        match = (found if seat.submission else missing).get(who)
        if match and (seat.submission or match not in present):
            given = seat.given if seat.submission else match
            known.append(replace(seat, person=joined(match, given), given=given, listed=listed[match]))
            present.add(match)
        elif not match:
            known.append(seat)
    absent = [Seat(who, who, listed=each) for who, each in listed.items() if who not in present]
    return sorted([*known, *absent], key=_order)


def _placed(seats: list[Seat], given: Sequence[Entry]) -> Iterator[tuple[Entry, list[int]]]:
    """Each entry with the places of its people: found by all that they are called, as on a roster, or by their file.

    Where a platform gave the seat, its ids tell people of one name apart, unless a roster says that two ids are one
    person's. Somebody who could have more than one seat, or has none, gets a new one.
    """
    everyone = [one for entry in given for one in entry.people]
    found = join([seat.called for seat in seats], everyone, apart=True)
    known = defaultdict[object, list[int]](list)
    for place, seat in enumerate(seats):
        for key in (seat.person, seat.submission):
            known[key].append(place)
    free = set(range(len(seats)))

    def place_of(person: Person, submission: str) -> int:
        def fitting(key: object) -> list[int]:
            return [at for at in known[key] if at in free and not _differ(seats[at].given, person)]

        theirs = known[found.get(person)]
        others = [at for at in theirs if seats[at].listed and _differ(seats[at].given, person)]
        choices = (fitting(found.get(person)), others, fitting(submission))
        place = next((places[0] for places in choices if len(places) == 1), len(seats))
        if place == len(seats):
            seats.append(Seat(person, person))
        free.discard(place)
        return place

    for entry in sorted(given, key=lambda each: each.moment):
        yield entry, [place_of(person, entry.name) for person in entry.people]


def _differ(one: Person, other: Person) -> bool:
    """Whether they are told apart by ids or, without these, by emails."""
    told = (one.id, other.id) if one.id and other.id else (one.email, other.email)
    return all(told) and told[0].casefold() != told[1].casefold()


def _order(seat: Seat) -> tuple[bool, str, str]:
    return not seat.submission, seat.submission, seat.person.name


def _free(name: str, uses: Mapping[str, int]) -> str:
    """*name*, or `name~2.ipynb`, ... where it is that of somebody else's submission."""
    path = PurePosixPath(name)
    others = (str(path.with_name(f"{path.stem}~{number}{path.suffix}")) for number in itertools.count(2))
    return next(each for each in itertools.chain([name], others) if not uses.get(each))
