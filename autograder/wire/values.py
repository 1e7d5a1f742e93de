"""What a name held, as plain data: a description in JSON, which may refer to tensors in a safetensors blob."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
import torch
from safetensors import SafetensorError, TensorSpec, serialize
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

__all__ = [
    "Described",
    "Layer",
    "Malformed",
    "Other",
    "Packed",
    "TensorData",
    "Value",
    "described",
    "load_tensors",
    "restore",
    "save_tensors",
]

HEADER_BYTES = 64 * 1024
"""Longest safetensors header; a longer one takes seconds to parse."""
TENSOR_BYTES = 1024 * 1024
"""Largest tensor that is sent by value; of a larger one only dtype and shape are sent."""
AXES = 16
"""Most axes of a tensor."""

_NAMES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool"
DTYPES = {name: getattr(torch, name) for name in _NAMES.split()}
"""Those whose elements are sent, by name."""
ARGUMENTS: Mapping[type[nn.Module], tuple[str, ...]] = {
    nn.Embedding: ("num_embeddings", "embedding_dim", "padding_idx", "max_norm"),
    nn.Linear: ("in_features", "out_features"),
    **{
        layer: ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional", *more)
        for layer, more in ((nn.RNN, ("nonlinearity",)), (nn.LSTM, ("proj_size",)), (nn.GRU, ()))
    },
}
"""The layers that are observed, each with the arguments that make one like it."""
_KINDS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("bias", "batch_first", "bidirectional"), bool),
    "nonlinearity": str,
    "padding_idx": lambda value: None if value is None else operator.index(value),
    "max_norm": lambda value: None if value is None else float(value),
}
"""How arguments that are not whole numbers are converted, so that no object of a student's gets into a message."""
# Their names may be told: no student made them.
_KNOWN_TYPES = {
    *(cls.__name__ for cls in (bool, int, float, complex, str, bytes, list, tuple, dict, set, range, type)),
    *("NoneType", "function", "builtin_function_or_method", "method", "module", "generator", "ellipsis"),
    *("ndarray", "Tensor", "Parameter", "PackedSequence", "Size", "Series", "DataFrame"),
}


class Malformed(ValueError):
    """Bytes that no honest child sends."""


Word = Annotated[str, msgspec.Meta(max_length=100)]
"""A type, a dtype, an argument: no honest one is longer, and it may be told on a page."""


class TensorData(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A tensor: its elements are in the blob under *key*, or stay where they were if it has none."""

    dtype: Word
    shape: tuple[int, ...]
    device: Word = "cpu"
    key: str = ""


class Packed(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A PackedSequence: data (N, ...), batch_sizes (L), and the order of rows and back, if they were sorted."""

    parts: tuple[TensorData, TensorData, TensorData | None, TensorData | None]


class Layer(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A layer of `torch.nn`: its class, the arguments that make one like it, and what its parameters are."""

    type: Word
    arguments: dict[Word, bool | int | float | Word | None]
    dtype: Word = "float32"
    device: Word = "cpu"
    parameters: dict[str, tuple[int, ...]] = {}
    """Shapes by name."""

    def __getattr__(self, name: str) -> Any:
        """An argument, as on the layer itself."""
        if name in self.arguments:
            return self.arguments[name]
        raise AttributeError(name)


class Other(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """A value of which only its type is told, and how many items it has if it is a list or tuple."""

    type: Word
    length: int | None = None


Described = bool | int | float | TensorData | Packed | Layer | Other | None
Value = bool | int | float | Tensor | PackedSequence | Layer | Other | None
"""What a check gets for a name: None also where nothing is bound."""


def described(value: object, tensors: dict[str, Tensor]) -> Described:
    """Describe *value*. An object that raises, or exits, when it is looked at is described as some object."""
    try:
        return describe(value, tensors)
    except BaseException:
        return Other("object")


def describe(value: object, tensors: dict[str, Tensor]) -> Described:
    """Describe *value*; the elements of tensors are added to *tensors*."""
    if value is None:
        return None
    if isinstance(value, (bool, float)):
        return value if math.isfinite(value) else Other("float")
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else Other("int")
    if isinstance(value, PackedSequence):
        parts = (getattr(value, name) for name in ("data", "batch_sizes", "sorted_indices", "unsorted_indices"))
        return Packed(tuple(None if part is None else _tensor(part, tensors) for part in parts))  # type: ignore[arg-type]
    if isinstance(value, Tensor):
        return _tensor(value, tensors)
    if isinstance(value, nn.Module):
        return describe_layer(value)
    # A student's class could be named after a hidden input.
    name = type(value).__name__
    length = len(value) if type(value) in (list, tuple) else None  # type: ignore[arg-type]
    return Other(name if name in _KNOWN_TYPES else "object", length)


def _tensor(value: Tensor, tensors: dict[str, Tensor]) -> TensorData:
    """Describe a tensor; unless it is large, or lies elsewhere than in memory, a copy is added to *tensors*."""
    value = value.as_subclass(Tensor)
    dtype, key = str(value.dtype).removeprefix("torch."), ""
    plain = value.layout == torch.strided and value.device.type == "cpu" and dtype in DTYPES
    if plain and value.numel() * value.element_size() <= TENSOR_BYTES:
        key = str(len(tensors))
        # A copy of its own: the student's code may change the tensor in place later.
        tensors[key] = value.detach().clone(memory_format=torch.contiguous_format)
    return TensorData(dtype, tuple(value.shape), value.device.type, key)


def describe_layer(value: nn.Module) -> Layer | Other:
    """What is told of a layer: the class of `torch.nn` that it is or derives from, its arguments and parameters.

    Raises TypeError or ValueError for an argument that is none.
    """
    for cls in type(value).__mro__:
        if cls in ARGUMENTS:
            arguments = {name: _KINDS.get(name, operator.index)(getattr(value, name)) for name in ARGUMENTS[cls]}
            if isinstance(value, nn.Linear):
                arguments["bias"] = value.bias is not None
            parameters = dict(value.named_parameters())
            first = next(iter(parameters.values()), torch.empty(0))
            shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
            dtype = str(first.dtype).removeprefix("torch.")
            return Layer(cls.__name__, arguments, dtype, first.device.type, shapes)
    return Other(nearest(value))


def nearest(module: nn.Module) -> str:
    """The name of the nearest class of *module* that is one of `torch.nn`."""
    return str(next(cls.__name__ for cls in type(module).__mro__ if getattr(nn, cls.__name__, None) is cls))


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
    """A PackedSequence whose parts are of the right kinds, though its numbers may contradict each other."""
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
        return load(blob)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as problem:
        raise Malformed(f"tensors that cannot be read: {type(problem).__name__}") from problem
