"""Files that somebody else packed into one: listed and read in memory, within limits, never unpacked to disk."""

import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograder.grade import Note
from autograder.intake import limits

__all__ = ["File", "Refused", "decoded", "packed_as", "refused", "unpack"]

_FORMATS = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_FORMATS |= {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "rar", b"ALZ\x01": "alz", b"EGGA": "egg"}
# A broken header, an offset that no file has, an encoding that is none.
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800  # bits of a zip member's flags
_BLOCK = 512  # bytes of a tar's header, and what its files are padded to
_LONG_NAME = {b"L": rb"([^\0]+)", b"x": rb"(?:.*\n)?\d+ path=([^\n]+)\n"}  # in GNU's and POSIX's longer headers


class Refused(Exception):
    """Why something is not read, as `note`: the grader's *fault*, which costs nobody a point, or its owner's doing."""

    def __init__(self, note: Note, *, fault: bool = False) -> None:
        super().__init__(note.kind)
        self.note, self.fault = note, fault


@dataclass(frozen=True)
class File:
    """A file that was found, not yet read."""

    name: str
    """Its path below what was named, with `/`."""
    start: Callable[[int], bytes]
    """Gives its first bytes, as many as are asked for. Raises Refused."""
    path: Path | None = None
    """Where it lies on disk, if it does."""

    def load(self) -> bytes:
        """All of its bytes. Raises Refused."""
        return self.start(limits.FILE_BYTES)


def refused(name: str, note: Note, *, fault: bool = False) -> File:
    """A file that cannot be read, for a reason that is known beforehand."""

    def start(most: int) -> bytes:
        raise Refused(note, fault=fault)

    return File(name, start)


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


def unpack(source: Path | bytes, ours: bool = False) -> list[File]:
    """The files in an archive, in its order. Raises Refused, as their `load` does.

    What is wrong within an archive of *ours*, which is a whole class's, is no student's fault.
    """
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        packed = packed_as(file.read(_BLOCK))
        file.seek(0)
        try:
            if packed == "zip":
                return list(_zip(source, ours))
            if packed in ("gzip", "tar"):
                plain = gzip.GzipFile(fileobj=file) if packed == "gzip" else file
                return list(_tar(plain.read(limits.TAR_BYTES + 1)))
        except _DAMAGE as error:
            # A zip's end tells what is in it.
            cut_off = isinstance(error, EOFError) or (packed == "zip" and not zipfile.is_zipfile(file))
            raise Refused(Note("archive-cut-off" if cut_off else "archive-damaged", {"archive": packed})) from error
    raise Refused(Note("archive-kind", {"archive": packed or "unknown"}))


def _file(name: str, size: int, start: Callable[[int], bytes]) -> File:
    return File(name, start) if size <= limits.FILE_BYTES else refused(name, Note("file-too-large"))


def _zip(source: Path | bytes, ours: bool) -> Iterator[File]:
    if isinstance(source, bytes) and source.count(b"PK\x01\x02") > limits.MEMBERS:  # listing them takes memory
        raise Refused(Note("archive-too-many-files"))
    archive = zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source))
    # A damaged entry may have no name, which `is_dir` does not expect.
    members = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    if members and all(info.flag_bits & _ENCRYPTED for info in members):
        raise Refused(Note("zip-password"))
    for info in members:
        # Names that are not marked as UTF-8 often are so nevertheless (macOS).
        marked = info.flag_bits & _UTF8_NAME
        name = info.filename if marked else decoded(info.filename.encode("cp437", errors="replace"))
        yield _file(name, info.file_size, partial(_member, archive, info, ours))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, ours: bool, most: int) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise Refused(Note("zip-password"), fault=ours)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others take the memory that a file says
        raise Refused(Note("zip-method"), fault=ours)
    try:
        with archive.open(info) as file:  # never gives more than `file_size`, whatever the stream holds
            return file.read(most)
    except _DAMAGE as error:
        raise Refused(Note("archive-damaged", {"archive": "zip"}), fault=ours) from error


def _tar(content: bytes) -> Iterator[File]:
    """The ordinary files of a tar. Of longer headers only the name is read, since `tarfile` keeps all of them."""
    place, long_name = 0, b""
    for _ in range(2 * limits.MEMBERS):
        header = content[place : place + _BLOCK]
        if not header.strip(b"\0"):
            return
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        start, end = place + _BLOCK, place + _BLOCK + info.size
        if not start <= end <= len(content):
            raise EOFError
        place = start + -(-info.size // _BLOCK) * _BLOCK
        if info.type in _LONG_NAME:
            found = re.match(_LONG_NAME[info.type], content[start : min(end, start + 2**16)], re.DOTALL)
            long_name = found[1] if found else long_name
            continue
        if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE):
            name = decoded(long_name or info.name.encode(errors="surrogateescape"))
            yield _file(name, info.size, partial(_slice, content, start, end))
        long_name = b""
    raise Refused(Note("archive-too-many-files"))


def _slice(content: bytes, start: int, end: int, most: int) -> bytes:
    return content[start : min(end, start + most)]
