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


@test_case(name="q1", success_message="\ud45c\uc758 \ud06c\uae30\uc640 `batch_emb`\uc758 shape, \uadf8\ub9ac\uace0 `batch_emb`\uc758 vector \ud558\ub098\ud558\ub098\uac00 \ud45c\uc5d0\uc11c \uadf8 id\uc758 \ud589\uc778\uc9c0 \ubcf4\uc558\uc2b5\ub2c8\ub2e4. \ud06c\uae30\uc640 \ub370\uc774\ud130\ub97c \ubc14\uafb8\uc5b4\ub3c4 \uadf8\ub7f0\uc9c0\ub294 \ubcf4\uc9c0 \uc54a\uc558\uc2b5\ub2c8\ub2e4.")
def test_q1(embedding, batch_emb, batch, vocab_size, embedding_size, pad_id):
    expect_given(batch=batch, vocab_size=vocab_size, embedding_size=embedding_size)
    expect_present(embedding=embedding)
    hint = "id\ub97c \ubc1b\uc544 \ud45c\uc5d0\uc11c \uadf8 \ud589\uc744 \uaebc\ub0b4 \uc8fc\ub294 layer\uac00 \ud544\uc694\ud569\ub2c8\ub2e4."
    expect_layer("embedding", embedding, nn.Embedding, hint)
    hint = "\ud45c\uc5d0\ub294 \uc788\uc744 \uc218 \uc788\ub294 id\ub9c8\ub2e4 \ud589\uc774 \ud558\ub098\uc529 \ud544\uc694\ud558\uace0, \ud589 \ud558\ub098\ub294 \ub2e8\uc5b4 \ud558\ub098\uc758 vector\uc785\ub2c8\ub2e4."
    sizes = {"V": vocab_size, "d_w": embedding_size, "B": batch.shape[0], "L": batch.shape[1]}
    expect_tensor("embedding.weight", embedding.weight, "V d_w", sizes=sizes, hint=hint)
    hint = "\uc774 \uc778\uc790\ub294 \uc8fc\uc9c0 \uc54a\uc544\ub3c4 \ub429\ub2c8\ub2e4. \uc8fc\uc5c8\ub2e4\uba74 \uc5b4\ub5a4 \ud589\uc744 \ubc14\uafb8\ub294\uc9c0 \ubb38\uc11c\uc5d0\uc11c \ud655\uc778\ud574 \ubcf4\uc138\uc694."
    expect_setting("embedding.padding_idx", embedding.padding_idx, (None, pad_id), hint)
    expect_setting("embedding.max_norm", embedding.max_norm, (None,), hint)
    expect_present(batch_emb=batch_emb)
    hint = "\uc55e\uc758 \ub450 \ucd95\uc740 `batch`\uc640 \uac19\uace0 \ub9c8\uc9c0\ub9c9 \ucd95\uc740 vector\uc785\ub2c8\ub2e4."
    expect_tensor("batch_emb", batch_emb, "B L d_w", sizes=sizes, hint=hint)
    hint = ("`batch_emb`\uc5d0\ub294 `batch`\uc758 id\ub9c8\ub2e4 \ud45c\uc5d0\uc11c \uaebc\ub0b8 \ud589\uc774 \uadf8\ub300\ub85c \uc788\uc5b4\uc57c \ud569\ub2c8\ub2e4. \ub123\uc740 id\ub098 \uaebc\ub0b8 vector\ub97c \ubc14\uafb8\uc9c0 "
        "\uc54a\uc558\ub098\uc694?")
    expect_close("batch_emb", plain(batch_emb), plain(embedding.weight)[plain(batch)], "row t", hint)
