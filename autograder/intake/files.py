"""What lies at a path: the files of a folder or an archive, without what systems and tools leave behind."""

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
from autograder.intake import limits
from autograder.intake.archives import File, Refused, decoded, packed_as, refused, unpack

__all__ = ["Kind", "bounded", "kind_of", "listed", "named", "opened", "within"]

_JUNK = re.compile(
    r"""\..* | ~\$.* | __macosx | thumbs\.db | desktop\.ini | icon\r  # hidden, or left by systems
      | \$recycle\.bin | \#recycle | system\ volume\ information | lost\+found | @eadir  # on drives of their own
      | __pycache__ | .*\.pyc | __zip_filename__ | .*\.otter  # left by Python and Otter""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Folders full of what nobody wrote for this: each counts as one file.
_LIBRARIES = (".venv", "venv", "virtualenv", "site-packages", "dist-packages", "node_modules")
_LEFTOVERS = {".ipynb_checkpoints": "checkpoints"} | dict.fromkeys(_LIBRARIES, "libraries")
_GRADEBOOK = "gradebook.sqlite"
_APPLICATION_ID = b"rNNg"  # what our gradebooks have where SQLite keeps an application's number


Kind = IntEnum("Kind", "NOTEBOOK ARCHIVE SCRIPT TEXT OTHER", start=0)
"""What a file is by its name, the likeliest submission first."""
_SUFFIXES = {
    Kind.NOTEBOOK: (".ipynb", ".ipynb.txt", ".ipynb.json", ".ipynb의 사본"),  # the last is Drive's Korean for a copy
    Kind.ARCHIVE: (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".alz", ".egg", ".bz2", ".xz"),
    Kind.SCRIPT: (".py",),
    Kind.TEXT: (".txt", ".html", ".htm", ".json", ".url", ".webloc"),
}


@lru_cache(maxsize=8192)
def kind_of(name: str) -> Kind:
    return next((kind for kind, suffixes in _SUFFIXES.items() if name.lower().endswith(suffixes)), Kind.OTHER)


def bounded(name: str, most: int = limits.NAME_CHARACTERS) -> str:
    """*name* in composed characters, encodable, and of at most *most* characters: its beginning and its end."""
    name = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    return name if len(name) <= most else f"{name[: most - 61]}…{name[-60:]}"


def named(path: str | Path) -> str:
    """The path as text that can be written."""
    return bounded(decoded(os.fsencode(path)))


def leftover(name: str) -> str:
    """What kind of leftovers a folder of that name holds; nothing for any other name."""
    return _LEFTOVERS.get(name.rpartition("/")[2].lower(), "")


def listed(path: Path, without: Path | None, notes: list[Note]) -> list[File]:
    """The files in the folder or archive at *path*, or the file itself; *notes* gets what was not read.

    Raises Refused for a path that does not exist or cannot be listed.
    """
    try:
        if path.is_dir():
            return [*_sifted(_walk(path, without, notes))]
        with path.open("rb") as file:
            packed = packed_as(file.read(512))
        if packed:
            return [*_sifted(unpack(path, ours=True))]
        return [File(named(path.name), partial(_read, path, None))]  # a link that the grader names may lead anywhere
    except Refused as why:
        notes.append(Note("path-not-read", {"path": named(path.name), "reason": why.note}))
        return []
    except OSError as error:
        raise Refused(Note("path-unreadable", {"path": named(path)})) from error


def within(archive: File) -> list[File]:
    """All files in a class's archive; nothing if it cannot be read."""
    try:
        packed = unpack(archive.path or archive.load(), ours=True) if kind_of(archive.name) == Kind.ARCHIVE else []
    except Refused:
        return []
    return [replace(file, name=f"{archive.name}/{file.name}") for file in _sifted(packed)]


def opened(file: File, room: Iterator[int], archives: int = limits.ARCHIVES) -> Iterator[File]:
    """The files in a student's archive, the likeliest first. Any other file is given as it is.

    All archives of one person share *room*, which gives an item for each that may be unpacked. An archive that cannot
    be read, or holds nothing to grade, is given as a file that is refused.
    """
    try:
        if not _is_archive(file):
            yield file
            return
        if archives and next(room, None) is None:
            raise Refused(Note("archive-too-many-files"))
        names = [name for name in (_contents(file) if archives else ()) if kind_of(name) != Kind.OTHER]
        if not names:
            raise Refused(Note("archive-without-notebook"))
    except Refused as why:
        yield refused(file.name, why.note, fault=why.fault)
        return
    for name in sorted(names, key=kind_of)[: 4 * limits.READ]:
        yield from opened(File(bounded(f"{file.name}/{name}"), partial(_member, file, name)), room, archives - 1)


def _is_archive(file: File) -> bool:
    """Whether it is called an archive, or is one under a notebook's name, as when an export of Otter's is renamed."""
    kind = kind_of(file.name)
    return kind == Kind.ARCHIVE or (kind == Kind.NOTEBOOK and packed_as(file.start(512)) != "")


@lru_cache(maxsize=2)
def _contents(archive: File) -> dict[str, File]:
    """The files of the archive looked at last, so that no file keeps an archive in memory."""
    return {file.name: file for file in _sifted(unpack(archive.load()))}


def _member(archive: File, name: str, most: int) -> bytes:
    return _contents(archive)[name].start(most)


def _sifted(files: Iterable[File]) -> Iterator[File]:
    """*files* without junk, and with names that lead nowhere else. A folder that is not entered counts as one file."""
    closed: set[str] = set()
    for file in files:
        parts = [part for part in re.split(r"[/\\]", file.name) if part not in ("", ".", "..")] or ["unnamed"]
        depth = next((i for i, part in enumerate(parts) if i == limits.FOLDERS or leftover(part)), None)
        name = bounded("/".join(parts if depth is None else parts[: depth + 1]))
        if name in closed or any(_JUNK.fullmatch(part) for part in parts[:depth]):
            continue
        if depth is not None:
            closed.add(name)
            file = refused(name, Note(leftover(name) or "folders-too-deep"))
        yield replace(file, name=name)


def _walk(root: Path, without: Path | None, notes: list[Note]) -> Iterator[File]:
    """The files below *root*, without our own output. A folder that is not entered counts as a file."""
    errors: list[OSError] = []
    empty, earlier = list[str](), list[str]()
    for place, folders, names in os.walk(root, onerror=errors.append):
        folder, below = Path(place), Path(place).relative_to(root)
        if folder.resolve() == without:
            folders.clear()
            continue
        if _GRADEBOOK in names and _is_ours(folder / _GRADEBOOK):
            earlier.append(named(below))
            folders.clear()
            continue
        deep = len(below.parts) >= limits.FOLDERS
        closed = [each for each in folders if deep or leftover(each) or os.path.islink(folder / each)]
        folders[:] = sorted(each for each in folders if each not in closed and not _JUNK.fullmatch(each))
        if folder != root and not folders and not closed and all(map(_JUNK.fullmatch, names)):
            empty.append(named(below))
        for path in sorted(folder / name for name in (*names, *closed)):
            plain = path.is_file() and not path.is_symlink()
            yield File(named(path.relative_to(root)), partial(_read, path, folder), path if plain else None)
    if empty:
        notes.append(Note("empty-folders", {"files": empty[: limits.TOLD], "count": len(empty)}))
    notes += [Note("earlier-run", {"folder": each}) for each in earlier]
    for error in errors:
        if Path(error.filename) == root:
            raise error
        yield refused(named(Path(error.filename).relative_to(root)), _unreadable(error), fault=True)


def _is_ours(gradebook: Path) -> bool:
    """Whether it is one that we wrote; another's file of that name hides nothing."""
    try:
        header = _read(gradebook, gradebook.parent, 100)
    except Refused:
        return False
    return header.startswith(b"SQLite format 3\0") and header[68:72] == _APPLICATION_ID


def _read(path: Path, below: Path | None, most: int) -> bytes:
    """The file's first bytes; a link must not lead out of the folder *below*, or it could hand in another's file."""
    try:
        # Unlike `resolve`, `realpath` leaves links that lead in circles to `stat`.
        if below and path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(below)):
            raise Refused(Note("link-outward"), fault=True)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Refused(Note("not-a-regular-file"), fault=True)
        if most == limits.FILE_BYTES < status.st_size:  # all of it is wanted
            raise Refused(Note("file-too-large"))
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise Refused(_unreadable(error), fault=True) from error


def _unreadable(error: OSError) -> Note:
    return Note("file-unreadable", {"error": error.strerror or type(error).__name__})
