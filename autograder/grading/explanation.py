"""Explain a wrong answer on a shown example: the known mistake that it is, or exactly how its values differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from autograder import course
from autograder.course import Question, Scenario
from autograder.course.compare import TOLERANCE, alike
from autograder.course.corpus import Misconception
from autograder.grade import Difference, Example, Note, OwnCell, Reach, StatementError
from autograder.grade import Value as Shown
from autograder.grading.hidden import Looking
from autograder.grading.learned import Learned
from autograder.grading.runs import Remedy, Runs, later
from autograder.grading.verdicts import Verdict, findings
from autograder.wire.log import Record
from autograder.wire.messages import Failure
from autograder.wire.values import Layer, Other, Value

__all__ = ["Explanation", "explained"]

ELEMENTS = 400
"""Most elements of a tensor that are shown."""
DECIMALS = 3
CHARACTERS = 4000
"""Of a longer cell, error text or line, no more is kept."""
TYPED = 20
"""At most so many places where sizes are typed in are told."""


@dataclass(frozen=True)
class Explanation:
    """What is told of a wrong answer."""

    misconception: str = ""
    example: Example | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What a wrong answer leaves under one shown example."""

    example: Scenario
    record: Record
    notes: Mapping[str, Note]
    """By check, what is wrong; nothing where this example does not tell it from a right answer."""


def explained(verdict: Verdict, runs: Runs, look: Looking, learned: Learned) -> Explanation:
    """Explain the wrong answer that *verdict* is on, by the shown examples under the same remedy."""
    if verdict.right or not verdict.answered:
        return Explanation()
    seen, known = _recognised(verdict, runs, look, learned)
    telling = next((one for one in seen if one.notes), None)
    if telling is None:
        return Explanation()
    notes = () if known else _typed_sizes(verdict, runs, look)
    return Explanation(known.id if known else "", _example(verdict, telling, runs), notes)


def _seen(verdict: Verdict, example: Scenario, remedy: Remedy, runs: Runs, look: Looking) -> Seen:
    question = verdict.question
    record = runs.under(example, remedy).moments(question.id, later(question.id))[verdict.moment]
    found = findings(question, record, example, remedy, runs, look)
    return Seen(example, record, {name: note for name, note in found.items() if note is not None})


def _recognised(
    verdict: Verdict, runs: Runs, look: Looking, learned: Learned
) -> tuple[Sequence[Seen], Misconception | None]:
    """What was seen of the shown examples, and the known mistake that leaves the same values under each of them.

    They are run one after another until the mistake shows and one known mistake is left. If several are left at the
    end, the first counts; if none is, the nearest. An answer that is wrong since it was stopped has no known mistake.
    """
    question, seen, left = verdict.question, list[Seen](), learned.of(verdict.question)
    for example in course.shown_examples():
        seen.append(_seen(verdict, example, verdict.remedy, runs, look))
        if runs.stops and seen[-1].notes and _is_stopped(seen[-1].record):
            return seen, None
        left = [one for one in left if _is_alike(question, seen[-1].record, one.records[example.id], turned=False)]
        if len(left) == 1 and any(one.notes for one in seen):
            break
    return seen, left[0].misconception if left else _nearest(question, seen, learned)


def _is_stopped(record: Record) -> bool:
    return any(failure.kind == "Stopped" for failure in record.failures.values())


def _nearest(question: Question, seen: Sequence[Seen], learned: Learned) -> Misconception | None:
    """The known mistake whose values differ in their layout alone; else one that explains some examples and no other.

    The second is for two mistakes at once: an example that shows only one of them tells it.
    """
    best: tuple[int, Misconception] | None = None
    for known in learned.of(question):
        same = [_is_alike(question, one.record, known.records[one.example.id], turned=True) for one in seen]
        if all(same):
            return known.misconception
        shows = [learned.shows(known, one.example) for one in seen]
        elsewhere = any(there and not one.notes for there, one in zip(shows, seen, strict=True))
        telling = sum(equal and there for equal, there in zip(same, shows, strict=True))
        if telling and not elsewhere and (best is None or telling > best[0]):
            best = telling, known.misconception
    return best[1] if best else None


