"""What the runs of a submission left behind, kept so that it can be graded again without running it.

A run is looked up by what determines it: the code, the scenario, the rebindings, and the part of the engine that runs
inside the sandbox. Not by what is asked of it afterwards, so a mended check finds the runs that it needs.
"""

from __future__ import annotations

import functools
import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder import course

if TYPE_CHECKING:
    from autograder.job import Job
    from autograder.runlog import RunLog
    from autograder.runner import JobWithTensors, Run

__all__ = ["MAX_BYTES", "Evidence"]

MAX_BYTES = 200_000
"""Most evidence that is kept of one submission; runs beyond it would be run again."""
_MAX_RAW_BYTES = 8 * MAX_BYTES
_LENGTH = struct.Struct("<I")
_INSIDE = ("child/*.py", "pins.py", "observation.py", "job.py")
"""The files that run inside the sandbox."""
_PLAIN = ("ending", "printed", "lines", "seconds", "clean")
"""The fields of a `RunLog` beside its frames."""


@dataclass(frozen=True)
class _Kept:
    log: RunLog
    names: Mapping[str, Sequence[str]]
    """What was taken down at each question's check."""

    def answers(self, job: Job) -> bool:
        """Whether all was taken down that *job* asks for."""
        return all(set(names) <= set(self.names.get(question, ())) for question, names in job.names.items())


class Evidence:
    """The runs of one submission: looked up among those *kept* from an earlier grading, else made by *run*."""

    def __init__(self, run: Run, kept: bytes = b"") -> None:
        self._run = run
        self._kept = _decoded(kept)
        self._used: dict[str, _Kept] = {}
        self._bytes = 0
        self.runs = 0
        """How often student code was run."""

    def run(self, jobs: Sequence[JobWithTensors], seconds: float) -> list[RunLog | None]:
        """What *jobs* leave behind, by earlier runs or by new ones of at most *seconds*.

        A single job's run is one that was the first of its child.
        """
        keys = [_key(job) for job, _ in jobs]
        logs = [self._known(key, job, clean=len(jobs) == 1) for key, (job, _) in zip(keys, jobs, strict=True)]
        missing = [index for index, log in enumerate(logs) if log is None]
        if missing:
            self.runs += 1
            for index, log in zip(missing, self._run([jobs[index] for index in missing], seconds), strict=True):
                logs[index] = log
        for key, (job, _), log in zip(keys, jobs, logs, strict=True):
            if log is not None:
                self._use(key, _Kept(log, job.names))
        return logs

    def _known(self, key: str, job: Job, *, clean: bool) -> RunLog | None:
        kept = self._used.get(key) or self._kept.get(key)
        return kept.log if kept and kept.answers(job) and (kept.log.clean or not clean) else None

    def _use(self, key: str, kept: _Kept) -> None:
        if key not in self._used:
            self._bytes += sum(len(frame) + _LENGTH.size for frame in kept.log.frames)
        if self._bytes <= 4 * _MAX_RAW_BYTES:  # hostile runs can leave a gigabyte behind, and could not be kept
            self._used[key] = kept

    def encode(self) -> bytes:
        """All runs that were asked for, as bytes for a later `Evidence`: equal frames once, at most `MAX_BYTES`."""
        used = list(self._used.items())
        while len(encoded := _encoded(used)) > MAX_BYTES:
            used.pop()
        return encoded


def _encoded(runs: Sequence[tuple[str, _Kept]]) -> bytes:
    places: dict[bytes, int] = {}
    entries: list[dict[str, Any]] = []
    size = 0
    for key, kept in runs:
        size += sum(len(frame) for frame in set(kept.log.frames) if frame not in places)
        size += _LENGTH.size * len(kept.log.frames)
        if size > _MAX_RAW_BYTES:
            break
        frames = [places.setdefault(frame, len(places)) for frame in kept.log.frames]
        log = {name: getattr(kept.log, name) for name in _PLAIN}
        entries.append({"key": key, "names": kept.names, "frames": frames, "log": log})
    header = json.dumps({"runs": entries, "lengths": [len(frame) for frame in places]}).encode()
    return zlib.compress(b"".join([_LENGTH.pack(len(header)), header, *places]), 1)


def _decoded(encoded: bytes) -> dict[str, _Kept]:
    if not encoded:
        return {}
    from autograder.runlog import RunLog

    raw = memoryview(zlib.decompress(encoded))
    (length,) = _LENGTH.unpack_from(raw)
    place = _LENGTH.size + length
    header = json.loads(bytes(raw[_LENGTH.size : place]))
    frames = []
    for length in header["lengths"]:
        frames.append(bytes(raw[place : place + length]))
        place += length
    return {
        run["key"]: _Kept(
            RunLog(
                tuple(frames[index] for index in run["frames"]), **run["log"] | {"lines": tuple(run["log"]["lines"])}
            ),
            run["names"],
        )
        for run in header["runs"]
    }


def _key(job: Job) -> str:
    determining: dict[str, Any] = {
        **{"inside": _inside(), "cells": _code(tuple(job.cells)), "replacements": job.replacements, "skip": job.skip},
        **{"batch_first": job.batch_first, "values": job.values, "verbose": job.verbose},
    }
    if job.rebindings:
        # Not by the numbers of the reference, whose last bits differ from machine to machine.
        determining |= {"rebindings": [vars(rebinding) for rebinding in job.rebindings], "reference": _reference()}
    return hashlib.sha256(json.dumps(determining, sort_keys=True).encode()).hexdigest()[:32]


@functools.lru_cache(maxsize=1)
def _code(cells: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


@functools.cache
def _inside() -> str:
    import torch

    digest = hashlib.sha256(torch.__version__.encode())
    engine = course.ROOT / "autograder"
    for path in sorted(path for pattern in _INSIDE for path in engine.glob(pattern)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@functools.cache
def _reference() -> str:
    return hashlib.sha256("\0".join(course.reference_cells()).encode()).hexdigest()
