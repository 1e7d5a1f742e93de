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

MAX_BYTES = 200_000
"""Most evidence that is kept of one submission; runs beyond it would be run again."""
_MAX_RAW_BYTES = 16 * MAX_BYTES


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
        self._raw_bytes = 0
        self.runs = 0
        """How often student code was run."""

    def run(self, job: Job, tensors: Mapping[str, Tensor]) -> Log:
        """What *job* leaves behind, by an earlier run or by a new one."""
        key = hashlib.sha256(inside().encode() + msgspec.json.encode(job)).hexdigest()[:32]
        log = self._used.get(key) or self._kept.get(key)
        if log is None:
            self.runs += 1
            log = self._run(job, tensors)
        self._raw_bytes += sum(map(len, log.frames))
        if self._raw_bytes <= _MAX_RAW_BYTES:
            self._used[key] = log
        return log

    def encode(self) -> bytes:
        """All runs that were asked for, as bytes for a later `Evidence`: equal frames once, at most `MAX_BYTES`."""
        used = dict(self._used)
        while len(encoded := _encoded(used)) > MAX_BYTES:
            for _ in range(1 + len(used) // 8):  # an eighth at a time: encoding all of it takes long
                used.popitem()
        return encoded


def _encoded(used: Mapping[str, Log]) -> bytes:
    places: dict[bytes, int] = {}
    runs = {
        key: (replace(log, frames=()), tuple(places.setdefault(frame, len(places)) for frame in log.frames))
        for key, log in used.items()
    }
    return zlib.compress(msgspec.msgpack.encode(_All(runs, tuple(places))), 1)


def _decoded(encoded: bytes) -> dict[str, Log]:
    if not encoded:
        return {}
    kept = msgspec.msgpack.decode(zlib.decompress(encoded), type=_All)
    return {
        key: replace(log, frames=tuple(kept.frames[at] for at in places)) for key, (log, places) in kept.runs.items()
    }
