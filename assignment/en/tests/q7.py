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


@test_case(name="q7", success_message="Looked at shapes and dtypes, whether `packed_batch` holds the words only, step by step, whether `outputs` is zero after each end, and whether two rows of `bi_h_n` sit at the two ends of each sequence. Not looked at: the initial state, other sizes, data and numbers of layers.")
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
            (f"`packed_batch`: expected a PackedSequence, received {type(packed_batch).__name__}.\n"
                "It holds the packed word vectors that go into `bi_gru`.")
        )
    sizes = {"B": batch.shape[0], "L": batch.shape[1], "N": int(batch_lens.sum()), "d_w": embedding_size}
    hint = "Look at q1 first."
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    hint = ("It goes into `bi_gru`: a row for the vector of every word, as many as all lengths add up to. Did you pack "
        "with the length of each row?")
    expect_tensor("packed_batch.data", packed_batch.data, "N d_w", sizes=sizes, hint=hint)
    hint = ("It counts the sequences still running at each step. Does each length belong to its row, and do the axes "
        "of the input have the order that packing was told?")
    expect_tensor("packed_batch.batch_sizes", packed_batch.batch_sizes, "L", sizes=sizes, hint=hint, dtype=torch.int64)
    steps, lens = torch.arange(batch.shape[1]), plain(batch_lens)
    running = (lens > steps[:, None]).sum(dim=1)
    expect_close("packed_batch.batch_sizes", plain(packed_batch.batch_sizes), running, "t", hint)
    order = torch.arange(batch.shape[0]) if packed_batch.sorted_indices is None else plain(packed_batch.sorted_indices)
    vectors = steps_first(batch_emb, batch)
    words = torch.cat([vectors[t, order[:count]] for t, count in enumerate(running.tolist())])
    hint = ("The first words of `batch_emb` come first, row by row, then the second words. Is it `batch_emb` that was "
        "packed, and how were its axes changed?")
    expect_close("packed_batch.data", plain(packed_batch.data), words, "row", hint)

    hint = "The unpacking function returns it together with the tensor."
    expect_tensor("output_lens", output_lens, "B", sizes=sizes, hint=hint, dtype=torch.int64)
    hint = "They are the lengths given to packing. Does each belong to its row, and did you leave their order alone?"
    expect_close("output_lens", plain(output_lens), plain(batch_lens), "row", hint)
    sizes |= {"num_layers*num_dirs": num_layers * num_dirs, "num_dirs*d_h": num_dirs * hidden_size, "d_h": hidden_size}
    hint = ("Of the two values that `bi_gru` returns, leave the last states in `bi_h_n` as they are. If you came back "
        "from earlier cells, first run the cell that makes `bi_gru` again.")
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)
    hint = ("This is the output of `bi_gru`, unpacked and left as it is. How many values does the unpacking function "
        "return?")
    expect_tensor("outputs", outputs, "L B num_dirs*d_h", "B L num_dirs*d_h", sizes=sizes, hint=hint)

    unpacked, ended = steps_first(outputs, batch), steps[:, None] >= lens
    hint = ("The sequence has ended before this place. Did `packed_batch`, packed with each row's own length, go into "
        "`bi_gru`, and was the result unpacked with zeros?")
    expect_close("outputs", unpacked, unpacked.masked_fill(ended[..., None], 0.0), "t row", hint)
    hint = ("Does every row hold the states of its own sequence, and do `bi_h_n` and `outputs` come from the same run "
        "of `bi_gru`?")
    for half, ends in zip(unpacked.chunk(num_dirs, dim=-1), (lens - 1, torch.zeros_like(lens)), strict=False):
        # Which of its rows it is stays open: finding it is q8.
        nearest = min(plain(bi_h_n), key=lambda state: float((half - state).abs().amax(dim=-1).amin(dim=0).sum()))
        expect_only_at("bi_h_n", nearest, half, ends, hint)
