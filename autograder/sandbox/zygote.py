"""The warm process: imports what student code needs, then forks a confined child for each request.

Never forked from the grader. Children inherit its memory, so payloads and results pass it by:
it only hands their descriptors on.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import gc
import importlib
import io
import itertools
import os
import re
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from autograder.sandbox import canary, frames, libc, policy, wire
from autograder.sandbox.confine import Confinement, prepare
from autograder.sandbox.policy import Limits

__all__ = ["main"]

_RESULTS = 3
"""The descriptor to which a child sends its frames."""
_SET_PDEATHSIG = 1
_MADV_COLLAPSE = 25
_HUGE_PAGE = 1 << 21
_CHUNK_HEADER = 16
_FEW = 8
"""Children for a notebook or two; for a class, huge pages are worth the quarter of a second that they take."""
_MOST_HOLES = 64
"""Of one size; an ordinary heap has some ten."""

Entry = Callable[[bytes, Callable[[bytes], None]], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entry", default="autograder.child", help="module with warm() and main(payload, send)")
    parser.add_argument("--isolation", default="full", choices=["full", "process"])
    arguments = parser.parse_args()
    # Standard input is the channel to the grader. Moved here it keeps the place that children need for their results.
    os.dup2(0, _RESULTS, inheritable=False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    libc.prctl(_SET_PDEATHSIG, signal.SIGKILL)  # during the start; later `_serve` notices that the grader has gone
    with socket.socket(fileno=_RESULTS) as channel:
        try:
            confinement = prepare(arguments.isolation)
            module = importlib.import_module(arguments.entry)
            module.warm()
            _settle(hide=confinement.ruleset is not None)
        except Exception:
            wire.send(channel, {"refused": traceback.format_exc()[-5_000:]})
            return
        libc.prctl(_SET_PDEATHSIG, 0)
        wire.send(channel, {"layers": confinement.layers})
        with contextlib.suppress(EOFError, ConnectionError):
            _serve(channel, confinement, module.main)


def _settle(*, hide: bool) -> None:
    """Leave the process in the state that is cheap and safe to fork; if *hide*, without paths that are unreadable."""
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("warm() left threads running: a child forked now could wait for their locks for ever")
    with open("/proc/self/maps") as file:
        maps = file.read()
    if re.search(r"^\S+ .w.s ", maps, re.MULTILINE):
        raise RuntimeError("warm() left shared memory behind: a child could reach later children through it")
    if hide:
        # Finders remember what a folder holds, and children have no business knowing of the grader's.
        readable = policy.readable()
        sys.path[:] = [path for path in sys.path if path.startswith(readable)]
        sys.path_importer_cache.clear()
        importlib.invalidate_caches()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # a crash loses no line printed before it
    sys.dont_write_bytecode = True
    gc.collect()
    gc.freeze()
    _use_up_holes()


def _use_up_holes() -> None:
    """Let children allocate beyond the heap's end, in new huge pages, rather than copy each page that has a hole."""
    end = libc.heap_end()
    for size in (1 << power for power in range(20, 9, -1)):
        for _ in range(_MOST_HOLES):  # where other memory lies below the heap, an address would not tell
            if libc.allocate(size - _CHUNK_HEADER) >= end:
                break


def _collapse() -> None:
    """Move anonymous memory to huge pages, which halves the time of a fork and an exit; a kernel may decline."""
    with open("/proc/self/maps") as file:
        spans = re.findall(r"^(\w+)-(\w+) rw-p 00000000 00:00 0 ", file.read(), re.MULTILINE)
    for start, end in ((int(start, 16), int(end, 16)) for start, end in spans):
        start = -(-start // _HUGE_PAGE) * _HUGE_PAGE
        length = end // _HUGE_PAGE * _HUGE_PAGE - start
        if length > 0:
            with contextlib.suppress(OSError):
                libc.call("madvise", ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_COLLAPSE)


def _serve(channel: socket.socket, confinement: Confinement, entry: Entry) -> None:
    """Fork a child for each request until the grader dies or closes its end, which raises EOFError."""
    for number in itertools.count():
        request, descriptors = wire.receive(channel)
        if number == _FEW:
            _collapse()
        pid = confinement.fork()
        if pid == 0:
            limits = Limits(**request["limits"])
            _child(confinement, canary.main if request["canary"] else entry, limits, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        child = os.pidfd_open(pid)
        try:
            wire.send(channel, {"started": pid}, [child])
            _wait(child, channel.fileno())
        finally:  # it has ended, or the grader is gone
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
                os.killpg(pid, signal.SIGKILL)
            os.close(child)
            _, status, usage = os.wait4(pid, 0)
        wire.send(channel, {"status": status, "cpu_seconds": usage.ru_utime + usage.ru_stime})


def _wait(*descriptors: int) -> None:
    """Until one of them has something to say: a message, a process's end, a closed peer."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    poller.poll()


def _child(
    confinement: Confinement, entry: Entry, limits: Limits, orders: int, payload: int, results: int, output: int
) -> NoReturn:
    """Confine this process, say so, run the entry on one payload after another, and end."""
    status = 1
    try:
        os.dup2(results, _RESULTS)
        try:
            # Of its own: flags that a child sets on one that is shared would tell the next child of it.
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            confinement.enter(limits, keep={0, 1, 2, _RESULTS, orders, payload})
        except BaseException:
            frames.write(orders, wire.REFUSED + traceback.format_exc().encode())
            os._exit(status)
        frames.write(orders, wire.STARTED)
        send = functools.partial(frames.write_frame, _RESULTS)
        while order := os.read(orders, wire.ORDER.size):
            (length,) = wire.ORDER.unpack(order)
            try:
                entry(os.pread(payload, length, 0), send)
            except BaseException:
                traceback.print_exc()
                break
            finally:
                for stream in (sys.stdout, sys.stderr):
                    with contextlib.suppress(Exception):  # it may be anything by now
                        stream.flush()
            frames.write(orders, wire.DONE)
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
