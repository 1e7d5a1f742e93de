"""The settings under which submissions are run: hidden scenarios decide points, shown examples explain."""

import ast
import contextlib
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.files import HIDDEN, SHOWN, entries, expect, expect_keys, reference_cells, toml
from autograder.language import LANGUAGES, Language

__all__ = ["Margin", "Scenario", "margin", "replacements", "scenarios", "shown_examples", "sizes"]


@dataclass(frozen=True)
class Scenario:
    """One setting under which a submission is run."""

    id: str
    titles: Mapping[Language, str] = field(compare=False)
    values: Mapping[str, Any] = field(compare=False)
    """By name, the value that takes the place of the released one; of several of that name, of the last."""
    shown: bool = False
    """Whether its inputs and values may be shown."""


@dataclass(frozen=True)
class Margin:
    """Which private numbers are fit to grade with: those under which the solution decides clearly."""

    code: str
    """Run after the solution's cells; it binds `margin`."""
    least: float


@functools.cache
def scenarios() -> tuple[Scenario, ...]:
    """The hidden scenarios."""
    return _read(HIDDEN / "scenarios.toml", "scenario", shown=False)


@functools.cache
def shown_examples() -> tuple[Scenario, ...]:
    """The shown examples, the smallest first."""
    return _read(SHOWN, "example", shown=True)


@functools.cache
def margin() -> Margin:
    """What `tests/hidden/scenarios.toml` says of private numbers."""
    said = toml(HIDDEN / "scenarios.toml").get("margin", {})
    expect_keys("tests/hidden/scenarios.toml, margin", said, ("code", "least"))
    return Margin(**said)


def _read(path: Path, kind: str, *, shown: bool) -> tuple[Scenario, ...]:
    found = []
    for where, _, entry in entries([path], kind, ("id", *LANGUAGES, "data"), _released()):
        id_, titles = entry.pop("id"), {lang: entry.pop(lang) for lang in LANGUAGES}
        for name, value in entry.items():
            expect(f"{where}, {name}", "type", [type(value).__name__], [type(_released()[name]).__name__])
        found.append(Scenario(id_, titles, {"dropout": 0.0, **entry}, shown))
    return tuple(found)


def replacements(scenario: Scenario) -> dict[str, tuple[Any, Any]]:
    """The scenario as a run wants it: for each name, the released value and the one in its place."""
    return {name: (_released()[name], value) for name, value in scenario.values.items()}


def sizes(scenario: Scenario) -> dict[int, int]:
    """What each released size is under the scenario. The numbers of sequences and of their steps are sizes, too."""
    pairs = replacements(scenario)
    data, other_data = pairs.pop("data")
    found = {released: other for released, other in pairs.values() if type(released) is int}
    return found | {len(data): len(other_data), max(map(len, data)): max(map(len, other_data))}


@functools.cache
def _released() -> Mapping[str, Any]:
    """The constants that the solution notebook binds, by name; of several, the last."""
    values: dict[str, Any] = {}
    for cell in reference_cells():
        for node in ast.parse(cell).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    with contextlib.suppress(ValueError):
                        values[name] = ast.literal_eval(value)
    return values
