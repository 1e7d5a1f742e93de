"""The sandbox as the engine sees it."""

from __future__ import annotations

import platform
from types import TracebackType
from typing import TYPE_CHECKING

from autograder.sandbox.outcome import Outcome, SandboxFault
from autograder.sandbox.plain import PlainProcess, PlainSession
from autograder.sandbox.policy import DEFAULT, Isolation, Limits

if TYPE_CHECKING:
    from autograder.sandbox.session import Session
    from autograder.sandbox.warm import WarmProcess

    AnySession = Session | PlainSession

__all__ = ["Sandbox"]


class Sandbox:
    """One warm process and its confined children, one at a time; a context manager.

    The warm process starts at once and imports *entry* while the caller goes on; the first use waits for it. *entry*
    names a module with `warm()`, called once, and `main(payload: bytes, send: Callable[[bytes], None])`, called in
    each child for each payload. `warm()` must import what children need from unreadable places, and leave no threads
    behind.

    Raises SandboxFault where there is no sandbox; `isolation="process"` does without one.
    """

    def __init__(self, *, isolation: Isolation = "full", entry: str = "autograder.child") -> None:
        self._kind: Isolation = isolation
        self._entry = entry
        self._warm: WarmProcess | PlainProcess | None = self._start()
        self._reached: str | None = None

    @property
    def isolation(self) -> str:
        """What was reached, in one line, such as `landlock 7, seccomp, own uid`. Raises SandboxFault."""
        self._ready()
        return self._reached or ""

    def session(self, *, limits: Limits = DEFAULT, capture: bool = False) -> AnySession:
        """A confined child to run payloads in, one after another; no other may be there at the same time.

        Raises SandboxFault if the grader's side fails, as its methods do; the next session starts a new warm process.
        """
        return self._ready().session(limits, capture=capture)

    def run(self, payload: bytes, *, limits: Limits = DEFAULT, capture: bool = False) -> Outcome:
        """Run the entry on *payload* in a child of its own, with its output captured if *capture*."""
        with self.session(limits=limits, capture=capture) as session:
            return session.run(payload)

    def close(self) -> None:
        """End the warm process and any child; a later run would start a new one."""
        if self._warm is not None:
            self._warm.close()
        self._warm, self._reached = None, None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> WarmProcess | PlainProcess:
        if platform.system() == "Linux":
            from autograder.sandbox.warm import WarmProcess  # it needs modules that other systems lack

            return WarmProcess(self._kind, self._entry)
        if self._kind == "process":
            return PlainProcess(self._entry)
        raise SandboxFault("there is a sandbox on Linux only (see --isolation=process)")

    def _ready(self) -> WarmProcess | PlainProcess:
        if self._warm is not None and self._reached is not None and not self._warm.alive():
            self.close()  # it died between two runs, which harmed nobody
        if self._warm is None:
            self._warm = self._start()
        if self._reached is None:
            try:
                self._reached = self._warm.reached()
            except BaseException:
                self.close()
                raise
        return self._warm
