"""What a child sends through its pipe: a byte once it is confined, frames with their lengths in front, an end mark.

A child that student code has taken over can send anything. It can thus forge its own result, and nobody else's.
"""

from __future__ import annotations

import os
import struct

__all__ = ["CONFINED", "EXTRA_BYTES", "REFUSED", "parse", "write", "write_end", "write_frame"]

CONFINED, REFUSED = b"\x01", b"\x00"
"""What comes first: student code starts now, or the child could not be confined and says why."""
_LENGTH = struct.Struct(">I")
_END = 0xFFFF_FFFF
"""In the place of a length: the entry returned, and nothing follows."""
EXTRA_BYTES = len(CONFINED) + _LENGTH.size
"""What is sent beside frames."""


def write(descriptor: int, data: bytes) -> None:
    """Write all of *data*, and wait as long as the pipe is full."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_frame(descriptor: int, frame: bytes) -> None:
    """Write *frame* with its length in front, at once: it has left the process when this returns."""
    write(descriptor, _LENGTH.pack(len(frame)) + frame)


def write_end(descriptor: int) -> None:
    write(descriptor, _LENGTH.pack(_END))


def parse(received: bytes | bytearray, most: int) -> tuple[tuple[bytes, ...], bool]:
    """The first *most* complete frames in *received*, and whether the end mark and nothing else comes after them."""
    frames: list[bytes] = []
    view = memoryview(received)
    while len(view) >= _LENGTH.size:
        (length,) = _LENGTH.unpack_from(view)
        view = view[_LENGTH.size :]
        if length == _END:
            return tuple(frames), not view
        if length > len(view) or len(frames) == most:
            break
        frames.append(bytes(view[:length]))
        view = view[length:]
    return tuple(frames), False
