"""Compare what came with what was expected, and say the difference in words. What hidden checks are written with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from autograder.observation import CONFIGURATION, Opaque
from autograder.text import text

__all__ = ["Mismatch", "close", "same", "same_layer", "same_packed", "sized"]

TOLERANCE = 1e-4
"""Pinned parameters make right answers agree to 1e-5, and wrong ones differ in the first digits."""

_SIZES = {"num_embeddings", "embedding_dim", "input_size", "hidden_size", "num_layers", "in_features", "out_features"}
AXES, SIZE = 4, 10_000
"""Most axes, and their largest size, of a shape that is told."""

_STEPS = ("L", "max_len")


Kind = Literal["missing", "type", "dtype", "shape", "size", "argument", "values"]


class Mismatch(AssertionError):
    """What came is not what was expected; the message is for the student, in the language being spoken."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def sized(symbols: str, shape: Iterable[int]) -> str:
    """`sized("L B d_h", (6, 4, 7))` is `(L=6, B=4, d_h=7)`; a number stands for itself."""
    parts = [str(n) if symbol == str(n) else f"{symbol}={n}" for symbol, n in zip(symbols.split(), shape, strict=True)]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def close(received: Tensor, expected: Tensor) -> bool:
    """Whether dtype, shape and values agree."""
    return (
        received.dtype == expected.dtype
        and received.shape == expected.shape
        and received.device == expected.device
        and bool(_agree(received, expected).all())
    )


def _agree(received: Tensor, expected: Tensor) -> Tensor:
    return torch.isclose(received, expected, rtol=TOLERANCE, atol=TOLERANCE)


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
    if not isinstance(received, Tensor):
        raise _not_a(received, name, text(ko="tensor", en="a tensor"))
    if received.dtype != expected.dtype:
        raise _other_than("dtype", f"{name}.dtype", str(expected.dtype), str(received.dtype))
    layouts = [(expected, symbols)]
    if either_layout:
        first, second, *rest = symbols.split()
        layouts.append((expected.transpose(0, 1), " ".join([second, first, *rest])))
    if any(close(received, layout) for layout, _ in layouts):
        return
    for layout, order in layouts:
        if received.shape == layout.shape:
            raise Mismatch("values", _values_differ(received, layout, name, order, lengths))
    expectation = text(ko=" 또는 ", en=" or ").join(sized(order, layout.shape) for layout, order in layouts)
    difference = _other_than("shape", f"{name}.shape", expectation, _shape(received))

    def agreeing(layout: tuple[Tensor, str]) -> int:
        return sum(came == right for came, right in zip(received.shape, layout[0].shape, strict=False))

    nearest, order = max(layouts, key=agreeing)
    raise Mismatch("shape", f"{difference} {_about_shape(received, nearest, order)}".rstrip())


def same_packed(received: object, expected: PackedSequence, name: str) -> None:
    """Assert that two packed batches hold the same sequences, in whatever order equal lengths were packed.

    Raises `Mismatch`.
    """
    if not isinstance(received, PackedSequence):
        raise _not_a(received, name, "PackedSequence")
    if received.data.shape != expected.data.shape:
        symbols = text(ko="길이의_합 d_w", en="sum_of_lengths d_w")
        raise _other_than("shape", f"{name}.data.shape", sized(symbols, expected.data.shape), _shape(received.data))
    rows, lengths = torch.empty(0), torch.empty(0)
    # Sizes decide how much memory unpacking takes, and are the same in every right answer: they are compared before.
    if received.data.device.type == "cpu" and close(received.batch_sizes, expected.batch_sizes):
        with contextlib.suppress(RuntimeError, IndexError, ValueError):  # an order of rows that are not there
            rows, lengths = pad_packed_sequence(received)
    expected_rows, expected_lengths = pad_packed_sequence(expected)
    if not (close(lengths, expected_lengths) and close(rows, expected_rows)):
        message = text(
            ko=f"{name}: 담긴 sequence나 길이가 batch의 행과 맞지 않습니다.",
            en=f"{name}: its sequences, or their lengths, are not those of the rows of batch.",
        )
        raise Mismatch("values", message)


def same_layer(received: object, expected: nn.Module, name: str, *, free: Iterable[str] = ()) -> None:
    """Assert that *received* is a layer like *expected*, but for the arguments in *free*.

    Raises `Mismatch`.
    """
    cls = type(expected)
    if not isinstance(received, cls):
        raise _not_a(received, name, f"nn.{cls.__name__}")
    for argument in CONFIGURATION[cls]:
        came, right = getattr(received, argument), getattr(expected, argument)
        if came != right and argument not in free:
            kind: Kind = "size" if argument in _SIZES else "argument"
            raise _other_than(kind, f"{name}.{argument}", str(right), _argument(came))


def _argument(came: object) -> str:
    """A layer's argument as students see it; a large or broken number, which could be a hidden one, is not told."""
    told = came is None or isinstance(came, (bool, str)) or (isinstance(came, int) and abs(came) <= SIZE)
    return str(came) if told else text(ko="전혀 다른 값", en="one that is far off")


