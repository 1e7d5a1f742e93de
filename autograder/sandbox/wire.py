"""Messages between the grader and its warm process: JSON and descriptors over a socket that keeps boundaries."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

__all__ = ["Message", "receive", "send"]

Message = dict[str, Any]

_MESSAGE_BYTES = 1 << 16
_DESCRIPTORS = 4


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
