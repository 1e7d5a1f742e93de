# The public check of q4. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q4"


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


def expect_layer(name: str, value: object, kind: type[nn.Module], hint: str) -> None:
    """Fail unless *value* is a layer of the class *kind* or a subclass."""
    if not isinstance(value, kind):
        found = f"class {value.__name__}" if isinstance(value, type) else type(value).__name__
        found = f"nn.{found}" if isinstance(value, nn.Module) else found
        raise AssertionError(
            f"`{name}`: expected an nn.{kind.__name__}, received {found}.\n{hint}"
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


@test_case(name="q4", success_message="Looked at the class of `lstm`, the shapes of its weights, its layers and directions. Not looked at: whether it stays right with other sizes.")
def test_q4(lstm, batch, embedding_size, hidden_size):
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(lstm=lstm)
    hint = "Leave the layer that nn.LSTM(...) returns in `lstm`, as it is."
    expect_layer("lstm", lstm, nn.LSTM, hint)
    hint = "Look at the length of what `lstm` receives at each step, and at the size of its hidden state."
    expect_parameters("lstm", lstm, gates=4, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
