"""Names and contents of the files written for submissions."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from autograder.report.clean import plain

__all__ = ["file_names", "write"]

_MAX_PART_BYTES = 180
_MAX_BYTES = 800
_FORBIDDEN = re.compile(r'[<>:"\\|?*\t\n\ufffd]')  # by Windows, or not printable
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def file_names(submissions: Iterable[str]) -> dict[str, str]:
    """For each submission's name a relative path (with `/`, without a suffix), the name itself wherever possible.

    The paths stay below their folder, fit every common file system, and differ even where case does not count.
    """
    paths: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(submissions):
        path = _safe(name)
        if _folded(path) in taken:
            path = f"{path}~{_digest(name)}"
        taken.add(_folded(path))
        paths[name] = path
    return paths


def write(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Put *content*, or its pieces, at *path* in one step: a reader, or a run cut short, never finds half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(".partial")
    with partial.open("wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            file.writelines(piece.encode() for piece in ([content] if isinstance(content, str) else content))
    os.replace(partial, path)


def _safe(name: str) -> str:
    parts = [_safe_part(part) for part in name.split("/") if part]
    # A folder must not be in the way of a page: `a.ipynb` has the page `a.ipynb.html`.
    parts = [re.sub(r"(\.(?:html|json))$", r"\1~", part, flags=re.IGNORECASE) for part in parts[:-1]] + parts[-1:]
    path = "/".join(parts)
    if not parts or len(path.encode()) > _MAX_BYTES:
        path = _cut((parts or ["_"])[-1], name)
    return path


def _safe_part(part: str) -> str:
    safe = _FORBIDDEN.sub("_", plain(part))
    if safe.startswith(".") or safe.endswith((" ", ".")) or _DEVICE.fullmatch(safe):
        safe = f"_{safe.strip(' .')}"
    return _cut(safe, part) if len(safe.encode()) > _MAX_PART_BYTES else safe


def _cut(part: str, name: str) -> str:
    return part.encode()[: _MAX_PART_BYTES - 9].decode(errors="ignore") + f"~{_digest(name)}"


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
