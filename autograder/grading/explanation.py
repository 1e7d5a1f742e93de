"""Explain a wrong answer on a shown example: the known mistake that it is, or exactly how its values differ."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from autograder import course
from autograder.course import Question, Scenario
from autograder.course.compare import TOLERANCE, alike
from autograder.course.corpus import misconceptions
from autograder.grade import Difference, Example, Note, OwnCell, QuestionGrade, Reach, Shown, StatementError
from autograder.grading.trials import Learned
from autograder.grading.verdicts import Verdict
from autograder.wire.log import Record
from autograder.wire.values import Layer, Other, Value

__all__ = ["explained", "leave_the_same"]

ELEMENTS = 400
"""Most elements of a tensor that are shown."""
DECIMALS = 3
CHARACTERS = 4000
"""Of a longer answer, error text or line, no more is kept."""
CELLS = 20
"""Of the cells of an answer, the last so many are kept."""
TYPED = 20
"""At most so many places where sizes are typed in are told."""
ALONE = 8
"""At most so many of them are tried one by one."""

Seen = Mapping[Scenario, Mapping[str, Note]]
"""What the checks find wrong under each shown example; nothing where it does not tell the answer from a right one."""
_Typed = tuple[int, tuple[int, int], int]
"""A released size that is typed in: the number, its place (see `Job.numbered`) and its line."""


def explained(grade: QuestionGrade, verdict: Verdict, learned: Learned) -> QuestionGrade:
    """*grade* with all that is told of a wrong answer, by the shown examples under the same remedy."""
    if verdict.right or not verdict.answers:
        return grade
    grade = replace(grade, cells=tuple(_own_cells(verdict)))
    telling, found, known = _recognised(verdict, learned)
    if not found:
        return grade
    typed = [] if known else _typed_sizes(verdict, telling)
    if not known and (numbers := typed or _written(verdict, telling, verdict.answers)):
        _, _, known = _recognised(_with_names(verdict, numbers), learned)  # sizes may not be all that is wrong
    told = list(dict.fromkeys((number, cell, line) for number, (cell, _), line in typed))[:TYPED]
    notes = tuple(Note("typed-size", {"number": number, "cell": cell, "line": line}) for number, cell, line in told)
    example = _example(verdict, telling, found.values())
    # If a run was left out, the answer seems to leave nothing, which must not be told as its mistake.
    return grade if verdict.runs.exhausted else replace(grade, misconception=known, example=example, notes=notes)


def _own_cells(verdict: Verdict) -> Iterator[OwnCell]:
    """The cells of the answer; of a long one, such as a whole script, the lines that bind the question's names."""
    for number, (first, last) in list(verdict.answers.items())[-CELLS:]:
        source, line = "".join(verdict.runs.cells[number - 1 : number]), 1
        if len(source) > CHARACTERS:
            source, line = "\n".join(source.split("\n")[max(first, 1) - 1 : last]), max(first, 1)
        yield OwnCell(number, source[:CHARACTERS], line)


def _recognised(verdict: Verdict, learned: Learned) -> tuple[Scenario, Mapping[str, Note], str]:
    """The shown example that tells, what is wrong there, and the known mistake that leaves the same values.

    Examples are run one after another until all that is wrong shows and one known mistake is left: that which leaves
    the same under each. If several are left at the end, the first counts; if none is, the nearest. An answer that was
    stopped has no known mistake.
    """
    seen = dict[Scenario, Mapping[str, Note]]()
    left = [one.id for one in misconceptions() if one.question == verdict.question.id]
    for example in course.shown_examples():
        seen[example], failures = verdict.findings(example), verdict.record(example).failures
        if verdict.runs.stops and seen[example] and any(one.kind == "Stopped" for one in failures.values()):
            return example, seen[example], ""
        like = _like(verdict, learned, example)
        left = [one for one in left if one in like]
        if len(left) == 1 and seen[example].keys() >= verdict.failures.keys():
            break
    telling = next((example for example in seen if seen[example]), example)
    near = "" if left else _nearest(verdict, seen, telling, learned)
    if not near:  # a near mistake is shown where it was compared, any other where most of the failed checks fail
        telling = max(seen, key=lambda one: (len(seen[one].keys() & verdict.failures.keys()), bool(seen[one])))
    return telling, seen[telling], near or next(iter(left), "")


def _nearest(verdict: Verdict, seen: Seen, telling: Scenario, learned: Learned) -> str:
    """The known mistake that leaves the same, but for the layout, under the *telling* example and under most others.

    An answer with two mistakes may leave something else under the others. It cannot have a mistake that would show
    under an example where the answer is right.
    """
    like = {example: _like(verdict, learned, example, turned=True) for example in seen}
    right = [example for example in seen if not seen[example]]
    excluded = set[str]().union(*(learned.noticed(verdict.question.id, example) for example in right))
    fit = (known for known in like[telling] if seen[telling] and known not in excluded)
    return max(fit, key=lambda known: sum(known in mistakes for mistakes in like.values()), default="")


def _like(verdict: Verdict, learned: Learned, example: Scenario, *, turned: bool = False) -> list[str]:
    """The known mistakes that leave what the answer leaves under an example."""
    question, record = verdict.question, verdict.record(example)
    known = learned.records(question.id, example)
    return [one for one, other in known.items() if leave_the_same(question, record, other, turned=turned)]


def leave_the_same(question: Question, one: Record | None, other: Record | None, *, turned: bool = False) -> bool:
    """Whether two answers to *question* leave the same values and errors, wherever these were raised.

    The layout may differ if *turned*.
    """
    if one is None or other is None:
        return one is other
    names = question.names
    free = [turned and name in question.either_layout for name in names]
    errors, other_errors = ({(f.kind, f.text) for n, f in r.failures.items() if n in names} for r in (one, other))
    return errors == other_errors and alike([one[name] for name in names], [other[name] for name in names], free)


