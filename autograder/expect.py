"""What public checks say about a student's value: missing, of the wrong type, or of the wrong shape.

`make build` copies these functions into the checks handed to students, which must not need this package. So they use
nothing but torch and `text`, and look at no values: the engine hands in tensors on the `meta` device.
"""

from __future__ import annotations

import torch
from torch import nn

from autograder.text import text

__all__ = ["expect_given", "expect_layer", "expect_present", "expect_tensor"]


def expect_present(**values: object) -> None:
    """Fail, naming the first of *values* that is missing."""
    for name, value in values.items():
        if value is None:
            raise AssertionError(
                text(
                    ko=f"`{name}`의 값이 아직 None입니다.\nTODO를 채웠는지, 그 셀이 오류 없이 끝났는지 확인하십시오.",
                    en=f"`{name}` is still None.\nIs the TODO filled in, and did its cell run without an error?",
                )
            )


def expect_given(*, batch: object = torch.empty(0, 0), **sizes: object) -> None:
    """Fail if *batch* is no (B, L) tensor or one of *sizes* no integer: somebody changed what was given."""
    broken = [name for name, value in sizes.items() if not isinstance(value, int)]
    if not isinstance(batch, torch.Tensor) or batch.ndim != 2:
        broken.append("batch")
    if broken:
        raise AssertionError(
            text(
                ko=f"주어진 변수 `{broken[0]}`가 없거나 바뀌었습니다.\n노트북을 처음부터 다시 실행하십시오.",
                en=f"The given variable `{broken[0]}` is missing or was changed.\nRun the notebook from the top again.",
            )
        )


def type_name(value: object) -> str:
    """The name of *value*'s type; the grader's stand-ins for values it cannot carry know the name of the original."""
    return str(getattr(value, "type_name", type(value).__name__))


def expect_layer(name: str, value: object, kind: type[nn.Module], hint: str) -> None:
    """Fail unless *value* is a layer of the class *kind* or a subclass."""
    expect_present(**{name: value})
    if not isinstance(value, kind):
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 type nn.{kind.__name__}, 받은 type {type_name(value)}.\n{hint}",
                en=f"`{name}`: expected nn.{kind.__name__}, received {type_name(value)}.\n{hint}",
            )
        )


def expect_tensor(
    name: str, value: object, *layouts: str, sizes: dict[str, int], hint: str, dtype: torch.dtype | None = None
) -> None:
    """Fail unless *value* is a tensor of one of *layouts* and of *dtype*, any floating dtype if None.

    A layout is a line of symbols, as in "L B d_h"; *sizes* says how large each is, and numbers stand for themselves.
    """
    expect_present(**{name: value})
    if not isinstance(value, torch.Tensor):
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 type Tensor, 받은 type {type_name(value)}.\n{hint}",
                en=f"`{name}`: expected a Tensor, received {type_name(value)}.\n{hint}",
            )
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    received = tuple(value.shape)
    if received not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = text(ko=" 또는 ", en=" or ").join(labelled)
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 shape {wanted}, 받은 shape {received}.\n{hint}",
                en=f"`{name}`: expected shape {wanted}, received {received}.\n{hint}",
            )
        )
    if value.dtype != dtype if dtype else not value.dtype.is_floating_point:
        wanted = str(dtype or "float").removeprefix("torch.")
        found = str(value.dtype).removeprefix("torch.")
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 dtype {wanted}, 받은 dtype {found}.\n{hint}",
                en=f"`{name}`: expected dtype {wanted}, received {found}.\n{hint}",
            )
        )
