"""A file system in memory: what a notebook writes, it can read again, and nobody else can."""

import contextlib
import io
import os
import stat
from typing import IO, Any

__all__ = ["described", "listed", "module", "moved", "opened", "removed", "written"]

MOST_BYTES = 64 << 20
"""All files together."""

_open, _stat, _remove, _listdir = io.open, os.stat, os.remove, os.listdir
_files: dict[str, bytes] = {}


def _place(path: object) -> str:
    return os.path.normpath(os.path.join("/", os.fsdecode(path)))  # type: ignore[arg-type]


def written(path: object) -> bytes | None:
    """What was written to the file at *path*; None if nothing was."""
    return _files.get(_place(path))


def module(name: str) -> tuple[bytes, bool] | None:
    """The source of a module that was written, and whether it is a package; None if it was not."""
    place = _place(name.replace(".", "/"))  # in whatever folder: the one it works in, such as /content, is on the path
    for end in (".py", "/__init__.py"):
        for file, source in _files.items():
            if file.endswith(place + end):
                return source, end != ".py"
    return (b"", True) if any(f"{place}/" in file and file.endswith(".py") for file in _files) else None


def removed(path: Any, *args: Any, **kwargs: Any) -> None:
    """`os.remove`."""
    if _files.pop(_place(path), None) is None:
        _remove(path, *args, **kwargs)  # which is not allowed


def moved(path: Any, other: Any, *args: Any, **kwargs: Any) -> None:
    """`os.rename` and `os.replace`."""
    _files[_place(other)] = opened(path, "rb").read()
    removed(path)


def listed(path: Any = ".") -> list[str]:
    """`os.listdir`: what was written there, beside what can be seen there, if anything."""
    folder = os.path.join(_place(path), "")
    found = {file.removeprefix(folder).partition("/")[0] for file in _files if file.startswith(folder)}
    with contextlib.suppress(OSError) if found else contextlib.nullcontext():
        found.update(_listdir(path))
    return list(found)


def described(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
    """`os.stat`, which also finds what was written."""
    content = None if isinstance(path, int) else written(path)
    if content is None:
        return _stat(path, *args, **kwargs)
    return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, len(content), 0, 0, 0))


class _Kept(io.BytesIO):
    """An open file, kept when it is closed or flushed."""

    def __init__(self, place: str, content: bytes, *, append: bool) -> None:
        super().__init__(content)
        self.name = place
        self.seek(0, io.SEEK_END if append else io.SEEK_SET)

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
    content = None if isinstance(file, int) else written(file)
    reads = set(mode).isdisjoint("wax+")
    if isinstance(file, int) or (reads and content is None):
        return _open(file, mode, buffering, encoding, *args, **kwargs)
    if "x" in mode and content is not None:
        raise FileExistsError(17, "File exists", _place(file))
    before = b"" if content is None or "w" in mode else content
    raw = io.BytesIO(before) if reads else _Kept(_place(file), before, append="a" in mode)
    return raw if "b" in mode else io.TextIOWrapper(raw, encoding or "utf-8")
