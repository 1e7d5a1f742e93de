"""What came back from one run: which records, which errors, how it ended. The bytes are a stranger's."""

from __future__ import annotations

import contextlib
import functools
import itertools
from dataclasses import dataclass, replace

from torch import Tensor

from autograder.job import NEXT
from autograder.observation import Malformed, Opaque, Tree, pack, restore, unpack
from autograder.records import StatementError

__all__ = ["Record", "RunLog"]

MESSAGES = 20_000
"""Most messages of a run that are read; an ordinary one has some hundred."""
SHORT = 2000
"""Bytes of a message, its tensors apart, that is not read twice: most of a class say the same."""
ERRORS = 50
"""Most errors of a run that are kept."""
MESSAGE_CHARACTERS = 2000
"""Longest error text."""
NAMES = 100
"""Most names that a statement was to bind."""
KIND_CHARACTERS = 100
"""Longest name of an error's class."""
STALLED = 20
"""Most statements of a run that are left out of later ones."""
_KINDS = {"started", "record", "error", "overtime", "finished"}
_NEXT = pack(NEXT)


def _message(frame: bytes) -> Tree:
    said = frame[: 4 + int.from_bytes(frame[:4], "little")]
    return _short_message(said) if len(said) <= SHORT else unpack(frame, tensors=False)[0]


@functools.lru_cache(maxsize=1024)
def _short_message(frame: bytes) -> Tree:
    """A message that is not to be changed."""
    return unpack(frame, tensors=False)[0]


@dataclass(frozen=True, eq=False)
class Record:
    """The names of one question, as they stood at one call of its check."""

    question: str
    trees: dict[str, Tree]
    frame: bytes
    when: str = "check"
    """At a call of the check; `late`: after a cell that changed the answer after that; `end`: there was no call."""

    @functools.cached_property
    def tensors(self) -> dict[str, Tensor]:
        try:
            return unpack(self.frame)[1]
        except Malformed:
            return {}

    @functools.cached_property
    def _restored(self) -> dict[str, object]:
        return {}

    def __getitem__(self, name: str) -> object:
        if name not in self._restored:
            tree = self.trees.get(name)
            try:
                self._restored[name] = restore(tree, self.tensors) if isinstance(tree, dict) else None
            except Malformed:
                self._restored[name] = Opaque("object")
        return self._restored[name]


@dataclass(frozen=True)
class RunLog:
    """One run of a submission under one scenario."""

    frames: tuple[bytes, ...]
    ending: str
    """`finished`, `timed-out`, `crashed` or `flooded`."""
    printed: str = ""
    lines: tuple[int, ...] = ()
    """How many lines each cell has: a place outside is no place, but could be a message."""
    seconds: float = 0.0
    """How long it took, if that was measured when it was run."""
    clean: bool = True
    """Whether nothing of the submission had run in its process before: else what fails may fail because of that."""

    def parted(self, jobs: int, *, first: bool = True) -> list[RunLog | None]:
        """The log of so many *jobs*, the *first* of their process or not, job by job; None for those not come to."""
        places = [-1, *(place for place, frame in enumerate(self.frames) if frame == _NEXT), len(self.frames)]
        parts = [self.frames[start + 1 : end] for start, end in itertools.pairwise(places)][:jobs]
        endings = [*["finished"] * (len(parts) - 1), self.ending]
        seconds = self.seconds / len(parts)
        logs = [
            replace(self, frames=frames, ending=ending, clean=first and number == 0, seconds=seconds)
            for number, (frames, ending) in enumerate(zip(parts, endings, strict=True))
        ]
        return [*logs, *[None] * (jobs - len(logs))]

    @functools.cached_property
    def messages(self) -> list[tuple[Tree, bytes]]:
        found = []
        for frame in self.frames[:MESSAGES]:
            with contextlib.suppress(Malformed):
                message = _message(frame)
                if message.get("kind") in _KINDS:
                    found.append((message, frame))
        return found

    @functools.cached_property
    def records(self) -> list[Record]:
        return [
            Record(str(message.get("question")), message["values"], frame, str(message.get("when")))
            for message, frame in self.messages
            if message.get("kind") == "record" and isinstance(message.get("values"), dict)
        ]

    def candidates(self, question: str, later: list[str]) -> list[Record]:
        """The records that may count for *question*.

        These are its last before a check of a *later* question, its last at a check, and its last of all.
        """
        own = [record for record in self.records if record.question == question]
        called = [record for record in own if record.when == "check"]
        settled = [called[number - 1] for number in self.settling_calls(question, later)]
        return list(dict.fromkeys([*settled, *own[-1:]]))

    def settling_calls(self, question: str, later: list[str]) -> list[int]:
        """Which calls of a question's check, counted from 1, may be the one that its answer is ready for."""
        calls, first = 0, 0
        for record in self.records:
            if record.question == question:
                calls += record.when == "check"
            elif record.when == "check" and not first and record.question in later:
                first = calls
        return [number for number in dict.fromkeys((first, calls)) if number]

    @functools.cached_property
    def errors(self) -> list[StatementError]:
        """The errors that statements raised, in order; texts only where the run was asked for them."""
        found: list[StatementError] = []
        for message, _ in self.messages:
            if message.get("kind") not in ("error", "overtime") or len(found) >= ERRORS:
                continue
            if place := self._place(message):
                names = tuple(map(str, message["names"][:NAMES])) if isinstance(message.get("names"), list) else ()
                kind = "TimeLimit" if message["kind"] == "overtime" else str(message.get("type"))[:KIND_CHARACTERS]
                words = str(message.get("message", ""))[:MESSAGE_CHARACTERS]
                found.append(StatementError(*place, kind, words, "", names))
        return found

    @functools.cached_property
    def last_started(self) -> tuple[int, int] | None:
        """Cell and line of the statement that was started last."""
        for message, _ in reversed(self.messages):
            place = self._place(message)
            if message.get("kind") == "started" and place:
                return place
        return None

    def _place(self, message: Tree) -> tuple[int, int] | None:
        """The cell and line that *message* tells of, if the submission has them."""
        cell, line = message.get("cell"), message.get("line")
        if type(cell) is int and type(line) is int and 0 < cell <= len(self.lines) and 0 < line <= self.lines[cell - 1]:
            return cell, line
        return None

    @functools.cached_property
    def stalled(self) -> tuple[int, ...]:
        """The statements that outran their time, or with which the run ended."""
        last: int | None = None
        found = []
        for message, _ in self.messages:
            number = message.get("statement")
            if message.get("kind") == "started" and type(number) is int and abs(number) <= MESSAGES:
                last = number
            elif message.get("kind") == "overtime" and last is not None:
                found.append(last)
        if self.ending != "finished" and last is not None:
            found.append(last)
        return tuple(dict.fromkeys(found))[:STALLED]
