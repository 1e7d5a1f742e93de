"""The child's side of the result pipe and the grader's: a start mark, length-prefixed frames, an end mark.

The first byte tells whose fault the rest is. `STARTED` leaves the child when it is confined and before student code
runs; `REFUSED` and a text mean that it could not be confined. What student code writes can only come after it.
"""

from __future__ import annotations

import os
import select
import signal
import struct

__all__ = ["FINISHED", "MOST", "REFUSED", "STARTED", "parse", "write", "write_frame"]

STARTED = b"\x01"
REFUSED = b"\x00"
_LENGTH = struct.Struct(">I")
MOST = 100_000
"""Frames of a child that are read; an ordinary one sends some hundred."""
FINISHED = _LENGTH.pack(0xFFFF_FFFF)
"""A length that no frame has: the entry returned."""
# Not `valid_signals()`: Python makes an enum member of every one, which takes longer than all the rest.
_TIMERS = tuple(getattr(signal, name) for name in ("SIGALRM", "SIGVTALRM", "SIGPROF") if hasattr(signal, name))


def write(descriptor: int, data: bytes) -> None:
    """All of *data*, waiting as long as the pipe is full."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_frame(descriptor: int, frame: bytes) -> None:
    """*frame* with its length in front, at once: it has left the process when this returns.

    The timers' signals, the only ones that a child can send to itself, wait meanwhile: a handler that raised in the
    middle would cut the frame and lose all that follow.
    """
    data = _LENGTH.pack(len(frame)) + frame
    if len(data) <= select.PIPE_BUF:  # written as a whole or not at all
        write(descriptor, data)
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
        write(descriptor, data)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def parse(received: bytes | bytearray) -> tuple[tuple[bytes, ...], bool]:
    """The complete frames in what followed `STARTED`, at most `MOST`, and whether `FINISHED` came after them."""
    frames: list[bytes] = []
    place = 0
    while len(received) - place >= _LENGTH.size and len(frames) < MOST:
        if received[place : place + _LENGTH.size] == FINISHED:
            return tuple(frames), True
        (length,) = _LENGTH.unpack_from(received, place)
        place += _LENGTH.size
        if len(received) - place < length:
            break
        frames.append(bytes(received[place : place + length]))
        place += length
    return tuple(frames), False
