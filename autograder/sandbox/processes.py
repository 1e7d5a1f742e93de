"""The fork server: a process that imports once what takes long, and becomes whatever it is asked for by a fork.

It is a fresh interpreter that reads nothing of the course, so what is forked from it knows no secret.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from functools import cached_property
from types import FrameType
from typing import IO, Any, NoReturn

from autograder.sandbox import libc
from autograder.sandbox.policy import READY_SECONDS, environment

__all__ = ["ForkServer", "Process", "inherited", "receive", "send", "serve"]

_MESSAGE_BYTES, _DESCRIPTORS = 1 << 16, 4
_SERVE = "import sys; from autograder.sandbox.processes import serve; serve(sys.argv[1:])"
_SERVER = 3  # the descriptor by which a forked process asks for others, if it may
_SET_PDEATHSIG, _SET_NAME = 1, 15


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
        return self._descriptor is None or bool(select.select([self._descriptor], [], [], seconds)[0])

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
    """A process that has imported *modules*, started at once, and again if it died; a context manager.

    What was forked from it ends with it. With a *channel*, it is the server at the other end, which others started.
    """

    def __init__(self, *modules: str, channel: socket.socket | None = None) -> None:
        self._modules = modules
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if channel is not None:
            self._channel = channel
        else:
            self._launch()

    def start(
        self, module: str, arguments: Sequence[str], channel: socket.socket, errors: IO[bytes] | None = None
    ) -> Process:
        """Let `main()` of *module* run in a process of its own, with *arguments* in `sys.argv`.

        Its standard input is *channel*, its standard error *errors*, or this process's. It leads a session of its own:
        Ctrl-C is for those who started it. It has the server as `inherited` if this process launched that.
        """
        answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptors = [theirs.fileno(), channel.fileno(), errors.fileno() if errors else 2]
        with self._asking, theirs, contextlib.suppress(ConnectionError):  # if the server has died, no answer comes
            if self._process:
                if self._process.poll() is not None:
                    self._channel.close()
                    self._launch()
                descriptors.append(self._channel.fileno())
            send(self._channel, {"module": module, "arguments": list(arguments)}, descriptors)
        return Process(answer)

    def close(self, *, patience: float = 0.0) -> None:
        """End it, and all that was forked from it, after so many seconds by force."""
        self._channel.close()
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _launch(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-c", _SERVE, *self._modules]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd="/", env=environment()
            )


inherited: ForkServer | None = None
"""The fork server that this process came from, if it may use it."""


def serve(modules: Sequence[str]) -> None:
    """Be a fork server: import *modules*; then fork a process for each request, until the parent has gone."""
    parent = os.pidfd_open(os.getppid())
    os.setsid()
    with socket.socket(fileno=os.dup(0)) as channel, contextlib.suppress(EOFError):
        gc.disable()  # the objects of a module are there to stay
        for name in modules:
            importlib.import_module(name)
        gc.freeze()
        gc.enable()
        signal.signal(signal.SIGCHLD, _reap)
        while parent not in select.select([channel.fileno(), parent], [], [])[0]:
            request, (answer, *descriptors) = receive(channel)
            pid = os.fork()
            if pid == 0:
                _become(request["module"], request["arguments"], *descriptors)
            with socket.socket(fileno=answer) as to, contextlib.suppress(OSError):  # either may be gone again
                descriptors.append(os.pidfd_open(pid))
                send(to, {}, descriptors[-1:])
            for descriptor in descriptors:
                os.close(descriptor)
    os._exit(0)  # torch would take a tenth of a second to say goodbye


def _reap(signum: int, frame: FrameType | None) -> None:
    """Let those that have ended go; the time that they took becomes this process's own."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(module: str, arguments: Sequence[str], channel: int, errors: int, server: int | None = None) -> NoReturn:
    """Be the process that was asked for."""
    global inherited
    status = 1
    try:
        os.setsid()
        libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(channel, 0)
        os.dup2(errors, 2)
        if server is not None:
            os.dup2(server, _SERVER, inheritable=False)
            inherited = ForkServer(channel=socket.socket(fileno=_SERVER))
        os.closerange(_SERVER if server is None else _SERVER + 1, os.sysconf("SC_OPEN_MAX"))
        libc.prctl(_SET_NAME, module.rpartition(".")[2].encode())
        sys.argv[:] = [module, *arguments]
        importlib.import_module(module).main()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
