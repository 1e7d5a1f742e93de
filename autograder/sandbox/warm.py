"""The grader's hold on its warm process: start, readiness, requests, end."""

from __future__ import annotations

import socket
import tempfile

from autograder.sandbox import canary, processes, wire
from autograder.sandbox.outcome import SandboxFault
from autograder.sandbox.policy import DEFAULT, READY_SECONDS, Isolation, Limits
from autograder.sandbox.session import Session

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

    def session(self, limits: Limits, *, capture: bool = False, proving: bool = False) -> Session:
        """A child to run the entry in (or the canary, if *proving*); one at a time. Raises SandboxFault."""
        return Session(self._channel, limits, self._abandon, capture=capture, proving=proving)

    def alive(self) -> bool:
        return not self._process.ended()

    def close(self) -> None:
        """End it, and any child with it."""
        self._channel.close()
        self._process.kill()
        self._errors.close()

    def _prove(self) -> None:
        with canary.bait() as payload, self.session(DEFAULT, capture=True, proving=True) as session:
            outcome = session.run(payload)
        if outcome.frames:
            deeds = ", ".join(frame.decode() for frame in outcome.frames)
            raise SandboxFault(f"the sandbox is not tight here (see --isolation=process): a child could {deeds}")
        if outcome.ending != "finished":
            raise SandboxFault(f"the canary {outcome.ending} (signal {outcome.signal}): {outcome.printed.decode()}")

    def _abandon(self, problem: BaseException) -> None:
        """End it after *problem*; raises SandboxFault if that was its own death."""
        words = self._last_words()
        self.close()
        if isinstance(problem, (ConnectionError, EOFError)):
            raise SandboxFault(f"the warm process died: {words}") from None

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace").strip() or "it left no message"