def _is_alike(question: Question, one: Record, other: Record, *, turned: bool) -> bool:
    names = question.names
    free = [turned and name in question.either_layout for name in names]
    errors = [[_error(record.failures.get(name)) for name in names] for record in (one, other)]
    return errors[0] == errors[1] and alike([one[name] for name in names], [other[name] for name in names], free)


def _error(failure: Failure | None) -> tuple[str, str] | None:
    """What is compared of an error: not where it stands."""
    return None if failure is None else (failure.kind, failure.text)


def _typed_sizes(verdict: Verdict, runs: Runs, look: Looking) -> tuple[Note, ...]:
    """The released sizes that are typed in, if the answer is right with the names' values in their places.

    They are sought in the answer's own cells first: what another question has typed in is not this one's mistake.
    """
    outline = runs.under(course.shown_examples()[0], verdict.remedy).outline
    answers = [cell for cell in outline.own if not set(cell.binds).isdisjoint(verdict.question.names)]
    for cells in (answers, outline.own):
        written = [(cell.number, number, line) for cell in cells for number, line in cell.numbers]
        places = tuple(sorted({cell for cell, _, _ in written}))
        each = sorted({number for _, number, _ in written})
        for numbers in [*((number,) for number in each), tuple(each)]:
            remedy = replace(verdict.remedy, numbered=places, numbers=numbers)
            if written and all(not _seen(verdict, one, remedy, runs, look).notes for one in course.shown_examples()):
                typed = [place for place in written if place[1] in numbers][:TYPED]
                return tuple(Note("typed-size", {"number": n, "cell": cell, "line": line}) for cell, n, line in typed)
    return ()


def _example(verdict: Verdict, seen: Seen, runs: Runs) -> Example:
    """The example as data for a page: each wrong name with both values, the error, and what a change reaches."""
    question = verdict.question
    right = runs.reference(seen.example).at[question.id]
    differences = tuple(
        _difference(note, seen.record[str(note.about["name"])], getattr(right, str(note.about["name"])))
        for note in _each_name(seen.notes.values())
    )
    first = min(seen.record.failures.values(), key=lambda failure: (failure.cell, failure.line), default=None)
    error = None if first is None else _statement_error(first, question, seen.record, runs)
    return Example(seen.example.id, differences, error, _reach(verdict, seen, differences, runs))


def _each_name(notes: Any) -> list[Note]:
    return list({note.about["name"]: note for note in notes if note.kind != "assertion"}.values())


def _difference(note: Note, received: Value, expected: Value) -> Difference:
    expected = _as_received(note, expected)
    name, symbols = (str(note.about.get(key, "")) for key in ("name", "symbols"))
    wrong = _differing(received, expected)
    return Difference(name, note, shown(expected), shown(received), symbols, None if wrong is None else wrong.tolist())


def _as_received(note: Note, expected: Value) -> Value:
    """*expected* in the layout of what was received, of two that are right."""
    return expected.transpose(0, 1) if note.about.get("turned") and isinstance(expected, Tensor) else expected


def _differing(one: Value, other: Value) -> Tensor | None:
    """Which elements differ; None where there is nothing to compare."""
    one, other = (value.data if isinstance(value, PackedSequence) else value for value in (one, other))
    if not isinstance(one, Tensor) or not isinstance(other, Tensor) or one.shape != other.shape:
        return None
    if not _is_small(one) or not _is_small(other):
        return None
    return ~one.isclose(other.to(one.dtype), rtol=TOLERANCE, atol=TOLERANCE)


