# The public check of q5. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q5"


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


def expect_solved(question: str, kind: type, **values: object) -> None:
    """Fail if one of *values*, which *question* leaves behind and this check needs, is no *kind*."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise AssertionError(
                f"`{name}`: \uc774 \uac80\uc0ac\uc5d0 \ud544\uc694\ud55c {question}\uc758 \uacb0\uacfc\uc785\ub2c8\ub2e4. {question}\ubd80\ud130 \ud480\uc5b4 \ubcf4\uc138\uc694."
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


def expect_close(name: str, value: torch.Tensor, wanted: torch.Tensor, axes: str, hint: str) -> None:
    """Fail unless *value* and *wanted*, of the same shape, hold the same numbers; *axes* names the first axes."""
    far = ~torch.isclose(value.double(), wanted.double(), rtol=1e-3, atol=1e-4)
    if far.any():
        index = tuple(far.nonzero()[0].tolist()[: len(axes.split())])
        where = ", ".join(f"{axis} = {number}" for axis, number in zip(axes.split(), index, strict=False))
        expected, received = (few_numbers(numbers[index]) for numbers in (wanted, value))
        raise AssertionError(
            f"`{name}`: {where}\uc5d0\uc11c \uae30\ub300\ud55c \uac12 {expected}, \ubc1b\uc740 \uac12 {received}.\n{hint}"
        )


def few_numbers(numbers: torch.Tensor) -> str:
    """The first of *numbers*, to recognise them by."""
    flat = numbers.flatten().tolist()
    shown = ", ".join(f"{number:.3f}" if isinstance(number, float) else str(number) for number in flat[:3])
    return f"[{shown}, \u2026]" if len(flat) > 3 else shown


def plain(value: torch.Tensor) -> torch.Tensor:
    """*value* on the CPU, and no part of a computation that is trained."""
    return value.detach().cpu()


def steps_first(value: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """*value* with its steps before its rows, whichever way it came."""
    return plain(value) if value.shape[:2] == batch.shape[::-1] else plain(value).movedim(1, 0)


def before_each_step(states: torch.Tensor) -> torch.Tensor:
    """What *states* (L, B, d_h) held one step earlier; zeros before the first."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])


