"""The grader's watch over one child: drain its pipes, keep the time, end it, and tell what became of it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time

from autograder.sandbox import frames, wire
from autograder.sandbox.outcome import Ending, Outcome, SandboxFault
from autograder.sandbox.policy import CONFINE_SECONDS, REAP_SECONDS, Limits

__all__ = ["PIPE_BYTES", "watch"]

PIPE_BYTES = 1 << 20
"""What a pipe should hold and one read takes: what a child says while frames gather must not make it wait."""

_GATHERING = 3
"""Milliseconds for which frames may gather, unless the child ends: waking for each of a hundred costs more."""


class _Pipe:
    """The reading end of a pipe that the child writes: never waited for, kept up to a cap."""

    def __init__(self, descriptor: int, cap: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._cap = cap
        self.kept = bytearray()
        self.overflowed = False

    def drain(self) -> None:
        """Read what is there."""
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._descriptor, PIPE_BYTES)
            room = self._cap - len(self.kept)
            self.kept += chunk[:room]
            self.overflowed |= len(chunk) > room


def watch(channel: socket.socket, results: int, output: int, limits: Limits) -> Outcome:
    """What became of the child that was just asked for over *channel*, once it is dead and reaped.

    *results* and *output* are the reading ends of its pipes; that the caller keeps the writing ends, too, spares the
    end of file, which a grandchild could put off anyway. Raises SandboxFault if it could not be confined or
    ended, EOFError if the warm process died.
    """
    pipes = {
        results: _Pipe(results, len(frames.STARTED) + limits.frames_bytes + len(frames.FINISHED)),
        output: _Pipe(output, limits.output_bytes),
    }
    poller = select.poll()
    for descriptor in (channel.fileno(), *pipes):
        poller.register(descriptor, select.POLLIN)
    ended = select.poll()
    ended.register(channel.fileno(), select.POLLIN)
    sent, printed = pipes[results], pipes[output]
    child: int | None = None
    ending: Ending | None = None
    begun: float | None = None
    deadline = time.monotonic() + CONFINE_SECONDS
    try:
        while True:
            ready = [descriptor for descriptor, _ in poller.poll(max(0.0, deadline - time.monotonic()) * 1000)]
            if channel.fileno() not in ready:
                ready += [descriptor for descriptor, _ in ended.poll(_GATHERING)]
            for descriptor in ready:
                if descriptor in pipes:
                    pipes[descriptor].drain()
            now = time.monotonic()
            if begun is None and sent.kept.startswith(frames.STARTED):
                begun, deadline = now, now + limits.wall_seconds
            if channel.fileno() in ready:
                message, descriptors = wire.receive(channel)
                if "status" in message:
                    break
                (child,) = descriptors
            if ending is None and begun is not None and (sent.overflowed or now >= deadline):
                ending = "flooded" if sent.overflowed else "timed-out"
                deadline = now + REAP_SECONDS
            elif now >= deadline:
                raise SandboxFault("a child could not be " + ("ended" if begun else "confined") + " in time")
            if ending is not None:
                _kill(child)
    finally:
        _kill(child)
        if child is not None:
            os.close(child)

    for pipe in pipes.values():
        pipe.drain()
    code = os.waitstatus_to_exitcode(message["status"])
    if not sent.kept.startswith(frames.STARTED):
        reason = bytes(sent.kept[len(frames.REFUSED) :]).decode(errors="replace") or f"it ended with {code}"
        raise SandboxFault(f"a child could not be confined: {reason}")
    received, finished = frames.parse(sent.kept[len(frames.STARTED) :])
    if ending is None and (sent.overflowed or len(received) >= frames.MOST):
        ending = "flooded"  # with its last bytes
    if ending is None and code in (-signal.SIGKILL, -signal.SIGXCPU) and _spent(message["cpu_seconds"], limits):
        ending = "timed-out"
    return Outcome(
        frames=received,
        printed=bytes(printed.kept),
        ending=ending or ("finished" if finished and code == 0 else "crashed"),
        signal=-code if code < 0 else None,
        exit_code=code if code >= 0 else None,
        seconds=now - (begun or now),
        cpu_seconds=message["cpu_seconds"],
    )


def _kill(child: int | None) -> None:
    if child is not None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)


def _spent(cpu_seconds: float, limits: Limits) -> bool:
    # The kernel counts in two ways, which differ on a busy machine. If not it, memory ran out, and that is sooner.
    return cpu_seconds > 0.5 * limits.cpu_seconds
