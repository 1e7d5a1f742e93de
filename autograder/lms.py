"""Who handed a file in, as the names in a learning platform's export tell it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = ["GRADESCOPE_ROSTER", "Person", "gradescope_names", "person_of"]

GRADESCOPE_ROSTER = "submission_metadata.yml"
ROSTER_BYTES = 16 * 2**20
"""Longest roster that is read, which takes some seconds."""

# Tried in this order on the whole path, so that platforms with a folder per student come before Canvas, whose
# pattern could also fit a name that a student gave to a file: so it has longer numbers, and they are no date.
# `Participant` is Moodle's blind marking.
_IDS = r"_(?!20\d\d_\d\d?_)(?P<id>\d+)_\d{3,}_"
_LAYOUTS = tuple(
    re.compile(rf"(?:.*/)?{pattern}", re.DOTALL)
    for pattern in (
        r"(?P<student>submission_(?P<id>\d+))/.+",  # Gradescope
        r"submitted/(?P<student>(?P<id>[^/]+))/[^/]+/.+",  # nbgrader
        r"(?P<student>Participant_(?P<id>\d+))_assignsubmission_[a-z]+(?:_?/|_|\.).+",  # Moodle, blind
        r"(?P<student>[^/]+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_?/|_|\.).+",  # Moodle, a folder each or flat
        r"(?:LATE_)?(?P<student>anon_(?P<id>\d+))_\d+_[^/]+",  # Canvas, anonymous
        rf"(?P<student>[^/]+?)(?:_LATE)?{_IDS}[^/]+",  # Canvas
        r"(?P<student>[^/]+?)(?:_LATE)?_(?P<id>\d{3,})_(?:text|link)\.html",  # Canvas, what was typed in
    )
)


@dataclass(frozen=True)
class Person:
    """Who handed a file in."""

    name: str
    id: str
    """What tells people of one name apart within an export."""


def person_of(path: str, names: Mapping[str, str]) -> Person | None:
    """The student that *path* (with `/`) names by a platform's convention, or None if it follows none.

    *names* translates Gradescope's folders to people, see `gradescope_names`.
    """
    for layout in _LAYOUTS:
        if match := layout.fullmatch(path):
            student = match["student"]
            return Person(names.get(student, student), match["id"])
    return None


def gradescope_names(roster: bytes) -> dict[str, str]:
    """Folder name to the submitters' names in Gradescope's `submission_metadata.yml`; empty if it cannot be parsed."""
    if len(roster) > ROSTER_BYTES:
        return {}
    try:
        parsed: Any = yaml.load(roster, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    if not isinstance(parsed, dict):
        return {}
    people = {folder: _submitters(entry) for folder, entry in parsed.items() if isinstance(folder, str)}
    return {folder: ", ".join(names) for folder, names in people.items() if names}


def _submitters(entry: Any) -> list[str]:
    """The names in one record of the roster; the keys keep Ruby's leading colon."""
    submitters = entry.get(":submitters") if isinstance(entry, dict) else None
    if not isinstance(submitters, list):
        return []
    people = (person for person in submitters if isinstance(person, dict))
    named = (person.get(":name") or person.get(":email") or person.get(":sid") for person in people)
    # Not what an alias may have grown into: text of a list in a list in a list takes for ever.
    return [str(name) for name in named if name and isinstance(name, (str, int))]
