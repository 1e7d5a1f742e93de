"""What public checks ask of a student's values, and what they say when it is not so.

`make build` copies the functions that a check uses into the file that students get, so they use nothing but torch and
`text`. They compare a student's values with each other and with the given ones; none of them works out an answer.
"""

from __future__ import annotations

import torch
from torch import nn

from autograder.language import text


def expect_present(**values: object) -> None:
    """Fail, naming those of *values* that are missing."""
    missing = ", ".join(f"`{name}`" for name, value in values.items() if value is None)
    if missing:
        raise AssertionError(
            text(
                ko=f"{missing}: 아직 결과가 없습니다. TODO를 채우고, 그 셀이 오류 없이 끝나 이 이름에 결과를 남기는지 "
                "확인해 보세요.",
                en=f"{missing}: no result yet. Fill in the TODO, and see that its cell runs without an error and "
                "leaves its result under this name.",
            )
        )


def expect_given(**values: object) -> None:
    """Fail if one of *values* is not what the given cells made it: somebody changed it."""
    kinds = {"batch": torch.Tensor, "batch_lens": torch.Tensor, "gru": nn.GRU, "output_layer": nn.Linear}
    for name, value in values.items():
        if not isinstance(value, kinds.get(name, int)) or getattr(value, "dtype", torch.int64) != torch.int64:
            raise AssertionError(
                text(
                    ko=f"`{name}`: 주어진 변수인데, 없거나 바뀌었습니다. 노트북을 처음부터 다시 실행해 보세요.",
                    en=f"The given variable `{name}` is missing or was changed. Run the notebook from the top again.",
                )
            )


def expect_solved(question: str, kind: type, **values: object) -> None:
    """Fail if one of *values*, which *question* leaves behind and this check needs, is no *kind*."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise AssertionError(
                text(
                    ko=f"`{name}`: 이 검사에 필요한 {question}의 결과입니다. {question}부터 풀어 보세요.",
                    en=f"This check needs `{name}` of {question}. Solve {question} first.",
                )
            )


def expect_layer(name: str, value: object, kind: type[nn.Module], hint: str) -> None:
    """Fail unless *value* is a layer of the class *kind* or a subclass."""
    if not isinstance(value, kind):
        found = f"class {value.__name__}" if isinstance(value, type) else type(value).__name__
        found = f"nn.{found}" if isinstance(value, nn.Module) else found
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 type nn.{kind.__name__}, 받은 type {found}.\n{hint}",
                en=f"`{name}`: expected an nn.{kind.__name__}, received {found}.\n{hint}",
            )
        )


def expect_setting(name: str, received: object, wanted: tuple[object, ...], hint: str) -> None:
    """Fail unless *received*, what a layer was told, is one of *wanted*."""
    if received not in wanted:
        expected = text(ko=" 또는 ", en=" or ").join(str(value) for value in wanted)
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 값 {expected}, 받은 값 {received}.\n{hint}",
                en=f"`{name}`: expected {expected}, received {received}.\n{hint}",
            )
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
    hint = text(
        ko=f"TODO가 아닌 인자는 주어진 그대로인가요? 뒤의 셀을 실행하고 돌아왔다면 `{name}` 바로 위의 셀부터 다시 "
        "실행해 보세요.",
        en=f"Are the arguments without a TODO as they were given? If you came back from later cells, first run the "
        f"cell above `{name}` again.",
    )
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
            text(
                ko=f"`{name}`: 기대한 type Tensor, 받은 type {type(value).__name__}.\n{hint}",
                en=f"`{name}`: expected a Tensor, received {type(value).__name__}.\n{hint}",
            )
        )
    shapes = [tuple(sizes[axis] if axis in sizes else int(axis) for axis in layout.split()) for layout in layouts]
    if tuple(value.shape) not in shapes:
        labelled = [
            "(" + ", ".join(f"{axis}={sizes[axis]}" if axis in sizes else axis for axis in layout.split()) + ")"
            for layout in layouts
        ]
        wanted = text(ko=" 또는 ", en=" or ").join(labelled)
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 shape {wanted}, 받은 shape {tuple(value.shape)}.\n{hint}",
                en=f"`{name}`: expected shape {wanted}, received {tuple(value.shape)}.\n{hint}",
            )
        )
    if value.dtype != dtype:
        expected, found = (str(kind).removeprefix("torch.") for kind in (dtype, value.dtype))
        raise AssertionError(
            text(
                ko=f"`{name}`: 기대한 dtype {expected}, 받은 dtype {found}.\n"
                "이 과제에서 실수 값은 float32, id와 길이는 int64입니다.",
                en=f"`{name}`: expected dtype {expected}, received {found}.\n"
                "In this assignment numbers are float32, ids and lengths int64.",
            )
        )


def expect_close(name: str, value: torch.Tensor, wanted: torch.Tensor, axes: str, hint: str) -> None:
    """Fail unless *value* and *wanted*, of the same shape, hold the same numbers; *axes* names the first axes."""
    far = ~torch.isclose(value.double(), wanted.double(), rtol=1e-3, atol=1e-4)
    if far.any():
        index = tuple(far.nonzero()[0].tolist()[: len(axes.split())])
        where = ", ".join(f"{axis} = {number}" for axis, number in zip(axes.split(), index, strict=False))
        expected, received = (few_numbers(numbers[index]) for numbers in (wanted, value))
        raise AssertionError(
            text(
                ko=f"`{name}`: {where}에서 기대한 값 {expected}, 받은 값 {received}.\n{hint}",
                en=f"`{name}`: at {where}, expected {expected}, received {received}.\n{hint}",
            )
        )


def expect_only_at(name: str, state: torch.Tensor, half: torch.Tensor, ends: torch.Tensor, hint: str) -> None:
    """Fail unless *half* of the outputs (L, B, d_h) holds every row of *state* (B, d_h) at the step in *ends* only."""
    steps = torch.arange(half.shape[0])[:, None]
    wrong = ((half - state).abs().amax(dim=-1) < 1e-4) != (steps == ends)
    if wrong.any():
        row = int(wrong.any(dim=0).nonzero()[0])
        raise AssertionError(
            text(
                ko=f"`{name}`: row = {row}에서 기대한 값은 `outputs`의 t = {int(ends[row])}에 있는 state "
                f"{few_numbers(half[ends[row], row])}, 받은 값은 {few_numbers(state[row])}.\n{hint}",
                en=f"`{name}`: at row = {row}, expected the state that `outputs` holds at t = {int(ends[row])}, "
                f"{few_numbers(half[ends[row], row])}, received {few_numbers(state[row])}.\n{hint}",
            )
        )


def few_numbers(numbers: torch.Tensor) -> str:
    """The first of *numbers*, to recognise them by."""
    flat = numbers.flatten().tolist()
    shown = ", ".join(f"{number:.3f}" if isinstance(number, float) else str(number) for number in flat[:3])
    return f"[{shown}, …]" if len(flat) > 3 else shown


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
