"""The canary: a child that tries what no student's code may do, so that a broken cage shows before anyone is in it."""

from __future__ import annotations

import importlib
import json
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["bait", "main"]

_LATE_IMPORT = "colorsys"  # of the standard library, small, and no warm process needs it


@contextmanager
def bait() -> Iterator[bytes]:
    """The canary's payload: a file that anyone may read in a folder where anyone may write, and the grader's pid."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder, "secret")
        secret.write_text("a hidden grader")
        secret.chmod(0o644)
        Path(folder).chmod(0o777)
        yield json.dumps({"folder": folder, "secret": str(secret), "grader": os.getpid()}).encode()


def main(payload: bytes, send: Callable[[bytes], None]) -> None:
    """Send a frame for each deed that was possible and should not be; a sound cage sends none."""
    bait = json.loads(payload)
    deeds: dict[str, Callable[[], object]] = {
        "read a file of the grader's": lambda: Path(bait["secret"]).read_bytes(),
        "list a folder of the grader's": lambda: os.listdir(bait["folder"]),
        "write a file": lambda: Path(bait["folder"], "written").write_bytes(b""),
        "change a file": lambda: os.truncate(bait["secret"], 0),
        "delete a file": lambda: os.unlink(bait["secret"]),
        "open a TCP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "open a UDP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "open a unix socket": lambda: socket.socket(socket.AF_UNIX),
        "signal the grader": lambda: os.kill(bait["grader"], 0),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "set its limits": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "start a process": _fork,
        "execute a program": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    }
    for name, attempt in deeds.items():
        try:
            attempt()
        except (OSError, ValueError):  # setrlimit says ValueError for what may not be
            continue
        send(name.encode())
    try:
        sys.modules.pop(_LATE_IMPORT, None)
        importlib.import_module(_LATE_IMPORT)
    except ImportError:
        send(b"not import from the standard library")


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
