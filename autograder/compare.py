"""Compare what came with what was expected, and say the difference in words. What hidden checks are written with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from autograder.observation import CONFIGURATION, Opaque
from autograder.text import text

__all__ = ["Mismatch", "close", "same", "same_layer", "same_packed", "sized"]


class Mismatch(AssertionError):
    """What came is not what was expected; the message is for the student, in the language being spoken."""

    def __init__(self, kind: Literal["missing", "type", "dtype", "shape", "argument", "values"], message: str) -> None:
        super().__init__(message)
        self.kind = kind


TOLERANCE = 1e-4
"""Pinned parameters make right answers agree to 1e-5, and wrong ones differ in the first digits."""


def sized(symbols: str, shape: Iterable[int]) -> str:
    """`sized("L B d_h", (6, 4, 7))` is `(L=6, B=4, d_h=7)`; numbers and products stand as they are."""
    sizes = list(shape)
    parts = [
        str(size) if symbol == str(size) else f"{symbol}={size}"
        for symbol, size in zip(symbols.split(), sizes, strict=True)
    ]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def close(received: Tensor, expected: Tensor) -> bool:
    """Whether dtype, shape and values agree."""
    return (
        received.dtype == expected.dtype
        and received.shape == expected.shape
        and bool(torch.allclose(received, expected, rtol=TOLERANCE, atol=TOLERANCE))
    )


def same(received: object, expected: Tensor, name: str, symbols: str, *, either_layout: bool = False) -> None:
    """Assert that *received* is *expected*; with `either_layout`, its first two axes may be exchanged.

    Raises `AssertionError` with a message for the student.
    """
    if not isinstance(received, Tensor):
        raise _not_a(received, name, text(ko="tensor", en="a tensor"))
    if received.dtype != expected.dtype:
        raise Mismatch(
            "dtype",
            text(
                ko=f"{name}의 dtype: 기대한 값 {expected.dtype}, 받은 값 {received.dtype}.",
                en=f"dtype of {name}: expected {expected.dtype}, received {received.dtype}.",
            ),
        )
    layouts = [expected, expected.transpose(0, 1)] if either_layout else [expected]
    if any(close(received, layout) for layout in layouts if received.device.type != "meta"):
        return
    if all(received.shape != layout.shape for layout in layouts):
        shape = tuple(received.shape)
        raise Mismatch(
            "shape",
            text(
                ko=f"{name}의 shape: 기대한 값 {sized(symbols, expected.shape)}, 받은 값 {shape}.",
                en=f"shape of {name}: expected {sized(symbols, expected.shape)}, received {shape}.",
            ),
        )
    raise Mismatch(
        "values",
        text(
            ko=f"{name}의 shape {sized(symbols, expected.shape)}은(는) 맞지만 값이 다릅니다.",
            en=f"The shape of {name}, {sized(symbols, expected.shape)}, is right, but its values are not.",
        ),
    )


def same_packed(received: object, expected: PackedSequence, name: str) -> None:
    """Assert that two packed batches hold the same sequences, in whatever order equal lengths were packed."""
    if not isinstance(received, PackedSequence):
        raise _not_a(received, name, text(ko="PackedSequence", en="a PackedSequence"))
    if received.data.shape != expected.data.shape:
        rows, width = expected.data.shape
        raise Mismatch(
            "shape",
            text(
                ko=f"{name}.data의 shape: 기대한 값 (길이의 합={rows}, d_w={width}), 받은 값 {tuple(received.data.shape)}.",
                en=f"shape of {name}.data: expected (sum of lengths={rows}, d_w={width}),"
                f" received {tuple(received.data.shape)}.",
            ),
        )
    try:
        rows_received, lens_received = pad_packed_sequence(received)
    except (RuntimeError, IndexError, ValueError):  # batch_sizes that fit no data
        rows_received, lens_received = torch.empty(0), torch.empty(0)
    rows_expected, lens_expected = pad_packed_sequence(expected)
    if not (close(lens_received, lens_expected) and close(rows_received, rows_expected)):
        raise Mismatch(
            "values",
            text(
                ko=f"{name}에 담긴 sequence나 그 길이가 batch의 행과 맞지 않습니다.",
                en=f"The sequences in {name}, or their lengths, are not those of the rows of batch.",
            ),
        )


def same_layer(received: object, expected: nn.Module, name: str, *, free: Iterable[str] = ()) -> None:
    """Assert that *received* is a layer like *expected*, but for the arguments in *free*."""
    cls = type(expected)
    if isinstance(received, Opaque) or not isinstance(received, cls):
        raise _not_a(received, name, f"nn.{cls.__name__}")
    for argument in CONFIGURATION[cls]:
        if argument in free:
            continue
        came, right = getattr(received, argument), getattr(expected, argument)
        if came != right:
            raise Mismatch(
                "argument",
                text(
                    ko=f"{name}의 {argument}: 기대한 값 {right}, 받은 값 {came}.",
                    en=f"{argument} of {name}: expected {right}, received {came}.",
                ),
            )


def _not_a(received: object, name: str, kind: str) -> Mismatch:
    if received is None:
        return Mismatch("missing", text(ko=f"{name}에 값이 없습니다.", en=f"{name} has no value."))
    came = received.type_name if isinstance(received, Opaque) else type(received).__name__
    came_for = text(
        ko=f"{name}: 기대한 것은 {kind}, 받은 것은 {came}.", en=f"{name}: expected {kind}, received {came}."
    )
    return Mismatch("type", came_for)
