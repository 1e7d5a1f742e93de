"""What the runs of a submission left behind, kept so that it can be graded again without running it.

A run is looked up by what determines it: the job, and the part of the engine that runs inside the sandbox. So after a
check was mended the runs that it needs are still found.
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import replace

import msgspec
from torch import Tensor

from autograder.course.deciding import inside
from autograder.grading.reference import Runner
from autograder.wire.job import Job
from autograder.wire.log import Log

__all__ = ["MAX_BYTES", "Evidence"]

MAX_BYTES = 1_000_000
"""Most evidence that is kept of one submission, before it is compressed; runs beyond it would be run again."""


class _All(msgspec.Struct, frozen=True):
    """All runs: each log without its frames but with their places in *frames*, where equal ones stand once."""

    runs: dict[str, tuple[Log, tuple[int, ...]]]
    frames: tuple[bytes, ...]


class Evidence:
    """The runs of one submission: looked up among those *kept* from an earlier grading, else made by *run*."""

    def __init__(self, run: Runner, kept: bytes = b"") -> None:
        self._run = run
        self._kept = _decoded(kept)
        self._used: dict[str, Log] = {}
        self._frames = dict[bytes, None]()
        """Those of the runs that are used, in order."""
        self.runs = 0
        """How often student code was run."""

    def run(self, job: Job, tensors: Mapping[str, Tensor]) -> Log:
        """What *job* leaves behind, by an earlier run or by a new one."""
        key = hashlib.sha256(inside().encode() + msgspec.json.encode(job)).hexdigest()[:32]
        log = self._used.get(key) or self._kept.get(key)
        if log is None:
            self.runs += 1
            log = self._run(job, tensors)
        frames = self._frames | dict.fromkeys(log.frames)
        if sum(map(len, frames)) <= MAX_BYTES:
            self._used[key], self._frames = log, frames
        return log

    def encode(self) -> bytes:
        """The runs that were used, as bytes for a later `Evidence`: equal frames once."""
        places = {frame: place for place, frame in enumerate(self._frames)}
        runs = {
            key: (replace(log, frames=()), tuple(places[frame] for frame in log.frames))
            for key, log in self._used.items()
        }
        return zlib.compress(msgspec.msgpack.encode(_All(runs, tuple(places))), 1)


def _decoded(encoded: bytes) -> dict[str, Log]:
    if not encoded:
        return {}
    kept = msgspec.msgpack.decode(zlib.decompress(encoded), type=_All)
    return {
        key: replace(log, frames=tuple(kept.frames[at] for at in places)) for key, (log, places) in kept.runs.items()
    }
