"""The reference's values: the solution notebook, run by the same engine as a submission."""

import functools
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from autograder import course
from autograder.course.files import expect
from autograder.course.scenarios import margin
from autograder.wire.job import Job
from autograder.wire.log import Log, Record
from autograder.wire.values import Described, Layer, Packed, TensorData, described

__all__ = ["Reference", "ReferenceValues", "Runner", "Solution"]

Runner = Callable[[Job, Mapping[str, Tensor]], Log]
"""Runs a job, with the tensors that it refers to, in a process of its own."""
ATTEMPTS = 200
"""So many private numbers are tried; one in a few is fit."""


class ReferenceValues:
    """The names of the solution that a question is compared with, and the given ones, as they stand at its check.

    Do not change the values: all submissions are compared with the same ones.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        value = self._record[name]
        if value is None:
            raise AttributeError(f"the solution binds no name {name!r} at the check of {self._record.message.question}")
        return value

    def described(self, names: tuple[str, ...], tensors: dict[str, Tensor]) -> dict[str, Described]:
        """Those of *names* that are bound, as a job describes them; their tensors are added to *tensors*."""
        found = {name: self._record.message.values[name] for name in names}
        for name, value in found.items():
            if isinstance(value, (TensorData, Packed)):
                found[name] = described(self._record[name], tensors)
        return {name: value for name, value in found.items() if value is not None}


class Solution:
    """The solution under one scenario, with the numbers that *salt* gives to layers."""

    def __init__(self, log: Log, salt: str = "") -> None:
        self.salt = salt
        self.log = log
        self.records = {r.message.question: r for r in log.records if r.message.when == "check"}
        self.at = {question: ReferenceValues(record) for question, record in self.records.items()}
        """The values at the check of each question."""

    @functools.cached_property
    def given(self) -> tuple[Mapping[str, Mapping[str, Described]], Mapping[str, Tensor]]:
        """What the given names are at each question's check, and the tensors of their descriptions."""
        tensors: dict[str, Tensor] = {}
        return {question: values.described(course.given(), tensors) for question, values in self.at.items()}, tensors

    def has_tensors(self, question: str) -> bool:
        """Whether the right values of *question* are more than layers."""
        names = course.question(question).names
        return not all(isinstance(getattr(self.at[question], name), Layer) for name in names)


class Reference:
    """The solution under every scenario, with the numbers that all submissions share or with private ones."""

    def __init__(self, run: Runner) -> None:
        self.shared: Callable[[course.Scenario], Solution] = functools.cache(functools.partial(_solved, run))
        """The solution under a scenario, with the numbers that all submissions share."""

    def private(self, scenario: course.Scenario, identity: bytes, run: Runner) -> Solution:
        """The solution with the first of the numbers that *identity* gives under which it decides clearly."""
        for attempt in range(ATTEMPTS):
            salt = hmac.new(identity, f"{scenario.id} {attempt}".encode(), hashlib.sha256).hexdigest()
            solution = _solved(run, scenario, salt)
            value = solution.log.records[-1]["margin"]
            if isinstance(value, float) and value >= margin().least:
                return solution
        raise course.CourseError(f"no private numbers are fit in scenario {scenario.id!r}")


def _solved(run: Runner, scenario: course.Scenario, salt: str = "") -> Solution:
    names = {question.id: (*question.compared, *course.given()) for question in course.questions()}
    cells = course.reference_cells()
    if salt:
        cells, names = (*cells, margin().code), {**names, "margin": ("margin",)}
    log = run(Job(cells, names, course.replacements(scenario), salt=salt), {})
    solution = Solution(log, salt)
    if log.failures or not log.finished:
        errors = (f"code cell {one.cell}, line {one.line}: {one.kind}" for one in log.failures)
        said = next(errors, "it does not come to its end")
        raise course.CourseError(f"solutions/rnn.ipynb fails in scenario {scenario.id!r}: {said}")
    expect("solutions/rnn.ipynb", "check of", [one.id for one in course.questions()], solution.at)
    held = [one for record in solution.records.values() for one in record.message.values.items()]
    expect("tests/hidden/given.py", "name", course.given(), {name for name, value in held if value is not None})
    return solution
