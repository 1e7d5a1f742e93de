"""What a child sends through its pipe: a byte once it is confined, frames with their lengths in front, an end mark.

A child that student code has taken over can send anything. It can thus forge its own result, and nobody else's.
"""

from __future__ import annotations

import os
import struct

__all__ = ["CONFINED", "END", "EXTRA_BYTES", "parse", "write", "write_frame"]

_LENGTH = struct.Struct(">I")
CONFINED, END = b"\x01", _LENGTH.pack(0xFFFF_FFFF)  # no frame is as long
EXTRA_BYTES = len(CONFINED) + len(END)


def write(descriptor: int, data: bytes) -> None:
    """Write all of *data*, and wait as long as the pipe is full."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_frame(descriptor: int, frame: bytes) -> None:
    """Write *frame* with its length in front, at once: it has left the process when this returns."""
    write(descriptor, _LENGTH.pack(len(frame)) + frame)


def parse(received: bytes, most: int) -> tuple[tuple[bytes, ...], bool]:
    """The first *most* complete frames in *received*, and whether the end mark and nothing else comes after them."""
    frames: list[bytes] = []
    place = 0
    while received[place : place + len(END)] != END and len(frames) < most:
        start = place + _LENGTH.size
        if start > len(received):
            break
        end = start + _LENGTH.unpack_from(received, place)[0]
        if end > len(received):
            break
        frames.append(received[start:end])
        place = end
    return tuple(frames), received[place:] == END
