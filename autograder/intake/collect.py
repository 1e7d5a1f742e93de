"""From what a platform gave to one submission per person, and the rest set aside."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from autograder.grade import Note, Person, Submission
from autograder.intake.archives import File, Refused, decoded, packed_as
from autograder.intake.choice import Candidate, choose
from autograder.intake.evidence import Assignment
from autograder.intake.files import IntakeError, Kind, bounded, kind_of, leftover, listed, single
from autograder.intake.owners import Claim, SetAside, claims
from autograder.intake.platforms import Place, settle
from autograder.intake.roster import fold

__all__ = ["Entry", "Intake", "collect", "one"]

_TOLD = 20
"""Most files of one person that are listed as set aside, and most names in a note."""


@dataclass(frozen=True)
class Entry:
    """The one file that counts for a person or a group; read only when asked."""

    name: str
    people: tuple[Person, ...]
    time: str
    attempts: int
    late: bool
    remarks: tuple[Note, ...]
    file: File = field(repr=False)
    assignment: Assignment = field(repr=False)

    def read(self) -> Submission:
        """The submission with its bytes; never raises."""
        blank = Submission(
            self.name, self.people, b"", remarks=self.remarks, time=self.time, attempts=self.attempts, late=self.late
        )
        try:
            content = self.file.load()
            if packed_as(content[:512]) and kind_of(self.name) != Kind.OTHER:  # an archive under a notebook's name
                archive = Candidate(File(f"{self.name}.zip", self.file.load))
                content = choose([archive], self.assignment)[0].file.load()
            return replace(blank, content=content)
        except Refused as refused:
            return replace(blank, fault=refused.note) if refused.fault else replace(blank, problem=refused.note)


@dataclass(frozen=True)
class Intake:
    layout: str
    """Which platforms were recognised."""
    entries: tuple[Entry, ...]
    """Sorted by name; each name once."""
    set_aside: tuple[SetAside, ...]
    files: int
    """How many files were found, without junk and what the platform itself wrote."""
    notes: tuple[Note, ...]
    """What is to be said before grading; the last one sums up."""


def collect(paths: Sequence[Path], assignment: Assignment, *, without: Path | None = None) -> Intake:
    """The submissions in *paths*; what lies below *without* (the output) is left out.

    Raises IntakeError for a path that does not exist or cannot be listed.
    """
    notes: list[Note] = []
    aside: list[SetAside] = []
    places = list(_places(paths, without.resolve() if without else None, notes))
    found = [claim for number, place in enumerate(places) for claim in claims(place, number, assignment, aside)]
    layout = ", ".join(dict.fromkeys(place.layout.platform for place in places))
    return _intake(layout, found, assignment, aside, notes)


def one(path: Path, assignment: Assignment) -> Intake:
    """All that lies at *path* as one person's, as Gradescope hands it to an autograder."""
    files = listed(path, None, []) if path.is_dir() else [single(path)]
    return _intake("one", [Claim((), (Person(""),), Candidate(file)) for file in files], assignment, [], [])


def _places(paths: Sequence[Path], without: Path | None, notes: list[Note]) -> Iterator[Place]:
    """Where submissions lie. Paths that are one person's each (`kim/ lee.zip park.ipynb`) are one place together."""
    whole = {path.resolve(): path for path in paths}
    above = Path(os.path.commonpath([path.parent for path in whole])) if whole else Path()
    together: list[File] = []
    for real, path in whole.items():
        label = bounded(decoded(os.fsencode(real.relative_to(above).as_posix())))
        files = _contents(path, without, notes)
        prefix = f"{label}/" if len(whole) > 1 else ""
        place = settle(
            [replace(file, name=prefix + file.name) for file in files or ()], PurePosixPath(label).stem, prefix
        )
        if files is not None and (place.several or not prefix):
            yield place
        elif files is None or files:
            together += place.files if path.is_dir() else [replace(single(path), name=label)]
    if together:
        yield settle(together, bounded(above.name))


def _contents(path: Path, without: Path | None, notes: list[Note]) -> list[File] | None:
    """The files in the folder or archive at *path*, or None if it is a single file."""
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                if not packed_as(file.read(512)):
                    return None
        return listed(path, without, notes)
    except Refused as refused:
        notes.append(Note("path-not-read", {"path": bounded(path.name), "reason": refused.note}))
        return []
    except OSError as error:
        raise IntakeError("path-unreadable", path) from error


def _intake(
    layout: str, found: Sequence[Claim], assignment: Assignment, aside: list[SetAside], notes: list[Note]
) -> Intake:
    files, times = len(found) + len(aside), Counter[str]()
    people: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for claim in found:
        people[claim.key].append(claim)
    entries = [_entry(theirs, assignment, aside, times) for theirs in people.values()]
    entries.sort(key=lambda entry: entry.name)
    count = sum(len(entry.people) for entry in entries)
    summary = Note("recognised", {"layout": layout, "people": count, "files": files, "set_aside": len(aside)})
    return Intake(layout, tuple(entries), tuple(aside), files, (*notes, *_doubts(entries), summary))


def _entry(theirs: Sequence[Claim], assignment: Assignment, aside: list[SetAside], times: Counter[str]) -> Entry:
    """One person's submission out of all files that are the person's; the others are set aside."""
    handed_in = [claim for claim in theirs if claim.handed_in] or theirs
    best, others = choose([claim.candidate for claim in handed_in], assignment)
    people, counted = theirs[-1].people, best.file.name
    who = ", ".join(person.name for person in people)
    for each, why in others[:_TOLD]:
        rival = Note("another-counted", {"counted": counted, "why": why})
        reason = Note(leftover(each.file.name) or why) if why == "attachment" else rival
        aside.append(SetAside(each.file.name, reason, who))
    if len(others) > _TOLD:
        aside.append(SetAside(counted, Note("and-more", {"count": len(others) - _TOLD}), who))
    rivals = [each.file.name for each, why in others if why != "attachment"]
    remark = Note("one-of-several", {"counted": counted, "others": rivals[:_TOLD], "count": len(rivals)})
    moments = {claim.candidate.moment for claim in handed_in}
    attempts = max(len(moments), *(claim.attempts for claim in theirs))
    remarks = (remark,) if rivals else ()
    return Entry(_unused(counted, times), people, best.moment[1], attempts, best.late, remarks, best.file, assignment)


def _unused(name: str, times: Counter[str]) -> str:
    """*name*, or `name~2.ipynb`, ... where it came before; *times* counts."""
    path, free = PurePosixPath(name), name
    while free in times:
        times[name] += 1
        free = str(path.with_name(f"{path.stem}~{times[name]}{path.suffix}"))
    times[free] = 1
    return free


def _doubts(entries: Sequence[Entry]) -> Iterator[Note]:
    """What a grader should look at before grading."""
    if not entries:
        yield Note("nothing-found")
    named: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        for person in entry.people:
            named[fold(person.name)].append(entry.name)
    for names in named.values():
        if len(names) > 1:
            yield Note("same-name", {"files": names[:_TOLD], "count": len(names)})
