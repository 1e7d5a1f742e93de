"""Starting our processes: each is forked from a fork server, which imports once what takes long.

The fork server is a fresh interpreter that reads nothing of the course, so what is forked from it knows no secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import IO, Any

from autograder.sandbox.policy import READY_SECONDS, environment

__all__ = ["ForkServer", "Process", "adopt", "inherited", "receive", "send"]

_MESSAGE_BYTES = 1 << 16
_DESCRIPTORS = 4


def send(channel: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message of at most 64 KiB and copies of *descriptors*. Raises OSError if the other end is gone."""
    socket.send_fds(channel, [json.dumps(message).encode()], list(descriptors))


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors, now the caller's. Raises EOFError if the other end is gone."""
    try:
        data, descriptors, _, _ = socket.recv_fds(channel, _MESSAGE_BYTES, _DESCRIPTORS)
    except ConnectionError:
        data, descriptors = b"", []
    if not data:
        raise EOFError
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    message: dict[str, Any] = json.loads(data)
    return message, descriptors


class Process:
    """A process that a fork server was asked for. Who it is, is known once the server has done its imports."""

    def __init__(self, answer: socket.socket) -> None:
        self._answer = answer

    def ended(self, seconds: float | None = 0.0) -> bool:
        """Whether it has ended, or does so within so many seconds; with None it is waited for."""
        if self._descriptor is None:
            return True
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return bool(poller.poll(None if seconds is None else 1000 * seconds))

    def kill(self) -> None:
        """End it, if it has not ended, and wait until it is gone."""
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            self.ended(None)

    @cached_property
    def _descriptor(self) -> int | None:
        self._answer.settimeout(READY_SECONDS)
        with contextlib.suppress(EOFError), self._answer:  # else it was never started
            _, (descriptor,) = receive(self._answer)
            return descriptor
        return None

    def __del__(self) -> None:
        self._answer.close()
        if (descriptor := self.__dict__.get("_descriptor")) is not None:
            os.close(descriptor)


class ForkServer:
    """A process that has imported *modules*, started at once, and again if it died. A context manager.

    What was forked from it ends with it.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._asking = threading.Lock()
        self._launch()

    def _launch(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autograder.sandbox.forkserver", *self._modules],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=environment(),
                start_new_session=True,
            )

    def start(
        self, module: str, arguments: Sequence[str], channel: socket.socket, errors: IO[bytes] | None = None
    ) -> Process:
        """Let `main()` of *module* run in a process of its own, with *arguments* in `sys.argv`.

        Its standard input is *channel*, its standard error *errors*, or that of this process. It leads a session of
        its own, so that Ctrl-C is for those who started it. It may start others by the same server: see `inherited`.
        """
        with self._asking:
            if self._process.poll() is not None:
                self._channel.close()
                self._launch()
            return _ask(self._channel, [self._channel.fileno()], module, arguments, channel, errors)

    def close(self, *, patience: float = 0.0) -> None:
        """End it, and all that was forked from it, after so many seconds by force."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _ask(
    server: socket.socket,
    bequest: Sequence[int],
    module: str,
    arguments: Sequence[str],
    channel: socket.socket,
    errors: IO[bytes] | None = None,
) -> Process:
    answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    descriptors = [theirs.fileno(), channel.fileno(), errors.fileno() if errors else 2, *bequest]
    with theirs, contextlib.suppress(ConnectionError):  # if the server has died, no answer comes
        send(server, {"module": module, "arguments": list(arguments)}, descriptors)
    return Process(answer)


_start: Callable[..., Process] | None = None


def adopt(channel: socket.socket) -> None:
    """Let this process start others by the fork server at the other end of *channel*, which they will not have."""
    global _start
    _start = partial(_ask, channel, ())


def inherited() -> Callable[..., Process] | None:
    """`ForkServer.start` of the server that this process came from, if it may use it."""
    return _start
