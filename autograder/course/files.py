"""Where the course's files lie, what stands in them, and what is said where they do not fit together."""

import functools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli

__all__ = [
    *("ASSIGNMENT", "HIDDEN", "PUBLIC", "REFERENCE", "ROOT", "SHOWN"),
    *("CourseError", "content", "entries", "expect", "expect_keys", "reference_cells", "toml"),
]

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = ROOT / "assignment"
HIDDEN = ROOT / "tests" / "hidden"
PUBLIC = ROOT / "tests" / "public"
SHOWN = ROOT / "tests" / "shown" / "examples.toml"
REFERENCE = ROOT / "solutions" / "rnn.ipynb"


class CourseError(ValueError):
    """What is wrong with the instructors' files, in one line that says where."""


def expect(where: str, what: str, given: Iterable[str], possible: Collection[str]) -> None:
    """Raise `CourseError` unless all that is *given* is possible."""
    if wrong := [one for one in given if one not in possible]:
        raise CourseError(f"{where}: there is no {what} {', '.join(wrong)}; there is {', '.join(possible)}")


def expect_keys(where: str, entry: Mapping[str, Any], needed: Collection[str], more: Collection[str] = ()) -> None:
    """Raise `CourseError` unless *entry* has all keys that are *needed* and, beside them, only some *more*."""
    if not isinstance(entry, Mapping):
        raise CourseError(f"{where}: must be one table with {', '.join(needed)}")
    expect(where, "key", needed, entry)
    expect(where, "key", entry, dict.fromkeys([*needed, *more]))


def toml(path: Path) -> dict[str, Any]:
    """What the file at *path* holds. Raises `CourseError`."""
    try:
        return tomli.loads(content(path))
    except tomli.TOMLDecodeError as error:
        raise CourseError(f"{_named(path)}: {error}") from error


def content(path: Path) -> str:
    """The text of the file at *path*, without the mark that some editors put first. Raises `CourseError`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CourseError(f"{_named(path)}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{_named(path)}: is not saved as UTF-8") from error


def _named(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def entries(
    paths: Iterable[Path], kind: str, needed: Collection[str], more: Collection[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Where each entry of that *kind* stands, the name of its file, and the entry, which has an id of its own.

    Raises `CourseError`.
    """
    seen = set[str]()
    for path in paths:
        expect_keys(str(path.relative_to(ROOT)), said := toml(path), (kind,), ("margin",))
        if not isinstance(said[kind], list):
            raise CourseError(f"{path.relative_to(ROOT)}: every {kind} must begin with [[{kind}]]")
        for number, entry in enumerate(said[kind], 1):
            where = f"{path.relative_to(ROOT)}, {kind} {entry.get('id', number)}"
            expect_keys(where, entry, needed, more)
            if entry["id"] in seen:
                raise CourseError(f"{where}: another one has that id")
            seen.add(entry["id"])
            yield where, path.stem, entry


@functools.cache
def reference_cells() -> tuple[str, ...]:
    """The code cells of the solution notebook."""
    cells = json.loads(REFERENCE.read_text(encoding="utf-8"))["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
