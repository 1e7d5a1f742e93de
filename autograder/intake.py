"""From the paths an instructor names to the submissions in them: one entry a file, read only when asked.

A path is a file, a folder, or a zip as learning platforms export it. A zip *inside* a folder or zip, and an export of
Otter's wherever it is, is one student's file and is passed on unopened.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from autograder.archive import ArchiveError, is_otter_export, members, too_large
from autograder.gradebook import FILE_NAME
from autograder.lms import GRADESCOPE_ROSTER, gradescope_names, person_of
from autograder.records import Submission
from autograder.text import text

__all__ = ["MAX_SUBMISSION_BYTES", "Entry", "collect"]

MAX_SUBMISSION_BYTES = 64 * 2**20
"""A larger file is not read; a notebook with many pictures has some 10 MiB."""
_MAX_NAME_CHARS = 1000
MAX_DEPTH = 40
"""Folders within folders; what lies deeper is not read. Exports have five, projects with libraries a dozen."""

# A path with such a part is no submission, wherever it is.
_JUNK = re.compile(
    r"""(?:.*/)?(?:
        \.[^/]* | ~\$[^/]*                          # hidden: .DS_Store, ._x, .ipynb_checkpoints, .OTTER_LOG; locks
      | __macosx | thumbs\.db | desktop\.ini        # left by systems
      | __pycache__ | [^/]*\.pyc | site-packages    # left by Python
      | __zip_filename__ | [^/]*\.otter             # left by Otter
      | icon\r                                      # of a folder on macOS
      | submission_metadata\.(?:yml|json)           # Gradescope
      | timestamp\.txt                              # nbgrader
    )(?:/.*)?""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# Beside a notebook these are what was handed out, handed in again.
_HANDED_OUT = re.compile(r"tests/(?:q\d+|__init__)\.py|requirements\.txt|readme\.md", re.IGNORECASE)
_CODE = re.compile(r".*\.(?:ipynb|py|zip)", re.IGNORECASE | re.DOTALL)

Load = Callable[[], bytes]
_Found = list[tuple[str, Load]]


class _Refused(Exception):
    """Why a file is not read, in one line."""


@dataclass(frozen=True)
class Entry:
    """A submission found but not yet read."""

    name: str
    student: str
    load: Load

    def read(self) -> Submission:
        """The submission with its bytes; what keeps it from being read becomes its `problem`."""
        try:
            return Submission(self.name, self.student, self.load())
        except (_Refused, ArchiveError) as error:
            problem = str(error)
        except OSError as error:
            problem = _no_reading(error)
        return Submission(self.name, self.student, b"", problem=" ".join(problem.split()))


def collect(paths: Sequence[Path], *, without: Path | None = None) -> list[Entry]:
    """The submissions in *paths*, sorted by name, each name once; what lies below *without* (the output) is left out.

    Raises OSError for a path that does not exist or a folder that cannot be listed.
    """
    entries: list[Entry] = []
    times: Counter[str] = Counter()
    for path in paths:
        base = _decoded(path.resolve(strict=True).name)
        found = _files(path, without.resolve() if without else None)
        if found is None:
            person = person_of(_decoded(path.resolve().as_posix()), {})
            student = person.name if person else PurePosixPath(base).stem
            named: list[tuple[str, str, Load]] = [(base, student, partial(_read, path))]
        else:
            prefix = f"{base}/" if len(paths) > 1 else ""
            named = [(prefix + name, student, load) for name, student, load in _attributed(found, base)]
        for name, student, load in named:
            entries.append(Entry(_unused(name, times), unicodedata.normalize("NFC", student), load))
    return sorted(entries, key=lambda entry: entry.name)


def _files(path: Path, without: Path | None) -> _Found | None:
    """Everything in the folder or zip at *path*, by relative path; None if it is a single submission."""
    if path.is_dir():
        return list(_walk(path, without))
    if path.suffix.lower() != ".zip" or is_otter_export(path):
        return None
    try:
        return [_shallow(_tidy(name), load) for name, load in members(path, MAX_SUBMISSION_BYTES)]
    except ArchiveError as error:
        return [(path.name, partial(_refuse, str(error)))]


def _walk(root: Path, without: Path | None) -> Iterator[tuple[str, Load]]:
    """The files below *root*; a folder that cannot be listed, or lies too deep, counts as a file that cannot be read.

    Raises OSError if *root* itself cannot be listed.
    """
    real = root.resolve()
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        name = _decoded(folder.relative_to(root).as_posix())
        try:
            inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == root:
                raise
            yield name, partial(_refuse, _no_reading(error))
            continue
        if depth > MAX_DEPTH:
            yield name, partial(_refuse, _too_deep())
            continue
        if folder != root and any(entry.name == FILE_NAME for entry in inside):
            continue  # what an earlier run wrote
        for entry in inside:
            path = Path(entry.path)
            if not entry.is_dir(follow_symlinks=False):
                yield _decoded(path.relative_to(root).as_posix()), partial(_read, path, real)
            elif path.resolve() != without:
                waiting.append((path, depth + 1))


