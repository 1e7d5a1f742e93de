"""Student code in a fresh interpreter for each run, with no confinement: for one's own file, where there is no Linux.

The same interface as the warm process, without its speed. Standard output carries the frames, standard error what the
code prints.
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

__all__ = ["PlainProcess", "serve"]


class PlainProcess:
    """No process yet: each run has its own. Of the limits, it keeps those of time and of output."""

    def __init__(self, entry: str) -> None:
        self._command = [sys.executable, "-c", "from autograder.sandbox.plain import serve; serve()", entry]

    def reached(self) -> str:
        return "a process of its own and a time limit only"

    def run(self, payload: bytes, limits: Limits, *, capture: bool) -> Outcome:
        """Run the entry on *payload*. Raises SandboxFault if it could not be started."""
        begun = time.monotonic()
        most = len(frames.STARTED) + limits.frames_bytes + len(frames.FINISHED)
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
                sent, printed = process.communicate(payload, timeout=READY_SECONDS + limits.wall_seconds)
            except subprocess.TimeoutExpired:
                ending = "timed-out"
                process.kill()
                sent, printed = process.communicate()
        if not sent.startswith(frames.STARTED):
            raise SandboxFault(f"student code could not be started: {printed[-2000:].decode(errors='replace')}")
        received, finished = frames.parse(sent[len(frames.STARTED) : most])
        if ending is None and len(sent) > most:
            ending = "flooded"
        return Outcome(
            frames=received,
            printed=printed[: limits.output_bytes] if capture else b"",
            ending=ending or ("finished" if finished and process.returncode == 0 else "crashed"),
            signal=-process.returncode if process.returncode < 0 else None,
            exit_code=process.returncode if process.returncode >= 0 else None,
            seconds=time.monotonic() - begun,
        )

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing outlives a run."""


def serve() -> None:
    """The other side: one run of the entry that the first argument names, on what standard input holds."""
    module = importlib.import_module(sys.argv[1])
    module.warm()
    payload = sys.stdin.buffer.read()
    results = os.dup(1)
    os.dup2(2, 1)  # what is printed goes beside the frames, not among them
    frames.write(results, frames.STARTED)
    status = 1
    try:
        module.main(payload, functools.partial(frames.write_frame, results))
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    if status == 0:
        frames.write(results, frames.FINISHED)
    os._exit(status)
