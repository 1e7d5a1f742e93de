"""Starting the engine's processes: each in a fresh interpreter, or forked from one that has its imports behind it.

Importing torch takes longer than grading a notebook. The fork server imports it once; workers and warm processes are
forked from it. It is a fresh interpreter itself and reads nothing of the course, so what it forks knows no secret.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Protocol

from autograder.sandbox import wire
from autograder.sandbox.policy import READY_SECONDS, environment

__all__ = ["ForkServer", "Process", "Start", "adopt", "inherited", "spawn"]


class Process(Protocol):
    """A process of ours, from its start on."""

    @property
    def pid(self) -> int: ...

    def ended(self, seconds: float | None = 0.0) -> bool:
        """Whether it has ended, or does so within so many seconds; without a number it is waited for."""

    def kill(self) -> None:
        """End it, if it has not ended, and wait until it is gone."""


class Start(Protocol):
    def __call__(
        self, module: str, arguments: Sequence[str], channel: socket.socket, errors: IO[bytes] | None = None
    ) -> Process:
        """Let `main()` of *module* run in a process of its own, with *arguments* in `sys.argv`.

        Its standard input is *channel*, its standard error *errors*, or that of this process. It leads a session of
        its own, so that Ctrl-C is for those who started it.
        """


class _Spawned:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self, seconds: float | None = 0.0) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def spawn(module: str, arguments: Sequence[str], channel: socket.socket, errors: IO[bytes] | None = None) -> Process:
    """`Start` in a fresh interpreter, which gets none of this process's environment."""
    return _Spawned(
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=channel.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd="/",
            env=environment(),
            start_new_session=True,
        )
    )


class _Forked:
    """A process that the fork server was asked for: who it is, is known once that has its imports behind it."""

    def __init__(self, answer: socket.socket) -> None:
        self._answer = answer
        self._pid = 0
        self._descriptor: int | None = None

    @property
    def pid(self) -> int:
        self._known()
        return self._pid

    def ended(self, seconds: float | None = 0.0) -> bool:
        self._known()
        if self._descriptor is None:
            return True
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return bool(poller.poll(None if seconds is None else 1000 * seconds))

    def kill(self) -> None:
        self._known()
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            self.ended(None)

    def __del__(self) -> None:
        self._answer.close()
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _known(self) -> None:
        if self._pid or self._answer.fileno() < 0:
            return
        self._answer.settimeout(READY_SECONDS)
        with contextlib.suppress(EOFError), self._answer:  # else it was never started, or has ended by now
            message, (self._descriptor,) = wire.receive(self._answer)
            self._pid = message["pid"]


class ForkServer:
    """A process that has imported *modules*, started at once, and again if it died. A context manager.

    What was forked from it ends with it. Where there is no Linux, each process is spawned instead.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._asking = threading.Lock()
        self._process: Process | None = None
        if platform.system() == "Linux":
            self._launch()

    def _launch(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = spawn("autograder.sandbox.forkserver", self._modules, theirs)

    def start(
        self, module: str, arguments: Sequence[str], channel: socket.socket, errors: IO[bytes] | None = None
    ) -> Process:
        """`Start` by a fork; the new process may start others in the same way, see `inherited`."""
        with self._asking:
            if self._process is None:
                return spawn(module, arguments, channel, errors)
            if self._process.ended():
                self._channel.close()
                self._launch()
            return _ask(self._channel, module, arguments, channel, errors, heir=True)

    def close(self, *, patience: float = 0.0) -> None:
        """End it, and all that was forked from it, after so many seconds by force."""
        if self._process is not None:
            self._channel.close()
            if not self._process.ended(patience):
                self._process.kill()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _ask(
    server: socket.socket,
    module: str,
    arguments: Sequence[str],
    channel: socket.socket,
    errors: IO[bytes] | None,
    *,
    heir: bool,
) -> Process:
    """Ask the fork server at the other end of *server* for a process; an heir gets this end, too."""
    answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    descriptors = [theirs.fileno(), channel.fileno(), errors.fileno() if errors else 2]
    with theirs, contextlib.suppress(ConnectionError):  # if the server has died, no answer will come
        descriptors += [server.fileno()] * heir
        wire.send(server, {"module": module, "arguments": list(arguments)}, descriptors)
    return _Forked(answer)


_server: socket.socket | None = None
"""In an heir of the fork server: where to ask for more processes."""


def adopt(server: socket.socket) -> None:
    """Become an heir: *server* leads to the fork server that this process came from."""
    global _server
    _server = server


def inherited() -> Start:
    """How this process starts others: by the fork server that it came from, else in fresh interpreters."""
    return functools.partial(_ask, _server, heir=False) if _server else spawn