def _attributed(found: _Found, base: str) -> list[tuple[str, str, Load]]:
    """The submissions among the files *found* in the folder or zip called *base*: name, student, how to read it."""
    rosters = _rosters(found, base)
    files = _submissions(found)
    shared = os.path.commonpath([f"/{PurePosixPath(name).parent}" for name, _ in files]) if len(files) > 1 else "/"
    attributed = []
    people = {name: person_of(f"{base}/{name}", _people(rosters, name)) for name, _ in files}
    with_code = {person for name, person in people.items() if person and _CODE.fullmatch(name)}
    for name, load in files:
        person = people[name]
        if person in with_code and not _CODE.fullmatch(name):
            continue  # attached to the notebook, or typed in beside it
        own = PurePosixPath("/", name).relative_to(shared)
        fallback = own.parts[0] if len(own.parts) > 1 else own.stem
        attributed.append((name, person.name if person else fallback, load))
    return attributed


def _rosters(found: _Found, base: str) -> dict[PurePosixPath, dict[str, str]]:
    """Gradescope's rosters by the folder that they stand in; one that a student handed in is none."""
    return {
        PurePosixPath(name).parent: gradescope_names(Entry("", "", load).read().content)
        for name, load in found
        if PurePosixPath(name).name == GRADESCOPE_ROSTER and person_of(f"{base}/{name}", {}) is None
    }


def _people(rosters: Mapping[PurePosixPath, Mapping[str, str]], name: str) -> dict[str, str]:
    """Who handed in the folder that *name* is in, as the roster beside that folder says."""
    path = PurePosixPath(name)
    folders = {parent: path.relative_to(parent).parts[0] for parent in path.parents if parent in rosters}
    return {folder: rosters[parent][folder] for parent, folder in folders.items() if folder in rosters[parent]}


def _submissions(found: _Found) -> _Found:
    """*found* without what the file's name or place shows to be no submission."""
    files = sorted((item for item in found if not _JUNK.fullmatch(item[0])), key=lambda item: item[0])
    code = Counter(name.rpartition("/")[0] for name, _ in files if _CODE.fullmatch(name))

    def belongs_to_another(name: str) -> bool:
        parts = name.split("/")
        is_code = _CODE.fullmatch(name) is not None
        for depth in range(len(parts)):
            folder = "/".join(parts[:depth])
            if code[folder] and _HANDED_OUT.fullmatch("/".join(parts[depth:])):
                return True
            # A folder with one piece of code is one student's, and pictures or notes in it are attachments.
            if code[folder] == 1 and depth and not is_code:
                return True
        return False

    return [(name, load) for name, load in files if not belongs_to_another(name)]


def _read(path: Path, root: Path | None = None) -> bytes:
    """The file's bytes; a link must not lead out of *root*, or a student could hand in the solutions."""
    # Unlike `resolve`, `realpath` leaves links that lead in circles to `stat`.
    if root is not None and path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
        raise _Refused(text(ko="폴더 밖을 가리키는 링크입니다.", en="is a link that leads out of the folder"))
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise _Refused(text(ko="보통 파일이 아닙니다.", en="is not a regular file"))
    if status.st_size > MAX_SUBMISSION_BYTES:
        raise _Refused(too_large(MAX_SUBMISSION_BYTES))
    return path.read_bytes()


def _no_reading(error: OSError) -> str:
    return text(ko=f"읽을 수 없습니다({error.strerror}).", en=f"cannot be read: {error.strerror}")


def _too_deep() -> str:
    return text(ko="폴더 속 폴더가 너무 깊습니다.", en="lies too deep in folders within folders")


def _refuse(problem: str) -> bytes:
    raise _Refused(problem)


def _decoded(name: str) -> str:
    """*name* as text: a file system's bytes that are not UTF-8 are taken for Korean Windows's code page."""
    raw = os.fsencode(name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp949", errors="replace")


def _shallow(name: str, load: Load) -> tuple[str, Load]:
    """The file, or a refusal if it lies too deep."""
    parts = name.split("/")
    if len(parts) <= MAX_DEPTH + 1:
        return name, load
    return "/".join(parts[: MAX_DEPTH + 1]), partial(_refuse, _too_deep())


def _tidy(name: str) -> str:
    """A zip's path without what could lead out of a folder, and no longer than a file system's would be."""
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")]
    tidy = "/".join(parts).encode(errors="replace").decode() or "unnamed"
    return tidy[-_MAX_NAME_CHARS:].lstrip("/")


def _unused(name: str, times: Counter[str]) -> str:
    """*name*, or `name~2.ipynb`, ... where it came before (a zip may hold a name twice); *times* counts."""
    path = PurePosixPath(name)
    unused = name
    while unused in times:
        times[name] += 1
        unused = str(path.with_name(f"{path.stem}~{times[name]}{path.suffix}"))
    times[unused] = 1
    return unused
