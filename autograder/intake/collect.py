"""From what a platform gave to one submission per person, and the rest set aside."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from autograder.grade import Note, Person
from autograder.intake import limits
from autograder.intake.archives import File
from autograder.intake.choice import Entry, Worth, choose, rejected, weighed
from autograder.intake.files import Kind, leftover, listed, named, opened
from autograder.intake.notebook import Assignment
from autograder.intake.platforms import Place, Record, extends, iso_time, person, records, settle
from autograder.intake.roster import fold, plain

__all__ = ["Intake", "SetAside", "collect", "one"]


@dataclass(frozen=True)
class SetAside:
    """A file that is not graded."""

    name: str
    reason: Note
    person: str = ""
    """Whose it is, if it is anybody's."""


@dataclass(frozen=True)
class Intake:
    entries: tuple[Entry, ...]
    """Sorted by name; each name once."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[Note, ...]
    """What is to be said before grading; the last one sums up."""


def collect(paths: Sequence[Path], assignment: Assignment, *, without: Path | None = None) -> Intake:
    """The submissions in *paths*; what lies below *without* (the output) is left out. Raises Refused."""
    notes: list[Note] = []
    places = list(_places(paths, Path(os.path.realpath(without)) if without else None, notes))
    found = [each for number, place in places for each in _owned(place, number, assignment)]
    layouts = dict.fromkeys(place.layout.platform for _, place in places)
    return _intake(", ".join(layouts), found, assignment, notes)


def one(path: Path, assignment: Assignment) -> Intake:
    """All that lies at *path* as one person's, as Gradescope hands it to an autograder."""
    room = iter(range(limits.READ))
    files = [inner for file in listed(path, None, []) for inner in opened(file, room)]
    return _intake("one", [Entry(file.name, (Person(""),), file=file) for file in files], assignment, [])


def _places(paths: Sequence[Path], without: Path | None, notes: list[Note]) -> Iterator[tuple[int, Place]]:
    """The places where submissions lie, each with the number of its path.

    A single folder is a class's, even if only one person handed in; a single archive with one notebook is a person's.
    Of several paths, those that are one person's each (`kim/ lee.zip park.ipynb`) are one place together. Plain folders
    are classes (`on.zip late.zip`) if there are more names in them than paths: files that one person has beside the
    notebook are rare, or are called as other people's are.
    """
    whole = {Path(os.path.realpath(path)): path for path in paths}  # `resolve` raises for links in a circle
    above = Path(os.path.commonpath([path.parent for path in whole])) if whole else Path()
    given: list[tuple[int, list[Place], list[File]]] = []
    for number, (real, path) in enumerate(whole.items()):
        label = named(real.relative_to(above))
        files = listed(path, without, notes)
        itself = [file.name for file in files] == [path.name] and not path.is_dir()
        labelled = [replace(file, name=label if itself else f"{label}/{file.name}") for file in files]
        found = settle(labelled, real.stem, f"{label}/") if len(whole) > 1 else settle(files, real.stem)
        given.append((number, found, labelled))
    plain = [found[-1] for _, found, _ in given if found[-1].plain]
    names = {name for place in plain if place.several for name in place.people[: limits.READ]}
    together: list[File] = []
    for number, found, labelled in given:
        classes = found[-1].several and (not found[-1].plain or len(names) > len(plain))
        if classes or (len(whole) == 1 and not paths[0].is_file()):
            yield from ((number, place) for place in found)
        else:
            together += labelled
    if together:
        yield from ((len(whole), place) for place in settle(together, named(above.name)))