def _other_than(kind: Kind, what: str, expected: str, received: str) -> Mismatch:
    return Mismatch(
        kind,
        text(
            ko=f"{what}: 기대한 값 {expected}, 받은 값 {received}.",
            en=f"{what}: expected {expected}, received {received}.",
        ),
    )


def _shape(received: Tensor) -> str:
    """A shape as students see it; a long or large one, which could carry hidden numbers out, is not told."""
    shape = tuple(received.shape)
    told = len(shape) <= AXES and all(size <= SIZE for size in shape)
    return str(shape) if told else text(ko="전혀 다른 shape", en="one that is far off")


def _not_a(received: object, name: str, kind: str) -> Mismatch:
    if received is None:
        return Mismatch("missing", text(ko=f"{name}: 값이 없습니다.", en=f"{name} has no value."))
    came = received.type_name if isinstance(received, Opaque) else type(received).__name__
    return Mismatch(
        "type",
        text(ko=f"{name}: 기대한 type {kind}, 받은 type {came}.", en=f"{name}: expected {kind}, received {came}."),
    )


def _about_shape(received: Tensor, expected: Tensor, symbols: str) -> str:
    """What the wrong shape looks like."""
    came, right = list(received.shape), list(expected.shape)
    without_ones = [n for n in right if n != 1]
    if came != right and sorted(came) == sorted(right):
        return text(ko="축의 순서가 다릅니다.", en="The axes are in another order.")
    if len(came) != len(right) and [n for n in came if n != 1] == without_ones:
        return (
            text(ko="크기가 1인 축이 더 있습니다.", en="There is an axis of size 1 too many.")
            if len(came) > len(right)
            else text(ko="크기가 1인 축이 사라졌습니다.", en="An axis of size 1 is gone.")
        )
    if len(came) != len(right):
        return text(
            ko=f"축이 {len(right)}개여야 하는데 {len(came)}개입니다.",
            en=f"It has {len(came)} axes instead of {len(right)}.",
        )
    for place, (symbol, one) in enumerate(zip(symbols.split(), came, strict=True), 1):
        if symbol == "1" != str(one):
            return text(ko=f"{place}번째 축의 크기가 1이어야 합니다.", en=f"Axis {place} should have size 1.")
    wrong = [symbol for symbol, one, other in zip(symbols.split(), came, right, strict=True) if one != other]
    return text(ko=f"{', '.join(wrong)} 축의 크기가 다릅니다.", en=f"The size of {', '.join(wrong)} differs.")


def _values_differ(received: Tensor, expected: Tensor, name: str, symbols: str, lengths: Tensor | None) -> str:
    shape = sized(symbols, expected.shape)
    message = text(
        ko=f"{name}: shape {shape}은 맞지만 값이 다릅니다.",
        en=f"{name}: the shape {shape} is right, but its values are not.",
    )
    return f"{message} {_about_values(received, expected, symbols.split(), lengths)}".rstrip()


def _about_values(received: Tensor, expected: Tensor, symbols: list[str], lengths: Tensor | None) -> str:
    """Where wrong values are: the first step, the rows, the direction; or right values in wrong places."""
    if received.device != expected.device:
        return ""
    wrong = ~_agree(received, expected)
    by_axis = {symbol: wrong.transpose(0, axis).flatten(1).any(1) if wrong.ndim > 1 else wrong
               for axis, symbol in enumerate(symbols)}  # fmt: skip
    rows = by_axis.get("B")
    if rows is not None and not rows.all():
        if lengths is not None and torch.equal(rows, lengths < lengths.max()):
            return text(
                ko="가장 긴 sequence보다 짧은 행만 다릅니다. padding까지 읽은 것은 아닌지 보십시오.",
                en="Only the rows shorter than the longest differ: was padding read, too?",
            )
        if rows.sum() <= 6:
            listed = ", ".join(str(row) for row in rows.nonzero().flatten().tolist())
            return text(ko=f"{listed}번 행이 다릅니다.", en=f"Rows that differ: {listed}.")
    if symbols[-1] == "num_dirs*d_h":
        forward, backward = (half.any().item() for half in wrong.chunk(2, dim=-1))
        if forward != backward:
            return (
                text(ko="정방향 절반만 다릅니다.", en="Only the forward half differs.")
                if forward
                else text(ko="역방향 절반만 다릅니다.", en="Only the backward half differs.")
            )
    if received.numel() > 1 and torch.equal(_sorted(received), _sorted(expected)):
        return text(
            ko="필요한 숫자는 다 있지만 놓인 자리가 다릅니다.",
            en="All the right numbers are there, but in other places.",
        )
    steps = next((by_axis[symbol] for symbol in _STEPS if symbol in by_axis), None)
    if steps is not None and not steps[0]:
        first = int(steps.nonzero()[0])
        return text(ko=f"시점 t={first}부터 다릅니다.", en=f"It differs from step t={first} on.")
    if steps is not None and steps.all():
        return text(ko="첫 시점(t=0)부터 다릅니다.", en="It differs from the first step (t=0) on.")
    return ""


def _sorted(values: Tensor) -> Tensor:
    return values.flatten().double().sort().values.mul(1e3).round()
