"""What a name held, as plain data: a description in JSON, which may refer to tensors in a safetensors blob."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, TensorSpec, serialize
from safetensors.torch import load
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = [
    "Described",
    "Layer",
    "Malformed",
    "Other",
    "Packed",
    "TensorData",
    "Value",
    "load_tensors",
    "restore",
    "save_tensors",
]

HEADER_BYTES = 64 * 1024
"""Longest safetensors header; a longer one takes seconds to parse."""
TENSOR_BYTES = 1024 * 1024
"""Largest tensor that is sent by value; of a larger one only dtype and shape are sent."""
TENSORS = 64
"""Most tensors of one message."""
AXES = 16
"""Most axes of a tensor."""

_NAMES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool"
DTYPES = {name: getattr(torch, name) for name in _NAMES.split()}
"""Those whose elements are sent, by name."""


class Malformed(ValueError):
    """Bytes that no honest child sends."""


class TensorData(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A tensor: its elements are in the blob under *key*, or stay where they were if it has none."""

    dtype: str
    shape: tuple[int, ...]
    device: str = "cpu"
    key: str = ""


class Packed(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A PackedSequence: data (N, ...), batch_sizes (L), and the order of rows and back, if they were sorted."""

    parts: tuple[TensorData, TensorData, TensorData | None, TensorData | None]


class Layer(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A layer of `torch.nn`: its class, the arguments that make one like it, and what its parameters are."""

    type: str
    arguments: dict[str, bool | int | float | str | None]
    dtype: str = "float32"
    device: str = "cpu"
    parameters: dict[str, tuple[int, ...]] = {}
    """Shapes by name."""

    def __getattr__(self, name: str) -> Any:
        """An argument, as on the layer itself."""
        if name in self.arguments:
            return self.arguments[name]
        raise AttributeError(name)


class Other(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A value of which only its type is told, and how many items it has if it is a list or tuple."""

    type: str
    length: int | None = None


Described = bool | int | float | TensorData | Packed | Layer | Other | None
Value = bool | int | float | Tensor | PackedSequence | Layer | Other | None
"""What a check gets for a name: None also where nothing is bound."""


def restore(value: Described, tensors: Mapping[str, Tensor]) -> Value:
    """The value that is described; a tensor whose elements were not sent is on the `meta` device.

    Raises `Malformed`.
    """
    if isinstance(value, TensorData):
        return _restore_tensor(value, tensors)
    return _restore_packed(value, tensors) if isinstance(value, Packed) else value


def _restore_tensor(value: TensorData, tensors: Mapping[str, Tensor]) -> Tensor | Other:
    shape, dtype = value.shape, DTYPES.get(value.dtype)
    # Strides are worked out as if an axis of no elements had one.
    if len(shape) > AXES or min(shape, default=0) < 0 or math.prod(max(n, 1) for n in shape) >= 2**60:
        raise Malformed("a tensor of no possible shape")
    if dtype is None:
        return Other("Tensor")
    if not value.key:
        return torch.empty(shape, dtype=dtype, device="meta")
    tensor = tensors.get(value.key)
    if tensor is None or tuple(tensor.shape) != shape or tensor.dtype != dtype:
        raise Malformed("a tensor that is not what its description says")
    return tensor


def _restore_packed(value: Packed, tensors: Mapping[str, Tensor]) -> PackedSequence:
    """A PackedSequence whose parts are of the right kinds; its numbers may still fit together badly."""
    data, *numbers = (None if part is None else _restore_tensor(part, tensors) for part in value.parts)
    for part in numbers:
        if part is not None and not (isinstance(part, Tensor) and part.ndim == 1 and part.dtype == torch.int64):
            raise Malformed("a packed sequence out of order")
    if not isinstance(data, Tensor) or not data.ndim or numbers[0].device.type != "cpu":  # type: ignore[union-attr]
        raise Malformed("a packed sequence without its data or batch sizes")
    return PackedSequence(data, *numbers)  # type: ignore[arg-type]


def save_tensors(tensors: Mapping[str, Tensor]) -> bytes:
    """The tensors, which are contiguous, as safetensors if there are any.

    `safetensors.torch.save` takes ten times as long over small ones.
    """
    if not tensors:
        return b""
    specs = {
        key: TensorSpec(
            dtype=str(tensor.dtype).removeprefix("torch."),
            shape=tensor.shape,
            data_ptr=tensor.data_ptr(),
            data_len=tensor.nbytes,
        )
        for key, tensor in tensors.items()
    }
    return bytes(serialize(specs))


def load_tensors(blob: bytes) -> dict[str, Tensor]:
    """The tensors in *blob*, if any. Raises `Malformed`."""
    if not blob:
        return {}
    if int.from_bytes(blob[:8], "little") > HEADER_BYTES:
        raise Malformed("a header beyond its limit")
    try:
        tensors = load(blob)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as problem:
        raise Malformed(f"tensors that cannot be read: {type(problem).__name__}") from problem
    if len(tensors) > TENSORS:
        raise Malformed("too many tensors")
    return tensors
