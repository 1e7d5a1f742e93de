"""Student code in a fresh interpreter for each run, with no confinement: for one's own file, where there is no Linux.

The same interface as the warm process, without its speed. Standard output carries a start mark, the frames and an end
mark, standard error what the code prints.
"""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
import time
import traceback

from autograder.sandbox import frames
from autograder.sandbox.outcome import Ending, Outcome, SandboxFault
from autograder.sandbox.policy import READY_SECONDS, Limits, environment

__all__ = ["PlainProcess", "PlainSession", "serve"]


_STARTED = b"\x01"
_FINISHED = b"\xff" * 4
"""A length that no frame has: the entry returned."""


class PlainProcess:
    """No process yet: each run has its own. Of the limits, it keeps those of time and of output."""

    def __init__(self, entry: str) -> None:
        self._entry = entry

    def reached(self) -> str:
        return "a process of its own and a time limit only"

    def session(self, limits: Limits, *, capture: bool = False) -> PlainSession:
        return PlainSession(self._entry, limits, capture)

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing outlives a run."""


class PlainSession:
    """Runs one payload after another, each in a process of its own; what is printed is kept of the first."""

    def __init__(self, entry: str, limits: Limits, capture: bool) -> None:
        self._command = [sys.executable, "-c", "from autograder.sandbox.plain import serve; serve()", entry]
        self._limits = limits
        self._output_bytes = limits.output_bytes if capture else 0

    def run(self, payload: bytes, wall_seconds: float | None = None) -> Outcome:
        """Run the entry on *payload*. Raises SandboxFault if it could not be started."""
        limits = self._limits
        begun = time.monotonic()
        most = len(_STARTED) + limits.frames_bytes + len(_FINISHED)
        seconds = min(limits.wall_seconds, wall_seconds or limits.wall_seconds)
        ending: Ending | None = None
        with subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd="/",
        ) as process:
            try:
                # The imports, which a warm process would have behind it, come on top.
                sent, printed = process.communicate(payload, timeout=READY_SECONDS + seconds)
            except subprocess.TimeoutExpired:
                ending = "timed-out"
                process.kill()
                sent, printed = process.communicate()
        if not sent.startswith(_STARTED):
            raise SandboxFault(f"student code could not be started: {printed[-2000:].decode(errors='replace')}")
        if ending is None and len(sent) > most:
            ending = "flooded"
        body = sent[len(_STARTED) : most]
        received, whole = frames.parse(body.removesuffix(_FINISHED))
        finished = whole and body.endswith(_FINISHED) and process.returncode == 0
        kept, self._output_bytes = printed[: self._output_bytes], 0
        return Outcome(
            frames=received,
            printed=kept,
            ending=ending or ("finished" if finished else "crashed"),
            signal=-process.returncode if process.returncode < 0 else None,
            exit_code=process.returncode if process.returncode >= 0 else None,
            seconds=time.monotonic() - begun,
        )

    def close(self) -> None:
        """Nothing outlives a run."""

    def __enter__(self) -> PlainSession:
        return self

    def __exit__(self, *exc: object) -> None: ...


def serve() -> None:
    """The other side: one run of the entry that the first argument names, on what standard input holds."""
    module = importlib.import_module(sys.argv[1])
    module.warm()
    payload = sys.stdin.buffer.read()
    results = os.dup(1)
    os.dup2(2, 1)  # what is printed goes beside the frames, not among them
    frames.write(results, _STARTED)
    status = 1
    try:
        module.main(payload, functools.partial(frames.write_frame, results))
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    if status == 0:
        frames.write(results, _FINISHED)
    os._exit(status)