def shown(value: Value) -> Shown:
    """*value* as a page shows it."""
    match value:
        case None:
            return Shown("missing", "None")
        case PackedSequence():
            sizes = tuple(value.batch_sizes.tolist()) if value.batch_sizes.numel() <= ELEMENTS else ()
            return replace(shown(value.data), kind="packed", type="PackedSequence", batch_sizes=sizes)
        case Tensor():
            dtype = str(value.dtype).removeprefix("torch.")
            return Shown("tensor", "Tensor", tuple(value.shape), dtype, _numbers(value))
        case Layer():
            arguments = {name: _short(argument) for name, argument in value.arguments.items()}
            return Shown("layer", f"nn.{_short(value.type)}", dtype=_short(value.dtype), arguments=arguments)
        case Other():
            return Shown("other", _short(value.type), numbers=value.length)
    return Shown("scalar", type(value).__name__, numbers=value)


def _short(value: Any) -> Any:
    return value[:100] if isinstance(value, str) else value


def _is_small(value: Tensor) -> bool:
    """Whether *value* can be shown: also of no elements there may be rows without end."""
    return value.device.type == "cpu" and value.numel() <= ELEMENTS and all(size <= ELEMENTS for size in value.shape)


def _numbers(value: Tensor) -> Any:
    if not _is_small(value):
        return None
    return (value.double().round(decimals=DECIMALS) if value.is_floating_point() else value).tolist()


def _statement_error(failure: Failure, question: Question, record: Record, runs: Runs) -> StatementError:
    lines = runs.cells[failure.cell - 1].splitlines() if 0 < failure.cell <= len(runs.cells) else []
    source = lines[failure.line - 1].strip()[:CHARACTERS] if 0 < failure.line <= len(lines) else ""
    names = tuple(name for name in question.names if record.failures.get(name) == failure)
    return StatementError(failure.cell, failure.line, failure.kind[:100], failure.text[:CHARACTERS], source, names)


def _reach(verdict: Verdict, seen: Seen, differences: Sequence[Difference], runs: Runs) -> tuple[Reach, ...]:
    """Where a change of one word shows in the wrong tensors, and where it would in right ones of the same shape."""
    data = seen.example.values["data"]
    place = max(range(len(data)), key=lambda index: len(data[index]))
    step = len(data[place]) // 2
    changed = _with_other_word(seen.example, place, step)
    question = verdict.question
    record = runs.under(changed, verdict.remedy).moments(question.id, later(question.id))[verdict.moment]
    before, after = runs.reference(seen.example).at[question.id], runs.reference(changed).at[question.id]
    row = before.sorted_idx.tolist().index(place)
    found = []
    for difference in differences:
        if difference.wrong is None:
            continue
        name = difference.name
        moved = _moved(seen.record[name], record[name])
        expected = _moved(*(_as_received(difference.note, getattr(values, name)) for values in (before, after)))
        if moved is not None and expected is not None and (moved.any() or expected.any()):
            found.append(Reach(name, row, step, difference.symbols, moved.tolist(), expected.tolist()))
    return tuple(found)


def _with_other_word(example: Scenario, place: int, step: int) -> Scenario:
    data = [list(row) for row in example.values["data"]]
    data[place][step] = data[place][step] % (example.values["vocab_size"] - 1) + 1
    return Scenario(f"{example.id}-changed", example.titles, {**example.values, "data": data}, shown=True)


def _moved(before: Value, after: Value) -> Tensor | None:
    """Which elements differ, over all axes but the last; None where there is nothing to compare."""
    differing = _differing(before, after)
    return None if differing is None or differing.ndim < 2 else differing.any(-1)


def own_cells(question: Question, runs: Runs) -> tuple[OwnCell, ...]:
    """The cells of the student's own that bind names of *question*."""
    outline = runs.under(course.scenarios()[0]).outline
    return tuple(
        OwnCell(cell.number, runs.cells[cell.number - 1][:CHARACTERS])
        for cell in outline.own
        if not set(cell.binds).isdisjoint(question.names) and 0 < cell.number <= len(runs.cells)
    )
