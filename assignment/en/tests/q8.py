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
            (f"{missing}: no result yet. Fill in the TODO, and see that its cell runs without an error and "
                "leaves its result under this name.")
        )


def expect_given(**values: object) -> None:
    """Fail if one of *values* is not what the given cells made it: somebody changed it."""
    kinds = {"batch": torch.Tensor, "batch_lens": torch.Tensor, "gru": nn.GRU, "output_layer": nn.Linear}
    for name, value in values.items():
        if not isinstance(value, kinds.get(name, int)) or getattr(value, "dtype", torch.int64) != torch.int64:
            raise AssertionError(
                f"The given variable `{name}` is missing or was changed. Run the notebook from the top again."
            )


def expect_solved(question: str, kind: type, **values: object) -> None:
    """Fail if one of *values*, which *question* leaves behind and this check needs, is no *kind*."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise AssertionError(
                f"This check needs `{name}` of {question}. Solve {question} first."
            )


def expect_tensor(
    name: str, value: object, *layouts: str, sizes: dict[str, int], hint: str, dtype: torch.dtype = torch.float32
) -> None:
    """Fail unless *value* is a tensor of *dtype* in one of *layouts*.

    A layout is a line of symbols, as in "L B d_h"; *sizes* says how large each is, and numbers stand for themselves.
    """
    if not isinstance(value, torch.Tensor):
        raise AssertionError(
            f"`{name}`: expected a Tensor, received {type(value).__name__}.\n{hint}"
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    if tuple(value.shape) not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = " or ".join(labelled)
        raise AssertionError(
            f"`{name}`: expected shape {wanted}, received {tuple(value.shape)}.\n{hint}"
        )
    if value.dtype != dtype:
        expected, found = (str(kind).removeprefix("torch.") for kind in (dtype, value.dtype))
        raise AssertionError(
            (f"`{name}`: expected dtype {expected}, received {found}.\n"
                "In this assignment numbers are float32, ids and lengths int64.")
        )


def expect_close(name: str, value: torch.Tensor, wanted: torch.Tensor, axes: str, hint: str) -> None:
    """Fail unless *value* and *wanted*, of the same shape, hold the same numbers; *axes* names the first axes."""
    far = ~torch.isclose(value.double(), wanted.double(), rtol=1e-3, atol=1e-4)
    if far.any():
        index = tuple(far.nonzero()[0].tolist()[: len(axes.split())])
        where = ", ".join(f"{axis} = {number}" for axis, number in zip(axes.split(), index, strict=False))
        expected, received = (few_numbers(numbers[index]) for numbers in (wanted, value))
        raise AssertionError(
            f"`{name}`: at {where}, expected {expected}, received {received}.\n{hint}"
        )


def expect_only_at(name: str, state: torch.Tensor, half: torch.Tensor, ends: torch.Tensor, hint: str) -> None:
    """Fail unless *half* of the outputs (L, B, d_h) holds every row of *state* (B, d_h) at the step in *ends* only."""
    steps = torch.arange(half.shape[0])[:, None]
    wrong = ((half - state).abs().amax(dim=-1) < 1e-4) != (steps == ends)
    if wrong.any():
        row = int(wrong.any(dim=0).nonzero()[0])
        raise AssertionError(
            (f"`{name}`: at row = {row}, expected the state that `outputs` holds at t = {int(ends[row])}, "
                f"{few_numbers(half[ends[row], row])}, received {few_numbers(state[row])}.\n{hint}")
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


@test_case(name="q8", success_message="Looked at shapes, whether the blocks of `h_n_by_layer` come in the order of `bi_h_n`, and, where `outputs` is that of q7, whether it holds `last_forward` and `last_backward` at the right end of each sequence. Not looked at: other sizes, data and numbers of layers.")
def test_q8(
    h_n_by_layer, last_forward, last_backward, bi_h_n, outputs, batch, batch_lens, hidden_size, num_layers, num_dirs
):
    expect_given(batch=batch, batch_lens=batch_lens, hidden_size=hidden_size, num_layers=num_layers, num_dirs=num_dirs)
    expect_present(h_n_by_layer=h_n_by_layer, last_forward=last_forward, last_backward=last_backward)
    expect_solved("q7", torch.Tensor, bi_h_n=bi_h_n)
    sizes = {"num_layers": num_layers, "num_dirs": num_dirs, "B": batch.shape[0], "d_h": hidden_size}
    sizes["num_layers*num_dirs"] = num_layers * num_dirs
    hint = "Look at q7 first. If you came back from earlier cells, run the cell that makes `bi_gru` again before."
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)
    hint = "Split only the first axis of `bi_h_n`; leave the others as they are."
    expect_tensor("h_n_by_layer", h_n_by_layer, "num_layers num_dirs B d_h", sizes=sizes, hint=hint)
    hint = "After choosing one layer and one direction, two axes remain."
    expect_tensor("last_forward", last_forward, "B d_h", sizes=sizes, hint=hint)
    expect_tensor("last_backward", last_backward, "B d_h", sizes=sizes, hint=hint)

    hint = "The blocks (B, d_h) must stay in the order of the picture. Was the axis only split, or were values moved?"
    expect_close("h_n_by_layer", plain(h_n_by_layer).flatten(0, 1), plain(bi_h_n), "block row", hint)

    joined = (batch.shape[0], batch.shape[1], num_dirs * hidden_size)
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) not in (joined, (joined[1], joined[0], joined[2])):
        return  # `outputs` is no longer what q7 left, which is allowed: then the ends cannot be looked at
    unpacked, lens = steps_first(outputs, batch), plain(batch_lens)
    hint = ("It is the top layer's state once this direction has read the whole sequence. Check the layer, the "
        "direction, and the end.")
    for name, state, half, ends in zip(
        ("last_forward", "last_backward"),
        (last_forward, last_backward),
        unpacked.chunk(num_dirs, dim=-1),
        (lens - 1, torch.zeros_like(lens)),
        strict=False,
    ):
        expect_only_at(name, plain(state), half, ends, hint)
