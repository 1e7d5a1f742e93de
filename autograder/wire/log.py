"""What came back from one run, read within a budget. The bytes may be forged: what is malformed is passed over."""

import contextlib
import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from autograder.wire.messages import Failure, Message, Outline, Recorded, Started, decode
from autograder.wire.values import Malformed, Other, Value, load_tensors, restore

__all__ = ["Log", "Position", "Record"]

RUN_JSON_BYTES = 1 << 20
"""Most JSON of a run that is read, all messages together; an ordinary one has some hundred short ones."""
HALF_OF_MEMORY = 512 << 10
"""KiB. If a process grew by more before its last statement, an earlier one may have taken the memory."""

Position = tuple[int, int]
"""Cell and line, both from 1."""


@dataclass(frozen=True, eq=False)
class Record:
    """The names of one question, as they stood at one moment."""

    message: Recorded
    blob: bytes = b""

    @functools.cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """The tensors that the descriptions refer to. Raises `Malformed`."""
        return load_tensors(self.blob)

    def __getitem__(self, name: str) -> Value:
        """What the name held; None if nothing, and an `Other` if no honest child would describe it so."""
        try:
            return restore(self.message.values.get(name), self.tensors)
        except Malformed:
            return Other("object")

    @property
    def failures(self) -> Mapping[str, Failure]:
        return self.message.failures


_NOTHING = Record(Recorded("", "end", {}))


@dataclass(frozen=True, eq=False)
class Log:
    """One run of a submission under one scenario."""

    frames: tuple[bytes, ...] = ()
    finished: bool = False
    lines: tuple[int, ...] = ()
    """How many lines each cell has. A place outside of these is not passed on, since a child could hide data in it."""
    of_memory: bool = False
    """Whether it may have ended for want of memory."""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    @functools.cached_property
    def _messages(self) -> list[Message | Record]:
        found, room = list[Message | Record](), RUN_JSON_BYTES
        for frame in self.frames:
            room -= int.from_bytes(frame[:4], "little")
            if room < 0:
                break
            with contextlib.suppress(Malformed):
                message, blob = decode(frame)
                found.append(Record(message, blob) if isinstance(message, Recorded) else message)
        return found

    @functools.cached_property
    def outline(self) -> Outline:
        return next((message for message in self._messages if isinstance(message, Outline)), Outline(()))

    @functools.cached_property
    def records(self) -> list[Record]:
        return [message for message in self._messages if isinstance(message, Record)]

    @functools.cached_property
    def failures(self) -> list[Failure]:
        """The errors that statements raised, in order."""
        raised = (message for message in self._messages if isinstance(message, Failure))
        return [one for one in raised if self._is_place(one.cell, one.line)]

    def settling_call(self, question: str, later: Sequence[str]) -> int:
        """Which call of a question's check, counted from 1, is its last before a check of a *later* one; 0 for none."""
        checked = [record.message.question for record in self.records if record.message.when == "check"]
        return list(itertools.takewhile(lambda one: one not in later, checked)).count(question)

    def settled_in(self, question: str, later: Sequence[str]) -> int:
        """The cell of that call; 0 if there is none."""
        cell, cells = 0, [0]
        for message in self._messages:
            match message:
                case Started():
                    cell = message.cell
                case Record(message=Recorded(when="check")) if message.message.question == question:
                    cells.append(cell)
        return cells[self.settling_call(question, later)]

    def moments(self, question: str, later: Sequence[str]) -> list[Record]:
        """The two moments at which an answer counts.

        They are the last call of its check before a later question's check, and the end of the notebook.
        """
        own = [record for record in self.records if record.message.question == question]
        checked = [record for record in own if record.message.when == "check"]
        ended = [record for record in own if record.message.when == "end"] or checked
        settled = checked[: self.settling_call(question, later)]
        return [one[-1] if one else _NOTHING for one in (settled, ended)]

    def culprit(self) -> tuple[int, Position] | None:
        """The statement that kept the run from its end, and where it stands; None where none was started."""
        started = [message for message in self._messages if isinstance(message, Started)]
        if self.finished or not started:
            return None
        last = started[-1]
        if self.of_memory and last.resident - started[0].resident > HALF_OF_MEMORY:  # it may be small itself
            growths = [after.resident - before.resident for before, after in itertools.pairwise(started)]
            last = started[growths.index(max(growths))]
        place = (last.cell, last.line) if self._is_place(last.cell, last.line) else (1, 1)
        return last.statement, place

    def _is_place(self, cell: int, line: int) -> bool:
        return 0 < cell <= len(self.lines) and 0 < line <= max(1, self.lines[cell - 1])
