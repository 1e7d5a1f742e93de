"""The grader's side of one child: hand it payloads, drain its pipes, keep the time, end it, tell what became of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from types import TracebackType

from autograder.sandbox import frames, wire
from autograder.sandbox.outcome import Ending, Outcome, SandboxFault
from autograder.sandbox.policy import CONFINE_SECONDS, REAP_SECONDS, Limits

__all__ = ["Session"]

_PIPE_BYTES = 1 << 20
"""What a pipe should hold and one read takes: what a child says while frames gather must not make it wait."""
_WORDS_BYTES = 1 << 14
"""More than a child has to say between two payloads, frames apart."""
_GATHERING = 3
"""Milliseconds for which frames may gather, unless the child is done: waking for each of a hundred costs more."""


class _Pipe:
    """What the child writes into a pipe: never waited for, kept up to a cap."""

    def __init__(self, descriptor: int, cap: int) -> None:
        self._descriptor = descriptor
        self._cap = cap
        self.kept = bytearray()
        self.overflowed = False

    def drain(self) -> None:
        """Read what is there."""
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._descriptor, _PIPE_BYTES)
            room = self._cap - len(self.kept)
            self.kept += chunk[:room]
            self.overflowed |= len(chunk) > room


class Session:
    """One confined child, which runs payloads one after another, until it is closed or one of them ends it.

    It is forked by the warm process at the other end of *channel*. What it prints is kept, if *capture*, of its first
    payload only: that one's code has not seen those that follow. When the grader's side fails, *abandon* is called with
    what was raised; no session can be had of this warm process then.
    """

    def __init__(
        self,
        channel: socket.socket,
        limits: Limits,
        abandon: Callable[[BaseException], None],
        *,
        capture: bool = False,
        proving: bool = False,
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._abandon = abandon
        self._capture = capture
        self._begun: float | None = None  # when it was confined, or given the payload that it is at
        self._pid = 0
        self._child: int | None = None  # its pidfd
        self._status: wire.Message | None = None  # how it ended
        with ExitStack() as stack:
            self._payload, their_payload = stack.enter_context(_memory_file())
            self._results, to_results = stack.enter_context(_pipe())
            self._output, to_output = stack.enter_context(_pipe())
            self._orders, their_orders = map(stack.enter_context, socket.socketpair())
            self._orders.setblocking(False)
            # Its ends stay open here, too: no end of file tells anything that the warm process does not tell better.
            self._stack = stack.pop_all()
        descriptors = [their_orders.fileno(), their_payload, to_results, to_output]
        with self._abandoning():
            wire.send(channel, {"limits": asdict(limits), "canary": proving}, descriptors)

    def run(self, payload: bytes, wall_seconds: float | None = None) -> Outcome:
        """What comes of *payload* within the limits, or within *wall_seconds* if that is less.

        Raises SandboxFault if the child could not be confined or ended.
        """
        limits = self._limits
        first = self._begun is None
        sent = _Pipe(self._results, limits.frames_bytes)
        printed = _Pipe(self._output, limits.output_bytes if self._capture and first else 0)
        with self._abandoning():
            if not first:
                self._begun = time.monotonic()
            self._order(payload)
            ending = self._watch(sent, printed, min(limits.wall_seconds, wall_seconds or limits.wall_seconds))
        received, whole = frames.parse(sent.kept)
        if ending is None and (sent.overflowed or len(received) >= frames.MOST):
            ending = "flooded"  # with its last bytes
        code: int | None = None
        if self._status is not None:
            code = os.waitstatus_to_exitcode(self._status["status"])
            if ending is None and code in (-signal.SIGKILL, -signal.SIGXCPU) and self._is_spent():
                ending = "timed-out"
            ending = ending or "crashed"
        assert self._begun is not None
        return Outcome(
            frames=received,
            printed=bytes(printed.kept),
            ending=ending or ("finished" if whole else "crashed"),
            signal=-code if code is not None and code < 0 else None,
            exit_code=code if code is not None and code >= 0 else None,
            seconds=time.monotonic() - self._begun,
        )

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the child, from its fork until now or, once it is closed, to its end."""
        if self._status is not None:
            return float(self._status["cpu_seconds"])
        return time.clock_gettime(~self._pid << 3 | 2) if self._pid else 0.0  # clock_getcpuclockid(3)

    def close(self) -> None:
        """End the child and wait until it is gone. Raises SandboxFault if it stays."""
        with self._stack, self._abandoning():
            deadline = time.monotonic() + CONFINE_SECONDS + REAP_SECONDS
            while self._status is None:
                self._kill()
                if not _readable(self._channel, deadline - time.monotonic()):
                    raise SandboxFault("a child could not be ended in time")
                self._hear()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _order(self, payload: bytes) -> None:
        if self._begun is not None:  # whatever was said or sent since the last payload was done
            for descriptor in (self._results, self._output):
                _Pipe(descriptor, 0).drain()
            with contextlib.suppress(BlockingIOError):
                self._orders.recv(_WORDS_BYTES)
        os.ftruncate(self._payload, 0)
        os.lseek(self._payload, 0, os.SEEK_SET)
        frames.write(self._payload, payload)
        with contextlib.suppress(BlockingIOError):  # it has taken none of very many
            self._orders.send(wire.ORDER.pack(len(payload)))

    def _watch(self, sent: _Pipe, printed: _Pipe, seconds: float) -> Ending | None:
        """Until the child is done or dead; the way in which it was ended here, if it was."""
        pipes = {self._results: sent, self._output: printed}
        said, told = self._orders.fileno(), self._channel.fileno()
        poller, quick = select.poll(), select.poll()
        for descriptor in (said, told, *pipes):
            poller.register(descriptor, select.POLLIN)
        for descriptor in (said, told):
            quick.register(descriptor, select.POLLIN)
        ending: Ending | None = None
        deadline = time.monotonic() + CONFINE_SECONDS if self._begun is None else self._begun + seconds
        refusal = b""
        done = False
        while not done and self._status is None:
            ready = [descriptor for descriptor, _ in poller.poll(max(0.0, deadline - time.monotonic()) * 1000)]
            if said not in ready and told not in ready:
                ready += [descriptor for descriptor, _ in quick.poll(_GATHERING)]
            for descriptor in ready:
                if descriptor in pipes:
                    pipes[descriptor].drain()
            now = time.monotonic()
            if said in ready:
                words = self._orders.recv(_WORDS_BYTES)
                if self._begun is None and words.startswith(wire.STARTED):
                    self._begun, deadline = now, now + seconds
                elif self._begun is None:
                    refusal += words
                done = wire.DONE in words and self._begun is not None and ending is None
            if told in ready and not done:
                self._hear()
            if ending is None and self._begun is not None and not done and (sent.overflowed or now >= deadline):
                ending = "flooded" if sent.overflowed else "timed-out"
                deadline = now + REAP_SECONDS
            elif now >= deadline and not done and self._status is None:
                raise SandboxFault("a child could not be " + ("ended" if self._begun else "confined") + " in time")
            if ending is not None:
                self._kill()
        for pipe in pipes.values():
            pipe.drain()
        if self._begun is None:
            assert self._status is not None
            reason = refusal[1:].decode(errors="replace") or f"it ended with {self._status['status']}"
            raise SandboxFault(f"a child could not be confined: {reason}")
        return ending

    def _hear(self) -> None:
        """Take what the warm process has to tell of the child."""
        message, descriptors = wire.receive(self._channel)
        if "status" in message:
            self._status = message
        else:
            self._pid = message["started"]
            (self._child,) = descriptors
            self._stack.callback(os.close, self._child)

    def _kill(self) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._child, signal.SIGKILL)

    def _is_spent(self) -> bool:
        # The kernel counts in two ways, which differ on a busy machine. If not it, memory ran out, and that is sooner.
        return self.cpu_seconds > 0.5 * self._limits.cpu_seconds

    @contextmanager
    def _abandoning(self) -> Iterator[None]:
        try:
            yield
        except BaseException as problem:  # also an interrupt, which leaves a child half watched
            self._status = self._status or {"status": signal.SIGKILL, "cpu_seconds": 0.0}
            self._stack.close()
            self._abandon(problem)
            raise


def _readable(channel: socket.socket, seconds: float) -> bool:
    return bool(select.select([channel], [], [], max(0.0, seconds))[0])


@contextmanager
def _memory_file() -> Iterator[tuple[int, int]]:
    """Descriptors of a file that exists in memory only: one to write it, and one of its own to read it."""
    writing = os.memfd_create("payload")
    reading = -1
    try:
        reading = os.open(f"/proc/self/fd/{writing}", os.O_RDONLY)
        yield writing, reading
    finally:
        os.close(writing)
        if reading >= 0:
            os.close(reading)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        with contextlib.suppress(PermissionError):  # of a user who holds many; a smaller one makes the child wait
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)
