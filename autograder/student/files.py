"""A file system in memory: what a notebook writes, it can read again, and nobody else can."""

import io
import os
import stat
from typing import IO, Any

__all__ = ["described", "made", "module", "opened", "removed", "written"]

MOST_BYTES = 64 << 20
"""All files together."""

_open = io.open
_stat, _remove = os.stat, os.remove
_files: dict[str, bytes] = {}


def _place(path: object) -> str:
    return os.path.normpath(os.path.join("/", os.fsdecode(path)))  # type: ignore[arg-type]


def written(path: object) -> bytes | None:
    """What was written to the file at *path*; None if nothing was."""
    return _files.get(_place(path))


def module(name: str) -> tuple[bytes, bool] | None:
    """The source of a module that was written, and whether it is a package; None if it was not."""
    place = _place(name.replace(".", "/"))  # in whatever folder: the one it works in, such as /content, is on the path
    source = next((source for file, source in _files.items() if file.endswith(f"{place}.py")), None)
    if source is not None:
        return source, False
    files = [file for file in _files if f"{place}/" in file and file.endswith(".py")]
    package = next((_files[file] for file in files if file.endswith(f"{place}/__init__.py")), b"")
    return (package, True) if files else None


def made(path: object, *args: object, **kwargs: object) -> None:
    """`os.mkdir`: files need no folders here."""


def removed(path: Any, *args: Any, **kwargs: Any) -> None:
    """`os.remove`."""
    if _files.pop(_place(path), None) is None:
        _remove(path, *args, **kwargs)  # which is not allowed


def described(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
    """`os.stat`, which tells that what was written is there."""
    content = None if isinstance(path, int) else written(path)
    if content is None:
        return _stat(path, *args, **kwargs)
    return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, len(content), 0, 0, 0))


class _Kept(io.BytesIO):
    """An open file, kept when it is closed or flushed."""

    def __init__(self, place: str, content: bytes, *, append: bool) -> None:
        super().__init__(content)
        self.name = place
        if append:
            self.seek(0, io.SEEK_END)

    def flush(self) -> None:
        if sum(map(len, _files.values())) + len(self.getbuffer()) > MOST_BYTES:
            raise OSError(28, "No space left on device")
        _files[self.name] = self.getvalue()

    def close(self) -> None:
        if not self.closed:
            self.flush()
        super().close()


def opened(file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, *args: Any, **kwargs: Any) -> IO[Any]:
    """`open`, but what is written stays in memory."""
    if isinstance(file, int):
        return _open(file, mode, buffering, encoding, *args, **kwargs)
    place = _place(file)
    if not set(mode) & set("wax+"):
        if place not in _files:
            return _open(file, mode, buffering, encoding, *args, **kwargs)
        raw: IO[bytes] = io.BytesIO(_files[place])
    elif "x" in mode and place in _files:
        raise FileExistsError(17, "File exists", place)
    else:
        raw = _Kept(place, b"" if "w" in mode else _files.get(place, b""), append="a" in mode)
    return raw if "b" in mode else io.TextIOWrapper(raw, encoding or "utf-8")
