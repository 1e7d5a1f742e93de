"""Compare received values with expected ones: what hidden checks are written with.

All that the grader knows of recurrent layers stands here: the layout that is free, axes, directions, packed rows.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograder.grade import Note

if TYPE_CHECKING:  # reading the course must not take as long as importing torch
    from torch import Tensor
    from torch.nn.utils.rnn import PackedSequence

    from autograder.wire.values import Layer

__all__ = ["STEPS", "Mismatch", "alike", "close", "index_word", "same", "same_layer", "same_packed"]

TOLERANCE = 1e-4
"""Pinned parameters make right answers agree to 1e-5, and wrong ones differ in the first digits."""
ROWS = 6
"""If more rows differ, they are not listed."""
STEPS = ("L", "max_len")
"""The axes of steps."""
DIRECTIONS = ("forward", "backward")
_INDEX: Mapping[str, Callable[[int], str]] = {
    "1": lambda index: "",
    **dict.fromkeys(STEPS, "t={}".format),
    "B": "b={}".format,
    "num_layers": "layer {}".format,
    "num_dirs": lambda index: DIRECTIONS[index % 2],
    "num_layers*num_dirs": lambda index: f"layer {index // 2} {DIRECTIONS[index % 2]}",
}


@functools.lru_cache(4096)
def index_word(symbol: str, index: int) -> str:
    """What a place along an axis is called, such as `t=2`."""
    return _INDEX.get(symbol, "[{}]".format)(index)


class Mismatch(AssertionError):
    """What came is not what was expected."""

    def __init__(self, kind: str, name: str, **about: Any) -> None:
        super().__init__(f"{name}: {kind} {about}")
        self.note = Note(kind, {"name": name, **about})


def close(received: Tensor, expected: Tensor, *, equal_nan: bool = False) -> bool:
    """Whether dtype, device, shape and values agree."""
    return (
        received.dtype == expected.dtype
        and received.shape == expected.shape
        and received.device == expected.device
        and bool(_agree(received, expected, equal_nan=equal_nan).all())
    )


def _agree(received: Tensor, expected: Tensor, *, equal_nan: bool = False) -> Tensor:
    return received.isclose(expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=equal_nan)


def same(
    received: object,
    expected: Tensor,
    name: str,
    symbols: str,
    *,
    either_layout: bool = False,
    lengths: Tensor | None = None,
) -> None:
    """Assert that *received* is *expected*, whose axes are *symbols*; with `either_layout`, the first two may be
    exchanged. *lengths* (B) of the sequences help to say which rows differ.

    Raises `Mismatch`.
    """
    from torch import Tensor

    if not isinstance(received, Tensor):
        raise _not_a(received, name, "Tensor", symbols)
    _same_kind(received, expected, name, symbols=symbols)
    layouts = {symbols: expected}
    if either_layout:
        first, second, *rest = symbols.split()
        layouts[" ".join([second, first, *rest])] = expected.transpose(0, 1)
    if any(close(received, layout) for layout in layouts.values()):
        return
    fitting = [order for order, layout in layouts.items() if layout.shape == received.shape]
    if fitting:
        order = max(fitting, key=lambda order: int(_agree(received, layouts[order]).sum()))
        turned = {"turned": True} if order != symbols else {}
        where = _where(received, layouts[order], order.split(), lengths)
        raise Mismatch("values", name, symbols=order, **turned, **where)
    shapes = [list(layout.shape) for layout in layouts.values()]
    raise Mismatch("shape", name, expected=shapes, orders=[*layouts], received=list(received.shape), symbols=symbols)


def same_packed(received: object, expected: PackedSequence, name: str) -> None:
    """Assert that two packed batches hold the same sequences, in whatever order.

    Raises `Mismatch`.
    """
    import torch
    from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

    if not isinstance(received, PackedSequence):
        raise _not_a(received, name, "PackedSequence", "N d_w")
    if received.data.shape != expected.data.shape:
        came, right = list(received.data.shape), list(expected.data.shape)
        raise Mismatch("packed-shape", name, expected=right, received=came, symbols="N d_w")
    rows, lengths = torch.empty(0), torch.empty(0)
    # Sizes decide how much memory unpacking takes, and are the same in every right answer: they are compared before.
    if received.data.device.type == "cpu" and close(received.batch_sizes, expected.batch_sizes):
        with contextlib.suppress(RuntimeError, IndexError, ValueError):  # an order of rows that are not there
            rows, lengths = pad_packed_sequence(received)
    left = _sequences(*pad_packed_sequence(expected))
    for sequence in _sequences(rows, lengths):
        place = next((place for place, one in enumerate(left) if close(sequence, one)), None)
        if place is None:
            break
        del left[place]
    if left:
        raise Mismatch("packed-values", name, symbols="N d_w")


def _sequences(rows: Tensor, lengths: Tensor) -> list[Tensor]:
    """The sequences (length, d_w) of a padded batch (L, B, d_w)."""
    return [row[:length] for row, length in zip(rows.unbind(1), lengths.tolist(), strict=True)] if len(lengths) else []


def same_layer(received: object, expected: Layer, name: str, *, free: Iterable[str] = ()) -> None:
    """Assert that *received* is a layer like *expected*, but for the arguments in *free*.

    Raises `Mismatch`.
    """
    from autograder.wire.values import Layer

    if not isinstance(received, Layer) or received.type != expected.type:
        raise _not_a(received, name, f"nn.{expected.type}", "")
    for argument, right in expected.arguments.items():
        came = received.arguments.get(argument)
        if came != right and argument not in free:
            raise Mismatch("argument", name, argument=argument, expected=right, received=came)
    _same_kind(received, expected, name)
    if received.parameters != expected.parameters:
        raise Mismatch("parameters", name)


def _same_kind(received: Tensor | Layer, expected: Tensor | Layer, name: str, **about: str) -> None:
    for kind in ("dtype", "device"):
        came, right = (str(getattr(value, kind)).removeprefix("torch.") for value in (received, expected))
        if came != right:
            raise Mismatch(kind, name, expected=right, received=came, **about)


def _not_a(received: object, name: str, expected: str, symbols: str) -> Mismatch:
    from autograder.wire.values import Layer, Other

    match received:
        case None:
            return Mismatch("missing", name, symbols=symbols)
        case Layer():
            came = f"nn.{received.type}"
        case Other():
            came = received.type
        case _:
            came = type(received).__name__
    kind = "namesake" if came == expected.removeprefix("nn.") else "type"
    return Mismatch(kind, name, expected=expected, received=came, symbols=symbols)


def _where(received: Tensor, expected: Tensor, symbols: list[str], lengths: Tensor | None) -> dict[str, Any]:
    """Where wrong values are: the first step, the rows, the direction; or right values in wrong places."""
    import torch

    wrong = ~_agree(received, expected)
    if received.isnan().any():
        return {"where": "nan"}
    by_axis = {
        symbol: wrong.transpose(0, axis).flatten(1).any(1) if wrong.ndim > 1 else wrong
        for axis, symbol in enumerate(symbols)
    }
    rows = by_axis.get("B")
    if rows is not None and not rows.all():
        if lengths is not None and torch.equal(rows, lengths < lengths.max()):
            return {"where": "short-rows"}
        if rows.sum() <= ROWS:
            return {"where": "rows", "rows": rows.nonzero().flatten().tolist()}
    if symbols[-1] == "num_dirs*d_h":
        halves = [name for name, half in zip(DIRECTIONS, wrong.chunk(2, dim=-1), strict=True) if half.any()]
        if len(halves) == 1:
            return {"where": "half", "half": halves[0]}
    if received.numel() > 1 and torch.equal(_sorted(received), _sorted(expected)):
        return {"where": "places"}
    steps = next((by_axis[symbol] for symbol in STEPS if symbol in by_axis), None)
    return {} if steps is None else {"where": "step", "step": int(steps.nonzero()[0])}


def _sorted(values: Tensor) -> Tensor:
    return values.flatten().double().sort().values.mul(1e3).round()


def alike(one: Sequence[object], other: Sequence[object], either_layout: Sequence[bool]) -> bool:
    """Whether two answers hold the same values, name by name.

    Those for which *either_layout* says so may stand in the other layout: all of them, or none.
    """
    from torch import Tensor

    turned = [
        came.transpose(0, 1) if free and isinstance(came, Tensor) and came.ndim >= 2 else came
        for came, free in zip(one, either_layout, strict=True)
    ]
    return any(all(map(_alike, values, other)) for values in (one, turned))


def _alike(one: object, other: object) -> bool:
    from torch import Tensor
    from torch.nn.utils.rnn import PackedSequence

    from autograder.wire.values import Layer

    if isinstance(one, PackedSequence) and isinstance(other, PackedSequence):
        return _alike(one.data, other.data) and close(one.batch_sizes, other.batch_sizes)
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one.is_meta and other.is_meta:  # values that were not sent
            return (one.shape, one.dtype) == (other.shape, other.dtype)
        return close(one, other, equal_nan=True)
    if isinstance(one, Layer) and isinstance(other, Layer):
        return _counting(one) == _counting(other)
    return type(one) is type(other) and one == other


def _counting(layer: Layer) -> tuple[object, ...]:
    """What of *layer* counts: not its layout, nor whether the row of <pad>, which is zero anyway, is trained."""
    unseen = {"batch_first": None, "padding_idx": layer.arguments.get("padding_idx") or None}
    return layer.type, layer.dtype, layer.device, {**layer.arguments, **unseen}
