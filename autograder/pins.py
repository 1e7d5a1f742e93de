"""Pinned parameters: every layer of `torch.nn` gets the same numbers wherever it is made.

A right answer then gives the reference's numbers, whatever random numbers it drew before. A parameter is filled
from the nearest `torch.nn` class of its layer, its own name and its shape, uniformly within +-GAIN / sqrt(fan-in):
wide enough that greedy decoding visits several tokens and a state that is not carried shows, and not so wide that
rounding decides (at +-0.3 with 512 units, `contiguous()` alone moves states by 4e-3).
"""

from __future__ import annotations

import contextlib
import functools
import math
import weakref
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

__all__ = ["forget", "pin", "pin_all_layers", "practising"]

GAIN = 3.0
EMBEDDING_BOUND = 3.0
_equal = torch.equal  # before student code can put another in its place
PAD_ROW = 0
"""The embedding's row of the pad token is zero for everyone: `padding_idx`, zeroing it and neither look alike."""

_Key = tuple[str, str, tuple[int, ...]]
"""What a parameter's numbers depend on: its layer, its name and its shape."""

_PINNED_LAYERS = (nn.Embedding, nn.Linear, nn.RNNBase, nn.RNNCellBase)

# Numbers in [-1, 1), drawn once in the warm process: filling a layer is then a multiplication, not a drawing.
_COUNT = 1 << 22
_NUMBERS = 2 * torch.rand(_COUNT, generator=torch.Generator().manual_seed(0)) - 1
_KEPT_NUMBERS = 1 << 16
"""Of larger parameters the numbers are not kept beside them; hidden scenarios have none."""
# The numbers of larger parameters, for as many as there were in practice: a fork has them without computing them.
_ready: dict[_Key, list[Tensor]] = {}
_practised: dict[_Key, list[Tensor]] | None = None
# What `nn.init` has filled that was no parameter of a layer yet, by the same address, which is thus not used again.
_initialised: dict[int, torch.UntypedStorage] = {}
# By the storage's address, so that `layer.weight.data` and views of it are known too.
_pinned: dict[int, tuple[weakref.ref[Tensor], Tensor | None]] = {}


@contextlib.contextmanager
def practising() -> Iterator[None]:
    """Keep the numbers of larger parameters that are pinned meanwhile, for layers that are made later.

    Their own layers must neither be changed nor outlast it.
    """
    global _practised
    _practised = {}
    try:
        yield
    finally:
        _ready.update(_practised)
        _practised = None


def _numbers(layer: str, name: str, shape: tuple[int, ...]) -> Tensor:
    count = math.prod(shape)
    start = zlib.crc32(f"{layer}.{name}{list(shape)}".encode()) % (_COUNT // 2)
    values = _NUMBERS[start : start + count]
    if start + count > _COUNT:
        values = _NUMBERS.repeat(count // _COUNT + 2)[start : start + count]
    bound = EMBEDDING_BOUND if layer == "Embedding" else GAIN / math.sqrt(shape[-1] or 1)
    values = (values * bound).view(shape)
    if layer == "Embedding" and shape[0] > PAD_ROW:
        values[PAD_ROW] = 0
    return values


def _layer_name(module: nn.Module) -> str:
    return str(next(cls.__name__ for cls in type(module).__mro__ if getattr(nn, cls.__name__, None) is cls))


@torch.no_grad()
def pin(module: nn.Module) -> None:
    """Fill the parameters of *module* with their pinned numbers."""
    layer = _layer_name(module)
    for name, parameter in module._parameters.items():
        if parameter is None or parameter.device.type == "meta":
            continue
        key = layer, name, tuple(parameter.shape)
        ready = _ready.get(key)
        values = ready.pop() if ready else _numbers(*key)
        if parameter.dtype == values.dtype:
            parameter.data = values
        else:
            parameter.copy_(values)
        small = parameter.numel() <= _KEPT_NUMBERS
        if not small and _practised is not None:
            _practised.setdefault(key, []).append(values)
        kept = parameter.detach().clone() if small else None
        _pinned[parameter.untyped_storage().data_ptr()] = weakref.ref(parameter), kept


def _is_pinned(tensor: Tensor) -> bool:
    address = tensor.untyped_storage().data_ptr()
    reference, _ = _pinned.get(address, (_nothing, None))
    parameter = reference()
    return parameter is not None and parameter.untyped_storage().data_ptr() == address


def forget() -> None:
    """Restore no parameter from before this any more."""
    _pinned.clear()


def _nothing() -> None:
    return None


def restore() -> None:
    """Undo what was done to pinned parameters in place: training, or other numbers, cost later questions nothing."""
    for address, (reference, kept) in list(_pinned.items()):
        parameter = reference()
        if parameter is None:
            del _pinned[address]
        elif kept is not None:
            with contextlib.suppress(Exception):  # student code may have made anything of it
                if not _equal(parameter.data, kept):
                    parameter.data.copy_(kept)


def pin_all_layers() -> None:
    """From now on, in this process, layers are pinned when made or reset, and no initialisation changes them."""
    nn.Module.register_parameter = _pinning(nn.Module.register_parameter)  # type: ignore[method-assign]
    for layer in _PINNED_LAYERS:
        _pin_after_init(layer)
        layer.reset_parameters = pin  # type: ignore[method-assign, assignment]
    for name in dir(nn.init):
        function = getattr(nn.init, name)
        if name.endswith("_") and not name.startswith("_") and callable(function):
            setattr(nn.init, name, _sparing(function))
    for name in ("uniform_", "normal_"):  # as in `layer.weight.data.uniform_(-0.1, 0.1)`
        setattr(Tensor, name, _sparing(getattr(Tensor, name)))


def _pin_after_init(layer: type[nn.Module]) -> None:
    init = layer.__init__

    @functools.wraps(init)
    def pinned_init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        # Vectors of one's own (`from_pretrained`) are an answer of one's own: they stay.
        # Where `reset_parameters` is a subclass's, the layer is not pinned yet.
        if kwargs.get("_weight") is None and getattr(type(self), "reset_parameters", None) is not pin:
            pin(self)
        if isinstance(self, nn.RNNBase):
            self.dropout = 0.0  # grading is deterministic, also where the variable was not used

    layer.__init__ = pinned_init  # type: ignore[method-assign]


def _sparing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def spared(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        if _is_pinned(tensor):
            return tensor
        filled = function(tensor, *args, **kwargs)
        if isinstance(filled, Tensor) and filled.numel() <= _KEPT_NUMBERS:
            storage = filled.untyped_storage()
            _initialised[storage.data_ptr()] = storage
        return filled

    return spared


def _pinning(register: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(register)
    def registered(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        """`layer.weight = nn.Parameter(nn.init.normal_(torch.empty(…)))` is another initialisation, too."""
        register(self, name, param)
        of_ours = isinstance(self, _PINNED_LAYERS) and param is not None and param.device.type != "meta"
        if of_ours and cast(Tensor, param).untyped_storage().data_ptr() in _initialised:
            pin(self)

    return registered
