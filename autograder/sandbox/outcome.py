"""What a run in the sandbox comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Ending", "Outcome", "SandboxFault"]

Ending = Literal["finished", "timed-out", "crashed", "flooded"]


class SandboxFault(Exception):
    """The grader's own failure: the warm process died, or a child could not be confined. Never the student's."""


@dataclass(frozen=True)
class Outcome:
    """What came of one payload after student code had started: the submission's result, whatever it is."""

    frames: tuple[bytes, ...]
    """The complete frames that the child sent, in order; a last one that was cut off is left out."""
    printed: bytes
    """Standard output and error together if they were kept, cut at `Limits.output_bytes`."""
    ending: Ending
    """`finished`: the entry returned. `flooded`: the frames outgrew `Limits.frames_bytes`. `crashed`: all else."""
    signal: int | None
    """The signal that ended the child, if one did."""
    exit_code: int | None
    """The child's exit code, if it exited; after a payload it waits for another."""
    seconds: float
    """Wall time from the start of student code to its end."""
