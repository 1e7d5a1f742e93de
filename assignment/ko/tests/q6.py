# The public check of q6. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn

name = "q6"


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


def few_numbers(numbers: torch.Tensor) -> str:
    """The first of *numbers*, to recognise them by."""
    flat = numbers.flatten().tolist()
    shown = ", ".join(f"{number:.3f}" if isinstance(number, float) else str(number) for number in flat[:3])
    return f"[{shown}, \u2026]" if len(flat) > 3 else shown


def plain(value: torch.Tensor) -> torch.Tensor:
    """*value* on the CPU, and no part of a computation that is trained."""
    return value.detach().cpu()


@test_case(name="q6", success_message="shape\uacfc dtype, \uadf8\ub9ac\uace0 \uccab \ub2e8\uc5b4\uc640 \uc5ec\ub7ec\ubd84\uc774 \uace0\ub978 \ub2e8\uc5b4\ub97c \ucc28\ub840\ub85c \uc77d\uc740 GRU\uac00 \uc2dc\uc810\ub9c8\ub2e4 \ubc14\ub85c \uadf8 \ub2e8\uc5b4\uc5d0 \uac00\uc7a5 \ub192\uc740 \uc810\uc218\ub97c \uc8fc\ub294\uc9c0, \ub9c8\uc9c0\ub9c9 state\uac00 `hidden`\uc778\uc9c0 \ubcf4\uc558\uc2b5\ub2c8\ub2e4. \ub2e4\ub978 \ud06c\uae30\uc640 \ub370\uc774\ud130, sequence\uac00 \ud558\ub098\ubfd0\uc778 \uacbd\uc6b0\ub294 \ubcf4\uc9c0 \uc54a\uc558\uc2b5\ub2c8\ub2e4.")
def test_q6(decoded_ids, hidden, embedding, gru, output_layer, batch, max_len, vocab_size, embedding_size, hidden_size):
    expect_given(batch=batch, max_len=max_len, vocab_size=vocab_size)
    expect_given(embedding_size=embedding_size, hidden_size=hidden_size)
    expect_given(gru=gru, output_layer=output_layer)
    expect_present(decoded_ids=decoded_ids, hidden=hidden)
    expect_solved("q1", nn.Embedding, embedding=embedding)
    sizes = {"V": vocab_size, "d_w": embedding_size, "max_len": max_len, "B": batch.shape[0], "d_h": hidden_size}
    hint = "q1\uc758 \ub2f5\ubd80\ud130 \ud655\uc778\ud574 \ubcf4\uc138\uc694."
    expect_tensor("embedding.weight", embedding.weight, "V d_w", sizes=sizes, hint=hint)
    hint = ("max_len\uac1c\uc758 \uc2dc\uc810\ub9c8\ub2e4 shape\uc774 (B)\uc778 `input_id`\ub97c \ud558\ub098\uc529 \ubaa8\uc544 \uc313\uc740 \uac83\uc785\ub2c8\ub2e4. \uc810\uc218\uac00 \uc544\ub2c8\ub77c id\ub97c \ubaa8\uc558\ub098\uc694? "
        "TODO\uac00 \uc544\ub2cc \uc904\uc740 \uc8fc\uc5b4\uc9c4 \uadf8\ub300\ub85c\uc778\uac00\uc694?")
    expect_tensor("decoded_ids", decoded_ids, "max_len B", sizes=sizes, hint=hint, dtype=torch.int64)
    hint = "`gru`\uac00 \uae30\ub300\ud558\ub294 \ucd95\uc758 \uc21c\uc11c\ub97c \ud655\uc778\ud574 \ubcf4\uc138\uc694. \uc2dc\uc810\uc774 \ud558\ub098\uc5ec\ub3c4 \uc2dc\uac04 \ucd95\uc740 \uc788\uc5b4\uc57c \ud569\ub2c8\ub2e4."
    expect_tensor("hidden", hidden, "1 B d_h", sizes=sizes, hint=hint)
    chosen = plain(decoded_ids)
    if not 0 <= int(chosen.min()) <= int(chosen.max()) < vocab_size:
        raise AssertionError(
            (f"`decoded_ids`: \uae30\ub300\ud55c id 0 \u2026 {vocab_size - 1}, \ubc1b\uc740 \uac12 {int(chosen.min())} \u2026 "
                f"{int(chosen.max())}.\n"
                "\uc810\uc218\ub294 `output_layer`\ub97c \uc9c0\ub098\uc57c \ub2e8\uc5b4\ub9c8\ub2e4 \ud558\ub098\uc529 \ub098\uc635\ub2c8\ub2e4.")
        )

    read = torch.cat([plain(batch)[None, :, 0], chosen[:-1]]).to(embedding.weight.device)  # (max_len, B)
    with torch.no_grad():
        seen, last = gru(embedding(read.T if gru.batch_first else read))
        scores = plain(output_layer(seen.movedim(1, 0) if gru.batch_first else seen))  # (max_len, B, V)
    highest, favourite = scores.max(dim=-1)
    behind = highest - scores.gather(-1, chosen[..., None]).squeeze(-1) > 1e-4
    if behind.any():
        t, row = behind.nonzero()[0].tolist()
        raise AssertionError(
            (f"`decoded_ids`: t = {t}, row = {row}\uc5d0\uc11c \uae30\ub300\ud55c \ub2e8\uc5b4 {int(favourite[t, row])}, \ubc1b\uc740 \ub2e8\uc5b4 "
                f"{int(chosen[t, row])}.\n\uccab \ub2e8\uc5b4\uc5d0\uc11c \uc2dc\uc791\ud574, \uc2dc\uc810\ub9c8\ub2e4 \uc810\uc218\uac00 \uac00\uc7a5 \ub192\uc740 \ub2e8\uc5b4\uc640 \uc0c8 state\ub97c "
                "\ub2e4\uc74c \uc2dc\uc810\uc5d0 \ub118\uacbc\ub098\uc694?")
        )
    hint = "`hidden`\uc740 \ub9c8\uc9c0\ub9c9 \uc2dc\uc810\uae4c\uc9c0 \ub9c8\uce5c \ub4a4\uc758 state\uc5ec\uc57c \ud569\ub2c8\ub2e4. \uc2dc\uc810\ub9c8\ub2e4 \uc0c8 state\ub97c `hidden`\uc5d0 \ub450\uc5c8\ub098\uc694?"
    expect_close("hidden", plain(hidden).squeeze(0), plain(last).squeeze(0), "row", hint)
