"""The grader's hold on its warm process: start, readiness, requests, end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from autograder.sandbox import canary, frames, processes, wire
from autograder.sandbox.outcome import Outcome, SandboxFault
from autograder.sandbox.policy import DEFAULT, READY_SECONDS, Isolation, Limits
from autograder.sandbox.watch import PIPE_BYTES, watch

__all__ = ["WarmProcess"]


class WarmProcess:
    """Started at once, and never forked from the grader, whose memory holds secrets."""

    def __init__(self, isolation: Isolation, entry: str) -> None:
        self._isolation = isolation
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        with theirs:
            arguments = ["--isolation", isolation, "--entry", entry]
            self._process = processes.inherited()("autograder.sandbox.zygote", arguments, theirs, self._errors)

    def reached(self) -> str:
        """Wait until it is ready, let the canary out, and say in one line which isolation was reached.

        Raises SandboxFault if it does not become ready or the canary can do what it must not.
        """
        self._channel.settimeout(READY_SECONDS)
        try:
            message, _ = wire.receive(self._channel)
        except TimeoutError:
            raise SandboxFault(f"the warm process was not ready within {READY_SECONDS:.0f} s") from None
        except EOFError:
            raise SandboxFault(f"the warm process could not start: {self._last_words()}") from None
        finally:
            self._channel.settimeout(None)
        if "refused" in message:
            raise SandboxFault(f"no sandbox on this system (see --isolation=process): {message['refused']}")
        if self._isolation == "full":
            self._prove()
        return ", ".join(message["layers"])

    def run(self, payload: bytes, limits: Limits, *, capture: bool, proving: bool = False) -> Outcome:
        """Run the entry (or the canary, if *proving*) on *payload* in one child.

        Raises SandboxFault, after which this process is to be closed.
        """
        request = {"limits": asdict(limits), "canary": proving}
        with (
            _memory_file(payload) as given,
            _pipe() as (results, to_results),
            _pipe() as (output, to_output),
            open(os.devnull, "wb") as null,
        ):
            try:
                wire.send(self._channel, request, [given, to_results, to_output if capture else null.fileno()])
                return watch(self._channel, results, output, limits)
            except (ConnectionError, EOFError):
                raise SandboxFault(f"the warm process died: {self._last_words()}") from None

    def alive(self) -> bool:
        return not self._process.ended()

    def close(self) -> None:
        """End it, and any child with it."""
        self._channel.close()
        self._process.kill()
        self._errors.close()

    def _prove(self) -> None:
        with canary.bait() as payload:
            outcome = self.run(payload, DEFAULT, capture=True, proving=True)
        if outcome.frames:
            deeds = ", ".join(frame.decode() for frame in outcome.frames)
            raise SandboxFault(f"the sandbox is not tight here (see --isolation=process): a child could {deeds}")
        if outcome.ending != "finished":
            raise SandboxFault(f"the canary {outcome.ending} (signal {outcome.signal}): {outcome.printed.decode()}")

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace").strip() or "it left no message"


@contextmanager
def _memory_file(content: bytes) -> Iterator[int]:
    """A descriptor from which *content* can be read once; it exists in memory only."""
    descriptor = os.memfd_create("payload")
    try:
        frames.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    try:
        with contextlib.suppress(PermissionError):  # of a user who holds many; a smaller one makes the child wait
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)
