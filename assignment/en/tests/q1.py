# The public check of q1. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q1"


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


@test_case(name="q1", success_message="Looked at the size of the table, at the shape of `batch_emb`, and whether each vector in it is the row of its id. Not looked at: whether it stays so with other sizes and data.")
def test_q1(embedding, batch_emb, batch, vocab_size, embedding_size, pad_id):
    expect_given(batch=batch, vocab_size=vocab_size, embedding_size=embedding_size)
    expect_present(embedding=embedding)
    hint = "You need the layer that takes ids and looks up rows in a table."
    expect_layer("embedding", embedding, nn.Embedding, hint)
    hint = "The table needs a row for every id that there can be; a row is the vector of one word."
    sizes = {"V": vocab_size, "d_w": embedding_size, "B": batch.shape[0], "L": batch.shape[1]}
    expect_tensor("embedding.weight", embedding.weight, "V d_w", sizes=sizes, hint=hint)
    hint = "You can leave this argument out. The documentation says which rows it changes."
    expect_setting("embedding.padding_idx", embedding.padding_idx, (None, pad_id), hint)
    expect_setting("embedding.max_norm", embedding.max_norm, (None,), hint)
    expect_present(batch_emb=batch_emb)
    hint = "The first two axes are those of `batch`, the last one is the vector."
    expect_tensor("batch_emb", batch_emb, "B L d_w", sizes=sizes, hint=hint)
    hint = ("For each id of `batch`, `batch_emb` holds its row of the table as it is. Were ids or vectors changed on "
        "the way?")
    expect_close("batch_emb", plain(batch_emb), plain(embedding.weight)[plain(batch)], "row t", hint)
