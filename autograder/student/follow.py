"""Follow-through: what earlier questions left wrong, or cells changed, is put right before a later one is graded."""

import contextlib
from collections.abc import Iterable, Mapping
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
    at the check of each later question they are put back.
    """

    def __init__(self, job: Job, tensors: dict[str, Tensor], namespace: dict[str, Any]) -> None:
        self.job = job
        self.tensors = tensors
        self.namespace = namespace
        self.calls: dict[str, int] = {}
        self.by_name = {name: correction for correction in job.corrections for name in correction.values}
        self.settled: dict[str, Any] = {}
        """What the names of settled questions held: copies of what may be changed in place."""
        self.kept: dict[str, Any] = {}
        """The same of given names, as the last check, or cell that answers nothing, left them."""
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

    def settle(self, question: str) -> None:
        """At a call of the check of *question*, after its names were taken down."""
        self.correct(self.job.names[question])
        self.calls[question] = self.calls.get(question, 0) + 1
        if self.job.put_back:
            self._restore(self.settled, self.settled.keys() - {*self.job.names[question]})
            self._bind(self._given(question))
            self.kept |= self._held(self.job.given.get(question, {}))
        self.settled |= self._held(self.job.names[question])

    def put_back(self, names: frozenset[str], *, own: bool) -> None:
        """After a statement that binds *names*, in a cell that answers nothing: let given names be what they are to be.

        Those that it binds get the values that they are to have at the next check. Others that it changed get back what
        they held before; so do names of settled questions, if a cell of the student's *own* changed them.
        """
        open_questions = self.open_questions()
        self._restore(self.kept, self.kept.keys() - names)
        if own:
            self._restore(self.settled, self.settled.keys() - self.open_names())
        values = self.job.given.get(open_questions[0], {}) if open_questions else {}
        self._bind({name: self._restored(values[name]) for name in names if name in values})
        self.kept = self._held({name for values in self.job.given.values() for name in values} & self.namespace.keys())

    def open_questions(self) -> list[str]:
        """The questions whose check was not called yet, nor that of any after them."""
        questions = list(self.job.names)
        return questions[max((questions.index(question) for question in self.calls), default=-1) + 1 :]

    def open_names(self) -> set[str]:
        """The names of open questions: a cell that binds one answers something."""
        return {name for question in self.open_questions() for name in self.job.names[question]}

    def _given(self, question: str) -> dict[str, Any]:
        """What given names are at the check of *question*."""
        return {name: self._restored(value) for name, value in self.job.given.get(question, {}).items()}

    def _restored(self, value: Described) -> Any:
        """A value of the job's: a copy, since student code may change it in place."""
        return _kept(restore(value, self.tensors))

    def _held(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: _kept(self.namespace.get(name)) for name in names}

    def _restore(self, held: Mapping[str, Any], names: Iterable[str]) -> None:
        """Let *names* be what they *held*, if they are not."""
        for name in names:
            if not _same(self.namespace.get(name), held[name]):
                if isinstance(held[name], nn.Module):
                    layers.reset(held[name])
                self.namespace[name] = _kept(held[name])  # the copy may be needed again

    def _is_open(self, correction: Correction) -> bool:
        """Whether the question is not settled yet: else what the submission binds is the same name used again."""
        return not correction.settling_call or self.calls.get(correction.question, 0) < correction.settling_call

    def _right(self, name: str) -> Any:
        correction = self.by_name[name]
        described = correction.values[name]
        if isinstance(described, Layer):
            return layers.make(described, self.namespace.get(name), batch_first=self.job.batch_first)
        value = self._restored(described)
        turned = self.job.batch_first and name in correction.either_layout and isinstance(value, Tensor)
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
