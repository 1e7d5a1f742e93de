"""Pictures of wrong answers: what was expected and what came, place by place, on a tiny shown example.

A picture is a grid in inline SVG. It takes its colours from the page's stylesheet, and says by shape (corner marks,
bold digits) what it says by colour.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from autograder.course.compare import STEPS, index_word
from autograder.grade import Difference, Reach, Value
from autograder.language import text
from autograder.report.words import sized

__all__ = ["Panel", "panels", "reach_panels"]

_PLACES = 140
"""How many places one grid shows; of values in another shape than expected, a quarter of that."""
_CHARACTER, _LINE, _GAP = 7, 22, 8
"""Pixels: a digit's width, a line's height, and what is free between labels and cells and above a heading."""


@dataclass(frozen=True)
class Panel:
    """One of the two halves of a picture."""

    caption: str
    shape: str
    svg: Markup


@dataclass(frozen=True)
class _Line:
    """A line of a grid; without cells, a heading. Labels and cells are this module's own words."""

    label: str
    cells: Sequence[str] = ()
    wrong: Sequence[bool] = ()


def panels(difference: Difference) -> tuple[Panel, ...]:
    """What was expected and what came as grids of numbers; nothing where one of them has none."""
    expected, received = difference.expected, difference.received
    if not {expected.kind, received.kind} <= {"tensor", "packed"} or None in (expected.numbers, received.numbers):
        return ()
    fits = expected.shape == received.shape
    wrong = difference.wrong if fits else None
    return (
        _of_value(difference.name, text(ko="정답", en="expected"), expected, difference.symbols, wrong),
        _of_value(difference.name, text(ko="내 답", en="yours"), received, difference.symbols if fits else "", wrong),
    )


def _of_value(name: str, caption: str, value: Value, symbols: str, wrong: Any) -> Panel:
    numbers, names = value.numbers, symbols.split() or ["?"] * len(value.shape)
    shape = f"shape = {sized(value.shape, symbols)}"
    if value.kind == "packed":
        numbers, wrong = (_steps(part, value.batch_sizes) for part in (numbers, wrong))
        names, shape = [STEPS[0], "1", *names[1:]], f"data.{shape}, batch_sizes = {sized(value.batch_sizes)}"
    return Panel(caption, shape, _grid(_lines(numbers, names, wrong), f"{name}, {caption}"))


def _steps(rows: Any, batch_sizes: Sequence[int]) -> Any:
    """The rows of a packed batch, step by step."""
    starts = itertools.accumulate(batch_sizes, initial=0)
    return rows and [rows[start : start + size] for start, size in zip(starts, batch_sizes, strict=False)]


def reach_panels(reach: Reach) -> tuple[Panel, ...]:
    """Which places of a tensor a change of one word may move, and which it moves; nothing if their shapes differ."""
    try:
        wrong = _unequal(reach.expected, reach.moved)
    except ValueError:
        return ()
    halves = (
        (text(ko="달라져도 되는 자리", en="may change"), reach.expected),
        (text(ko="내 답에서 달라진 자리", en="changes in yours"), reach.moved),
    )
    names = reach.symbols.split()[:-1]
    return tuple(
        Panel(caption, "", _grid(_lines(places, names, wrong), f"{reach.name}, {caption}"))
        for caption, places in halves
    )


