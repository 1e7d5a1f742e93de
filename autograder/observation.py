"""What a student's names held, as plain data: a JSON tree that refers to tensors in a safetensors blob.

The child describes, the grader restores. Nothing here is ever unpickled, and whatever a child sends is bounded and
checked before use: a forged frame is `Malformed`, and costs nobody but its author.
"""

from __future__ import annotations

import functools
import json
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError, TensorSpec, serialize
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

__all__ = ["CONFIGURATION", "Malformed", "Opaque", "Tree", "describe", "pack", "restore", "unpack"]

Tree = dict[str, Any]

JSON_BYTES = 256 * 1024
"""Longest JSON part of a frame."""
BRACKETS = 10_000
"""Most lists and objects of a frame: each takes a hundred times the memory of its two characters."""
HEADER_BYTES = 64 * 1024
"""Longest safetensors header; a longer one takes seconds to parse."""
TENSOR_BYTES = 4 * 1024 * 1024
"""Largest tensor sent by value; of a larger one only dtype and shape are sent."""
ITEMS = 64
"""Most items of a list or tuple that are described."""
LAYERS = 16
"""Most layers of a recurrent module that is rebuilt."""
LARGEST_SIZE = 1_000_000
"""Largest size or layer count with which a module is rebuilt."""

CONFIGURATION: Mapping[type[nn.Module], tuple[str, ...]] = {
    nn.Embedding: ("num_embeddings", "embedding_dim", "padding_idx", "max_norm"),
    nn.Linear: ("in_features", "out_features"),
    **{
        layer: ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional", *more)
        for layer, more in ((nn.RNN, ("nonlinearity",)), (nn.LSTM, ("proj_size",)), (nn.GRU, ()))
    },
}
"""The layers that are observed, each with the arguments that make one like it."""

_FLAGS = {"bias", "batch_first", "bidirectional"}
_OPTIONAL = {"padding_idx", "max_norm"}
_CLASSES = {cls.__name__: cls for cls in CONFIGURATION}
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}
_CARRIED = {dtype for dtype in _DTYPES.values() if not dtype.is_complex}
# Type names are shown to students, also from hidden scenarios; a class named after a hidden input must not pass.
_KNOWN_TYPES = {
    *(cls.__name__ for cls in (bool, int, float, complex, str, bytes, list, tuple, dict, set, range, type)),
    *("NoneType", "function", "builtin_function_or_method", "method", "module", "generator", "ellipsis"),
    *("ndarray", "Tensor", "Parameter", "PackedSequence", "Size", "Series", "DataFrame"),
    *(name for name in dir(nn) if isinstance(getattr(nn, name), type)),
}


class Malformed(ValueError):
    """A frame that no honest child sends."""


# What torch raises when it is asked for something that there cannot be.
_UNFIT = (KeyError, TypeError, ValueError, RuntimeError, AttributeError, AssertionError, OverflowError)


@dataclass(frozen=True)
class Opaque:
    """A value of which nothing but its type's name is known."""

    type_name: str


