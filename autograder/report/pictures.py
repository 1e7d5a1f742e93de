"""Pictures of wrong answers: what was expected and what came, place by place, on a tiny shown example.

A picture is two grids in inline SVG. They take their colours from the page's stylesheet, say by shape (corner marks,
bold digits) what they say by colour, and hold no word of a language, so one picture serves a page in both.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from autograder.course.compare import STEPS, index_word
from autograder.grade import Difference, Reach, Shown
from autograder.report.words import sized

__all__ = ["Grid", "grids"]

_PLACES = 140
"""How many places one grid shows; of values in another shape than expected, a quarter of that."""
_CHARACTER, _LINE, _GAP = 7, 22, 8
"""Pixels: a digit's width, a line's height, and what is free between labels and cells and above a heading."""
_CORNER = "v7l-7-7z"
"""A mark in the corner of a cell; drawing goes on where it began."""
_RUN = re.compile(b"\1+")  # of marks that are set

_Index = tuple[int, ...]
_Rows = Mapping[_Index, Sequence[Any]]
"""The rows of a tensor, which lie along its last axis, by their places along the others."""


@dataclass(frozen=True)
class Grid:
    """One of the two halves of a picture."""

    shape: str
    marked: int
    """How many places differ."""
    size: Markup
    """The attributes of its `svg` element."""
    drawn: Markup
    """What the element holds."""


class _Half(NamedTuple):
    """What a grid is drawn of."""

    rows: _Rows
    names: Sequence[str]
    """Of the axes."""
    wrong: _Rows
    """Which places differ; nothing if the values do not fit each other."""
    shape: str = ""


def grids(told: Difference | Reach) -> tuple[Grid, ...]:
    """What was expected and what came; nothing if one of them has no numbers."""
    if isinstance(told, Reach):
        names = told.symbols.split()[:-1]
        may, does = (_rows(places, len(names)) for places in (told.expected, told.moved))
        wrong = {place: [one != other for one, other in zip(may[place], does[place], strict=True)] for place in may}
        return _drawn(_Half(may, names, wrong), _Half(does, names, wrong))
    if any(value.numbers is None or value.kind == "other" for value in (told.expected, told.received)):
        return ()
    symbols, marks = (told.symbols, told.wrong) if told.expected.shape == told.received.shape else ("", None)
    one, other = _half(told.expected, told.symbols, marks), _half(told.received, symbols, marks)
    alike = one.names == other.names and one.rows.keys() == other.rows.keys()
    return _drawn(one, other) if alike else (*_drawn(one), *_drawn(other))


def _half(value: Shown, symbols: str, wrong: Any) -> _Half:
    numbers, names = value.numbers, symbols.split() or ["?"] * len(value.shape)
    shape = f"shape = {sized(value.shape, symbols)}"
    if value.kind == "packed":
        numbers, wrong = (_steps(part, value.batch_sizes) for part in (numbers, wrong))
        names, shape = [STEPS[0], "1", *names[1:]], f"data.{shape}, batch_sizes = {sized(value.batch_sizes)}"
    if not names:
        numbers, names, wrong = [numbers], ["1"], wrong and [wrong]
    return _Half(_rows(numbers, len(names)), names, _rows(wrong, len(names)) if wrong else {}, shape)


def _steps(rows: Any, batch_sizes: Sequence[int]) -> Any:
    """The rows of a packed batch, step by step."""
    starts = itertools.accumulate(batch_sizes, initial=0)
    return rows and [rows[start : start + size] for start, size in zip(starts, batch_sizes, strict=False)]


def _rows(nested: Any, axes: int) -> _Rows:
    rows: dict[_Index, Any] = {(): nested}
    for _ in range(axes - 1):
        rows = {(*place, index): part for place, parts in rows.items() for index, part in enumerate(parts)}
    return rows


def _lines(half: _Half) -> Iterator[tuple[str, _Index | None]]:
    """Labels of rows with their places, and headings of blocks. If some blocks differ, the others show no rows."""
    rows, names, wrong, _ = half
    differing = {place for place, marks in wrong.items() if True in marks}
    left = _PLACES if wrong else _PLACES // 4
    yield "" if names[-1] == "?" else f"{escape(names[-1])} →", None
    for block, places in itertools.groupby(rows, key=lambda place: place[:-1]):
        heading = " ".join(map(index_word, names, block)).strip()
        within = [*places]
        first = next(filter(differing.__contains__, within), None)
        if differing and first is None:
            yield f"{heading} ✓", None
            continue
        for place in within:
            left -= max(len(rows[place]), 1)
            if left < 0:
                yield "…", None
                return
            if heading and place == within[0]:
                yield heading, None
            departs = place == first and names[-2:-1] and names[-2] in STEPS
            yield "▸" * bool(departs) + "".join(map(index_word, names[-2:-1], place[-1:])), place


@functools.lru_cache(1 << 16, typed=True)
def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1e4 else f"{value:.0e}"
    if value is None:
        return "nan"
    if isinstance(value, bool):
        return "●" if value else "·"
    return f"{value:d}" if isinstance(value, int) and abs(value) < 10**8 else "…"


def _drawn(*halves: _Half) -> tuple[Grid, ...]:
    """Grids in one frame: its lines below one another, a tint and a corner mark for each place that is wrong."""
    rows, _, wrong, _ = halves[0]
    lines = [*_lines(halves[0])]
    labels = {place: label for label, place in lines if place is not None}
    cells = [{place: [*map(_cell, half.rows[place])] for place in labels} for half in halves]
    texts = itertools.chain.from_iterable(row for half in cells for row in half.values())
    width = 2 + max(map(len, texts), default=1)
    side = _GAP + _CHARACTER * max(map(len, labels.values()), default=0)
    step, right, y, marked, tints, corners = width * _CHARACTER, 0, 0, 0, "", ""
    frame = list[str]()
    written = [list[str]() for _ in halves]
    for label, place in lines:
        y += _GAP if frame and place is None else 0
        frame.append(f'<text class="{"h" if place is None else "l"}" x="1" y="{y + 15}">{label}</text>')
        end = (len(label) + 2) * _CHARACTER
        if place is not None:
            end = side + len(rows[place]) * step
            runs = [run.span() for run in _RUN.finditer(bytes(wrong[place]))] if wrong else []
            for first, past in runs:
                edge, count = side + first * step + _CHARACTER, past - first
                marked += count
                tints += f"M{edge} {y + 11}h{count * step}"
                corners += f"M{edge + step} {y}{_CORNER}" + f"m{step} 0{_CORNER}" * (count - 1)
            # The text's length is fixed, whatever font a machine has.
            start = f'<text x="{side}" y="{y + 15}" textLength="{end - side}">'
            for half, grid in zip(cells, written, strict=True):
                row = [*map(str.rjust, half[place], itertools.repeat(width))]
                for first, past in runs:
                    row[first] = f"<tspan>{row[first]}"
                    row[past - 1] += "</tspan>"
                grid.append(f"{start}{''.join(row)}</text>")
        right = max(right, end + _CHARACTER)
        y += _LINE
    if corners:
        frame.insert(0, f'<path class="tint" d="{tints}"/><path class="mark" d="{corners}"/>')
    size = Markup(f'width="{right + 2}" height="{y + 2}" viewBox="0 0 {right + 2} {y + 2}"')
    drawn = [Markup("".join([*frame, *grid])) for grid in written]
    return tuple(Grid(half.shape, marked, size, each) for half, each in zip(halves, drawn, strict=True))
