"""The fork server: a process that imports once what takes long, and becomes whatever it is asked for by a fork."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from autograder.sandbox import libc, processes

__all__ = ["main"]

_SET_PDEATHSIG = 1
_SERVER = 3
"""The descriptor by which a forked process asks for others, if it may."""


def main() -> None:
    """Import the modules that the arguments name; then fork a process for each request, until the parent has gone."""
    parent = os.pidfd_open(os.getppid())
    with socket.socket(fileno=os.dup(0)) as channel, contextlib.suppress(EOFError):
        gc.disable()  # the objects of a module are there to stay
        for name in sys.argv[1:]:
            importlib.import_module(name)
        gc.freeze()
        gc.enable()
        signal.signal(signal.SIGCHLD, _reap)
        poller = select.poll()
        poller.register(channel, select.POLLIN)
        poller.register(parent, select.POLLIN)
        while parent not in [descriptor for descriptor, _ in poller.poll()]:
            request, (answer, *descriptors) = processes.receive(channel)
            pid = os.fork()
            if pid == 0:
                _become(request["module"], request["arguments"], *descriptors)
            with socket.socket(fileno=answer) as to, contextlib.suppress(OSError):  # either may be gone again
                descriptors.append(os.pidfd_open(pid))
                processes.send(to, {}, descriptors[-1:])
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
    status = 1
    try:
        os.setsid()
        libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(channel, 0)
        os.dup2(errors, 2)
        if server is not None:
            os.dup2(server, _SERVER, inheritable=False)
            processes.adopt(socket.socket(fileno=_SERVER))
        os.closerange(_SERVER if server is None else _SERVER + 1, os.sysconf("SC_OPEN_MAX"))
        Path("/proc/self/comm").write_text(module.rpartition(".")[2])
        sys.argv[:] = [module, *arguments]
        importlib.import_module(module).main()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
