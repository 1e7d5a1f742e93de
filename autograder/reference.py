"""The reference's values: the solution notebook, run by the same engine as a submission."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from autograder import course, pins
from autograder.job import Job, Rebinding
from autograder.runlog import Record, RunLog

__all__ = ["Reference", "ReferenceValues", "replacements"]


class ReferenceValues:
    """All names of the solution as they stand at one question's check, as attributes.

    Layers are real, with their pinned parameters. Do not change the values: they are made once.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        value = self._record[name]
        if value is None:
            raise AttributeError(f"the solution binds no name {name!r} at the check of {self._record.question}")
        if isinstance(value, nn.Module):
            value = type(value)(**self._record.trees[name]["config"])
            pins.pin(value)
        setattr(self, name, value)
        return value

    def rebinding(self, question: course.Question, calls: int, tensors: dict[str, Tensor]) -> Rebinding:
        """The names of *question* as a follow-through puts them right; their tensors are added to *tensors*."""
        values = {}
        for name in question.names:
            values[name] = _rekeyed(self._record.trees[name], f"{question.id}.", self._record.tensors, tensors)
        return Rebinding(question.id, values, question.either_layout, calls)


def _rekeyed(tree: Any, prefix: str, source: dict[str, Tensor], target: dict[str, Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    copy = {key: _rekeyed(value, prefix, source, target) for key, value in tree.items()}
    if tree.get("is") == "tensor" and "key" in tree:
        copy["key"] = prefix + tree["key"]
        target[copy["key"]] = source[tree["key"]]
    return copy


class Reference:
    """The solution's values in every hidden scenario."""

    def __init__(self, run: Callable[[Sequence[Job]], list[RunLog]]) -> None:
        cells = list(course.reference_cells())
        names = {question.id: _names_bound(cells) for question in course.questions()}
        self._values: dict[tuple[str, str], ReferenceValues] = {}
        jobs = [Job(cells, names, replacements(scenario)) for scenario in course.scenarios()]
        for scenario, log in zip(course.scenarios(), run(jobs), strict=True):
            if log.errors or log.ending != "finished":
                raise RuntimeError(f"the solution fails in scenario {scenario.id!r}: {log.errors} ({log.ending})")
            for record in log.records:
                self._values[scenario.id, record.question] = ReferenceValues(record)

    def at(self, scenario: course.Scenario, question: str) -> ReferenceValues:
        return self._values[scenario.id, question]


def _names_bound(cells: list[str]) -> list[str]:
    trees = [ast.parse(cell) for cell in cells]
    nodes = (node for tree in trees for node in ast.walk(tree))
    return sorted({node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)})


@functools.cache
def _released() -> dict[str, Any]:
    return dict(course.released_values())


def replacements(scenario: course.Scenario) -> dict[str, list[tuple[Any, Any]]]:
    """The scenario as a run wants it: for each name, the released value and the one to put in its place.

    The names are those of all scenarios: statements that bind them are prepared once for all runs of a child.
    """
    names = dict.fromkeys(name for one in course.scenarios() for name in one.values)
    return {name: [(_released()[name], scenario.values[name])] if name in scenario.values else [] for name in names}
