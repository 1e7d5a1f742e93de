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
                f"`{name}` is still None.\nIs the TODO filled in, and did its cell run without an error?"
            )


def expect_given(*, batch: object = torch.empty(0, 0), **sizes: object) -> None:
    """Fail if *batch* is no (B, L) tensor or one of *sizes* no integer: somebody changed what was given."""
    broken = [name for name, value in sizes.items() if not isinstance(value, int)]
    if not isinstance(batch, torch.Tensor) or batch.ndim != 2:
        broken.append("batch")
    if broken:
        raise AssertionError(
            f"The given variable `{broken[0]}` is missing or was changed.\nRun the notebook from the top again."
        )


def type_name(value: object) -> str:
    """The name of *value*'s type; the grader's stand-ins for values it cannot carry know the name of the original."""
    return str(getattr(value, "type_name", type(value).__name__))


def expect_layer(name: str, value: object, kind: type[nn.Module], hint: str) -> None:
    """Fail unless *value* is a layer of the class *kind* or a subclass."""
    expect_present(**{name: value})
    if not isinstance(value, kind):
        raise AssertionError(
            f"`{name}`: expected nn.{kind.__name__}, received {type_name(value)}.\n{hint}"
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
            f"`{name}`: expected a Tensor, received {type_name(value)}.\n{hint}"
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    received = tuple(value.shape)
    if received not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = " or ".join(labelled)
        raise AssertionError(
            f"`{name}`: expected shape {wanted}, received {received}.\n{hint}"
        )
    if value.dtype != dtype if dtype else not value.dtype.is_floating_point:
        wanted = str(dtype or "float").removeprefix("torch.")
        found = str(value.dtype).removeprefix("torch.")
        raise AssertionError(
            f"`{name}`: expected dtype {wanted}, received {found}.\n{hint}"
        )


@Case("`embedding` is an embedding layer.")
def test_embedding_is_a_layer(embedding):
    hint = "You need the layer that takes ids and looks up rows in a table."
    expect_layer("embedding", embedding, nn.Embedding, hint)


@Case("`batch_emb` holds one vector for every id in the batch.")
def test_batch_emb_has_a_vector_for_every_id(batch_emb, batch, embedding_size):
    expect_given(batch=batch, embedding_size=embedding_size)
    hint = "The first two axes are those of batch, the last is a vector. What does each argument of the layer mean?"
    sizes = {"B": batch.shape[0], "L": batch.shape[1], "d_w": embedding_size}
    expect_tensor("batch_emb", batch_emb, "B L d_w", sizes=sizes, hint=hint)
