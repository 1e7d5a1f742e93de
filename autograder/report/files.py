"""Names and contents of the files written for submissions."""

import hashlib
import io
import os
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.report.words import plain

__all__ = ["digest", "file_names", "write", "zipped"]

_MAX_PART_BYTES, _MAX_BYTES = 180, 800
_FORBIDDEN = re.compile(r'[<>:"\\|?*\t\n\ufffd]|^\.|[ .]$')  # by Windows, or not shown
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


def file_names(submissions: Iterable[str]) -> dict[str, str]:
    """For each submission's name a relative path (with `/`, without a suffix), the name itself wherever possible.

    The paths stay below their folder, fit every common file system, and differ even where case does not count.
    """
    paths: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(submissions):
        *folders, last = [_safe(part) for part in name.split("/") if part] or ["_"]
        # A folder must not be in the way of a page: `a.ipynb` has the page `a.ipynb.html`.
        path = "/".join([*(re.sub(r"(?i)(\.(?:html|json))$", r"\1_", part) for part in folders), last])
        path = path if len(path.encode()) <= _MAX_BYTES else last
        folded = unicodedata.normalize("NFC", path).casefold()
        if path != name or folded in taken:
            path += f"~{digest(name.encode(errors='surrogatepass'))}"
        taken.add(folded)
        paths[name] = path
    return paths


def _safe(part: str) -> str:
    safe = _FORBIDDEN.sub("_", plain(part))
    named = f"_{safe}" if _DEVICE.fullmatch(safe) else safe
    return named.encode()[:_MAX_PART_BYTES].decode(errors="ignore")


def digest(content: bytes) -> str:
    """Short enough for names, long enough to tell what was written apart."""
    return hashlib.sha256(content).hexdigest()[:16]


def write(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Put *content*, or its pieces, at *path* in one step: a reader, or a run cut short, never finds half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(".partial")
    pieces = [content] if isinstance(content, (str, bytes)) else content
    with partial.open("wb") as file:
        file.writelines(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    os.replace(partial, path)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of *files*, the same bytes for the same files; those that name what runs them (`#!`) can be run."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name)  # of 1980: it says no time
            info.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
