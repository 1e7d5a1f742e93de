"""The canary: a child that tries what student code must not be able to do, before any student code is run."""

import contextlib
import importlib
import json
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path

from autograder.sandbox.processes import fork

__all__ = ["bait", "main"]


@contextmanager
def bait(secrets: Sequence[Path]) -> Iterator[bytes]:
    """The canary's payload: the run's secrets, a file that anyone may read and change, and the grader's number."""
    file = Path("/secret")
    with contextlib.ExitStack() as made:
        with contextlib.suppress(OSError):  # a container that is read-only has no place for one
            file = Path(made.enter_context(tempfile.TemporaryDirectory()), "secret")
            file.touch()
            file.chmod(0o666)
            file.parent.chmod(0o777)
        paths = [str(path.resolve()) for path in (*secrets, file)]
        yield json.dumps({"secrets": paths, "bait": str(file), "grader": os.getpid()}).encode()


def main(payload: bytes, send: Callable[[bytes], None]) -> None:
    """Send a frame for each deed that was possible and should not be. From a sound sandbox none comes."""
    task = json.loads(payload)
    # By the system's own calls: the entry may have put something else in the place of Python's `open`.
    deeds: dict[str, Callable[[], object]] = {
        "write a file": lambda: os.open(task["bait"] + "2", os.O_WRONLY | os.O_CREAT),
        "change a file": lambda: os.truncate(task["bait"], 0),
        "delete a file": lambda: os.unlink(task["bait"]),
        "open a TCP socket": socket.socket,
        "open a UDP socket": lambda: socket.socket(type=socket.SOCK_DGRAM),
        "open a unix socket": lambda: socket.socket(socket.AF_UNIX),
        "signal the grader": lambda: os.kill(task["grader"], 0),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "set its limits": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "start a process": lambda: fork(lambda: None),
        "execute a program": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    }
    for path in task["secrets"]:
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        deeds[f"list {folder}"] = partial(os.listdir, folder)
        deeds[f"read {path}"] = partial(FileIO, path)  # of a folder this fails
    for name, attempt in deeds.items():
        try:
            attempt()
        except (OSError, ValueError):  # setrlimit says ValueError for what may not be
            continue
        send(name.encode())
    try:
        importlib.import_module("colorsys")  # of the standard library, and no warm process needs it
    except ImportError:
        send(b"not import from the standard library")
