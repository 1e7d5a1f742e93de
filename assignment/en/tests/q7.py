# Public checks of q7: shapes, dtypes and types only.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

from typing import Any

import torch
from otter.test_files import test_case
from torch.nn.utils.rnn import PackedSequence

name = "q7"


class Told:
    """What a check said when it failed."""

    def __init__(self) -> None:
        self.words = ""

    def __str__(self) -> str:
        return self.words

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (self.words,)  # Otter's log is read where this class is unknown


class Case(test_case):
    """A check whose *name* is the sentence that students read."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, failure_message=Told())

    def call_func(self, global_environment: dict[str, Any]) -> None:
        """Run the check on the names that it asks for; a missing one is None."""
        try:
            self.test_func(**{name: global_environment.get(name) for name in self._get_func_params()})
        except AssertionError as failure:
            self.failure_message.words = str(failure)
            failure.args = (str(failure).partition("\n")[0],)
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        return test_case, (self.name,)


def expect_present(**values: object) -> None:
    """Fail, naming the first of *values* that is missing."""
    for name, value in values.items():
        if value is None:
            raise AssertionError(
                f"`{name}` is still None.\nIs the TODO filled in, and did its cell run without an error?"
            )


def expect_given(*, batch: object = torch.empty(0, 0), **sizes: object) -> None:
    """Fail if *batch* is no (B, L) tensor or one of *sizes* no integer: somebody changed what was given."""
    broken = [name for name, value in sizes.items() if not isinstance(value, int)]
    if not isinstance(batch, torch.Tensor) or batch.ndim != 2:
        broken.append("batch")
    if broken:
        raise AssertionError(
            f"The given variable `{broken[0]}` is missing or was changed.\nRun the notebook from the top again."
        )


def type_name(value: object) -> str:
    """The name of *value*'s type; the grader's stand-ins for values it cannot carry know the name of the original."""
    return str(getattr(value, "type_name", type(value).__name__))


def expect_tensor(
    name: str, value: object, *layouts: str, sizes: dict[str, int], hint: str, dtype: torch.dtype | None = None
) -> None:
    """Fail unless *value* is a tensor of one of *layouts* and of *dtype*, any floating dtype if None.

    A layout is a line of symbols, as in "L B d_h"; *sizes* says how large each is, and numbers stand for themselves.
    """
    expect_present(**{name: value})
    if not isinstance(value, torch.Tensor):
        raise AssertionError(
            f"`{name}`: expected a Tensor, received {type_name(value)}.\n{hint}"
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    received = tuple(value.shape)
    if received not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = " or ".join(labelled)
        raise AssertionError(
            f"`{name}`: expected shape {wanted}, received {received}.\n{hint}"
        )
    if value.dtype != dtype if dtype else not value.dtype.is_floating_point:
        wanted = str(dtype or "float").removeprefix("torch.")
        found = str(value.dtype).removeprefix("torch.")
        raise AssertionError(
            f"`{name}`: expected dtype {wanted}, received {found}.\n{hint}"
        )


@Case("`packed_batch` is a PackedSequence of word vectors.")
def test_packed_batch_is_packed(packed_batch, batch, embedding_size):
    expect_given(batch=batch, embedding_size=embedding_size)
    expect_present(packed_batch=packed_batch)
    hint = "Pack the word vectors, not the ids, with their axes in the order that you tell the packing function."
    if not isinstance(packed_batch, PackedSequence):
        raise AssertionError(
            f"`packed_batch`: expected a PackedSequence, received {type_name(packed_batch)}.\n{hint}"
        )
    # How many rows there are is a matter of values (the lengths), so only their own count is asked for.
    rows = packed_batch.data.shape[0]
    sizes = {"N": rows, "d_w": embedding_size}
    expect_tensor("packed_batch.data", packed_batch.data, "N d_w", sizes=sizes, hint=hint)
    expect_tensor(
        "packed_batch.batch_sizes",
        packed_batch.batch_sizes,
        "L",
        sizes={"L": batch.shape[1]},
        hint=hint,
        dtype=torch.int64,
    )


@Case("`bi_h_n` holds a last hidden state for every layer, direction and sequence.")
def test_bi_h_n_has_a_state_for_every_layer_and_direction(bi_h_n, batch, hidden_size, num_layers, num_dirs):
    expect_given(batch=batch, hidden_size=hidden_size, num_layers=num_layers, num_dirs=num_dirs)
    hint = "Of the two values that bi_gru returns, leave the last states in `bi_h_n` as they are."
    sizes = {"num_layers*num_dirs": num_layers * num_dirs, "B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)


@Case("`outputs` holds the states of both directions, joined, for every step.")
def test_outputs_joins_the_directions(outputs, batch, hidden_size, num_dirs):
    expect_given(batch=batch, hidden_size=hidden_size, num_dirs=num_dirs)
    hint = "This is the output of bi_gru, unpacked. How many values does the unpacking function return?"
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "num_dirs*d_h": num_dirs * hidden_size}
    expect_tensor("outputs", outputs, "L B num_dirs*d_h", "B L num_dirs*d_h", sizes=sizes, hint=hint)


@Case("`output_lens` holds one length for every sequence.")
def test_output_lens_has_a_length_for_every_sequence(output_lens, batch):
    expect_given(batch=batch)
    hint = "The unpacking function returns it together with the tensor."
    sizes = {"B": batch.shape[0]}
    expect_tensor("output_lens", output_lens, "B", sizes=sizes, hint=hint, dtype=torch.int64)