def _typed_sizes(verdict: Verdict, example: Scenario) -> list[_Typed]:
    """The released sizes that are typed in, if the *example* comes out right with the names' values in their places.

    They are sought in the answer's own cells first: a size that is typed in elsewhere is another question's mistake.
    """
    for cells in (verdict.answers, range(1, len(verdict.runs.cells) + 1)):
        written = _written(verdict, example, cells)
        each = [[one for one in written if one[0] == number] for number in sorted({number for number, _, _ in written})]
        alone = [[one] for equal in each if len(equal) > 1 for one in equal]  # they may stand for different sizes
        for typed in [*each, written, *alone[:ALONE]]:
            if typed and not _with_names(verdict, typed).findings(example):
                return typed
    return []


def _written(verdict: Verdict, example: Scenario, cells: Collection[int]) -> list[_Typed]:
    """The released sizes that are written in *cells* of the student's own."""
    own = [cell for cell in verdict.runs.under(example, verdict.remedy).outline.own if cell.number in cells]
    return [(number, (cell.number, place), line) for cell in own for place, (number, line) in enumerate(cell.numbers)]


def _with_names(verdict: Verdict, typed: Iterable[_Typed]) -> Verdict:
    """The verdict on the answer with the names' values in the places of sizes that are typed in."""
    return replace(verdict, remedy=replace(verdict.remedy, numbered=tuple(place for _, place, _ in typed)))


def _example(verdict: Verdict, example: Scenario, notes: Iterable[Note]) -> Example:
    """The example as data for a page: each wrong name with both values, the error, and what a change reaches."""
    right, record = verdict.reference(example), verdict.record(example)
    by_name = {str(note.about["name"]): note for note in notes if note.kind != "assertion"}
    differences = tuple(_difference(note, record[name], getattr(right, name)) for name, note in by_name.items())
    first = min(record.failures.values(), key=lambda failure: (failure.cell, failure.line), default=None)
    error = StatementError(first.cell, first.line, first.kind[:100], first.text[:CHARACTERS]) if first else None
    return Example(example.id, differences, error, _reach(verdict, example, differences))


def _difference(note: Note, received: Value, expected: Value) -> Difference:
    expected = _as_received(note, expected)
    name, symbols = (str(note.about.get(key, "")) for key in ("name", "symbols"))
    wrong = _differing(received, expected)
    marks = None if wrong is None else wrong.tolist()
    return Difference(name, note, _as_shown(expected), _as_shown(received), symbols, marks)


def _as_received(note: Note, expected: Value) -> Value:
    """*expected* in the layout of what was received, of two that are right."""
    return expected.transpose(0, 1) if note.about.get("turned") and isinstance(expected, Tensor) else expected


def _differing(one: Value, other: Value) -> Tensor | None:
    """Which elements differ; None where there is nothing to compare."""
    one, other = (value.data if isinstance(value, PackedSequence) else value for value in (one, other))
    if not (isinstance(one, Tensor) and isinstance(other, Tensor) and one.shape == other.shape):
        return None
    if not _is_small(one) or not _is_small(other):
        return None
    return ~one.isclose(other.to(one.dtype), rtol=TOLERANCE, atol=TOLERANCE)


def _as_shown(value: Value) -> Shown:
    """*value* as a page shows it."""
    match value:
        case PackedSequence():
            sizes = tuple(value.batch_sizes.tolist()) if value.batch_sizes.numel() <= ELEMENTS else ()
            return replace(_as_shown(value.data), kind="packed", batch_sizes=sizes)
        case Tensor():
            return Shown("tensor", tuple(value.shape), _numbers(value))
        case Layer():
            return Shown("other", arguments=value.arguments)
        case Other():
            return Shown("other", numbers=value.length)
    return Shown("other", numbers=value)


def _is_small(value: Tensor) -> bool:
    """Whether *value* can be shown; a tensor without elements may still have any number of rows."""
    return value.device.type == "cpu" and math.prod(max(size, 1) for size in value.shape) <= ELEMENTS


def _numbers(value: Tensor) -> Any:
    if not _is_small(value):
        return None
    return (value.double().round(decimals=DECIMALS) if value.is_floating_point() else value).tolist()


def _reach(verdict: Verdict, example: Scenario, differences: Sequence[Difference]) -> tuple[Reach, ...]:
    """Where a change of one word shows in wrong tensors and where it would in right ones, if that is not the same."""
    compared = [difference for difference in differences if difference.wrong is not None]
    if not compared:
        return ()
    data = [list(row) for row in example.values["data"]]
    place = max(range(len(data)), key=lambda index: len(data[index]))
    step = len(data[place]) // 2
    data[place][step] = data[place][step] % (example.values["vocab_size"] - 1) + 1
    changed = replace(example, id=f"{example.id}-changed", values={**example.values, "data": data})
    record, other_record = verdict.record(example), verdict.record(changed)
    before, after = verdict.reference(example), verdict.reference(changed)
    row = before.sorted_idx.tolist().index(place)
    found = []
    for difference in compared:
        name = difference.name
        moved = _moved(record[name], other_record[name])
        expected = _moved(*(_as_received(difference.note, getattr(values, name)) for values in (before, after)))
        if moved is not None and expected is not None and not moved.equal(expected):
            found.append(Reach(name, row, step, difference.symbols, moved.tolist(), expected.tolist()))
    return tuple(found)


def _moved(before: Value, after: Value) -> Tensor | None:
    """Which elements differ, over all axes but the last; None where there is nothing to compare."""
    differing = _differing(before, after)
    return None if differing is None or differing.ndim < 2 else differing.any(-1)
