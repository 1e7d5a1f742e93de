# Public checks of q1: shapes, dtypes and types only.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

from typing import Any

import torch
from otter.test_files import test_case
from torch import nn

name = "q1"


class Told:
    """What a check said when it failed."""

    def __init__(self) -> None:
        self.words = ""

    def __str__(self) -> str:
        return self.words

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (self.words,)  # Otter's log is read where this class is unknown


class Case(test_case):
    """A check whose *name* is the sentence that students read."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, failure_message=Told())

    def call_func(self, global_environment: dict[str, Any]) -> None:
        """Run the check on the names that it asks for; a missing one is None."""
        try:
            self.test_func(**{name: global_environment.get(name) for name in self._get_func_params()})
        except AssertionError as failure:
            self.failure_message.words = str(failure)
            failure.args = (str(failure).partition("\n")[0],)
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        return test_case, (self.name,)


def expect_present(**values: object) -> None:
    """Fail, naming the first of *values* that is missing."""
    for name, value in values.items():
        if value is None:
            raise AssertionError(
                f"`{name}`\uc758 \uac12\uc774 \uc544\uc9c1 None\uc785\ub2c8\ub2e4.\nTODO\ub97c \ucc44\uc6e0\ub294\uc9c0, \uadf8 \uc140\uc774 \uc624\ub958 \uc5c6\uc774 \ub05d\ub0ac\ub294\uc9c0 \ud655\uc778\ud558\uc2ed\uc2dc\uc624."
            )


def expect_given(*, batch: object = torch.empty(0, 0), **sizes: object) -> None:
    """Fail if *batch* is no (B, L) tensor or one of *sizes* no integer: somebody changed what was given."""
    broken = [name for name, value in sizes.items() if not isinstance(value, int)]
    if not isinstance(batch, torch.Tensor) or batch.ndim != 2:
        broken.append("batch")
    if broken:
        raise AssertionError(
            f"\uc8fc\uc5b4\uc9c4 \ubcc0\uc218 `{broken[0]}`\uac00 \uc5c6\uac70\ub098 \ubc14\ub00c\uc5c8\uc2b5\ub2c8\ub2e4.\n\ub178\ud2b8\ubd81\uc744 \ucc98\uc74c\ubd80\ud130 \ub2e4\uc2dc \uc2e4\ud589\ud558\uc2ed\uc2dc\uc624."
        )


def type_name(value: object) -> str:
    """The name of *value*'s type; the grader's stand-ins for values it cannot carry know the name of the original."""
    return str(getattr(value, "type_name", type(value).__name__))


def expect_layer(name: str, value: object, kind: type[nn.Module], hint: str) -> None:
    """Fail unless *value* is a layer of the class *kind* or a subclass."""
    expect_present(**{name: value})
    if not isinstance(value, kind):
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c type nn.{kind.__name__}, \ubc1b\uc740 type {type_name(value)}.\n{hint}"
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
            f"`{name}`: \uae30\ub300\ud55c type Tensor, \ubc1b\uc740 type {type_name(value)}.\n{hint}"
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    received = tuple(value.shape)
    if received not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = " \ub610\ub294 ".join(labelled)
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c shape {wanted}, \ubc1b\uc740 shape {received}.\n{hint}"
        )
    if value.dtype != dtype if dtype else not value.dtype.is_floating_point:
        wanted = str(dtype or "float").removeprefix("torch.")
        found = str(value.dtype).removeprefix("torch.")
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c dtype {wanted}, \ubc1b\uc740 dtype {found}.\n{hint}"
        )


@Case("`embedding`\uc740 embedding layer\uc785\ub2c8\ub2e4.")
def test_embedding_is_a_layer(embedding):
    hint = "id\ub97c \ubc1b\uc544 \ud45c\uc5d0\uc11c \uadf8 \ud589\uc744 \uaebc\ub0b4 \uc8fc\ub294 layer\uac00 \ud544\uc694\ud569\ub2c8\ub2e4."
    expect_layer("embedding", embedding, nn.Embedding, hint)


@Case("`batch_emb`\ub294 batch\uc758 id\ub9c8\ub2e4 vector\ub97c \ud558\ub098\uc529 \ub2f4\uace0 \uc788\uc2b5\ub2c8\ub2e4.")
def test_batch_emb_has_a_vector_for_every_id(batch_emb, batch, embedding_size):
    expect_given(batch=batch, embedding_size=embedding_size)
    hint = "\uc55e\uc758 \ub450 \ucd95\uc740 batch\uc640 \uac19\uace0 \ub9c8\uc9c0\ub9c9 \ucd95\uc740 vector\uc785\ub2c8\ub2e4. embedding layer\uc758 \ub450 \uc778\uc790\ub294 \uac01\uac01 \ubb34\uc5c7\uc744 \ub73b\ud569\ub2c8\uae4c?"
    sizes = {"B": batch.shape[0], "L": batch.shape[1], "d_w": embedding_size}
    expect_tensor("batch_emb", batch_emb, "B L d_w", sizes=sizes, hint=hint)
