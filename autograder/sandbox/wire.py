"""What is said over sockets: messages between the grader and its warm process, single bytes between it and a child.

A child first says `STARTED`, or `REFUSED` and a text: whether it could be confined. After an `ORDER`, the length of the
payload that is ready for it, it says `DONE` when all that comes of that has been sent.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

__all__ = ["DONE", "ORDER", "REFUSED", "STARTED", "Message", "receive", "send"]

Message = dict[str, Any]

_MESSAGE_BYTES = 1 << 16
_DESCRIPTORS = 4

REFUSED, STARTED, DONE = b"\x00", b"\x01", b"\x02"
ORDER = struct.Struct("<Q")


def send(channel: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Send one message of at most 64 KiB and copies of *descriptors*. Raises OSError if the other end is gone."""
    socket.send_fds(channel, [json.dumps(message).encode()], list(descriptors))


def receive(channel: socket.socket) -> tuple[Message, list[int]]:
    """The next message and its descriptors, now the caller's. Raises EOFError if the other end is gone."""
    try:
        data, descriptors, _, _ = socket.recv_fds(channel, _MESSAGE_BYTES, _DESCRIPTORS)
    except ConnectionError:
        data, descriptors = b"", []
    if not data:
        raise EOFError
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    message: Message = json.loads(data)
    return message, descriptors
