"""The sandbox as the grader sees it: a warm process, and runs in confined children of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from autograder.sandbox import canary, frames
from autograder.sandbox.policy import CONFINE_SECONDS, DEFAULT, READY_SECONDS, REAP_SECONDS, Limits
from autograder.sandbox.processes import ForkServer, inherited, receive, send

__all__ = ["Outcome", "Sandbox", "SandboxFault"]

_PIPE_BYTES = 1 << 20
_GATHERING = 5
"""Milliseconds for which frames gather in the pipe: waking for each of some hundred takes longer than reading them."""
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class SandboxFault(Exception):
    """The grader's own failure, in one line: there is no sandbox, or it broke. Never the student's."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run after student code had started: the submission's result, whatever it is."""

    frames: tuple[bytes, ...]
    """The complete frames that the child sent, in order; a last one that was cut off is left out."""
    ending: Literal["finished", "stopped"]
    """`finished`: the entry returned, within all limits. `stopped`: anything else."""
    cpu_seconds: float
    """Processor time of the child."""
    seconds: float
    """Wall time from the start of student code to its end."""
    exit_code: int
    """How the child ended, a signal's number negative; -9 also if it was ended after its last word."""


class Sandbox:
    """One warm process and its confined children, one at a time; a context manager.

    The warm process starts at once and imports *entry* while the caller goes on; the first use waits for it. *entry*
    names a module with `warm()`, called once, and `main(payload: bytes, send: Callable[[bytes], None])`, called in
    each child. `warm()` must import what children need from unreadable places, and leave no threads behind.

    The canary tries to read *secrets*: files, or folders, that student code must not see. With a *core*, the warm
    process and its children keep to that one. A warm process that has died is started anew for the next run.

    Every method raises SandboxFault if the grader's side fails.
    """

    def __init__(
        self, *, entry: str = "autograder.student", secrets: Sequence[Path] = (), core: int | None = None
    ) -> None:
        if sys.platform != "linux":
            raise SandboxFault("student code can be confined on Linux only (5.13 or newer)")
        self._arguments = [entry] if core is None else [entry, str(core)]
        self._secrets = secrets
        self._warm: _WarmProcess | None = _WarmProcess(self._arguments)
        self._isolation = ""

    @property
    def isolation(self) -> str:
        """What was reached, in one line, such as `landlock 7, seccomp, own uid`; after the canary has proved it."""
        self._ready()
        return self._isolation

    def run(self, payload: bytes, *, limits: Limits = DEFAULT) -> Outcome:
        """Run the entry on *payload* in a new child, which is gone when this returns."""
        warm = self._ready()
        try:
            return warm.run(payload, limits)
        except BaseException:  # also an interrupt, which leaves a child half watched
            self.close()
            raise

    def close(self) -> None:
        """End the warm process and any child."""
        if self._warm is not None:
            self._warm.close()
        self._warm, self._isolation = None, ""

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _ready(self) -> _WarmProcess:
        if self._warm is not None and self._isolation and self._warm.ended():
            self.close()
        if self._warm is None:
            self._warm = _WarmProcess(self._arguments)
        if not self._isolation:
            try:
                layers = self._warm.layers()
                self._prove(self._warm)
            except BaseException:
                self.close()
                raise
            self._isolation = ", ".join(layers)
        return self._warm

    def _prove(self, warm: _WarmProcess) -> None:
        with canary.bait(self._secrets) as payload:
            outcome = warm.run(payload, DEFAULT, canary=True)
        if outcome.frames:
            deeds = ", ".join(frame.decode() for frame in outcome.frames)
            raise SandboxFault(f"the sandbox is not tight here: student code could {deeds}")
        if outcome.ending != "finished":
            raise SandboxFault(f"the canary was stopped ({outcome.exit_code}): the sandbox cannot be proved here")


class _WarmProcess:
    """The grader's hold on its warm process. Never forked from the grader, whose memory holds secrets."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._stack = contextlib.ExitStack()
        start = inherited() or self._stack.enter_context(ForkServer()).start
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = start("autograder.sandbox.zygote", arguments, theirs)
        self._stack.callback(self._process.kill)
        self._stack.enter_context(self._channel)

    def layers(self) -> list[str]:
        """Wait until it is ready; what was reached."""
        message = self._hear(READY_SECONDS)
        if "refused" in message:
            raise SandboxFault(f"student code cannot be confined here: {message['refused']}")
        return list(message["layers"])

    def run(self, payload: bytes, limits: Limits, *, canary: bool = False) -> Outcome:
        """Let a child run the entry, or the canary, on *payload*."""
        reading, writing = os.pipe()
        with open(reading, "rb", buffering=0) as results:
            with open(writing, "wb", buffering=0) as theirs, _sealed(payload) as file:
                with contextlib.suppress(PermissionError):  # of a user who holds many; a smaller one makes it wait
                    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
                self._say({"limits": asdict(limits), "canary": canary}, [file.fileno(), theirs.fileno()])
            received, seconds = _listen(results, limits)
        self._say({})
        message = self._hear(REAP_SECONDS)
        if not received.startswith(frames.CONFINED):
            reason = received[1:].decode(errors="replace") or f"it ended with {message['exit_code']}"
            raise SandboxFault(f"a child could not be confined: {reason}")
        sent, finished = frames.parse(received[1:], limits.frames)
        return Outcome(
            sent, "finished" if finished else "stopped", message["cpu_seconds"], seconds, message["exit_code"]
        )

    def ended(self) -> bool:
        return self._process.ended()

    def close(self) -> None:
        """End it, and any child with it."""
        self._stack.close()

    def _say(self, message: dict[str, object], descriptors: Sequence[int] = ()) -> None:
        with self._mourning():
            send(self._channel, message, descriptors)

    def _hear(self, seconds: float) -> dict[str, Any]:
        self._channel.settimeout(seconds)
        with self._mourning():
            return receive(self._channel)[0]

    @contextmanager
    def _mourning(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise SandboxFault("the warm process gave no answer in time") from None
        except (OSError, EOFError):
            raise SandboxFault("the warm process died") from None


@contextmanager
def _sealed(payload: bytes) -> Iterator[IO[bytes]]:
    """A file in memory that nobody can change, by whatever descriptor."""
    with open(os.memfd_create("payload", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "wb") as file:
        file.write(payload)
        file.flush()
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
        yield file


def _listen(results: IO[bytes], limits: Limits) -> tuple[bytes, float]:
    """What a child sends until it closes its pipe, or a limit is reached; and the seconds that student code took."""
    os.set_blocking(results.fileno(), False)
    poller = select.poll()
    poller.register(results, 0)  # wakes when the pipe is closed
    received = bytearray()
    begun = time.monotonic()
    deadline = begun + CONFINE_SECONDS
    most = limits.frames_bytes + frames.EXTRA_BYTES
    while True:
        closed = poller.poll(_GATHERING)
        confined = bool(received)
        while chunk := results.read(min(_PIPE_BYTES, most - len(received))):
            received += chunk
        now = time.monotonic()
        if received and not confined:
            begun, deadline = now, now + limits.wall_seconds
        if closed or len(received) == most or now >= deadline:
            return bytes(received), now - begun
