"""Pictures of wrong answers: what was expected and what came, place by place, on a tiny shown example.

A picture is two grids in inline SVG. They take their colours from the page's stylesheet, say by shape (corner marks,
bold digits) what they say by colour, and hold no word of a language, so one picture serves a page in both.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from autograder.course.compare import STEPS, index_word
from autograder.grade import Difference, Reach, Value
from autograder.report.words import sized

__all__ = ["Grid", "grids"]

_PLACES = 140
"""How many places one grid shows; of values in another shape than expected, a quarter of that."""
_CHARACTER, _LINE, _GAP = 7, 22, 8
"""Pixels: a digit's width, a line's height, and what is free between labels and cells and above a heading."""

_Rows = Mapping[tuple[int, ...], Sequence[Any]]
"""The rows of a tensor, which lie along its last axis, by their places along the others."""


@dataclass(frozen=True)
class Grid:
    """One of the two halves of a picture."""

    shape: str
    marked: int
    """How many places differ."""
    size: str
    """The attributes of its `svg` element."""
    drawn: Markup
    """What the element holds."""


class _Line(NamedTuple):
    """A line of a grid; without cells, a heading."""

    label: str
    cells: Sequence[str] = ()
    wrong: Sequence[bool] = ()


def grids(told: Difference | Reach) -> tuple[Grid, ...]:
    """What was expected and what came; nothing if they cannot be drawn beside each other."""
    if isinstance(told, Reach):
        return _of_reach(told)
    halves = (told.expected, told.received)
    if any(half.numbers is None or half.kind not in ("tensor", "packed") for half in halves):
        return ()
    fits = told.expected.shape == told.received.shape
    wrong = told.wrong if fits else None
    return (
        _of_value(told.expected, told.symbols, wrong),
        _of_value(told.received, told.symbols if fits else "", wrong),
    )


def _of_reach(reach: Reach) -> tuple[Grid, ...]:
    """Which places of a tensor a change of one word may move, and which it moves."""
    names = reach.symbols.split()[:-1]
    expected, moved = (_rows(places, len(names)) for places in (reach.expected, reach.moved))
    wrong = {
        place: [one != other for one, other in zip(expected[place], moved[place], strict=True)] for place in expected
    }
    return _drawn(expected, names, wrong), _drawn(moved, names, wrong)


def _of_value(value: Value, symbols: str, wrong: Any) -> Grid:
    numbers, names = value.numbers, symbols.split() or ["?"] * len(value.shape)
    shape = f"shape = {sized(value.shape, symbols)}"
    if value.kind == "packed":
        numbers, wrong = (_steps(part, value.batch_sizes) for part in (numbers, wrong))
        names, shape = [STEPS[0], "1", *names[1:]], f"data.{shape}, batch_sizes = {sized(value.batch_sizes)}"
    if not names:
        numbers, names, wrong = [numbers], ["1"], wrong and [wrong]
    return _drawn(_rows(numbers, len(names)), names, _rows(wrong, len(names)) if wrong else {}, shape)


def _steps(rows: Any, batch_sizes: Sequence[int]) -> Any:
    """The rows of a packed batch, step by step."""
    starts = itertools.accumulate(batch_sizes, initial=0)
    return rows and [rows[start : start + size] for start, size in zip(starts, batch_sizes, strict=False)]


def _rows(nested: Any, axes: int) -> _Rows:
    rows: dict[tuple[int, ...], Any] = {(): nested}
    for _ in range(axes - 1):
        rows = {(*place, index): part for place, parts in rows.items() for index, part in enumerate(parts)}
    return rows


def _lines(rows: _Rows, names: Sequence[str], wrong: _Rows) -> Iterator[_Line]:
    """The rows below the headings of their blocks; where some differ, of blocks that do not only the headings."""
    differing = {place for place, marks in wrong.items() if True in marks}
    left = _PLACES if wrong else _PLACES // 4
    yield _Line("" if names[-1] == "?" else f"{escape(names[-1])} →")
    for block, places in itertools.groupby(rows, key=lambda place: place[:-1]):
        heading = " ".join(map(index_word, names, block)).strip()
        within = [*places]
        first = next(filter(differing.__contains__, within), None)
        if differing and first is None:
            yield _Line(f"{heading} ✓")
            continue
        for place in within:
            left -= max(len(rows[place]), 1)
            if left < 0:
                yield _Line("…")
                return
            if heading and place == within[0]:
                yield _Line(heading)
            label = "".join(map(index_word, names[-2:-1], place[-1:]))
            departs = place == first and names[-2:-1] and names[-2] in STEPS
            yield _Line(f"▸{label}" if departs else label, [*map(_cell, rows[place])], wrong.get(place, ()))


@functools.lru_cache(1 << 16, typed=True)
def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "●" if value else "·"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nan"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1e4 else f"{value:.0e}"
    return f"{value:d}" if isinstance(value, int) and abs(value) < 10**8 else "…"


def _drawn(rows: _Rows, names: Sequence[str], wrong: _Rows, shape: str = "") -> Grid:
    """The lines of a grid below one another: cells, and a tint and a corner mark for each that is wrong."""
    lines = [*_lines(rows, names, wrong)]
    width = 2 + max(map(len, itertools.chain.from_iterable(line.cells for line in lines)), default=1)
    side = _GAP + _CHARACTER * max((len(line.label) for line in lines if line.cells), default=0)
    step, right, y = width * _CHARACTER, 0, 0
    tints: list[str] = []
    corners: list[str] = []
    parts: list[str] = []
    for label, cells, marks in lines:
        end = side + len(cells) * step
        y += 0 if cells or not parts else _GAP
        parts.append(f'<text class="{"l" if cells else "h"}" x="1" y="{y + 15}">{label}</text>')
        if cells:  # The text's length is fixed, whatever font a machine has.
            at = f'x="{side}" y="{y + 15}" textLength="{end - side}"'
            parts.append(f"<text {at}>{_written(cells, marks, width)}</text>")
        for edge in itertools.compress(range(side + step + _CHARACTER, end + step, step), marks):
            tints.append(f"M{edge} {y + 11}h{1 - step}")
            corners.append(f"M{edge} {y}v7l-7-7z")
        right = max(right, end + _CHARACTER, (len(label) + 3) * _CHARACTER)
        y += _LINE
    if corners:
        parts.insert(0, f'<path class="tint" d="{"".join(tints)}"/><path class="mark" d="{"".join(corners)}"/>')
    size = f'width="{right + 2}" height="{y + 2}" viewBox="0 0 {right + 2} {y + 2}"'
    return Grid(shape, len(corners), size, Markup("".join(parts)))


def _written(cells: Sequence[str], wrong: Sequence[bool], width: int) -> str:
    """The cells of a line, bold where they are wrong."""
    padded = [cell.rjust(width) for cell in cells]
    for column in itertools.compress(range(len(cells)), wrong):
        padded[column] = f"<tspan>{padded[column]}</tspan>"
    return "".join(padded).replace("</tspan><tspan>", "")
