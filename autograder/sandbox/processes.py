"""The fork server: a process that imports once what takes long, and becomes whatever it is asked for by a fork.

It is a fresh interpreter that reads nothing of the course, so what is forked from it knows no secret.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from autograder.sandbox import libc
from autograder.sandbox.policy import environment

__all__ = ["FORKED_FROM", "ForkServer", "Process", "fork", "limit", "receive", "send", "serve"]

FORKED_FROM = 3
"""The descriptor by which a process that was given its fork server asks it for others."""

_MESSAGE_BYTES, _HANDED_ON = 1 << 16, 4
_DESCRIPTORS = 256  # more than any of our processes needs; old systems close all that there may be one by one
_SERVE = "import sys; from autograder.sandbox.processes import serve; serve(sys.argv[1:])"
_SET_PDEATHSIG, _SET_NAME = 1, 15


def send(channel: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message of at most 64 KiB and copies of *descriptors*. Raises OSError if the other end is gone."""
    socket.send_fds(channel, [json.dumps(message).encode()], list(descriptors))


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors, now the caller's. Raises EOFError if the other end is gone."""
    with contextlib.suppress(ConnectionError):
        data, descriptors, _, _ = socket.recv_fds(channel, _MESSAGE_BYTES, _HANDED_ON)
        if data:
            return json.loads(data), descriptors
    raise EOFError


def fork(do: Callable[[], object]) -> int:
    """Let a new process *do* this and end, with status 1 after any error. Its number."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            do()
            status = 0
        finally:
            os._exit(status)
    return pid


def limit(kind: int, most: int) -> None:
    """Let this process, and what it forks, have *most* of a resource for good; less where the system grants less."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


class Process:
    """A process that is no child of ours, by its number."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._descriptor = os.pidfd_open(pid)
        weakref.finalize(self, os.close, self._descriptor)

    def kill(self) -> None:
        """End it, if it has not ended, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        self.ends()

    def ends(self, *, within: float | None = None) -> bool:
        """Wait until it has ended; whether it did, within so many seconds."""
        return bool(select.select([self._descriptor], [], [], within)[0])

    def waited(self) -> float:
        """The seconds for which its first thread waited for a core; none where the system does not tell."""
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self._pid}/schedstat").read_bytes().split()[1]) / 1e9
        return 0.0


class ForkServer:
    """A process that has imported *modules*. It is started at once, and again if it died; its forks end with it.

    With a *channel*, this stands for the server at the other end, which somebody else started.
    """

    def __init__(self, *modules: str, channel: socket.socket | None = None) -> None:
        self._modules = modules
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if channel:
            self._channel = channel
        else:
            self._launch()

    def start(self, module: str, arguments: Sequence[str], channel: socket.socket, *, hand_on: bool = False) -> None:
        """Let `main()` of *module* run in a process of its own, with *arguments* in `sys.argv`.

        Its standard input is *channel*, by which it must tell its process number. If it cannot be started, that end is
        closed. It is in a session of its own, so Ctrl-C does not reach it. With *hand_on* it can use this server, too.
        """
        with self._asking:
            if self._process and self._process.poll() is not None:
                self._channel.close()
                self._launch()
            descriptors = [channel.fileno()] + [self._channel.fileno()] * hand_on
            with contextlib.suppress(OSError):  # it died just now, or was closed
                send(self._channel, {"module": module, "arguments": list(arguments)}, descriptors)

    def close(self, *, patience: float = 0.0) -> None:
        """End it, and all that was forked from it, after so many seconds by force."""
        with self._asking:
            process, self._process = self._process, None  # nobody launches it again
            self._channel.close()
        if process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
            process.kill()
            process.wait()

    def _launch(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-c", _SERVE, *self._modules]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd="/", env=environment()
            )


def serve(modules: Sequence[str]) -> None:
    """Be a fork server: import *modules*; then fork a process for each request, until nobody is there to ask."""
    parent = os.pidfd_open(os.getppid())
    os.setsid()
    limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    tempfile.tempdir = "/tmp"  # not to be found by trying out where files can be written: perhaps nowhere
    with socket.socket(fileno=os.dup(0)) as channel, contextlib.suppress(EOFError):
        gc.disable()  # what a module makes stays
        for name in modules:
            importlib.import_module(name)
        gc.freeze()
        gc.enable()
        signal.signal(signal.SIGCHLD, _reap)
        while parent not in select.select([channel.fileno(), parent], [], [])[0]:
            request, descriptors = receive(channel)
            fork(partial(_become, request["module"], request["arguments"], descriptors))
            for descriptor in descriptors:
                os.close(descriptor)
    os._exit(0)  # torch would take a tenth of a second to say goodbye


def _reap(signum: int, frame: FrameType | None) -> None:
    """Wait for processes that have ended, so that their time counts as this process's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(module: str, arguments: Sequence[str], descriptors: Sequence[int]) -> None:
    """Be the process that was asked for."""
    try:
        os.setsid()
        libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor, number in zip(descriptors, (0, FORKED_FROM), strict=False):
            os.dup2(descriptor, number, inheritable=False)
        os.closerange(2 + len(descriptors), os.sysconf("SC_OPEN_MAX"))
        libc.prctl(_SET_NAME, module.rpartition(".")[2].encode())
        sys.argv[:] = [module, *arguments]
        importlib.import_module(module).main()
    except BaseException:
        traceback.print_exc()
        raise
