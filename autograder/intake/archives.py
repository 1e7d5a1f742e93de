"""Files that somebody else packed into one: listed and read in memory, within limits, never unpacked to disk."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autograder.grade import Note

__all__ = ["MAX_BYTES", "File", "Refused", "decoded", "packed_as", "refuse", "unpack"]

MAX_BYTES = 64 * 2**20
"""Largest file that is read; a notebook with many pictures has some 10 MiB."""
_MEMBERS = 100_000
"""Most files in an archive; the export of a large course has some 10,000."""
_UNPACKED_BYTES = 256 * 2**20
"""Largest tar, which is unpacked as a whole."""
_RATIO, _RATIO_MATTERS_BYTES = 500, 2**20  # repetitive notebooks reach 100, bombs 1000 and more

_FORMATS = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_FORMATS |= {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "rar", b"ALZ\x01": "alz", b"EGGA": "egg"}
# A broken header, an offset that no file has, an encoding that is none.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, MemoryError, RuntimeError, ValueError)
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800  # bits of a member's flags
_BLOCK = 512  # bytes of a tar's header, and what its files are padded to


class Refused(Exception):
    """Why a file is not read: the grader's *fault*, which costs nobody a point, or else its owner's doing."""

    def __init__(self, kind: str, *, fault: bool = False, **about: Any) -> None:
        super().__init__(kind)
        self.note, self.fault = Note(kind, about), fault


@dataclass(frozen=True)
class File:
    """A file that was found, not yet read."""

    name: str
    """Its path below what was named, with `/`."""
    load: Callable[[], bytes]
    """Raises Refused."""
    path: Path | None = None
    """Where it lies on disk, if it does."""


def refuse(refused: Refused) -> bytes:
    """What a file's `load` does if it is known beforehand that it cannot be read."""
    raise refused


def packed_as(head: bytes) -> str:
    """The format of the archive that begins with *head*, or nothing."""
    if head[257:262] == b"ustar":
        return "tar"
    return next((name for magic, name in _FORMATS.items() if head.startswith(magic)), "")


def decoded(name: bytes) -> str:
    """*name* as text: what is not UTF-8 is taken for Korean Windows's code page."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp949", errors="replace")


def unpack(source: Path | bytes) -> list[File]:
    """The files in a class's archive at a path, or in a student's, in its order. Raises Refused, as their `load` does.

    What is wrong within a class's archive is no student's fault.
    """
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        packed = packed_as(file.read(_BLOCK))
        if packed in ("gzip", "tar"):
            file.seek(0)
            content = file.read(_UNPACKED_BYTES + 1)
            return list(_tar(_gunzip(content) if packed == "gzip" else content))
    if packed != "zip":
        raise Refused("archive-kind", archive=packed or "unknown")
    if isinstance(source, Path):
        return _zip(source, ours=True)
    if source.count(b"PK\x01\x02") > _MEMBERS:  # whatever its header says; listing them takes memory
        raise Refused("archive-too-many-files", most=_MEMBERS)
    return _zip(io.BytesIO(source), ours=False)


def _zip(source: Path | io.BytesIO, ours: bool) -> list[File]:
    try:
        archive = zipfile.ZipFile(source)
    except _DAMAGE as error:
        raise Refused("archive-damaged" if zipfile.is_zipfile(source) else "archive-cut-off", archive="zip") from error
    # A damaged entry may have no name, which `is_dir` does not expect.
    members = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    if len(members) > _MEMBERS:
        raise Refused("archive-too-many-files", most=_MEMBERS)
    if members and all(info.flag_bits & _ENCRYPTED for info in members):
        raise Refused("zip-password")
    return [File(_member_name(info), partial(_member, archive, info, ours)) for info in members]


def _member_name(info: zipfile.ZipInfo) -> str:
    """The member's path; names that are not marked as UTF-8 often are so nevertheless (macOS)."""
    marked = info.flag_bits & _UTF8_NAME
    return info.filename if marked else decoded(info.filename.encode("cp437", errors="replace"))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, ours: bool) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise Refused("zip-password", fault=ours)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others take the memory that a file says
        raise Refused("zip-method", fault=ours)
    if info.file_size > MAX_BYTES:
        raise Refused("file-too-large", most=MAX_BYTES)
    if info.file_size > max(_RATIO_MATTERS_BYTES, info.compress_size * _RATIO):
        raise Refused("packed-too-tightly", most=_RATIO)
    try:
        with archive.open(info) as file:  # never gives more than `file_size`, whatever the stream holds
            return file.read(MAX_BYTES)
    except _DAMAGE as error:
        raise Refused("archive-damaged", fault=ours, archive="zip") from error


def _gunzip(content: bytes) -> bytes:
    stream, most = zlib.decompressobj(wbits=31), min(_UNPACKED_BYTES, max(_RATIO_MATTERS_BYTES, _RATIO * len(content)))
    try:
        plain = stream.decompress(content, most + 1)
    except zlib.error as error:
        raise Refused("archive-damaged", archive="gzip") from error
    if len(plain) > most:
        raise Refused("file-too-large", most=most)
    if not stream.eof:
        raise Refused("archive-cut-off", archive="gzip")
    return plain


def _tar(content: bytes) -> Iterator[File]:
    """The ordinary files of a tar. Of GNU's and POSIX's longer headers only the name is read; `tarfile` keeps all."""
    place, long_name = 0, b""
    for _ in range(2 * _MEMBERS):
        header = content[place : place + _BLOCK]
        if not header.strip(b"\0"):
            return
        try:
            size = int(header[124:136].strip(b" \0") or b"0", 8)
        except ValueError as error:
            raise Refused("archive-damaged", archive="tar") from error
        start, kind = place + _BLOCK, header[156:157]
        place = start + -(-size // _BLOCK) * _BLOCK
        if size < 0 or start + size > len(content):
            raise Refused("archive-cut-off", archive="tar")
        if kind in (b"L", b"x"):
            long = content[start : start + min(size, 2**16)]
            path = re.search(rb"(?:^|\n)\d+ path=([^\n]*)\n", long) if kind == b"x" else re.match(rb"([^\0]*)", long)
            long_name = path[1] if path else long_name
            continue
        if kind in (b"0", b"\0", b"7"):
            short = b"/".join(part for part in (header[345:500].split(b"\0")[0], header[:100].split(b"\0")[0]) if part)
            yield File(decoded(long_name or short), partial(_part, content, start, size))
        long_name = b""
    raise Refused("archive-too-many-files", most=_MEMBERS)


def _part(content: bytes, start: int, size: int) -> bytes:
    if size > MAX_BYTES:
        raise Refused("file-too-large", most=MAX_BYTES)
    return content[start : start + size]
