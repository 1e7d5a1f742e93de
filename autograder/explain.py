"""Recognise a mistake: does a wrong answer leave behind what a known misconception does?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from autograder import course
from autograder.compare import close
from autograder.corpus import Misconception, misconceptions
from autograder.job import Job
from autograder.observation import CONFIGURATION
from autograder.runlog import Record, RunLog
from autograder.trials import Trial, observe

__all__ = ["Explainer"]


class Explainer:
    """Knows what a question's misconceptions leave behind in every hidden scenario; learns it when first asked."""

    def __init__(self, run: Callable[[Sequence[Job]], list[RunLog]]) -> None:
        self._run = run
        self._known: dict[str, list[tuple[Misconception, list[Record]]]] = {}

    def explain(self, question: course.Question, records: Sequence[Record]) -> Misconception | None:
        """The misconception whose values are those of *records*, one for each hidden scenario."""
        if all(record[name] is None and not _error(record, name) for record in records for name in question.names):
            return None  # nothing was written, and nothing went wrong
        # The very values first: a mistake in the layout alone is another one than the same values in a right layout.
        for exactly in (True, False):
            for misconception, others in self.known(question):
                pairs = zip(records, others, strict=True)
                if all(_alike(question, record, other, exactly=exactly) for record, other in pairs):
                    return misconception
        return None

    def known(self, question: course.Question) -> list[tuple[Misconception, list[Record]]]:
        """The misconceptions of *question*, each with its records, one for each hidden scenario."""
        if question.id not in self._known:
            own = [misconception for misconception in misconceptions() if misconception.question == question.id]
            found = observe([Trial(known.id, question.id, known.answers) for known in own], self._run)
            self._known[question.id] = [(misconception, found[misconception.id]) for misconception in own]
        return self._known[question.id]


def _alike(question: course.Question, one: Record, other: Record, *, exactly: bool) -> bool:
    return all(
        _same(one[name], other[name], exactly=exactly) and _error(one, name) == _error(other, name)
        for name in question.names
    )


def _error(record: Record, name: str) -> str | None:
    """What is known of the error that kept *name* from being bound."""
    tree = record.trees.get(name)
    return str(tree.get("error")) if isinstance(tree, dict) and tree.get("is") == "missing" else None


def _same(one: object, other: object, *, exactly: bool) -> bool:
    """Whether two observed values are equal; unless *exactly*, but for the layout that `batch_first` decides."""
    if isinstance(one, PackedSequence) and isinstance(other, PackedSequence):
        return _same(one.data, other.data, exactly=True) and close(one.batch_sizes, other.batch_sizes)
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if "meta" in (one.device.type, other.device.type):
            return one.shape == other.shape and one.dtype == other.dtype
        return close(one, other) or (not exactly and one.ndim >= 2 and close(one.transpose(0, 1), other))
    if type(one) is not type(other):
        return False
    if isinstance(one, nn.Module) and isinstance(other, nn.Module):
        arguments = [name for name in CONFIGURATION[type(one)] if exactly or name != "batch_first"]
        return all(getattr(one, name) == getattr(other, name) for name in arguments)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other)
    return one == other
