"""A file system in memory: what a notebook writes, it can read again, and nobody else can."""

import io
import os
from typing import IO, Any

__all__ = ["module", "opened", "written"]

MOST_BYTES = 64 << 20
"""All files together."""

_open = io.open
_files: dict[str, bytes] = {}


def _place(path: object) -> str:
    return os.path.normpath(os.path.join("/", os.fsdecode(path)))  # type: ignore[arg-type]


def written(path: object) -> bytes | None:
    """What was written to the file at *path*; None if nothing was."""
    return _files.get(_place(path))


def module(name: str) -> tuple[bytes, bool] | None:
    """The source of a module that was written, and whether it is a package; None if it was not."""
    place = _place(name.replace(".", "/"))
    source, package = _files.get(f"{place}.py"), _files.get(f"{place}/__init__.py", b"")
    if source is not None:
        return source, False
    return (package, True) if any(file.startswith(f"{place}/") for file in _files) else None


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
