# The public check of q2. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q2"


def expect_present(**values: object) -> None:
    """Fail, naming those of *values* that are missing."""
    missing = ", ".join(f"`{name}`" for name, value in values.items() if value is None)
    if missing:
        raise AssertionError(
            (f"{missing}: \uc544\uc9c1 \uacb0\uacfc\uac00 \uc5c6\uc2b5\ub2c8\ub2e4. TODO\ub97c \ucc44\uc6b0\uace0, \uadf8 \uc140\uc774 \uc624\ub958 \uc5c6\uc774 \ub05d\ub098 \uc774 \uc774\ub984\uc5d0 \uacb0\uacfc\ub97c \ub0a8\uae30\ub294\uc9c0 "
                "\ud655\uc778\ud574 \ubcf4\uc138\uc694.")
        )


def expect_given(**values: object) -> None:
    """Fail if one of *values* is not what the given cells made it: somebody changed it."""
    kinds = {"batch": torch.Tensor, "batch_lens": torch.Tensor, "gru": nn.GRU, "output_layer": nn.Linear}
    for name, value in values.items():
        if not isinstance(value, kinds.get(name, int)) or getattr(value, "dtype", torch.int64) != torch.int64:
            raise AssertionError(
                f"`{name}`: \uc8fc\uc5b4\uc9c4 \ubcc0\uc218\uc778\ub370, \uc5c6\uac70\ub098 \ubc14\ub00c\uc5c8\uc2b5\ub2c8\ub2e4. \ub178\ud2b8\ubd81\uc744 \ucc98\uc74c\ubd80\ud130 \ub2e4\uc2dc \uc2e4\ud589\ud574 \ubcf4\uc138\uc694."
            )


def expect_layer(name: str, value: object, kind: type[nn.Module], hint: str) -> None:
    """Fail unless *value* is a layer of the class *kind* or a subclass."""
    if not isinstance(value, kind):
        found = f"class {value.__name__}" if isinstance(value, type) else type(value).__name__
        found = f"nn.{found}" if isinstance(value, nn.Module) else found
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c type nn.{kind.__name__}, \ubc1b\uc740 type {found}.\n{hint}"
        )


def expect_setting(name: str, received: object, wanted: tuple[object, ...], hint: str) -> None:
    """Fail unless *received*, what a layer was told, is one of *wanted*."""
    if received not in wanted:
        expected = " \ub610\ub294 ".join(str(value) for value in wanted)
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c \uac12 {expected}, \ubc1b\uc740 \uac12 {received}.\n{hint}"
        )


def expect_parameters(
    name: str, layer: nn.RNNBase, *, gates: int, embedding_size: int, hidden_size: int, hint: str
) -> None:
    """Fail unless *layer* is recurrent with one layer, one direction and biases, and has *gates* gates."""
    rows = gates * hidden_size
    label = "d_h" if gates == 1 else f"{gates}*d_h"
    sizes = {label: rows, "d_w": embedding_size, "d_h": hidden_size}
    for parameter, layout in (("weight_ih_l0", f"{label} d_w"), ("weight_hh_l0", f"{label} d_h")):
        expect_tensor(f"{name}.{parameter}", getattr(layer, parameter, None), layout, sizes=sizes, hint=hint)
    hint = (f"TODO\uac00 \uc544\ub2cc \uc778\uc790\ub294 \uc8fc\uc5b4\uc9c4 \uadf8\ub300\ub85c\uc778\uac00\uc694? \ub4a4\uc758 \uc140\uc744 \uc2e4\ud589\ud558\uace0 \ub3cc\uc544\uc654\ub2e4\uba74 `{name}` \ubc14\ub85c \uc704\uc758 \uc140\ubd80\ud130 \ub2e4\uc2dc "
        "\uc2e4\ud589\ud574 \ubcf4\uc138\uc694.")
    for setting, wanted in (("num_layers", 1), ("bidirectional", False), ("bias", True)):
        expect_setting(f"{name}.{setting}", getattr(layer, setting), (wanted,), hint)


def expect_tensor(
    name: str, value: object, *layouts: str, sizes: dict[str, int], hint: str, dtype: torch.dtype = torch.float32
) -> None:
    """Fail unless *value* is a tensor of *dtype* in one of *layouts*.

    A layout is a line of symbols, as in "L B d_h"; *sizes* says how large each is, and numbers stand for themselves.
    """
    if not isinstance(value, torch.Tensor):
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c type Tensor, \ubc1b\uc740 type {type(value).__name__}.\n{hint}"
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    if tuple(value.shape) not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = " \ub610\ub294 ".join(labelled)
        raise AssertionError(
            f"`{name}`: \uae30\ub300\ud55c shape {wanted}, \ubc1b\uc740 shape {tuple(value.shape)}.\n{hint}"
        )
    if value.dtype != dtype:
        expected, found = (str(kind).removeprefix("torch.") for kind in (dtype, value.dtype))
        raise AssertionError(
            (f"`{name}`: \uae30\ub300\ud55c dtype {expected}, \ubc1b\uc740 dtype {found}.\n"
                "\uc774 \uacfc\uc81c\uc5d0\uc11c \uc2e4\uc218 \uac12\uc740 float32, id\uc640 \uae38\uc774\ub294 int64\uc785\ub2c8\ub2e4.")
        )


@test_case(name="q2", success_message="`rnn`\uc758 \uc885\ub958, weight\uc758 shape, layer\uc640 \ubc29\ud5a5\uc758 \uc218\ub97c \ubcf4\uc558\uc2b5\ub2c8\ub2e4. \ud06c\uae30\ub97c \ubc14\uafb8\uc5b4\ub3c4 \ub9de\ub294\uc9c0\ub294 \ubcf4\uc9c0 \uc54a\uc558\uc2b5\ub2c8\ub2e4.")
def test_q2(rnn, batch, embedding_size, hidden_size):
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(rnn=rnn)
    hint = "nn.RNN(...)\uc774 \ub3cc\ub824\uc900 layer\ub97c \uadf8\ub300\ub85c `rnn`\uc5d0 \ub450\uc138\uc694."
    expect_layer("rnn", rnn, nn.RNN, hint)
    hint = "`rnn`\uc774 \uc2dc\uc810\ub9c8\ub2e4 \ubc1b\ub294 \uc785\ub825\uc740 \ubb34\uc5c7\uc774\uba70, \uadf8 \uae38\uc774\ub294 \uc5bc\ub9c8\uc778\uac00\uc694?"
    expect_parameters("rnn", rnn, gates=1, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
    hint = "\uc2dd\uc5d0 \uc788\ub294 \ud568\uc218\uc640 \uac19\uc740\uac00\uc694?"
    expect_setting("rnn.nonlinearity", rnn.nonlinearity, ("tanh",), hint)
