"""Pictures of wrong answers: what was expected and what came, number by number, on a tiny shown example.

A picture is inline SVG. It takes its colours from the page's stylesheet, and says by shape (corner marks, outlines,
bold digits) what it says by colour.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from autograder.grade import Difference, Reach, Value
from autograder.language import text
from autograder.report.words import sized

__all__ = ["NUMBERS", "Panel", "panels", "reach_panels"]

NUMBERS = 140
"""How many numbers one grid shows; of values in another shape than expected, a quarter of that."""
_CHARACTER, _LINE = 7, 22
"""Pixels: a digit's width, a line's height."""
_GAP = 8
"""Pixels between labels and numbers, and above a heading."""
_DOT, _TOP = 30, 24
"""Pixels, of a picture of reach: a place's side, the height of the line above."""
_DIRECTIONS = "forward", "backward"

# What an index of an axis is called.
_AXES: dict[str, Callable[[int], str]] = {
    "1": lambda index: "",
    "L": "t={}".format,
    "max_len": "t={}".format,
    "B": "b={}".format,
    "num_layers": "layer {}".format,
    "num_dirs": lambda index: _DIRECTIONS[index % 2],
    "num_layers*num_dirs": lambda index: f"layer {index // 2} {_DIRECTIONS[index % 2]}",
}


@dataclass(frozen=True)
class Panel:
    """One of the two halves of a picture."""

    caption: str
    shape: str
    svg: Markup


@dataclass(frozen=True)
class _Line:
    """A line of numbers, or without numbers a heading. Labels are this module's own words."""

    label: str
    numbers: Sequence[Any] = ()
    wrong: Sequence[bool] = ()


def panels(difference: Difference) -> tuple[Panel, ...]:
    """What was expected and what came as grids of numbers; nothing where one of them has none."""
    expected, received = difference.expected, difference.received
    if not {expected.kind, received.kind} <= {"tensor", "packed"} or None in (expected.numbers, received.numbers):
        return ()
    fits = expected.shape == received.shape
    return (
        _panel(difference, expected, text(ko="정답", en="expected"), difference.symbols, fits),
        _panel(difference, received, text(ko="내 답", en="yours"), difference.symbols if fits else "", fits),
    )


def _panel(difference: Difference, value: Value, caption: str, symbols: str, fits: bool) -> Panel:
    shape = f"{'data.shape' if value.kind == 'packed' else 'shape'} = {sized(value.shape, symbols)}"
    lines = list(_lines(value, symbols, difference.wrong if fits else None))
    return Panel(caption, shape, _grid(lines, symbols.split()[-1:], f"{difference.name}, {caption}"))


@functools.lru_cache(1 << 16, typed=True)
def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nan"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1e4 else f"{value:.0e}"
    return f"{value:d}" if isinstance(value, int) and abs(value) < 10**8 else "…"


def _lines(value: Value, symbols: str, wrong: Any) -> Iterator[_Line]:
    """The rows of *value* below the headings of its blocks; where some differ, blocks that do not are left out."""
    some, left = _any(wrong), NUMBERS if wrong else NUMBERS // 4
    for heading, rows in _blocks(value, symbols, wrong):
        if some and not any(any(row.wrong) for row in rows):
            yield _Line(f"{heading}  {text(ko='같음', en='equal')}")
            continue
        if heading:
            yield _Line(heading)
        departs = next((row for row in rows if any(row.wrong) and row.label.startswith("t=")), None)
        for row in rows:
            left -= max(len(row.numbers), 1)
            if left < 0:
                yield _Line("…")
                return
            yield _Line(f"▸{row.label}", row.numbers, row.wrong) if row is departs else row


def _blocks(value: Value, symbols: str, wrong: Any) -> Iterator[tuple[str, list[_Line]]]:
    """The matrices of a tensor's last two axes; of a packed batch, the rows of each step."""
    if value.kind == "packed":
        starts = itertools.accumulate(value.batch_sizes, initial=0)
        for step, (start, size) in enumerate(zip(starts, value.batch_sizes, strict=False)):
            part = slice(start, start + size)
            rows = _rows(value.numbers[part], wrong and wrong[part], "")
            yield f"t={step}  batch_sizes[{step}]={size}", rows
        return
    names = symbols.split() or ["?"] * len(value.shape)
    numbers, shape = value.numbers, value.shape
    while len(shape) < 2:
        names, shape, numbers, wrong = ["1", *names], (1, *shape), [numbers], wrong and [wrong]
    for index in itertools.product(*map(range, shape[:-2])):
        part, marks = numbers, wrong
        for place in index:
            part, marks = part[place], marks and marks[place]
        yield " ".join(filter(None, map(_called, names, index))), _rows(part, marks, names[-2])


def _rows(numbers: Any, wrong: Any, symbol: str) -> list[_Line]:
    return [
        _Line(_called(symbol, index), row, wrong[index] if wrong else [False] * len(row))
        for index, row in enumerate(numbers)
    ]


def _any(nested: Any) -> bool:
    return any(map(_any, nested)) if isinstance(nested, (list, tuple)) else bool(nested)


def _called(symbol: str, index: int) -> str:
    return _AXES.get(symbol, "[{}]".format)(index)


