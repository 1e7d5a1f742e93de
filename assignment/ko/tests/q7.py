# The public check of q7. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

import torch
from otter.test_files import test_case
from torch import nn
from torch.nn.utils.rnn import PackedSequence

name = "q7"


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


@test_case(name="q7", success_message="shape\uacfc dtype, `packed_batch`\uc5d0 \ub2e8\uc5b4\ub9cc \uc2dc\uc810 \uc21c\uc11c\ub85c \ub4e4\uc5b4 \uc788\ub294\uc9c0, `outputs`\uac00 \uac01 sequence\uc758 \ub05d \ub4a4\uc5d0\uc11c 0\uc778\uc9c0, `bi_h_n`\uc758 \ub450 \ud589\uc774 \uac01 sequence\uc758 \uc591 \ub05d\uc5d0 \uc788\ub294\uc9c0 \ubcf4\uc558\uc2b5\ub2c8\ub2e4. \ucd08\uae30 state, \ub2e4\ub978 \ud06c\uae30\uc640 \ub370\uc774\ud130, layer \uc218\ub294 \ubcf4\uc9c0 \uc54a\uc558\uc2b5\ub2c8\ub2e4.")
def test_q7(
    packed_batch,
    bi_h_n,
    outputs,
    output_lens,
    batch_emb,
    batch,
    batch_lens,
    embedding_size,
    hidden_size,
    num_layers,
    num_dirs,
):
    expect_given(
        batch=batch,
        batch_lens=batch_lens,
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        num_dirs=num_dirs,
    )
    expect_present(packed_batch=packed_batch, bi_h_n=bi_h_n, outputs=outputs, output_lens=output_lens)
    expect_solved("q1", torch.Tensor, batch_emb=batch_emb)
    if not isinstance(packed_batch, PackedSequence):
        raise AssertionError(
            (f"`packed_batch`: \uae30\ub300\ud55c type PackedSequence, \ubc1b\uc740 type {type(packed_batch).__name__}.\n"
                "`bi_gru`\uc5d0 \ub123\uc744, pack\ud55c \ub2e8\uc5b4 vector\uc785\ub2c8\ub2e4.")
        )
    sizes = {"B": batch.shape[0], "L": batch.shape[1], "N": int(batch_lens.sum()), "d_w": embedding_size}
    hint = "q1\uc758 \ub2f5\ubd80\ud130 \ud655\uc778\ud574 \ubcf4\uc138\uc694."
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    hint = ("`bi_gru`\uc5d0 \ub4e4\uc5b4\uac08 \uac12\uc785\ub2c8\ub2e4. \ud589 \ud558\ub098\uac00 \ub2e8\uc5b4 vector \ud558\ub098\uc774\uace0, \ud589\uc758 \uc218\ub294 \ubaa8\ub4e0 \uae38\uc774\uc758 \ud569\uc785\ub2c8\ub2e4. \uac01 \ud589\uc758 \uae38\uc774\uc640 "
        "\ud568\uaed8 pack\ud588\ub098\uc694?")
    expect_tensor("packed_batch.data", packed_batch.data, "N d_w", sizes=sizes, hint=hint)
    hint = ("\uc2dc\uc810\ub9c8\ub2e4 \uc544\uc9c1 \ub05d\ub098\uc9c0 \uc54a\uc740 sequence\uc758 \uc218\uc785\ub2c8\ub2e4. \uae38\uc774\uac00 \uc790\uae30 \ud589\uc758 \uac83\uc778\uc9c0, pack\ud560 \ub54c \uc815\ud55c \ucd95\uc758 \uc21c\uc11c\uac00 "
        "\uc785\ub825\uacfc \uac19\uc740\uc9c0 \ud655\uc778\ud574 \ubcf4\uc138\uc694.")
    expect_tensor("packed_batch.batch_sizes", packed_batch.batch_sizes, "L", sizes=sizes, hint=hint, dtype=torch.int64)
    steps, lens = torch.arange(batch.shape[1]), plain(batch_lens)
    running = (lens > steps[:, None]).sum(dim=1)
    expect_close("packed_batch.batch_sizes", plain(packed_batch.batch_sizes), running, "t", hint)
    order = torch.arange(batch.shape[0]) if packed_batch.sorted_indices is None else plain(packed_batch.sorted_indices)
    vectors = steps_first(batch_emb, batch)
    words = torch.cat([vectors[t, order[:count]] for t, count in enumerate(running.tolist())])
    hint = ("`batch_emb`\uc758 \uccab \ub2e8\uc5b4\ub4e4\uc774 \ud589 \uc21c\uc11c\ub300\ub85c \uba3c\uc800 \uc624\uace0, \ub458\uc9f8 \ub2e8\uc5b4\ub4e4\uc774 \uc774\uc5b4\uc838\uc57c \ud569\ub2c8\ub2e4. `batch_emb`\ub97c pack\ud588\ub098\uc694? "
        "\ucd95\uc740 \uc5b4\ub5bb\uac8c \ubc14\uafb8\uc5c8\ub098\uc694?")
    expect_close("packed_batch.data", plain(packed_batch.data), words, "row", hint)

    hint = "\ud3bc\uce58\ub294 \ud568\uc218\uac00 tensor\uc640 \ud568\uaed8 \ub3cc\ub824\uc8fc\ub294 \uac12\uc785\ub2c8\ub2e4."
    expect_tensor("output_lens", output_lens, "B", sizes=sizes, hint=hint, dtype=torch.int64)
    hint = "pack\ud560 \ub54c \uc900 \uae38\uc774\uac00 \ub098\uc635\ub2c8\ub2e4. \uae38\uc774\uac00 \uac01 \ud589\uc758 \uac83\uc778\uc9c0, \ud3bc\uce5c \ub4a4\uc5d0 \uc21c\uc11c\ub97c \ubc14\uafb8\uc9c0 \uc54a\uc558\ub294\uc9c0 \ud655\uc778\ud574 \ubcf4\uc138\uc694."
    expect_close("output_lens", plain(output_lens), plain(batch_lens), "row", hint)
    sizes |= {"num_layers*num_dirs": num_layers * num_dirs, "num_dirs*d_h": num_dirs * hidden_size, "d_h": hidden_size}
    hint = ("`bi_gru`\uac00 \ub3cc\ub824\uc8fc\ub294 \ub450 \uac12 \uac00\uc6b4\ub370 \ub9c8\uc9c0\ub9c9 state\ub97c \uadf8\ub300\ub85c `bi_h_n`\uc5d0 \ub450\uc138\uc694. \uc55e \ubb38\uc81c\uc758 \uc140\uc744 \uc2e4\ud589\ud558\uace0 \uc654\ub2e4\uba74 "
        "`bi_gru`\ub97c \ub9cc\ub4dc\ub294 \uc140\ubd80\ud130 \ub2e4\uc2dc \uc2e4\ud589\ud574 \ubcf4\uc138\uc694.")
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)
    hint = "`bi_gru`\uc758 \ucd9c\ub825\uc744 \ud3bc\uce5c \uadf8\ub300\ub85c\uc758 tensor\uc5ec\uc57c \ud569\ub2c8\ub2e4. \ud3bc\uce58\ub294 \ud568\uc218\uac00 \ub3cc\ub824\uc8fc\ub294 \uac12\uc740 \uba87 \uac1c\uc778\uac00\uc694?"
    expect_tensor("outputs", outputs, "L B num_dirs*d_h", "B L num_dirs*d_h", sizes=sizes, hint=hint)

    unpacked, ended = steps_first(outputs, batch), steps[:, None] >= lens
    hint = ("\uc774 \uc790\ub9ac\uc5d0\uc11c\ub294 sequence\uac00 \uc774\ubbf8 \ub05d\ub0ac\uc2b5\ub2c8\ub2e4. \uac01 \ud589\uc758 \uae38\uc774\ub85c pack\ud55c `packed_batch`\ub97c `bi_gru`\uc5d0 \ub123\uace0, "
        "\ub098\uc628 \uac83\uc744 0\uc73c\ub85c \ucc44\uc6cc \ud3bc\ucce4\ub098\uc694?")
    expect_close("outputs", unpacked, unpacked.masked_fill(ended[..., None], 0.0), "t row", hint)
    hint = ("\uac01 \ud589\uc758 state\uac00 \uc790\uae30 sequence\uc758 \uac83\uc778\uc9c0, `bi_h_n`\uacfc `outputs`\uac00 `bi_gru`\ub97c \ud55c \ubc88 \uc2e4\ud589\ud574 \ub098\uc628 \uac83\uc778\uc9c0 "
        "\ud655\uc778\ud574 \ubcf4\uc138\uc694.")
    for half, ends in zip(unpacked.chunk(num_dirs, dim=-1), (lens - 1, torch.zeros_like(lens)), strict=False):
        # Which of its rows it is stays open: finding it is q8.
        nearest = min(plain(bi_h_n), key=lambda state: float((half - state).abs().amax(dim=-1).amin(dim=0).sum()))
        expect_only_at("bi_h_n", nearest, half, ends, hint)
