"""Who is in the class: what earlier runs enrolled, completed by what this one was given.

A seat is a person. What is given now is laid on the seats of its people; of the files on a seat, and the one that
counted until now, one counts; that gets a name in the gradebook. The roster tells who sits there, and who is missing.
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import PurePosixPath

from autograder.classroom.gradebook import Seat
from autograder.course import assignment
from autograder.grade import Note, Person, Submission
from autograder.intake import Entry, Listed, SetAside, join
from autograder.intake.archives import File
from autograder.intake.choice import choose, rejected
from autograder.intake.roster import joined, plain

__all__ = ["completed", "with_roster"]

_UNTIL_NOW, _NO_NEWER = (0, "", -1), (-1, "", 0)
"""The recency of what counted until now, which is before whatever is given, and of what is given but no newer."""
_NO_NEWS = ("attachment", "older", "copy")
"""Why a file does not count that its author need not hear of."""


def completed(
    before: Sequence[Seat], given: Sequence[Entry], kept: Callable[[str], Submission | None]
) -> tuple[list[Seat], list[Entry], list[SetAside]]:
    """The class *before*, with what is *given* now: for each person this counts, or what did until now.

    *kept* gives that by its name. Nobody's seat is lost. Returns also what is to be graded, under its names in the
    gradebook, and what does not count, or no longer.
    """
    seats, laid = _laid(before, given)
    chosen = {at: _chosen(seats[at], files, kept(seats[at].submission)) for at, files in laid.items()}
    taken = {seat.submission for at, seat in enumerate(seats) if at not in chosen or chosen[at][0] is None}
    entries: dict[str, Entry] = {}
    aside = defaultdict[tuple[str, str], list[tuple[Note, str]]](list)
    for at, (best, others, past) in chosen.items():
        old, name = seats[at], seats[at].submission
        if best:
            person, was_replaced = best.people[0], any(other.recency == _UNTIL_NOW for other, _ in others)
            shared = entries.get(best.name) or replace(best, name=_free(best.name, taken), people=())
            entries[best.name] = replace(shared, people=(*shared.people, person))
            taken.add(name := shared.name)
            seats[at] = replace(
                old,
                person=joined(old.person, person),
                given=person,
                submission=name,
                time=best.time,
                attempts=max(old.attempts, best.attempts),
                late=best.late,
                past=past,
                remarks=() if was_replaced else old.remarks,
                version=max(old.version, best.recency[0]),
                origin=best.origin,
            )
        else:
            news = [{"file": other.name, "why": why} for other, why in others if why not in _NO_NEWS]
            seats[at] = replace(old, remarks=tuple(Note("later-not-counted", each) for each in news) or old.remarks)
        for other, why in others:
            until_now = other.recency == _UNTIL_NOW
            reason = Note("newer-attempt", {"newer": name}) if until_now else rejected(other, why, name)
            aside[other.name, reason.kind].append((reason, other.people[0].name))
    replaced = [SetAside(name, whose[0][0], ", ".join(who for _, who in whose)) for (name, _), whose in aside.items()]
    return sorted(seats, key=_order), [*entries.values()], replaced


def _laid(before: Sequence[Seat], given: Sequence[Entry]) -> tuple[list[Seat], Mapping[int, list[Entry]]]:
    """The seats, with new ones behind, and what is given for each by its place: an entry for each of its people.

    They are found by all that they are called, as on a roster, or by their file. Somebody who could have more than one
    seat, or has none, gets a new one.
    """
    seats, laid = list(before), defaultdict[int, list[Entry]](list)
    found = join([seat.called for seat in seats], [one for entry in given for one in entry.people], apart=True)
    people, files = defaultdict[Person | None, list[int]](list), defaultdict[str, list[int]](list)
    for at, seat in enumerate(seats):
        people[seat.person].append(at)
        files[seat.submission].append(at)

    def ways(person: Person, file: str) -> Iterator[list[int]]:
        """Where somebody could sit, the surest first: the platform's ids tell people of one name apart."""
        called = people[found.get(person)]
        yield [at for at in called if at not in laid and not _differ(seats[at].given, person)]
        # A roster says that two ids are one person's, who may hand in under both at once.
        yield [at for at in called if seats[at].listed and _differ(seats[at].given, person)]
        yield [at for at in files[file] if at not in laid and not _differ(seats[at].given, person)]

    for entry in sorted(given, key=lambda each: each.recency):
        for person in entry.people:
            at = next((way[0] for way in ways(person, entry.name) if len(way) == 1), len(seats))
            seats += [Seat(person, person)] * (at == len(seats))
            laid[at].append(replace(entry, people=(person,)))
    return seats, laid


