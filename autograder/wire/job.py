"""What the grader asks of one run: plain data that crosses the trust boundary inwards."""

from collections.abc import Mapping
from typing import Any

import msgspec
from safetensors.torch import load
from torch import Tensor

from autograder.wire.values import Described, save_tensors

__all__ = ["Correction", "Job", "decode_job", "encode_job"]


class Correction(msgspec.Struct, frozen=True):
    """The right values of a question that a submission has wrong, or right only after later ones."""

    question: str
    values: dict[str, Described]
    """By name; their tensors are the job's, with the steps first where either layout is right."""
    either_layout: tuple[str, ...] = ()
    """The names of those that are right with the batch or the steps first."""
    batch_first: bool = False
    """Which of the two these get, and recurrent layers that the submission lacks."""


class Job(msgspec.Struct, frozen=True):
    """One run of a submission's cells under one scenario."""

    cells: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    """What is taken down at each question's check, in the order of the questions."""
    replacements: Mapping[str, tuple[Any, Any]] = {}
    """The scenario: for a given name, the released value and the one that takes its place."""
    given: Mapping[str, Mapping[str, Described]] = {}
    """For each question, what the given names are to be when its check is reached."""
    put_back: bool = False
    """Whether given names, and those of earlier questions, are put back to what they are to be."""
    corrections: tuple[Correction, ...] = ()
    settling_calls: Mapping[str, int] = {}
    """For questions, which call of the check, from 1, settles it. After it the student may use the names for other
    things; until then, or to the end if this is 0, wrong values are replaced. Where it is not told, every call does."""
    numbers: Mapping[int, int] = {}
    """Released sizes, each with the scenario's: an outline tells where they are written in the student's own cells."""
    numbered: tuple[tuple[int, int], ...] = ()
    """Which of these are replaced by the scenario's: the cell of each, and its place in that cell's outline, from 0."""
    skip: tuple[int, ...] = ()
    """Statements that are known not to end: they are not started again."""
    salt: str = ""
    """What pinned parameters depend on beside their layer, name and shape."""
    seed: int = 0
    """What every statement's random numbers start from."""
    statement_seconds: float = 5.0
    """Processor time after which a statement is stopped."""
    public: bool = False
    """Whether the inputs may be shown: only then may error texts leave the process."""


def encode_job(job: Job, tensors: Mapping[str, Tensor]) -> bytes:
    """The job as a payload, with the tensors of its corrections and given values."""
    return msgspec.msgpack.encode((job, save_tensors(tensors)))


def decode_job(payload: bytes) -> tuple[Job, dict[str, Tensor]]:
    """The job and its tensors."""
    job, blob = msgspec.msgpack.decode(payload, type=tuple[Job, bytes])
    return job, load(blob) if blob else {}