def describe(value: object, tensors: dict[str, Tensor], *, values: bool) -> Tree:
    """Describe *value*; tensors that go by value are added to *tensors* under keys of their own.

    With `values=False`, only dtypes and shapes of tensors are taken down.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return _scalar(value)
    if isinstance(value, PackedSequence):
        parts = {
            name: describe(getattr(value, name), tensors, values=values or name != "data") for name in value._fields
        }
        return {"is": "packed", **parts}
    if isinstance(value, Tensor):
        return _tensor(value, tensors, values=values)
    if isinstance(value, nn.Module):
        return _module(value)
    if type(value) in (list, tuple):
        items = [describe(item, tensors, values=False) for item in value[:ITEMS]]  # type: ignore[index]
        return {"is": type(value).__name__, "items": items, "length": len(value)}  # type: ignore[arg-type]
    return {"is": "other", "type": type(value).__name__}


def _scalar(value: bool | int | float | None) -> Tree:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return {"is": "other", "type": "int"}
    return {"is": "scalar", "value": value}


def _tensor(value: Tensor, tensors: dict[str, Tensor], *, values: bool) -> Tree:
    tree: Tree = {"is": "tensor", "dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape)}
    plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
    size = value.numel() * value.element_size()
    if values and plain and value.dtype in _CARRIED and size <= TENSOR_BYTES:
        tree["key"] = str(len(tensors))
        # A copy of its own: the student's code may change the tensor in place later.
        tensors[tree["key"]] = value.detach().clone(memory_format=torch.contiguous_format)
    return tree


def _module(value: nn.Module) -> Tree:
    for cls in type(value).__mro__:
        if cls in CONFIGURATION:
            config = {name: _argument(name, getattr(value, name)) for name in CONFIGURATION[cls]}
            if isinstance(value, nn.Linear):
                config["bias"] = value.bias is not None
            parameters = {name: list(parameter.shape) for name, parameter in value.named_parameters()}
            return {"is": "module", "class": cls.__name__, "config": config, "parameters": parameters}
    nearest = next(cls for cls in type(value).__mro__ if getattr(nn, cls.__name__, None) is cls)
    return {"is": "other", "type": nearest.__name__}


def _argument(name: str, value: Any) -> Any:
    """An argument of a layer as plain data; whatever else a child claims must not come near a message.

    Raises TypeError or ValueError.
    """
    if name in _FLAGS:
        return bool(value)
    if name == "nonlinearity":
        return str(value)
    if name in _OPTIONAL and value is None:
        return None
    return float(value) if name == "max_norm" else operator.index(value)


def restore(tree: Tree, tensors: Mapping[str, Tensor]) -> object:
    """The value that *tree* describes: tensors without values and modules on the `meta` device.

    Raises `Malformed` if it describes none.
    """
    try:
        return _restore(tree, tensors)
    except _UNFIT as problem:
        raise Malformed(str(problem)) from problem


def _restore(tree: Tree, tensors: Mapping[str, Tensor]) -> object:
    kind = tree["is"]
    if kind == "scalar":
        value = tree["value"]
        if not (value is None or isinstance(value, (bool, int, float))):
            raise Malformed("a scalar that is none")
        return value if not isinstance(value, int) or abs(value) < 2**63 else Opaque("int")
    if kind == "missing":  # the statement that was to bind it raised
        return None
    if kind == "tensor":
        return _restore_tensor(tree, tensors)
    if kind == "packed":
        return _restore_packed(*(_restore(tree[name], tensors) for name in PackedSequence._fields))
    if kind == "module":
        cls = _CLASSES[tree["class"]]
        config = {name: _argument(name, tree["config"][name]) for name in CONFIGURATION[cls]}
        if any(isinstance(size, int) and not 0 <= size <= LARGEST_SIZE for size in config.values()):
            return Opaque(cls.__name__)
        if config.get("num_layers", 1) > LAYERS:
            return Opaque(cls.__name__)
        if cls is nn.Linear:
            config["bias"] = bool(tree["config"]["bias"])
        module = _blank(cls, **config)  # type: ignore[arg-type]  # classes can be hashed
        shapes = {name: list(parameter.shape) for name, parameter in module.named_parameters()}
        if any(tree["parameters"].get(name) != shape for name, shape in shapes.items()):
            return Opaque(cls.__name__)  # says that it is such a layer, but its weights are not
        return module
    if kind in ("list", "tuple"):
        # Nobody asks what layers in a list are like, and making them takes time.
        items = [
            Opaque(_CLASSES[item["class"]].__name__) if item["is"] == "module" else _restore(item, tensors)
            for item in tree["items"][:ITEMS]
        ]
        return items if kind == "list" else tuple(items)
    name = tree["type"]
    return Opaque(name if name in _KNOWN_TYPES else "object")


@functools.lru_cache(maxsize=256, typed=True)
def _blank(cls: type[nn.Module], **config: Any) -> nn.Module:
    """A layer without values, not to be changed."""
    if cls is nn.Embedding:
        # On the meta device its initialisation would import torch's compiler, which takes a second or two.
        config["_weight"] = torch.empty(config["num_embeddings"], config["embedding_dim"], device="meta")
    return cls(**config, device="meta")


def _restore_packed(data: object, batch_sizes: object, *orders: object) -> PackedSequence:
    """A packed sequence that can be asked for its shape; its numbers may still fit together badly."""
    if not isinstance(data, Tensor) or not data.ndim:
        raise Malformed("a packed sequence without data")
    if not isinstance(batch_sizes, Tensor) or batch_sizes.ndim != 1 or batch_sizes.device.type != "cpu":
        raise Malformed("a packed sequence without batch sizes")
    for order in orders:
        if order is not None and not (isinstance(order, Tensor) and order.ndim == 1 and order.dtype == torch.int64):
            raise Malformed("a packed sequence out of order")
    return PackedSequence(data, batch_sizes, *orders)  # type: ignore[arg-type]


def _restore_tensor(tree: Tree, tensors: Mapping[str, Tensor]) -> object:
    shape = tree["shape"]
    if not (isinstance(shape, list) and len(shape) <= 16 and all(type(n) is int and 0 <= n < 2**40 for n in shape)):
        raise Malformed("a tensor of no possible shape")
    dtype = _DTYPES.get(tree["dtype"])
    if dtype is None:
        return Opaque("Tensor")
    if "key" not in tree:
        return torch.empty(shape, dtype=dtype, device="meta") if math.prod(shape) < 2**60 else Opaque("Tensor")
    tensor = tensors[tree["key"]]
    if list(tensor.shape) != shape or tensor.dtype != dtype:
        raise Malformed("a tensor that is not what its description says")
    return tensor


def pack(message: Tree, tensors: Mapping[str, Tensor] | None = None) -> bytes:
    """One frame: the length of the JSON part (4 bytes), the JSON, and the tensors if there are any."""
    body = json.dumps(message).encode()
    blob = _saved(tensors) if tensors else b""
    return len(body).to_bytes(4, "little") + body + blob


def _saved(tensors: Mapping[str, Tensor]) -> bytes:
    """The tensors as safetensors; `safetensors.torch.save` takes ten times as long over small ones."""
    whole = {key: tensor.contiguous() for key, tensor in tensors.items()}  # kept until they have been copied
    specs = {
        key: TensorSpec(
            dtype=str(tensor.dtype).removeprefix("torch."),
            shape=tensor.shape,
            data_ptr=tensor.data_ptr(),
            data_len=tensor.nbytes,
        )
        for key, tensor in whole.items()
    }
    return bytes(serialize(specs))


def unpack(frame: bytes, *, trusted: bool = False, tensors: bool = True) -> tuple[Tree, dict[str, Tensor]]:
    """The message of a frame and, with `tensors`, its tensors; raises `Malformed`."""
    length = int.from_bytes(frame[:4], "little")
    body, blob = frame[4 : 4 + length], frame[4 + length :]
    if not trusted and (length > JSON_BYTES or int.from_bytes(blob[:8], "little") > HEADER_BYTES):
        raise Malformed("a frame beyond its limits")
    if not trusted and body.count(b"[") + body.count(b"{") > BRACKETS:
        raise Malformed("a frame of too many parts")
    try:
        message = json.loads(body)
        loaded = load_tensors(blob) if blob and tensors else {}
    except (ValueError, RecursionError, SafetensorError, KeyError, TypeError, RuntimeError) as problem:
        raise Malformed(f"a frame that cannot be read: {type(problem).__name__}") from problem
    if not isinstance(message, dict):
        raise Malformed("a frame without a message")
    return message, loaded
