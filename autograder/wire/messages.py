"""What a child says of its run, and the one decoder for it. The bytes may be forged: what is odd is `Malformed`."""

from typing import Annotated, Literal

import msgspec

from autograder.wire.values import Described, Malformed

__all__ = ["Cell", "Failure", "Finished", "Message", "Outline", "Recorded", "Started", "decode", "encode"]

Number = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""No honest one is longer, and what is asked of a later run may hold it."""


class Started(msgspec.Struct, frozen=True, tag=True):
    """A statement begins."""

    statement: Number
    """Its number in the program, from 0. Below zero it is a cell, by its number, that is taken apart; beyond the last
    statement it is a question, by its place, that is taken down at the end."""
    cell: Number
    line: Number
    resident: Number
    """The most memory that the process has occupied so far, in KiB."""


class Failure(msgspec.Struct, frozen=True, tag=True):
    """The error that kept a statement from its end, and its names from being bound."""

    kind: str
    """The exception's class name."""
    cell: Number
    line: Number
    text: str = ""
    """Only where the run may tell."""


class Cell(msgspec.Struct, frozen=True):
    """A code cell of the student's own."""

    number: Number
    """From 1."""
    binds: dict[str, tuple[Number, Number]]
    """The names, of those that are asked for or given, that its statements bind: from which line to which."""
    numbers: tuple[tuple[Number, Number], ...] = ()
    """The whole numbers written in it that `Job.numbers` replaces, each with its line."""


class Outline(msgspec.Struct, frozen=True, tag=True):
    """What the cells are, before any of them is run."""

    own: tuple[Cell, ...]


class Recorded(msgspec.Struct, frozen=True, tag=True):
    """The names of one question, as they stood at a call of its check or at the end of the notebook.

    Where nothing has changed since the last call, they are not sent again at the end.
    """

    question: str
    when: Literal["check", "end"]
    values: dict[str, Described]
    failures: dict[str, Failure] = {}
    """By name, the error of the last statement that was to bind it, if it did not."""
    changed: tuple[str, ...] = ()
    """The given names, and those of earlier questions, that differ from what they were when they were settled."""


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The run came to the end of the notebook."""


Message = Started | Failure | Outline | Recorded | Finished
_decoder = msgspec.json.Decoder(Message)
_LENGTH = 4


def encode(message: Message, blob: bytes = b"") -> bytes:
    """One frame: the length of the JSON part, the JSON, and the tensors if there are any."""
    body = msgspec.json.encode(message)
    return len(body).to_bytes(_LENGTH, "little") + body + blob


def decode(frame: bytes) -> tuple[Message, bytes]:
    """The message of *frame* and the blob of its tensors. Raises `Malformed`."""
    length = int.from_bytes(frame[:_LENGTH], "little")
    if len(frame) < _LENGTH + length:
        raise Malformed("a message that is cut off")
    try:
        return _decoder.decode(frame[_LENGTH : _LENGTH + length]), frame[_LENGTH + length :]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        raise Malformed(f"a message that cannot be read: {type(problem).__name__}") from problem
