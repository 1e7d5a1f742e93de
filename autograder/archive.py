"""The files in a zip that someone else made: listed and read in memory, within limits, never unpacked to disk."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from autograder.text import text

__all__ = ["FAULTS", "MAX_FILES", "MAX_RATIO", "ArchiveError", "is_otter_export", "members", "too_large"]

MAX_FILES = 200_000
"""A platform's export of a large course has some 10,000."""
MAX_RATIO = 500
"""Unpacked to packed bytes of one file; repetitive notebooks reach 100, bombs 1000 and more."""
_RATIO_MATTERS_BYTES = 2**20

FAULTS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    # Encrypted, an unknown compression, a broken header, an offset that no file has.
    *(RuntimeError, NotImplementedError, ValueError, OverflowError),
    MemoryError,  # a dictionary of gigabytes
)
"""What reading a zip that someone else made can raise."""
_UTF8_NAME = 0x800  # the general-purpose flag that says how a name is encoded


class ArchiveError(Exception):
    """Why a zip, or one file in it, is not read, in one line."""


def too_large(max_bytes: int) -> str:
    """What is said of a file above *max_bytes*."""
    mebibytes = max_bytes // 2**20
    return text(
        ko=f"{mebibytes} MiB보다 큽니다. 출력을 모두 지우고(Clear All Outputs) 저장해 다시 제출해 주십시오.",
        en=f"is larger than {mebibytes} MiB: clear all outputs, save it, and hand it in again",
    )


def is_otter_export(path: Path) -> bool:
    """Whether the zip is one student's export by Otter, which leaves its marks at the root."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not {"__zip_filename__", ".OTTER_LOG"}.isdisjoint(archive.namelist())
    except FAULTS:
        return False


def members(path: Path, max_bytes: int) -> list[tuple[str, Callable[[], bytes]]]:
    """The files in the zip at *path* in its order, each with a function that reads it; *max_bytes* bounds each.

    The zip stays open as long as one of the functions lives. They and this raise ArchiveError.
    """
    try:
        archive = zipfile.ZipFile(path)
    except FAULTS as error:
        raise ArchiveError(text(ko="열 수 없는 zip 파일입니다.", en="is not a zip that can be read")) from error
    # A damaged entry may have no name, which `is_dir` does not expect.
    files = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    if len(files) > MAX_FILES:
        raise ArchiveError(
            text(
                ko=f"파일이 너무 많이 들어 있습니다({len(files)}개, 최대 {MAX_FILES}개).",
                en=f"holds {len(files)} files, more than {MAX_FILES}",
            )
        )
    return [(_name(info), partial(_read, archive, info, max_bytes)) for info in files]


def _name(info: zipfile.ZipInfo) -> str:
    """The file's path; names not marked as UTF-8 are so nevertheless (macOS) or else in Korean Windows's code page."""
    if not info.flag_bits & _UTF8_NAME:
        for encoding in ("utf-8", "cp949"):
            try:
                return info.filename.encode("cp437").decode(encoding)
            except UnicodeError:
                continue
    return info.filename


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes:
    if info.file_size > max_bytes:
        raise ArchiveError(too_large(max_bytes))
    if info.file_size > max(_RATIO_MATTERS_BYTES, info.compress_size * MAX_RATIO):
        raise ArchiveError(text(ko="압축률이 지나치게 높습니다.", en=f"is packed more than {MAX_RATIO} to 1"))
    try:
        with archive.open(info) as file:  # never gives more than `file_size`, whatever the stream holds
            return file.read()
    except FAULTS as error:
        raise ArchiveError(text(ko="zip 안에서 읽을 수 없습니다.", en="cannot be read from the zip")) from error
