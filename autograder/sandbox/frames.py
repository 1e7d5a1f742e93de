"""The child's side of the result pipe and the grader's: frames with their lengths in front."""

from __future__ import annotations

import os
import select
import signal
import struct

__all__ = ["MOST", "parse", "write", "write_frame"]

_LENGTH = struct.Struct(">I")
MOST = 100_000
"""Frames of a child that are read; an ordinary one sends some hundred."""
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
    """The complete frames in *received*, at most `MOST`, and whether there is nothing else in it."""
    frames: list[bytes] = []
    place = 0
    while len(received) - place >= _LENGTH.size and len(frames) < MOST:
        (length,) = _LENGTH.unpack_from(received, place)
        if len(received) - place - _LENGTH.size < length:
            break
        place += _LENGTH.size
        frames.append(bytes(received[place : place + length]))
        place += length
    return tuple(frames), place == len(received)
