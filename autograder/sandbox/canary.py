"""The canary: a child that tries what no student's code may do, so that a broken cage shows before anyone is in it."""

from __future__ import annotations

import functools
import importlib
import json
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["bait", "main"]

_LATE_IMPORT = "colorsys"  # of the standard library, small, and no warm process needs it


@contextmanager
def bait(secrets: Sequence[Path]) -> Iterator[bytes]:
    """The canary's payload: the run's secrets, a file that anyone may read and change, and the grader's number."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "secret")
        file.touch()
        file.chmod(0o666)
        Path(folder).chmod(0o777)
        paths = [str(path.resolve()) for path in (*secrets, file)]
        yield json.dumps({"secrets": paths, "bait": str(file), "grader": os.getpid()}).encode()


def main(payload: bytes, send: Callable[[bytes], None]) -> None:
    """Send a frame for each deed that was possible and should not be; a sound cage sends none."""
    task = json.loads(payload)
    bait = Path(task["bait"])
    deeds: dict[str, Callable[[], object]] = {
        "write a file": lambda: os.open(bait.with_name("written"), os.O_WRONLY | os.O_CREAT),  # what `open` is, is the entry's
        "change a file": lambda: os.truncate(bait, 0),
        "delete a file": bait.unlink,
        "open a TCP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "open a UDP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "open a unix socket": lambda: socket.socket(socket.AF_UNIX),
        "signal the grader": lambda: os.kill(task["grader"], 0),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "set its limits": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "start a process": _fork,
        "execute a program": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    }
    for path in map(Path, task["secrets"]):
        if not path.is_dir():
            deeds[f"read {path}"] = path.read_bytes
            path = path.parent
        deeds[f"list {path}"] = functools.partial(os.listdir, path)
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
