"""Follow-through: what earlier questions left wrong, or cells changed, is put right before a later one is graded."""

import contextlib
import itertools
from collections import deque
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from autograder.student import layers
from autograder.student.handout import given
from autograder.wire.job import Correction, Job
from autograder.wire.values import TENSOR_BYTES, Described, Layer, restore

__all__ = ["FollowThrough"]


class FollowThrough:
    """Keeps the names of settled questions, and the given ones, at what they are to be.

    A question is settled with the call of its check that counts. From then on its names are the student's to use again;
    before the next question is answered they are put back.
    """

    def __init__(self, job: Job, tensors: dict[str, Tensor], namespace: dict[str, Any]) -> None:
        self.job = job
        self.tensors = tensors
        self.namespace = namespace
        self.calls: dict[str, int] = {}
        self.by_name = {name: correction for correction in job.corrections for name in correction.values}
        self.settled: dict[str, Any] = {}
        """What the names of settled questions held: copies of what may be changed in place."""
        self._ahead = deque[tuple[int, int, str]]()
        """What is still to be answered: by which statement, in which cell, which question."""
        self.protected = set[str]().union(*(cell.names for cell in given().values()), *job.names.values())
        """All names that are asked for or given: none is bound to something else because it holds the same object."""

    def correct(self, names: Iterable[str]) -> None:
        """Put right values in the place of the wrong ones that *names* have, unless a name is used again by now.

        All are worked out before any is bound.
        """
        wrong = [name for name in names if name in self.by_name and self._is_open(self.by_name[name])]
        self._bind({name: self._right(name) for name in wrong})

    def changed(self, question: str) -> tuple[str, ...]:
        """The given names, and those of settled questions, that are not what they are to be at its check."""
        right = {name: kept for name, kept in self.settled.items() if name not in self.job.names[question]}
        right |= self._given(question)
        return tuple(name for name, value in right.items() if not _same(self.namespace.get(name), value))

    def plan(self, binds: Iterable[tuple[int, frozenset[str]]]) -> None:
        """Find out which statements answer which question, by the cells and names of all in order.

        Those answer a question that bind its names first, and those that bind them again before the next question is
        answered. Whatever else binds them uses them again.
        """
        bound, current = set[str](), ""
        for index, (cell, names) in enumerate(binds):
            for question, asked in self.job.names.items():
                if not names.isdisjoint(asked) and (question == current or not bound.issuperset(asked)):
                    self._ahead.append((index, cell, question))
            current = self._ahead[-1][2] if self._ahead else ""
            bound |= names

    def come_to(self, index: int) -> None:
        """Before the statement of this index: what stands before it has been answered."""
        while self._ahead and self._ahead[0][0] < index:
            self._ahead.popleft()

    @property
    def question(self) -> str:
        """The question that is answered next, or now; after all of them the one whose check comes next, if any."""
        if self._ahead:
            return self._ahead[0][2]
        return next(itertools.dropwhile(self.calls.__contains__, self.job.names), "")

    def answers(self, cell: int) -> bool:
        """Whether *cell* is to answer anything yet."""
        return bool(self._ahead) and self._ahead[0][1] == cell

    def settle(self, question: str) -> None:
        """At a call of the check of *question*, after its names were taken down."""
        self.correct(self.job.names[question])
        self.calls[question] = self.calls.get(question, 0) + 1
        if self.calls[question] == self.job.settling_calls.get(question, self.calls[question]):
            self.settled |= {name: _kept(self.namespace.get(name)) for name in self.job.names[question]}

    def strayed(self) -> set[str]:
        """The names of settled questions that are not what they held, but for those of the one that is answered."""
        others = self.settled.keys() - {*self.job.names.get(self.question, ())}
        return {name for name in others if not _same(self.namespace.get(name), self.settled[name])}

    def put_back(self, strayed: Iterable[str]) -> None:
        """Let given names be what they are to be for the question that is answered next, and *strayed* ones as held."""
        for name in strayed:
            held = self.settled[name]
            if isinstance(held, nn.Module):
                layers.reset(held)
            self.namespace[name] = _kept(held)  # the copy may be needed again
        given = self._given(self.question)
        self._bind({name: right for name, right in given.items() if not _same(self.namespace.get(name), right)})

    def _given(self, question: str) -> dict[str, Any]:
        """What given names are at the check of *question*."""
        return {name: self._restored(value) for name, value in self.job.given.get(question, {}).items()}

    def _restored(self, value: Described) -> Any:
        """A value of the job's: a copy, since student code may change it in place."""
        return _kept(restore(value, self.tensors))

    def _is_open(self, correction: Correction) -> bool:
        """Whether the question is not settled yet: else what the submission binds is the same name used again."""
        call = self.job.settling_calls.get(correction.question, 0)
        return not call or self.calls.get(correction.question, 0) < call

    def _right(self, name: str) -> Any:
        correction = self.by_name[name]
        described = correction.values[name]
        if isinstance(described, Layer):
            return layers.make(described, self.namespace.get(name), batch_first=correction.batch_first)
        value = self._restored(described)
        turned = correction.batch_first and name in correction.either_layout and isinstance(value, Tensor)
        return value.transpose(0, 1).contiguous() if turned else value

    def _bind(self, right: dict[str, Any]) -> None:
        """Bind names to right values, under every name that the wrong one has, but no asked or given one."""
        bound: dict[str, Any] = {}
        for name, value in right.items():
            own = self.namespace.get(name)
            names = self.namespace.items() if isinstance(own, (Tensor, nn.Module, PackedSequence)) else ()
            others = {other for other, one in names if one is own and other != name}
            if isinstance(own, nn.Module) and isinstance(value, nn.Module) and others.isdisjoint(self.protected):
                layers.become(own, value)
                value = own
            bound |= dict.fromkeys(others - self.protected, value) | {name: value}
        self.namespace.update(bound)


def _same(one: object, other: object) -> bool:
    """Whether two values are equal; of those that cannot be compared, whether they are one."""
    with contextlib.suppress(Exception):  # sparse tensors cannot be compared, nor objects that fight back
        if isinstance(one, PackedSequence) and isinstance(other, PackedSequence):
            return _same(one.data, other.data) and _same(one.batch_sizes, other.batch_sizes)
        if isinstance(one, Tensor) and isinstance(other, Tensor) and one is not other:
            alike = one.dtype == other.dtype and one.is_inference() == other.is_inference()
            return alike and layers.same_numbers(one, other)
        if type(one) is type(other) and isinstance(one, (int, float, str)):
            return bool(one == other)
        return one is other and (not isinstance(one, nn.Module) or layers.is_whole(one))
    return one is other


def _kept(value: object) -> object:
    """A copy of what may be changed in place; of a layer, which stays itself, `layers` keeps what it is to be."""
    if isinstance(value, Tensor):
        return _cloned(value)
    if isinstance(value, PackedSequence):
        return PackedSequence(_cloned(value.data), *value[1:])
    if isinstance(value, nn.Module):
        layers.keep(value)
    return value


def _cloned(value: Tensor) -> Tensor:
    """A copy. What is too large to be an answer is not copied: `h_n.expand(…)` can take more memory than there is."""
    return value.detach().clone() if value.numel() * value.element_size() <= TENSOR_BYTES else value
