"""What known mistakes leave behind under the shown examples: observed once, and kept on disk by fingerprint."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pwd
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder import course
from autograder.course.corpus import Misconception, misconceptions
from autograder.grading.hidden import Look, Looking
from autograder.grading.reference import Reference, Run
from autograder.grading.trials import Trial, observe
from autograder.wire.log import Record
from autograder.wire.messages import Recorded, decode, encode
from autograder.wire.values import Malformed

__all__ = ["Known", "Learned"]


@dataclass(frozen=True)
class Known:
    """A known mistake, and what it leaves behind, by shown example."""

    misconception: Misconception
    records: Mapping[str, Record]


class Learned:
    """The misconceptions of each question, learned when first asked for, by whichever process comes first."""

    def __init__(self, run: Run, reference: Reference, look: Looking) -> None:
        self._run = run
        self._reference = reference
        self._look = look
        self._known: dict[str, list[Known]] = {}
        self._shows: dict[tuple[str, str], bool] = {}

    def of(self, question: course.Question) -> list[Known]:
        if question.id not in self._known:
            records = self._records(question)
            examples = len(course.shown_examples())
            own = [one for one in misconceptions() if len(records.get(one.id, ())) == examples]
            self._known[question.id] = [Known(one, records[one.id]) for one in own]
        return self._known[question.id]

    def shows(self, known: Known, example: course.Scenario) -> bool:
        """Whether any check fails there."""
        key = known.misconception.id, example.id
        if key not in self._shows:
            question = known.misconception.question
            right = self._reference.shared(example).at[question]
            found = self._look(Look(question, known.records[example.id], right, example))
            self._shows[key] = any(note is not None for note in found.values())
        return self._shows[key]

    def _records(self, question: course.Question) -> dict[str, dict[str, Record]]:
        folder = _folder()
        under = "-".join(example.id for example in course.shown_examples())
        path = folder / f"{course.fingerprint()[:32]}-{question.id}-{under}"
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                with contextlib.suppress(Malformed, msgspec.MsgspecError, ValueError):
                    return _decoded(path.read_bytes())
            records = self._observed(question)
            if any(len(examples) < len(course.shown_examples()) for examples in records.values()):
                return records  # a run did not come to its end, as under brief limits: the next grader learns anew
            for former in folder.glob(f"*-{question.id}*"):
                if not former.name.startswith(course.fingerprint()[:32]):
                    former.unlink()
            partial = folder / "partial"
            partial.write_bytes(_encoded(records))
            os.replace(partial, path)
        return records

    def _observed(self, question: course.Question) -> dict[str, dict[str, Record]]:
        own = [one for one in misconceptions() if one.question == question.id]
        trials = [Trial(one.id, question.id, one.answers) for one in own]
        found: dict[str, dict[str, Record]] = {one.id: {} for one in own}
        for example in course.shown_examples():
            for name, record in observe(trials, example, self._reference.shared(example), self._run).items():
                found[name][example.id] = record
        return found


@functools.cache
def _folder() -> Path:
    """Where what was learned is kept: in the user's cache, or for as long as this process lives.

    Not by `HOME`, which grading processes do not have.
    """
    with contextlib.suppress(OSError, KeyError):
        cache = Path(pwd.getpwuid(os.getuid()).pw_dir, ".cache", "rnn-autograder")
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    return Path(tempfile.mkdtemp(prefix="rnn-autograder-"))


def _encoded(records: Mapping[str, Mapping[str, Record]]) -> bytes:
    frames = {
        name: {example: encode(record.message, record.blob) for example, record in by_example.items()}
        for name, by_example in records.items()
    }
    return msgspec.msgpack.encode(frames)


def _decoded(content: bytes) -> dict[str, dict[str, Record]]:
    frames = msgspec.msgpack.decode(content, type=dict[str, dict[str, bytes]])
    return {name: {id_: _record(frame) for id_, frame in examples.items()} for name, examples in frames.items()}


def _record(frame: bytes) -> Record:
    message, blob = decode(frame)
    if not isinstance(message, Recorded):
        raise Malformed("no record")
    return Record(message, blob)
