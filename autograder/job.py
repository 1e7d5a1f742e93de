"""What the grader asks of one run. Plain data that crosses the trust boundary inwards."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from autograder.observation import Tree, pack, unpack

__all__ = ["Job", "Rebinding"]


@dataclass(frozen=True)
class Rebinding:
    """The right values of a question that the submission has wrong."""

    question: str
    values: dict[str, Tree]
    """Descriptions by name; their tensors are the job's."""


@dataclass(frozen=True)
class Job:
    cells: list[str]
    names: dict[str, list[str]]
    """The names to take down at each question's check."""
    replacements: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)
    """The scenario: for a name, pairs of released and other values."""
    rebindings: list[Rebinding] = field(default_factory=list)
    batch_first: bool = False
    """The layout of a rebound recurrent layer where the submission has none of its own."""
    skip: list[int] = field(default_factory=list)
    """Numbers of statements that are known to hang or crash: they are not started again."""
    statement_seconds: float = 5.0
    values: bool = True
    """Whether tensors are taken down by value, or shape and dtype only."""
    verbose: bool = False
    """Whether error texts may leave the sandbox: only from the run at the released sizes."""
    seed: int = 0
    """What every statement's random numbers start from."""

    def encode(self, tensors: dict[str, Tensor]) -> bytes:
        return pack(asdict(self), tensors)

    @classmethod
    def decode(cls, payload: bytes) -> tuple[Job, dict[str, Tensor]]:
        message, tensors = unpack(payload, trusted=True)
        message["rebindings"] = [Rebinding(**rebinding) for rebinding in message["rebindings"]]
        return cls(**message), tensors
