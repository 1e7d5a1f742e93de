"""What lies at a path: the files of a folder or an archive, without what systems and tools leave behind."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import IntEnum
from functools import lru_cache, partial
from pathlib import Path

from autograder.grade import Note
from autograder.intake.archives import MAX_BYTES, File, Refused, decoded, refuse, unpack

__all__ = ["IntakeError", "Kind", "bounded", "kind_of", "leftover", "listed", "sift", "single"]

MAX_DEPTH = 40
"""Folders within folders; what lies deeper is not read. Exports have five, projects with libraries a dozen."""
_NAME_CHARACTERS = 400
_GRADEBOOK = "gradebook.sqlite"
_APPLICATION_ID = b"rNNg"  # what our gradebooks have where SQLite keeps an application's number

_JUNK = re.compile(
    r"""\..* | ~\$.*                                          # hidden: .DS_Store, ._x, .git, .OTTER_LOG; locks
      | __macosx | thumbs\.db | desktop\.ini | icon\r         # left by systems
      | __pycache__ | .*\.pyc | __zip_filename__ | .*\.otter  # left by Python and Otter""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Folders full of what nobody wrote for this: each counts as one file that is set aside.
_LEFTOVERS = dict.fromkeys((".venv", "venv", "virtualenv", "site-packages", "dist-packages"), "libraries")
_LEFTOVERS |= {"node_modules": "libraries", ".ipynb_checkpoints": "checkpoints"}


class IntakeError(Exception):
    """A path that was named cannot be read at all; `note` says it."""

    def __init__(self, kind: str, path: Path) -> None:
        super().__init__(f"{kind}: {path}")
        self.note = Note(kind, {"path": bounded(decoded(os.fsencode(path)))})


class Kind(IntEnum):
    """What a file is by its name, the likeliest submission first."""

    NOTEBOOK = 0
    ARCHIVE = 1
    SCRIPT = 2
    TEXT = 3
    OTHER = 4


_SUFFIXES = {
    Kind.NOTEBOOK: (".ipynb", ".ipynb.txt", ".ipynb.json"),
    Kind.ARCHIVE: (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".alz", ".egg", ".bz2", ".xz"),
    Kind.SCRIPT: (".py",),
    Kind.TEXT: (".txt", ".html", ".htm", ".json", ".url", ".webloc"),
}


@lru_cache(maxsize=8192)
def kind_of(name: str) -> Kind:
    return next((kind for kind, suffixes in _SUFFIXES.items() if name.lower().endswith(suffixes)), Kind.OTHER)


def bounded(name: str, most: int = _NAME_CHARACTERS) -> str:
    """*name* in composed characters, encodable, and of at most *most* characters: its beginning and its end."""
    name = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    return name if len(name) <= most else f"{name[: most - 61]}…{name[-60:]}"


def leftover(name: str) -> str:
    """What the file is that stands for a folder of leftovers; nothing for any other."""
    return _LEFTOVERS.get(name.rpartition("/")[2].lower(), "")


def listed(path: Path, without: Path | None, notes: list[Note]) -> list[File]:
    """The files in the folder or archive at *path*, sifted; *notes* gets what was passed over.

    Raises OSError or Refused if it cannot be read at all.
    """
    return sift(_walk(path, without, notes) if path.is_dir() else unpack(path))


def single(path: Path) -> File:
    """The file at *path*; a link that the grader names may lead anywhere."""
    return File(bounded(decoded(os.fsencode(path.name))), partial(_read, path), path)


def sift(files: Iterable[File]) -> list[File]:
    """*files* without junk, with names that lead nowhere else, each leftover folder as one file."""
    sifted: list[File] = []
    left_out: set[str] = set()
    for file in files:
        parts = [part for part in re.split(r"[/\\]", file.name) if part not in ("", ".", "..")] or ["unnamed"]
        left = next((i for i, part in enumerate(parts) if part.lower() in _LEFTOVERS), None)
        if any(_JUNK.fullmatch(part) for part in parts[:left]):
            continue
        if left is None and len(parts) <= MAX_DEPTH + 1:
            sifted.append(replace(file, name=bounded("/".join(parts))))
            continue
        why, last = ("folders-too-deep", MAX_DEPTH) if left is None else (_LEFTOVERS[parts[left].lower()], left)
        name = bounded("/".join(parts[: last + 1]))
        if name not in left_out:
            left_out.add(name)
            sifted.append(File(name, partial(refuse, Refused(why))))
    return sifted


def _walk(root: Path, without: Path | None, notes: list[Note]) -> Iterator[File]:
    """The files below *root*. A folder that cannot be listed, or that is not entered, counts as a file."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        name = decoded(os.fsencode(folder.relative_to(root).as_posix()))
        try:
            inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == root:
                raise
            yield File(name, partial(refuse, _unreadable(error)))
            continue
        if folder != root and any(
            entry.name == _GRADEBOOK and entry.is_file(follow_symlinks=False) and _is_ours(entry) for entry in inside
        ):
            notes.append(Note("earlier-run", {"folder": bounded(name)}))
            continue
        for entry in inside:
            path = Path(entry.path)
            below = decoded(os.fsencode(path.relative_to(root).as_posix()))
            if not entry.is_dir(follow_symlinks=False):
                yield File(below, partial(_read, path, path.parent), path)
            elif entry.name.lower() in _LEFTOVERS or depth == MAX_DEPTH:
                yield File(f"{below}/-", partial(refuse, Refused("folders-too-deep")))
            elif not _JUNK.fullmatch(entry.name) and path.resolve() != without:
                waiting.append((path, depth + 1))


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Whether a file of this name is a gradebook of ours, rather than somebody's way to hide a folder."""
    try:
        with open(entry.path, "rb") as file:
            header = file.read(100)
    except OSError:
        return False
    return header.startswith(b"SQLite format 3\0") and header[68:72] == _APPLICATION_ID


def _read(path: Path, below: Path | None = None) -> bytes:
    """The file's bytes; a link must not lead out of the folder *below*, or it could hand in somebody else's file."""
    try:
        # Unlike `resolve`, `realpath` leaves links that lead in circles to `stat`.
        if below and path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(below)):
            raise Refused("link-outward", fault=True)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused("not-a-regular-file", fault=True)
        if status.st_size > MAX_BYTES:
            raise Refused("file-too-large", most=MAX_BYTES)
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> Refused:
    return Refused("file-unreadable", fault=True, error=error.strerror or type(error).__name__)
