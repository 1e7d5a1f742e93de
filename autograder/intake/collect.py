"""From what a platform gave to one submission per person, and the rest set aside."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.grade import Note, Person
from autograder.intake import limits
from autograder.intake.archives import File
from autograder.intake.choice import Entry, choose
from autograder.intake.evidence import Assignment
from autograder.intake.files import leftover, listed, named, opened
from autograder.intake.owners import SetAside, candidates
from autograder.intake.platforms import Place, settle
from autograder.intake.roster import fold

__all__ = ["Entry", "Intake", "collect", "one"]


@dataclass(frozen=True)
class Intake:
    layout: str
    """Which platforms were recognised."""
    entries: tuple[Entry, ...]
    """Sorted by name; each name once."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[Note, ...]
    """What is to be said before grading; the last one sums up."""


def collect(paths: Sequence[Path], assignment: Assignment, *, without: Path | None = None) -> Intake:
    """The submissions in *paths*; what lies below *without* (the output) is left out. Raises IntakeError."""
    notes: list[Note] = []
    aside: list[SetAside] = []
    places = list(_places(paths, without.resolve() if without else None, notes))
    found = [each for number, place in enumerate(places) for each in candidates(place, number, assignment, aside)]
    layout = ", ".join(dict.fromkeys(place.layout.platform for place in places))
    return _intake(layout, found, assignment, aside, notes)


def one(path: Path, assignment: Assignment) -> Intake:
    """All that lies at *path* as one person's, as Gradescope hands it to an autograder."""
    room = iter(range(limits.READ))
    files = [inner for file in listed(path, None, []) for inner in opened(file, room)]
    found = [Entry(file.name, (Person(""),), file=file) for file in files]
    return _intake("one", found, assignment, [], [])


def _places(paths: Sequence[Path], without: Path | None, notes: list[Note]) -> Iterator[Place]:
    """Where submissions lie. Paths that are one person's each (`kim/ lee.zip park.ipynb`) are one place together.

    A single folder is a class's, though only one handed in; a single archive with one notebook is a person's own.
    """
    whole = {path.resolve(): path for path in paths}
    above = Path(os.path.commonpath([path.parent for path in whole])) if whole else Path()
    together: list[File] = []
    for real, path in whole.items():
        label = named(real.relative_to(above))
        prefix = f"{label}/" if len(whole) > 1 else ""
        files = listed(path, without, notes)
        alone = [file.name for file in files] == [path.name] and not path.is_dir()
        files = [replace(file, name=label if alone else prefix + file.name) for file in files]
        place = settle(files, real.stem, prefix)
        if place.several or not (prefix or path.is_file()):
            yield place
        else:
            together += files if prefix or alone else [replace(file, name=f"{label}/{file.name}") for file in files]
    if together:
        yield settle(together, named(above.name))


def _intake(
    layout: str, found: Sequence[Entry], assignment: Assignment, aside: list[SetAside], notes: list[Note]
) -> Intake:
    files, people = len(found) + len(aside), defaultdict[tuple[str, ...], list[Entry]](list)
    for candidate in found:
        people[candidate.key].append(candidate)
    entries = sorted((_chosen(theirs, assignment, aside) for theirs in people.values()), key=lambda entry: entry.name)
    told = {"people": sum(len(entry.people) for entry in entries), "files": files, "set_aside": len(aside)}
    notes += [*_doubts(entries), Note("recognised", {"layout": layout, **told})]
    return Intake(layout, tuple(entries), tuple(aside), tuple(notes))


def _chosen(theirs: Sequence[Entry], assignment: Assignment, aside: list[SetAside]) -> Entry:
    """One person's submission out of all files that are the person's; the others are set aside."""
    best, others = choose([each for each in theirs if not each.written] or theirs, assignment)
    who = ", ".join(person.name for person in best.people)
    for each, why in others[: limits.TOLD]:
        rival = Note("another-counted", {"counted": best.name, "why": why})
        aside.append(SetAside(each.name, Note(leftover(each.name) or why) if why == "attachment" else rival, who))
    if len(others) > limits.TOLD:
        aside.append(SetAside(best.name, Note("and-more", {"count": len(others) - limits.TOLD}), who))
    rivals = [each.name for each, why in others if why != "attachment"]
    remark = Note("one-of-several", {"counted": best.name, "others": rivals[: limits.TOLD], "count": len(rivals)})
    attempts = max(len({each.moment for each in theirs}), *(each.attempts for each in theirs))
    return replace(best, remarks=(remark,) if rivals else (), attempts=attempts)


def _doubts(entries: Sequence[Entry]) -> Iterator[Note]:
    """What a grader should look at before grading."""
    if not entries:
        yield Note("nothing-found")
    files = defaultdict[str, list[str]](list)
    for entry in entries:
        for person in entry.people:
            files[fold(person.name)].append(entry.name)
    for names in files.values():
        if len(names) > 1:
            yield Note("same-name", {"files": names[: limits.TOLD], "count": len(names)})
