# The public check of q8. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q8"


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


def expect_only_at(name: str, state: torch.Tensor, half: torch.Tensor, ends: torch.Tensor, hint: str) -> None:
    """Fail unless *half* of the outputs (L, B, d_h) holds every row of *state* (B, d_h) at the step in *ends* only."""
    steps = torch.arange(half.shape[0])[:, None]
    wrong = ((half - state).abs().amax(dim=-1) < 1e-4) != (steps == ends)
    if wrong.any():
        row = int(wrong.any(dim=0).nonzero()[0])
        raise AssertionError(
            (f"`{name}`: row = {row}\uc5d0\uc11c \uae30\ub300\ud55c \uac12\uc740 `outputs`\uc758 t = {int(ends[row])}\uc5d0 \uc788\ub294 state "
                f"{few_numbers(half[ends[row], row])}, \ubc1b\uc740 \uac12\uc740 {few_numbers(state[row])}.\n{hint}")
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


@test_case(name="q8", success_message="shape, `h_n_by_layer`\uc758 \ube14\ub85d\ub4e4\uc774 `bi_h_n`\uc758 \uc21c\uc11c\ub300\ub85c\uc778\uc9c0, `outputs`\uc5d0 q7\uc758 \uac12\uc774 \uc788\ub2e4\uba74 `last_forward`\uc640 `last_backward`\uac00 \uac70\uae30\uc5d0\uc11c \uac01 sequence\uc758 \uc54c\ub9de\uc740 \ub05d\uc5d0 \uc788\ub294\uc9c0 \ubcf4\uc558\uc2b5\ub2c8\ub2e4. \ub2e4\ub978 \ud06c\uae30\uc640 \ub370\uc774\ud130, \ub2e4\ub978 layer \uc218\ub294 \ubcf4\uc9c0 \uc54a\uc558\uc2b5\ub2c8\ub2e4.")
def test_q8(
    h_n_by_layer, last_forward, last_backward, bi_h_n, outputs, batch, batch_lens, hidden_size, num_layers, num_dirs
):
    expect_given(batch=batch, batch_lens=batch_lens, hidden_size=hidden_size, num_layers=num_layers, num_dirs=num_dirs)
    expect_present(h_n_by_layer=h_n_by_layer, last_forward=last_forward, last_backward=last_backward)
    expect_solved("q7", torch.Tensor, bi_h_n=bi_h_n)
    sizes = {"num_layers": num_layers, "num_dirs": num_dirs, "B": batch.shape[0], "d_h": hidden_size}
    sizes["num_layers*num_dirs"] = num_layers * num_dirs
    hint = "q7\uc758 \ub2f5\ubd80\ud130 \ud655\uc778\ud574 \ubcf4\uc138\uc694. \uc55e \ubb38\uc81c\uc758 \uc140\uc744 \uc2e4\ud589\ud558\uace0 \uc654\ub2e4\uba74 `bi_gru`\ub97c \ub9cc\ub4dc\ub294 \uc140\ubd80\ud130 \ub2e4\uc2dc \uc2e4\ud589\ud574 \ubcf4\uc138\uc694."
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)
    hint = "`bi_h_n`\uc758 \uccab \ucd95\ub9cc \ub458\ub85c \ub098\ub204\uace0 \ub098\uba38\uc9c0 \ucd95\uc740 \uadf8\ub300\ub85c \ub450\uc138\uc694."
    expect_tensor("h_n_by_layer", h_n_by_layer, "num_layers num_dirs B d_h", sizes=sizes, hint=hint)
    hint = "layer \ud558\ub098\uc640 \ubc29\ud5a5 \ud558\ub098\ub97c \uace0\ub974\uba74 \ub0a8\ub294 \ucd95\uc740 \ub458\uc785\ub2c8\ub2e4."
    expect_tensor("last_forward", last_forward, "B d_h", sizes=sizes, hint=hint)
    expect_tensor("last_backward", last_backward, "B d_h", sizes=sizes, hint=hint)

    hint = ("\ube14\ub85d (B, d_h)\uc740 \uadf8\ub9bc\uc5d0 \uadf8\ub824\uc9c4 \uc21c\uc11c\ub300\ub85c \ub0a8\uc544 \uc788\uc5b4\uc57c \ud569\ub2c8\ub2e4. \ucd95\uc744 \ub098\ub204\uae30\ub9cc \ud588\ub098\uc694, \uc544\ub2c8\uba74 \uac12\uc758 \uc21c\uc11c\ub3c4 "
        "\ubc14\ub00c\uc5c8\ub098\uc694?")
    expect_close("h_n_by_layer", plain(h_n_by_layer).flatten(0, 1), plain(bi_h_n), "block row", hint)

    joined = (batch.shape[0], batch.shape[1], num_dirs * hidden_size)
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) not in (joined, (joined[1], joined[0], joined[2])):
        return  # `outputs` is no longer what q7 left, which is allowed: then the ends cannot be looked at
    unpacked, lens = steps_first(outputs, batch), plain(batch_lens)
    hint = ("\ub9e8 \uc704 layer\uc5d0\uc11c, \uc774 \ubc29\ud5a5\uc774 sequence\ub97c \ub05d\uae4c\uc9c0 \uc77d\uc740 \ub4a4\uc758 state\uc5ec\uc57c \ud569\ub2c8\ub2e4. layer, \ubc29\ud5a5, \ub05d\uc744 \ucc28\ub840\ub85c \ud655\uc778\ud574 "
        "\ubcf4\uc138\uc694.")
    for name, state, half, ends in zip(
        ("last_forward", "last_backward"),
        (last_forward, last_backward),
        unpacked.chunk(num_dirs, dim=-1),
        (lens - 1, torch.zeros_like(lens)),
        strict=False,
    ):
        expect_only_at(name, plain(state), half, ends, hint)