def _owned(place: Place, number: int, assignment: Assignment) -> Iterator[Entry | SetAside]:
    """The files of the *number*-th place: those that are somebody's, and those that are nobody's."""
    written = records(place)
    rooms = defaultdict[tuple[str, ...], Iterator[int]](lambda: iter(range(limits.READ)))
    for path, file in place.files:
        told = place.told(path)
        owner = person(told.get("name") or told.get("id", ""), told.get("id", ""))
        unnamed = place.several and bool(told.get("unnamed"))
        if not told or (told.get("loose") and _is_nobodys(file, unnamed, assignment)):
            yield SetAside(file.name, Note(leftover(file.name) or "no-owner"))
        elif owner.name:
            about = (told.get("key", ""), *map(str, PurePosixPath(path).parents))
            record = next((written[each] for each in about if each in written), Record())
            time, attempt = record.time or iso_time(told.get("time", "")), int(told.get("attempt") or 0)
            origin = place.origin(told)
            key = (origin.platform, told.get("key", ""), plain(owner.id), owner.name)
            for each in opened(file, rooms[key]):
                yield Entry(
                    each.name,
                    record.people or (owner,),
                    time=time,
                    attempts=max(record.attempts, attempt),
                    late=bool(told.get("late")),
                    file=each,
                    key=key,
                    recency=(attempt, time, number),
                    origin=origin,
                    written=bool(told.get("written")),
                )


def _is_nobodys(file: File, unnamed: bool, assignment: Assignment) -> bool:
    """Whether a file that lies loose among people's is a script of another purpose, or *unnamed* and has no answers."""
    entry = Entry(file.name, (), file=file)
    if not unnamed and entry.kind != Kind.SCRIPT:
        return False
    worth = weighed(entry, assignment).worth
    return worth == Worth.ANOTHER_ASSIGNMENT or (unnamed and worth == Worth.BLANK)


def _intake(layout: str, found: Sequence[Entry | SetAside], assignment: Assignment, notes: list[Note]) -> Intake:
    people = defaultdict[tuple[str, ...], list[Entry]](list)
    aside = [each for each in found if isinstance(each, SetAside)]
    for each in found:
        if isinstance(each, Entry):
            people[each.key].append(each)
    owner: tuple[str, ...] = ()
    for key in sorted(people):
        # One person's, under one number, are `김하늘`, `김하늘_최종`, `김하늘 (1)`.
        if owner and owner[-2] and owner[:-1] == key[:-1] and extends(key[-1], owner[-1]):
            people[owner] += people.pop(key)
        else:
            owner = key
    entries = sorted((_chosen(theirs, assignment, aside) for theirs in people.values()), key=lambda entry: entry.name)
    about = {"people": sum(len(entry.people) for entry in entries), "files": len(found), "set_aside": len(aside)}
    notes += [*_doubts(entries), Note("recognised", {"layout": layout, **about})]
    return Intake(tuple(entries), tuple(aside), tuple(notes))


def _chosen(theirs: Sequence[Entry], assignment: Assignment, aside: list[SetAside]) -> Entry:
    """One person's submission out of all files that are the person's; the others are set aside."""
    best, others = choose([each for each in theirs if not each.written] or theirs, assignment)
    best = replace(best, people=min((each.people for each in theirs), key=lambda people: len(people[0].name)))
    who = ", ".join(each.name for each in best.people)
    aside += [SetAside(each.name, rejected(each, why, best.name), who) for each, why in others[: limits.TOLD]]
    if len(others) > limits.TOLD:
        aside.append(SetAside(best.name, Note("and-more", {"count": len(others) - limits.TOLD}), who))
    rivals = [each.name for each, why in others if why != "attachment"]
    remark = Note("one-of-several", {"counted": best.name, "others": rivals[: limits.TOLD], "count": len(rivals)})
    attempts = max(len({each.recency for each in theirs}), *(each.attempts for each in theirs))
    return replace(best, remarks=(remark,) if rivals else (), attempts=attempts)


def _doubts(entries: Sequence[Entry]) -> Iterator[Note]:
    """What a grader should look at before grading."""
    if not entries:
        yield Note("nothing-found")
    files = defaultdict[str, list[str]](list)
    for entry in entries:
        for each in entry.people:
            for key in {plain(each.id), fold(each.name)} - {""}:
                files[key].append(entry.name)
    for names in dict.fromkeys(map(tuple, files.values())):
        if len(names) > 1:
            yield Note("same-name", {"files": [*names[: limits.TOLD]], "count": len(names)})
