# Public checks of q4: shapes, dtypes and types only.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

from typing import Any

import torch
from otter.test_files import test_case
from torch import nn

name = "q4"


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


@Case("`lstm`\uc740 LSTM layer\uc785\ub2c8\ub2e4.")
def test_lstm_is_a_layer(lstm):
    hint = "nn.LSTM(...)\uc758 \uacb0\uacfc\ub97c \uadf8\ub300\ub85c `lstm`\uc5d0 \ub450\uc2ed\uc2dc\uc624."
    expect_layer("lstm", lstm, nn.LSTM, hint)


@Case("`lstm`\uc758 \uc785\ub825 weight\ub294 \ub2e8\uc5b4 vector\ub97c gate \ub124 \uac1c\ub85c \uc62e\uae41\ub2c8\ub2e4.")
def test_lstm_reads_word_vectors(lstm, embedding_size, hidden_size):
    expect_given(embedding_size=embedding_size, hidden_size=hidden_size)
    hint = "`lstm`\uc774 \uc2dc\uc810\ub9c8\ub2e4 \ubc1b\ub294 \uc785\ub825\uc758 \uae38\uc774\uc640, hidden state\uc758 \ud06c\uae30\ub97c \ud655\uc778\ud558\uc2ed\uc2dc\uc624."
    expect_layer("lstm", lstm, nn.LSTM, hint)
    sizes = {"4*d_h": 4 * hidden_size, "d_w": embedding_size}
    expect_tensor("lstm.weight_ih_l0", lstm.weight_ih_l0, "4*d_h d_w", sizes=sizes, hint=hint)
