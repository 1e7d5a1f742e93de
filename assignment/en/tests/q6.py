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


def few_numbers(numbers: torch.Tensor) -> str:
    """The first of *numbers*, to recognise them by."""
    flat = numbers.flatten().tolist()
    shown = ", ".join(f"{number:.3f}" if isinstance(number, float) else str(number) for number in flat[:3])
    return f"[{shown}, \u2026]" if len(flat) > 3 else shown


def plain(value: torch.Tensor) -> torch.Tensor:
    """*value* on the CPU, and no part of a computation that is trained."""
    return value.detach().cpu()


@test_case(name="q6", success_message="Looked at shapes and dtypes, and let the GRU read the first words and then the words you chose: at each step your word has its highest score, and its last state is `hidden`. Not looked at: other sizes and data, a batch of one.")
def test_q6(decoded_ids, hidden, embedding, gru, output_layer, batch, max_len, vocab_size, embedding_size, hidden_size):
    expect_given(batch=batch, max_len=max_len, vocab_size=vocab_size)
    expect_given(embedding_size=embedding_size, hidden_size=hidden_size)
    expect_given(gru=gru, output_layer=output_layer)
    expect_present(decoded_ids=decoded_ids, hidden=hidden)
    expect_solved("q1", nn.Embedding, embedding=embedding)
    sizes = {"V": vocab_size, "d_w": embedding_size, "max_len": max_len, "B": batch.shape[0], "d_h": hidden_size}
    hint = "Look at q1 first."
    expect_tensor("embedding.weight", embedding.weight, "V d_w", sizes=sizes, hint=hint)
    hint = ("It stacks one `input_id` from each of the max_len steps: ids of shape (B), not scores. Are the lines "
        "without a TODO as they were given?")
    expect_tensor("decoded_ids", decoded_ids, "max_len B", sizes=sizes, hint=hint, dtype=torch.int64)
    hint = "Which order of axes does `gru` expect? A single step has a time axis too."
    expect_tensor("hidden", hidden, "1 B d_h", sizes=sizes, hint=hint)
    chosen = plain(decoded_ids)
    if not 0 <= int(chosen.min()) <= int(chosen.max()) < vocab_size:
        raise AssertionError(
            (f"`decoded_ids`: expected ids 0 \u2026 {vocab_size - 1}, received {int(chosen.min())} \u2026 "
                f"{int(chosen.max())}.\n"
                "Only after `output_layer` is there a score for each word.")
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
            (f"`decoded_ids`: at t = {t}, row = {row}, expected word {int(favourite[t, row])}, received "
                f"{int(chosen[t, row])}.\nDoes it start with the first words, and does each step hand on the word with "
                "the highest score and the new state?")
        )
    hint = "`hidden` is the state after the last step. Does every step leave its new state in `hidden`?"
    expect_close("hidden", plain(hidden).squeeze(0), plain(last).squeeze(0), "row", hint)
