"""What the grader asks of one run. Plain data that crosses the trust boundary inwards."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from autograder.observation import Tree, pack, unpack

__all__ = ["NEXT", "Job", "Rebinding"]

NEXT: Tree = {"kind": "next"}
"""What a child sends between the runs of two jobs."""
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Rebinding:
    """The right values of a question that the submission has wrong."""

    question: str
    values: dict[str, Tree]
    """Descriptions by name; their tensors are the job's."""
    either_layout: Sequence[str] = ()
    """The names of those that are right with the batch or the steps first; described with the steps first."""
    calls: int = 0
    """With which call of the question's check they stand, 0 if it is never called: names may be used again later."""


@dataclass(frozen=True)
class Job:
    cells: list[str]
    names: dict[str, list[str]]
    """The names to take down at each question's check."""
    replacements: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)
    """The scenario: for a name, pairs of released and other values."""
    rebindings: list[Rebinding] = field(default_factory=list)
    batch_first: bool = False
    """The layout of what is rebound in either: tensors, and recurrent layers where the submission has none."""
    skip: list[int] = field(default_factory=list)
    """Numbers of statements that are known to hang or crash: they are not started again."""
    statement_seconds: float = 5.0
    values: bool = True
    """Whether tensors are taken down by value, or shape and dtype only."""
    verbose: bool = False
    """Whether error texts may leave the sandbox: only from the run at the released sizes."""
    late: bool = True
    """Whether an answer that a later cell changes is taken down again."""
    seed: int = 0
    """What every statement's random numbers start from."""

    def encode(self, tensors: Mapping[str, Tensor]) -> bytes:
        """The job as a payload; payloads put together are a payload of several jobs."""
        packed = pack(vars(self) | {"rebindings": [vars(rebinding) for rebinding in self.rebindings]}, tensors)
        return _LENGTH.pack(len(packed)) + packed

    @classmethod
    def decode(cls, payload: bytes) -> Iterator[tuple[Job, dict[str, Tensor]]]:
        """The jobs of a payload, each with its tensors."""
        place = 0
        while place < len(payload):
            (length,) = _LENGTH.unpack_from(payload, place)
            place += _LENGTH.size
            message, tensors = unpack(payload[place : place + length], trusted=True)
            place += length
            message["rebindings"] = [Rebinding(**rebinding) for rebinding in message["rebindings"]]
            yield cls(**message), tensors
