"""Pinned parameters: every layer of `torch.nn` gets the same numbers wherever it is made.

A right answer then gives the reference's numbers, whatever random numbers it drew before. A parameter is filled from
the nearest `torch.nn` class of its layer, its own name, its shape and the run's salt, uniformly within
+-GAIN / sqrt(fan-in): wide enough that greedy decoding visits several tokens and a state that is not carried shows, and
not so wide that rounding decides (at +-0.3 with 512 units, `contiguous()` alone moves states by 4e-3).
"""

import contextlib
import functools
import math
import weakref
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from autograder.wire.values import Layer, nearest

__all__ = ["become", "is_whole", "keep", "make", "pin_all_layers", "reset", "restore", "salted"]

GAIN = 3.0
EMBEDDING_BOUND = 3.0
PAD_ROW = 0
"""The row of the pad token is zero in every embedding, so that it does not matter whether an answer sees to that."""

_PINNED_LAYERS = (nn.Embedding, nn.Linear, nn.RNNBase, nn.RNNCellBase)

# Numbers in [-1, 1), drawn once in the warm process: filling a layer is then a multiplication, not a drawing.
_COUNT = 1 << 22
_NUMBERS = 2 * torch.rand(_COUNT, generator=torch.Generator().manual_seed(0)) - 1
_COMPARED_BYTES = 1 << 18
"""Larger parameters are not compared: hidden scenarios and shown examples have none."""

same_numbers = torch.equal
"""Bound here before student code can put another function in its place."""


class _Made(NamedTuple):
    """A layer as it was made, or kept later; it is kept alive by nobody but the student's code."""

    layer: weakref.ref[nn.Module]
    pinned: dict[str, Tensor]
    """A copy of each parameter's numbers."""
    kept: tuple[type[nn.Module], dict[str, Any]] | None = None
    """Its class and attributes, once it is kept."""


_salt = ""
_layers: dict[int, _Made] = {}
"""By the layer's identity."""


def salted(salt: str) -> None:
    """Let layers that are made from now on have numbers that depend on *salt*; forget those that were made before."""
    global _salt
    _salt = salt
    _layers.clear()