def _chosen(
    seat: Seat, files: Sequence[Entry], older: Submission | None
) -> tuple[Entry | None, Sequence[tuple[Entry, str]], tuple[str, ...]]:
    """Which of the *files* of a *seat* counts, as of files given at once; None if the *older* one still does.

    Returns also why the others do not, and what is the past then. A file that is given again as it was takes its own
    place. What counted but was not reached, when a run ended early, is replaced by what is newer only.
    """
    if not older and not any(_is_newer(each, seat) for each in files):
        return None, [(each, "older") for each in files], seat.past
    if older:
        told = vars(older) | {"people": (seat.given,)}
        until_now = Entry(**told, file=File(older.name, lambda _: older.content), recency=_UNTIL_NOW)
        if _digest(until_now) not in map(_digest, files):
            files = [each if _is_newer(each, seat) else replace(each, recency=_NO_NEWER) for each in files]
            files.append(until_now)
    best, others = choose(files, assignment())
    past = tuple(dict.fromkeys((*seat.past, *(_digest(other) for other, _ in others))))
    return best if best.recency != _UNTIL_NOW else None, others, past


def _is_newer(entry: Entry, seat: Seat) -> bool:
    """Whether it came after what counts there: as the platform says, or else if it was not given before."""
    attempt, *_ = entry.recency
    if attempt and seat.version and attempt != seat.version:
        return attempt > seat.version
    if seat.time and entry.time and seat.time != entry.time:
        return entry.time > seat.time
    return _digest(entry) not in seat.past


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.read().content).hexdigest()


def _free(name: str, taken: Set[str]) -> str:
    """*name*, or `name~2.ipynb`, ... where it is that of somebody else's submission."""
    path = PurePosixPath(name)
    others = (str(path.with_name(f"{path.stem}~{number}{path.suffix}")) for number in itertools.count(2))
    return next(each for each in itertools.chain([name], others) if each not in taken)


def with_roster(seats: Sequence[Seat], roster: Sequence[Listed]) -> list[Seat]:
    """*seats* with what the *roster* knows of their people, and a seat for each of it who handed in nothing.

    Who was on an earlier one, such as another section's, is still, unless it has the same id or email. People are found
    by what the platform says, as on a first roster, and only else by what an earlier one said, which may be corrected.
    """
    earlier = {seat.listed.person: seat.listed for seat in seats if seat.listed}
    for old, new in join(roster, earlier).items():
        if not _differ(old, new) or "" < old.email.casefold() == new.email.casefold():
            earlier.pop(old)
    listed = {each.person: each for each in (*roster, *earlier.values())}
    present = [seat for seat in seats if seat.submission]
    found = join([*listed.values()], [seat.given for seat in present], apart=True)
    lost = [seat.listed.person for seat in present if seat.listed and seat.given not in found]
    again = join([*listed.values()], lost, apart=True)
    who = [found.get(seat.given, again.get(seat.listed.person) if seat.listed else None) for seat in present]
    known = [
        replace(seat, person=joined(one, seat.given), listed=listed[one]) if one else seat
        for seat, one in zip(present, who, strict=True)
    ]
    absent = [Seat(one, one, listed=each) for one, each in listed.items() if one not in who]
    return sorted([*known, *absent], key=_order)


def _differ(one: Person, other: Person) -> bool:
    """Whether they are told apart by ids or, without these, by emails."""
    if one.id and other.id:
        return plain(one.id) != plain(other.id)
    return one.email.casefold() != other.email.casefold() and bool(one.email and other.email)


def _order(seat: Seat) -> tuple[bool, str, str]:
    return not seat.submission, seat.submission, seat.person.name