def _grid(lines: list[_Line], across: list[str], name: str) -> Markup:
    """The lines below one another: numbers, and a tint and a corner mark for each that differs."""
    written = [[_number(number) for number in line.numbers] for line in lines]
    width = 2 + max((len(cell) for cells in written for cell in cells), default=1)
    side = _GAP + _CHARACTER * max((len(line.label) for line in lines if line.numbers), default=0)
    step, right, y = width * _CHARACTER, 0, _LINE * len(across)
    tints, corners = [], []
    parts = [f'<text class="l" x="{side + 2 * _CHARACTER}" y="15">{escape(axis)} →</text>' for axis in across]
    for line, cells in zip(lines, written, strict=True):
        y += 0 if cells or line is lines[0] else _GAP
        parts.append(f'<text class="{"l" if cells else "h"}" x="1" y="{y + 15}">{line.label}</text>')
        if cells:
            parts.append(_numbers(cells, line.wrong, width, side, y + 15))
        for column in itertools.compress(range(len(cells)), line.wrong):
            edge = side + (column + 1) * step + _CHARACTER
            tints.append(f"M{edge - step + 1} {y}h{step - 1}v21h{1 - step}z")
            corners.append(f"M{edge} {y}v7l-7-7z")
        right = max(right, side + len(cells) * step + _CHARACTER, (len(line.label) + 3) * _CHARACTER)
        y += _LINE
    total = sum(map(len, written))
    title = text(ko=f"{name}: 숫자 {total}개", en=f"{name}: {total} numbers")
    title += text(ko=f", 그중 {len(corners)}개가 다름", en=f", of which {len(corners)} differ") if corners else ""
    drawn = f'<path class="tint" d="{"".join(tints)}"/><path class="mark" d="{"".join(corners)}"/>' if corners else ""
    return _svg(title, right + 2, y + 2, drawn + "".join(parts))


def _numbers(cells: list[str], wrong: Sequence[bool], width: int, x: int, y: int) -> str:
    """One line of numbers, bold where they differ. Its length is fixed, whatever font a machine has."""
    padded = (cell.rjust(width) for cell in cells)
    runs = ((differs, "".join(itertools.islice(padded, len(list(some))))) for differs, some in itertools.groupby(wrong))
    written = "".join(f"<tspan>{run}</tspan>" if differs else run for differs, run in runs)
    length = len(cells) * width * _CHARACTER
    return f'<text x="{x}" y="{y}" textLength="{length}" lengthAdjust="spacingAndGlyphs">{written}</text>'


def _svg(title: str, width: int, height: int, inner: str) -> Markup:
    return Markup(
        f'<svg role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"<title>{escape(title)}</title>{inner}</svg>"
    )


def reach_panels(reach: Reach) -> tuple[Panel, ...]:
    """Which places of a tensor a change of one word may move, and which it moves; nothing if their shapes differ."""
    may, does = (_places(places, reach.symbols.split()[:-1]) for places in (reach.expected, reach.moved))
    if may.keys() != does.keys() or not may:
        return ()
    return (
        _dots(may, may, reach, text(ko="달라져도 되는 자리", en="may change")),
        _dots(does, may, reach, text(ko="내 답에서 달라진 자리", en="changes in yours")),
    )


_Places = dict[tuple[str, str], bool]


def _places(nested: Any, names: list[str]) -> _Places:
    """Whether each place moves, by what its line and its column are called. The batch's rows are columns."""
    while len(names) > 2:
        names, nested = ["*".join(names[:2]), *names[2:]], [line for block in nested for line in block]
    if len(names) < 2:
        names, nested = ["1", *names], [nested]
    found = {
        (_called(names[0], i), _called(names[1], j)): bool(moves)
        for i, line in enumerate(nested)
        for j, moves in enumerate(line)
    }
    return {(j, i): moves for (i, j), moves in found.items()} if names[0] == "B" else found


def _dots(places: _Places, due: _Places, reach: Reach, caption: str) -> Panel:
    """A dot in each place that moves; an outline where the changed word is; a corner mark where *due* disagrees."""
    lines, columns = (list(dict.fromkeys(labels)) for labels in zip(*places, strict=True))
    side = 12 + _CHARACTER * max(map(len, lines))
    parts, corners = [], []
    for index, label in enumerate(lines):
        parts.append(f'<text class="l" x="2" y="{_TOP + index * _DOT + 19}">{label}</text>')
    for index, label in enumerate(columns):
        parts.append(f'<text class="l" x="{side + index * _DOT + 15}" y="15" text-anchor="middle">{label}</text>')
    for (line, column), moves in places.items():
        x, y = side + columns.index(column) * _DOT, _TOP + lines.index(line) * _DOT
        kind = "word" if (line, column) == (f"t={reach.step}", f"b={reach.row}") else "cell"
        parts.append(f'<rect class="{kind}" x="{x + 2}" y="{y + 2}" width="26" height="26"/>')
        if moves:
            parts.append(f'<circle cx="{x + 15}" cy="{y + 15}" r="6"/>')
        if moves != due[line, column]:
            corners.append(f"M{x + 28} {y + 2}v10l-10-10z")
    title = f"{reach.name}, {caption}"
    title += text(ko=f": 어긋난 자리 {len(corners)}곳", en=f": {len(corners)} places disagree") if corners else ""
    parts.append(f'<path class="mark" d="{"".join(corners)}"/>' if corners else "")
    width, height = side + len(columns) * _DOT + 4, _TOP + len(lines) * _DOT + 4
    return Panel(caption, "", _svg(title, width, height, "".join(parts)))
