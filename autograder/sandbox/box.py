"""The sandbox as the grader sees it: a warm process, and runs in confined children of it."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

from autograder.sandbox import canary
from autograder.sandbox.policy import DEFAULT, READY_SECONDS, REAP_SECONDS, Limits
from autograder.sandbox.processes import ForkServer, Process, receive, send
from autograder.sandbox.zygote import CONFINED, END

__all__ = ["Outcome", "Sandbox", "SandboxFault", "frames"]

_PIPE_BYTES = 1 << 20
_GATHERING = 5  # milliseconds for which frames may gather: waking for each takes longer than reading it
_MOMENT = 1.0  # seconds: looking at the pipe, or ending, takes less than that on the busiest machine
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class SandboxFault(Exception):
    """The grader's own failure, in one line: there is no sandbox, or it broke. Never the student's."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run after student code had started: the submission's result, whatever it is."""

    frames: tuple[bytes, ...]  # complete ones, in order
    ending: Literal["finished", "stopped"]  # whether the entry returned within all limits
    cpu_seconds: float  # of the child
    seconds: float  # wall time of the child, but for that in which it waited for a core
    exit_code: int  # or a signal's number, negative; -9 also if the child was ended by us


class Sandbox(contextlib.AbstractContextManager["Sandbox"]):
    """One warm process and its confined children, one at a time; a context manager.

    The warm process starts at once and imports *entry* while the caller goes on; the first use waits for it. *entry*
    names a module with `warm()`, called once, and `main(payload: bytes, send: Callable[[bytes], None])`, called in
    each child. `warm()` must import what children need from unreadable places, and leave no threads behind.

    The canary tries to read *secrets*: files, or folders, that student code must not see. Methods raise SandboxFault if
    the grader's side fails; a warm process that died is started anew for the next run. It is never forked from the
    grader, whose memory holds secrets, but from *server*, or one of the sandbox's own.
    """

    def __init__(
        self,
        *,
        entry: str = "autograder.student.warm",
        secrets: Sequence[Path] = (),
        server: ForkServer | None = None,
    ) -> None:
        if sys.platform != "linux":
            raise SandboxFault("student code can be confined on Linux only (5.13 or newer)")
        self._entry = entry
        self._secrets = secrets
        self._server = server
        self._running = contextlib.ExitStack()
        self._reached = ""
        self._start()

    @property
    def isolation(self) -> str:
        """What was reached, in one line, such as `landlock 7, seccomp, own uid`; after the canary has proved it."""
        with self._ready():
            return self._reached

    def run(self, payload: bytes, *, limits: Limits = DEFAULT) -> Outcome:
        """Run the entry on *payload* in a new child, which is gone when this returns."""
        with self._ready():
            return self._run(payload, limits)

    def close(self) -> None:
        """End the warm process and any child."""
        self._running.close()
        self._reached = ""

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _start(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._running.enter_context(self._channel)
        with theirs:
            server = self._server or self._running.enter_context(contextlib.closing(ForkServer()))
            server.start("autograder.sandbox.zygote", [self._entry], theirs)

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """Have a warm process that the canary has proved; end it after any failure, Ctrl-C during a run included."""
        try:
            if self._reached and select.select([self._channel], [], [], 0)[0]:  # it died between runs: nobody was in it
                self.close()
            if self._channel.fileno() < 0:
                self._start()
            if not self._reached:
                self._prove()
            yield
        except BaseException as problem:
            self.close()
            if isinstance(problem, (OSError, EOFError)):
                raise SandboxFault(f"the warm process is lost: {str(problem) or 'it died'}") from None
            raise

    def _prove(self) -> None:
        """Wait until a warm process is ready, and let the canary out."""
        self._channel.settimeout(READY_SECONDS)
        message, _ = receive(self._channel)
        if "refused" in message:
            raise SandboxFault(f"student code cannot be confined here: {message['refused']}")
        self._running.callback(Process(message["pid"]).kill)
        with canary.bait(self._secrets) as payload:
            outcome = self._run(payload, DEFAULT, proving=True)
        if outcome.frames or outcome.ending == "stopped":
            deeds = ", ".join(frame.decode() for frame in outcome.frames) or f"end the canary: {outcome.exit_code}"
            raise SandboxFault(f"the sandbox is not tight here: student code could {deeds}")
        self._reached = ", ".join(message["layers"])

    def _run(self, payload: bytes, limits: Limits, *, proving: bool = False) -> Outcome:
        self._channel.settimeout(REAP_SECONDS)
        reading, writing = os.pipe()
        with open(reading, "rb", buffering=0) as results:
            with open(writing, "wb", buffering=0) as theirs, _sealed(payload) as file:
                with contextlib.suppress(PermissionError):  # of a user who holds many; a smaller one makes it wait
                    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
                send(self._channel, {"limits": asdict(limits), "canary": proving}, [file.fileno(), theirs.fileno()])
            child = Process(receive(self._channel)[0]["pid"])
            received, seconds = _listen(results, limits, child)
        sent, finished = frames(received[len(CONFINED) :], limits.frames)
        # One that has closed its pipe may end by itself, to say how.
        by_itself = not finished and seconds < limits.wall_seconds and child.ends(within=_MOMENT)
        send(self._channel, {})
        ended, _ = receive(self._channel)
        if not received.startswith(CONFINED):
            raise SandboxFault(f"a child could not be confined: it ended with {ended['exit_code']}")
        # Student code can send no signals. Of processor time the kernel's limit and its account are not quite the same.
        spent = ended["cpu_seconds"] > limits.cpu_seconds / 2
        if by_itself and not spent and ended["exit_code"] == -signal.SIGKILL:
            raise SandboxFault("the system killed a run, as it does where all its memory is in use")
        return Outcome(sent, "finished" if finished else "stopped", seconds=seconds, **ended)


@contextmanager
def _sealed(payload: bytes) -> Iterator[IO[bytes]]:
    """A file in memory that nobody can change, by whatever descriptor."""
    with open(os.memfd_create("payload", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "wb") as file:
        file.write(payload)
        file.flush()
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
        yield file


def _listen(results: IO[bytes], limits: Limits, child: Process) -> tuple[bytes, float]:
    """What a child sends until it closes its pipe or a limit is reached, and the seconds that it ran or slept."""
    os.set_blocking(results.fileno(), False)
    poller = select.poll()
    poller.register(results, 0)  # wakes when the pipe is closed
    received = bytearray()
    most = len(CONFINED) + limits.frames_bytes + len(END)
    seconds, before = 0.0, time.monotonic()
    while True:
        closed = poller.poll(_GATHERING)
        while chunk := results.read(min(_PIPE_BYTES, most - len(received))):
            received += chunk
        # Where the whole grader was stopped for hours, so was the child: no pause counts for more than a moment.
        now = time.monotonic()
        seconds, before = seconds + min(now - before, _MOMENT), now
        if closed or len(received) == most or seconds >= limits.wall_seconds:
            net = max(0.0, seconds - child.waited())
            if closed or len(received) == most or net >= limits.wall_seconds:
                return bytes(received), net


def frames(sent: bytes, most: int) -> tuple[tuple[bytes, ...], bool]:
    """The first *most* complete frames of what was *sent*, and whether the end mark and nothing else comes after them.

    A child that student code has taken over can send anything, and so forge its own result, but nobody else's.
    """
    found: list[bytes] = []
    place = 0
    while len(found) < most and sent[place : place + len(END)] != END:
        start = place + len(END)
        end = start + int.from_bytes(sent[place:start], "big")
        if end > len(sent):
            break
        found.append(sent[start:end])
        place = end
    return tuple(found), sent[place:] == END
