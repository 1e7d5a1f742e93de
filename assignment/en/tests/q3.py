# The public check of q3. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q3"


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


def expect_setting(name: str, received: object, wanted: tuple[object, ...], hint: str) -> None:
    """Fail unless *received*, what a layer was told, is one of *wanted*."""
    if received not in wanted:
        expected = " or ".join(str(value) for value in wanted)
        raise AssertionError(
            f"`{name}`: expected {expected}, received {received}.\n{hint}"
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
    hint = (f"Are the arguments without a TODO as they were given? If you came back from later cells, first run the "
        f"cell above `{name}` again.")
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


@test_case(name="q3", success_message="Looked at both shapes, at the RNN's formula at every step of `hidden_states`, and whether its last step is `h_n`. Not looked at: other sizes and data.")
def test_q3(hidden_states, h_n, rnn, batch_emb, batch, embedding_size, hidden_size):
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(hidden_states=hidden_states, h_n=h_n)
    expect_solved("q1", torch.Tensor, batch_emb=batch_emb)
    expect_solved("q2", nn.RNN, rnn=rnn)
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "d_w": embedding_size, "d_h": hidden_size}
    hint = "Look at q1 and q2 first."
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    expect_parameters("rnn", rnn, gates=1, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
    hint = "`rnn` returns two values. Look at their order, and at the shape of the input."
    expect_tensor("hidden_states", hidden_states, "L B d_h", "B L d_h", sizes=sizes, hint=hint)
    hint = ("Is it as `rnn` returned it? If L stands in the place of B: does the input have its batch and time axes in "
        "the order that `rnn` expects?")
    expect_tensor("h_n", h_n, "1 B d_h", sizes=sizes, hint=hint)

    states, words = steps_first(hidden_states, batch), steps_first(batch_emb, batch)
    formula = getattr(torch, rnn.nonlinearity)(added_up(rnn, words, before_each_step(states)))
    hint = ("This state does not follow from the word at this step and the state before it. At t = 0, look at the "
        "initial state and the input; later, at which axis is time, and whether padding was read like words.")
    expect_close("hidden_states", states, formula, "t row", hint)
    hint = "`h_n` is the state at the last step, padding included: last along which axis?"
    expect_close("h_n", plain(h_n).squeeze(0), states[-1], "row", hint)
