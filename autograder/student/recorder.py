"""What names hold, described: the only way in which values leave the process."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from autograder.student.layers import describe_layer
from autograder.wire.values import DTYPES, TENSOR_BYTES, Described, Other, Packed, TensorData

__all__ = ["describe", "described"]

# Names that everybody knows.
_KNOWN_TYPES = {
    *(cls.__name__ for cls in (bool, int, float, complex, str, bytes, list, tuple, dict, set, range, type)),
    *("NoneType", "function", "builtin_function_or_method", "method", "module", "generator", "ellipsis"),
    *("ndarray", "Tensor", "Parameter", "PackedSequence", "Size", "Series", "DataFrame"),
}


def described(value: object, tensors: dict[str, Tensor]) -> Described:
    """Describe *value*; an object that fights back, or exits, when it is looked at is no value."""
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
    # A class named after a hidden input must not pass.
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
