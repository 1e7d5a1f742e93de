"""The warm process: imports what student code needs, then forks a confined child for each run.

Children inherit its memory, so it must never hold payloads or results: it only hands their descriptors on. A child
writes one byte once it is confined, then frames with their lengths in front, then an end mark.
"""

import contextlib
import gc
import importlib
import os
import re
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from io import FileIO

from autograder.sandbox import canary, confine, policy
from autograder.sandbox.confine import Confinement
from autograder.sandbox.policy import Limits
from autograder.sandbox.processes import fork, receive, send

__all__ = ["CONFINED", "END", "main"]

CONFINED, END = b"\x01", b"\xff\xff\xff\xff"  # no frame is as long
_RESULTS = 3  # the descriptor to which a child sends its frames

Entry = Callable[[bytes, Callable[[bytes], None]], None]


def main() -> None:
    """Get ready, then serve the grader at the other end of standard input. The argument: ENTRY."""
    with socket.socket(fileno=os.dup(0)) as channel:
        try:
            readable = policy.readable()
            module = importlib.import_module(sys.argv[1])
            module.warm()
            _settle(readable)
            confinement = confine.prepare(readable)
        except Exception as problem:
            send(channel, {"refused": " ".join((str(problem) or repr(problem)).split())[:1000]})
            return
        with contextlib.suppress(EOFError, ConnectionError):  # the grader is gone
            send(channel, {"pid": os.getpid(), "layers": confinement.layers})
            while True:
                _run(channel, confinement, module.main)


def _settle(readable: tuple[str, ...]) -> None:
    """Leave this process in a state that is safe to fork, and knows no more of the file system than children may."""
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("warm() left threads running: a child forked now could wait for their locks for ever")
    with FileIO("/proc/self/maps") as maps:
        if re.search(rb"^\S+ .w.s ", maps.read(), re.MULTILINE):
            raise RuntimeError("warm() left shared memory behind: a child could reach later children through it")
    sys.path[:] = [path for path in sys.path if path.startswith(readable)]
    sys.path_importer_cache.clear()  # finders remember what a folder holds
    importlib.invalidate_caches()
    sys.dont_write_bytecode = True
    gc.collect()
    gc.freeze()


def _run(channel: socket.socket, confinement: Confinement, entry: Entry) -> None:
    """Fork a child for the next request, end it when the grader says so, and tell what it took."""
    request, (payload, results) = receive(channel)
    chosen = canary.main if request["canary"] else entry
    pid = fork(lambda: _child(confinement, chosen, Limits(**request["limits"]), payload, results))
    try:
        os.close(payload)
        os.close(results)
        send(channel, {"pid": pid})
        receive(channel)
    finally:
        os.kill(pid, signal.SIGKILL)  # even if it has ended: nobody else gets its number before `wait4`
        _, status, usage = os.wait4(pid, 0)
    exit_code, cpu_seconds = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
    send(channel, {"exit_code": exit_code, "cpu_seconds": cpu_seconds})


def _child(confinement: Confinement, entry: Entry, limits: Limits, payload: int, results: int) -> None:
    """Confine this process, say so, run the entry on the payload, and say so."""
    os.dup2(results, _RESULTS)
    data = os.pread(payload, os.fstat(payload).st_size, 0)
    os.closerange(_RESULTS + 1, confinement.ruleset)
    os.closerange(confinement.ruleset + 1, os.sysconf("SC_OPEN_MAX"))
    null = os.open(os.devnull, os.O_RDWR)  # opened anew: flags that one child sets on it tell the next one nothing
    try:
        confinement.enter(limits)
    except BaseException:
        traceback.print_exc()
        raise
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    os.write(_RESULTS, CONFINED)
    entry(data, _send)
    os.write(_RESULTS, END)
    os.close(_RESULTS)  # before it ends, which takes longer


def _send(frame: bytes) -> None:
    """Write *frame*, and wait as long as the pipe is full: it has left the process when this returns."""
    rest = memoryview(len(frame).to_bytes(len(END), "big") + frame)
    while rest:
        rest = rest[os.write(_RESULTS, rest) :]