def _unequal(one: Any, other: Any) -> Any:
    """Where two nested sequences differ. Raises ValueError if they are not of one shape."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return [_unequal(*pair) for pair in zip(one, other, strict=True)]
    return one != other


def _lines(nested: Any, names: Sequence[str], wrong: Any) -> Iterator[_Line]:
    """The rows of *nested* below the headings of its blocks; where some differ, blocks that do not are left out."""
    some, left = _any(wrong), _PLACES if wrong else _PLACES // 4
    if names:
        yield _Line(f"{escape(names[-1])} →".removeprefix("? →"))
    for heading, rows in _blocks(nested, names, wrong):
        first = next((row for row in rows if _any(row.wrong)), None)
        if some and not first:
            yield _Line(f"{heading}  {text(ko='같음', en='equal')}")
            continue
        if heading:
            yield _Line(heading)
        for row in rows:
            left -= max(len(row.cells), 1)
            if left < 0:
                yield _Line("…")
                return
            departs = row is first and names[-2:-1] and names[-2] in STEPS
            yield _Line(f"▸{row.label}", row.cells, row.wrong) if departs else row


def _blocks(nested: Any, names: Sequence[str], wrong: Any, heading: str = "") -> Iterator[tuple[str, list[_Line]]]:
    """The matrices of the last two axes, each with what its place along the others is called."""
    if len(names) < 2:
        yield from _blocks([nested], ["1", *names], wrong and [wrong])
    elif len(names) == 2:
        marks = wrong or itertools.repeat(())
        rows = enumerate(zip(nested, marks, strict=False))
        yield heading, [_Line(index_word(names[0], place), [*map(_cell, row)], mark) for place, (row, mark) in rows]
    else:
        for place, part in enumerate(nested):
            called = f"{heading} {index_word(names[0], place)}".strip()
            yield from _blocks(part, names[1:], wrong and wrong[place], called)


@functools.lru_cache(1 << 16, typed=True)
def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "●" if value else "·"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nan"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1e4 else f"{value:.0e}"
    return f"{value:d}" if isinstance(value, int) and abs(value) < 10**8 else "…"


def _any(nested: Any) -> bool:
    return any(map(_any, nested)) if isinstance(nested, (list, tuple)) else bool(nested)


def _grid(drawn: Iterator[_Line], name: str) -> Markup:
    """The lines below one another: cells, and a tint and a corner mark for each that is wrong."""
    lines = [*drawn]
    width = 2 + max((len(cell) for line in lines for cell in line.cells), default=1)
    side = _GAP + _CHARACTER * max((len(line.label) for line in lines if line.cells), default=0)
    step, right, y = width * _CHARACTER, 0, 0
    tints, corners, parts = [], [], []
    for line in lines:
        y += 0 if line.cells or line is lines[0] else _GAP
        parts.append(f'<text class="{"l" if line.cells else "h"}" x="1" y="{y + 15}">{line.label}</text>')
        parts.append(_cells(line, width, f'x="{side}" y="{y + 15}"') if line.cells else "")
        for column in itertools.compress(itertools.count(), line.wrong):
            edge = side + (column + 1) * step + _CHARACTER
            tints.append(f"M{edge - step + 1} {y}h{step - 1}v21h{1 - step}z")
            corners.append(f"M{edge} {y}v7l-7-7z")
        right = max(right, side + len(line.cells) * step + _CHARACTER, (len(line.label) + 3) * _CHARACTER)
        y += _LINE
    title = name + (text(ko=f": 다른 자리 {len(corners)}곳", en=f": {len(corners)} places differ") if corners else "")
    marks = f'<path class="tint" d="{"".join(tints)}"/><path class="mark" d="{"".join(corners)}"/>' if corners else ""
    size = f'width="{right + 2}" height="{y + 2}" viewBox="0 0 {right + 2} {y + 2}"'
    return Markup(f'<svg role="img" {size}><title>{escape(title)}</title>{marks}{"".join(parts)}</svg>')


def _cells(line: _Line, width: int, at: str) -> str:
    """One line's cells, bold where they are wrong. Its length is fixed, whatever font a machine has."""
    padded = (cell.rjust(width) for cell in line.cells)
    runs = itertools.groupby(line.wrong or [False] * len(line.cells))
    joined = ((wrong, "".join(itertools.islice(padded, len([*run])))) for wrong, run in runs)
    written = "".join(f"<tspan>{run}</tspan>" if wrong else run for wrong, run in joined)
    length = len(line.cells) * width * _CHARACTER
    return f'<text {at} textLength="{length}" lengthAdjust="spacingAndGlyphs">{written}</text>'
