"""What names hold, described: the only way in which values leave the process."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from autograder.student.layers import describe_layer
from autograder.wire.values import Described, Missing, Other, Packed, Scalar, TensorData, describe_tensor

__all__ = ["describe", "described"]

_KNOWN_TYPES = {
    *(cls.__name__ for cls in (bool, int, float, complex, str, bytes, list, tuple, dict, set, range, type)),
    *("NoneType", "function", "builtin_function_or_method", "method", "module", "generator", "ellipsis"),
    *("ndarray", "Tensor", "Parameter", "PackedSequence", "Size", "Series", "DataFrame"),
}


def described(namespace: dict[str, object], name: str, tensors: dict[str, Tensor]) -> Described:
    """What *name* holds; an object that fights back, or exits, when it is looked at is no value."""
    if name not in namespace:
        return Missing()
    try:
        return describe(namespace[name], tensors)
    except BaseException as problem:
        return Other(_type_name(problem))


def describe(value: object, tensors: dict[str, Tensor]) -> Described:
    """Describe *value*; the elements of tensors are added to *tensors*."""
    if value is None:
        return Missing()
    if isinstance(value, (bool, float)):
        return Scalar(value) if math.isfinite(value) else Other("float")
    if isinstance(value, int):
        return Scalar(int(value)) if abs(value) < 2**63 else Other("int")
    if isinstance(value, PackedSequence):
        parts = (getattr(value, name) for name in ("data", "batch_sizes", "sorted_indices", "unsorted_indices"))
        return Packed(*(None if part is None else _tensor(part, tensors) for part in parts))  # type: ignore[arg-type]
    if isinstance(value, Tensor):
        return _tensor(value, tensors)
    if isinstance(value, nn.Module):
        return describe_layer(value)
    return Other(_type_name(value), len(value) if type(value) in (list, tuple) else None)  # type: ignore[arg-type]


def _tensor(value: Tensor, tensors: dict[str, Tensor]) -> TensorData:
    return describe_tensor(value.as_subclass(Tensor), tensors)


def _type_name(value: object) -> str:
    """A type's name, if it is one that everybody knows: a class named after a hidden input must not pass."""
    name = type(value).__name__
    return name if name in _KNOWN_TYPES else "object"