def added_up(layer: nn.RNNBase, words: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """The sum inside the formula of *layer*: of *words* (L, B, d_w) and the *states* (L, B, d_h) before them."""
    from_words = nn.functional.linear(words, plain(layer.weight_ih_l0), plain(layer.bias_ih_l0))
    return from_words + nn.functional.linear(states, plain(layer.weight_hh_l0), plain(layer.bias_hh_l0))


@test_case(name="q5", success_message="\uc138 tensor\uc758 shape, state\ub4e4\uc774 \ubaa8\ub4e0 \uc2dc\uc810\uc5d0\uc11c LSTM\uc758 \uc2dd\uc744 \ub530\ub974\ub294\uc9c0, `lstm_states`\uc758 \ub9c8\uc9c0\ub9c9 \uc2dc\uc810\uc774 `lstm_h_n`\uc778\uc9c0 \ubcf4\uc558\uc2b5\ub2c8\ub2e4. \ub2e4\ub978 \ud06c\uae30\uc640 \ub370\uc774\ud130\uc5d0\uc11c\ub3c4 \uadf8\ub7f0\uc9c0\ub294 \ubcf4\uc9c0 \uc54a\uc558\uc2b5\ub2c8\ub2e4.")
def test_q5(lstm_states, lstm_h_n, c_n, lstm, batch_emb, batch, embedding_size, hidden_size):
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(lstm_states=lstm_states, lstm_h_n=lstm_h_n, c_n=c_n)
    expect_solved("q1", torch.Tensor, batch_emb=batch_emb)
    expect_solved("q4", nn.LSTM, lstm=lstm)
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "d_w": embedding_size, "d_h": hidden_size}
    hint = "q1\uacfc q4\uc758 \ub2f5\ubd80\ud130 \ud655\uc778\ud574 \ubcf4\uc138\uc694."
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    expect_parameters("lstm", lstm, gates=4, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
    hint = "`lstm`\uc774 \ub3cc\ub824\uc8fc\ub294 \uac12\uc744 \uc5b4\ub5a4 \uad6c\uc870\ub85c \ud480\uc5b4 \ubc1b\uc544\uc57c \ud558\ub294\uc9c0 \ubb38\uc11c\uc758 Outputs\uc5d0\uc11c \ud655\uc778\ud574 \ubcf4\uc138\uc694."
    expect_tensor("lstm_states", lstm_states, "L B d_h", "B L d_h", sizes=sizes, hint=hint)
    hint = ("\ub450 state\ub294 tuple\ub85c \ubb36\uc5ec \ub098\uc635\ub2c8\ub2e4. \uac01\uac01 \uadf8\ub300\ub85c \ub450\uc5c8\ub098\uc694? B \uc790\ub9ac\uc5d0 L\uc774 \uc788\ub2e4\uba74 \uc785\ub825\uc758 \ucd95 \uc21c\uc11c\ub97c \ud655\uc778\ud574 "
        "\ubcf4\uc138\uc694.")
    expect_tensor("lstm_h_n", lstm_h_n, "1 B d_h", sizes=sizes, hint=hint)
    expect_tensor("c_n", c_n, "1 B d_h", sizes=sizes, hint=hint)

    states, words = steps_first(lstm_states, batch), steps_first(batch_emb, batch)
    # h = o * tanh(c) at every step: a state tells the cell state it came from, and that one follows from the last.
    in_gate, forget_gate, candidate, out_gate = added_up(lstm, words, before_each_step(states)).chunk(4, dim=-1)
    shown = (states / out_gate.sigmoid()).clamp(-0.999999, 0.999999)
    kept = forget_gate.sigmoid() * before_each_step(shown.atanh()) + in_gate.sigmoid() * candidate.tanh()
    hint = ("\uc774 state\ub294 \uc774 \uc2dc\uc810\uc758 \ub2e8\uc5b4\uc640 \ubc14\ub85c \uc55e\uc758 \ub450 state\uc5d0\uc11c \ub098\uc628 \uac83\uc774 \uc544\ub2d9\ub2c8\ub2e4. t = 0\uc774\uba74 \ucd08\uae30 state\uc640 \uc785\ub825\uc744, \uadf8 "
        "\ub4a4\ub77c\uba74 \uc5b4\ub290 \ucd95\uc774 \uc2dc\uac04\uc778\uc9c0, \ub450 state\ub97c \ubaa8\ub450 \ub118\uacbc\ub294\uc9c0, \ube48\uc790\ub9ac\uae4c\uc9c0 \uc77d\uc740 \uadf8\ub300\ub85c\uc778\uc9c0\ub97c \ud655\uc778\ud574 \ubcf4\uc138\uc694.")
    expect_close("lstm_states", states, out_gate.sigmoid() * kept.tanh(), "t row", hint)
    hint = ("`lstm_h_n`\uc740 `lstm_states`\uc758 \ub9c8\uc9c0\ub9c9 \uc2dc\uc810\uacfc \uac19\uc544\uc57c \ud569\ub2c8\ub2e4. hidden state\uc640 cell state\uc758 \uc21c\uc11c\ub3c4 \ud655\uc778\ud574 "
        "\ubcf4\uc138\uc694.")
    expect_close("lstm_h_n", plain(lstm_h_n).squeeze(0), states[-1], "row", hint)
    hint = ("\ub9c8\uc9c0\ub9c9 \uc2dc\uc810\uc5d0\uc11c\ub294 hidden state = output gate \xd7 tanh(cell state)\uc785\ub2c8\ub2e4. `c_n`\uc774 \uc815\ub9d0 \ub9c8\uc9c0\ub9c9 cell "
        "state\uc778\uac00\uc694?")
    expect_close("tanh(c_n)", plain(c_n).squeeze(0).tanh(), shown[-1], "row", hint)