def _numbers(layer: str, name: str, shape: tuple[int, ...]) -> Tensor:
    count = math.prod(shape)
    start = zlib.crc32(f"{_salt}{layer}.{name}{list(shape)}".encode()) % (_COUNT // 2)
    values = _NUMBERS[start : start + count]
    if start + count > _COUNT:
        values = _NUMBERS.repeat(count // _COUNT + 2)[start : start + count]
    limit = EMBEDDING_BOUND if layer == "Embedding" else GAIN / math.sqrt(shape[-1] or 1)
    values = (values * limit).view(shape)
    if layer == "Embedding" and shape[0] > PAD_ROW:
        values[PAD_ROW] = 0
    return values


@torch.no_grad()
def pin(module: nn.Module) -> None:
    """Fill the parameters of *module* with their pinned numbers."""
    layer = nearest(module)
    pinned = {}
    for name, parameter in module._parameters.items():
        if parameter is None or parameter.device.type == "meta":
            continue
        values = _numbers(layer, name, tuple(parameter.shape))
        parameter.data = values.to(parameter.dtype)
        if parameter.nbytes <= _COMPARED_BYTES:
            pinned[name] = parameter.detach().clone()
    _layers[id(module)] = _made(module)._replace(pinned=pinned)


def restore() -> None:
    """Undo what was done to pinned parameters, so that training, or another initialisation, costs no points.

    A parameter that was given another layer's numbers stays: copying them is a part of the answer.
    """
    for key, made in list(_layers.items()):
        module = made.layer()
        if module is None:
            del _layers[key]
            continue
        for name, kept in made.pinned.items():
            with contextlib.suppress(Exception):  # student code may have made anything of it, also nothing
                parameter: Any = module._parameters.get(name)
                if parameter.shape == kept.shape and not (same_numbers(parameter, kept) or _is_copy(parameter.data)):
                    parameter.data.copy_(kept)


def keep(value: nn.Module) -> None:
    """Let what a layer is now be what `reset` makes it again."""
    made = _made(value)
    with contextlib.suppress(Exception):  # student code may have made anything of it
        own: dict[str, Any] = value._parameters
        pinned = {name: own[name].detach().clone() for name in made.pinned}
        _layers[id(value)] = _Made(made.layer, pinned, (type(value), _copied(vars(value))))


def is_whole(value: nn.Module) -> bool:
    """Whether a layer is what it was when it was kept: its class, attributes, hooks, parameters and their numbers."""
    _, pinned, kept = _made(value)
    with contextlib.suppress(Exception):  # parameters that are not the same ones cannot be compared
        own: dict[str, Any] = value._parameters
        alike = all(own[name].dtype == one.dtype and same_numbers(own[name], one) for name, one in pinned.items())
        return kept is None or (alike and (type(value), vars(value)) == kept)
    return False


def reset(value: nn.Module) -> None:
    """Let a layer be what it was when it was kept."""
    _, pinned, kept = _made(value)
    if kept is not None:
        object.__setattr__(value, "__class__", kept[0])
        object.__setattr__(value, "__dict__", _copied(kept[1]))
        own: dict[str, Any] = value._parameters
        for name, numbers in pinned.items():
            own[name].data = numbers.clone()


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    """A layer's attributes, with copies of those that hold its parameters, hooks and the like."""
    copied = (dict, list, OrderedDict)
    return {name: type(one)(one) if type(one) in copied else one for name, one in attributes.items()}


def _made(value: nn.Module) -> _Made:
    made = _layers.get(id(value))
    return made if made is not None and made.layer() is value else _Made(weakref.ref(value), {})


def _is_copy(numbers: Tensor) -> bool:
    """Whether these are the numbers of any pinned parameter."""
    return any(
        kept.shape == numbers.shape and same_numbers(kept, numbers.to(kept.dtype))
        for made in _layers.values()
        for kept in made.pinned.values()
    )


def pin_all_layers() -> None:
    """From now on, in this process, layers are pinned when made or reset, and no initialisation changes them."""
    _put_around(nn.Module, "register_parameter", _registered)
    for layer in _PINNED_LAYERS:
        _put_around(layer, "__init__", _initialised)
        layer.reset_parameters = pin  # type: ignore[method-assign, assignment]
    for name in dir(nn.init):
        if name.endswith("_") and not name.startswith("_") and callable(getattr(nn.init, name)):
            _put_around(nn.init, name, _sparing)
    for name in ("uniform_", "normal_"):  # as in `layer.weight.data.uniform_(-0.1, 0.1)`
        _put_around(Tensor, name, _sparing)


def _put_around(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Let *around* be called in the place of a function, with that function first."""
    function = getattr(owner, name)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return around(function, *args, **kwargs)

    setattr(owner, name, called)


def _initialised(init: Callable[..., None], self: nn.Module, *args: Any, **kwargs: Any) -> None:
    init(self, *args, **kwargs)
    # Vectors that the student chose (`from_pretrained`) stay. Torch has not pinned the layer yet if a subclass has a
    # `reset_parameters` of its own.
    if kwargs.get("_weight") is None and getattr(type(self), "reset_parameters", None) is not pin:
        pin(self)
    if isinstance(self, nn.RNNBase):
        self.dropout = 0.0  # grading is deterministic, also where the variable was not used


def _sparing(function: Callable[..., Any], tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
    address = tensor.untyped_storage().data_ptr()
    made = [(one.layer(), one.pinned) for one in _layers.values()]
    pinned = [layer._parameters.get(name) for layer, names in made if layer is not None for name in names]
    spared = any(one is not None and one.untyped_storage().data_ptr() == address for one in pinned)
    return tensor if spared else function(tensor, *args, **kwargs)


def _registered(register: Callable[..., None], self: nn.Module, name: str, param: nn.Parameter | None) -> None:
    """`register_parameter`: `layer.weight = nn.Parameter(torch.randn(…))` is an initialisation, too, and undone."""
    register(self, name, param)
    pinned = _made(self).pinned
    if param is None or name not in pinned or nn.parameter.is_lazy(param) or param.device.type == "meta":
        return
    if param.shape == pinned[name].shape and not _is_copy(param.data):
        param.data = pinned[name].to(param.dtype).clone()


def make(right: Layer, own: object, *, batch_first: bool) -> nn.Module:
    """The layer that *right* describes, in the layout that *own* has, if any: later lines were written for that."""
    arguments: dict[str, Any] = dict(right.arguments)
    if "batch_first" in arguments:
        arguments["batch_first"] = bool(own.batch_first) if isinstance(own, nn.RNNBase) else batch_first
    layer: nn.Module = getattr(nn, right.type)(**arguments)
    return layer


def become(own: nn.Module, right: nn.Module) -> None:
    """Let *own* be what *right* is, wherever it is held: in a list, an object, a closure, a bound method."""
    object.__setattr__(own, "__class__", type(right))
    own.__dict__ = right.__dict__
    if id(right) in _layers:
        _layers[id(own)] = _layers[id(right)]._replace(layer=weakref.ref(own))
