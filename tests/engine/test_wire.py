"""What crosses the boundary: values come back as they were, and no bytes bring the grader down.

`FUZZ_EXAMPLES` sets how many cases each fuzzing test tries; `make fuzz` tries many.
"""

from __future__ import annotations

import json
import os
import random
import struct
import tracemalloc
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from autograder import course
from autograder.grading.hidden import findings
from autograder.sandbox.box import frames
from autograder.wire.log import RUN_JSON_BYTES, Log, Record
from autograder.wire.messages import (
    Cell,
    Failure,
    Finished,
    Outline,
    Recorded,
    Started,
    decode,
    encode,
)
from autograder.wire.values import (
    HEADER_BYTES,
    Layer,
    Malformed,
    Other,
    describe,
    load_tensors,
    restore,
    save_tensors,
)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 1000,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def there_and_back(value: object) -> object:
    tensors: dict[str, torch.Tensor] = {}
    frame = encode(Recorded("q1", "check", {"value": describe(value, tensors)}), save_tensors(tensors))
    message, blob = decode(frame)
    assert isinstance(message, Recorded)
    return Record(message, blob)["value"]


# Values


@pytest.mark.parametrize("value", [None, True, 3, 2.5, -(2**62)])
def test_scalar_comes_back(value):
    """Numbers, truth values and None are carried as they are."""
    assert there_and_back(value) == value


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(6).view(2, 3).T,
        torch.zeros(0, 3),
        torch.tensor(1.5),
        torch.ones(2, requires_grad=True),
        torch.tensor([float("nan"), 1.0]),
        torch.ones(3, dtype=torch.bfloat16),
        torch.ones(1, 2).expand(5, 2),
    ],
    ids=str,
)
def test_tensor_comes_back(value):
    """Values, dtype and shape survive, whatever the memory layout."""
    back = there_and_back(value)
    assert isinstance(back, torch.Tensor)
    assert (back.dtype, back.shape) == (value.dtype, value.shape)
    assert torch.equal(back.nan_to_num(), value.nan_to_num())


@pytest.mark.parametrize(
    "value",
    [torch.zeros(1).expand(10**11), torch.zeros(2, device="meta"), torch.zeros(900, 900)],
    ids=["expanded", "meta", "large"],
)
def test_unusual_or_large_tensor_is_told_by_its_shape(value):
    """It is described, not carried."""
    back = there_and_back(value)
    assert isinstance(back, torch.Tensor)
    assert (back.device.type, back.shape, back.dtype) == ("meta", value.shape, value.dtype)


def test_packed_sequence_comes_back():
    """Data, batch sizes and the order of the rows survive."""
    packed = pack_sequence([torch.ones(2, 3), torch.ones(4, 3)], enforce_sorted=False)
    back = there_and_back(packed)
    assert isinstance(back, PackedSequence)
    for one, other in zip(back, packed, strict=True):
        assert torch.equal(one, other)


class Own(nn.LSTM):
    """A subclass as students write it."""


@pytest.mark.parametrize(
    ("layer", "type_", "argument"),
    [
        (nn.Embedding(5, 3, padding_idx=0), "Embedding", ("padding_idx", 0)),
        (nn.RNN(3, 4, nonlinearity="relu"), "RNN", ("nonlinearity", "relu")),
        (Own(3, 4, batch_first=True), "LSTM", ("batch_first", True)),
        (nn.Linear(2, 3, bias=False, dtype=torch.float64), "Linear", ("bias", False)),
    ],
    ids=["Embedding", "RNN", "subclass", "Linear"],
)
def test_layer_comes_back_as_what_it_is(layer, type_, argument):
    """Its nearest torch class, arguments, dtype and the shapes of its parameters, and no numbers."""
    back = there_and_back(layer)
    assert isinstance(back, Layer)
    assert (back.type, getattr(back, argument[0])) == (type_, argument[1])
    assert back.dtype == str(next(layer.parameters()).dtype).removeprefix("torch.")
    assert back.parameters == {name: tuple(value.shape) for name, value in layer.named_parameters()}


def test_names_of_own_classes_stay_inside():
    """A class's name is a student's text: only well-known names are told."""
    assert there_and_back(type("3_14_15", (), {})()) == Other("object")
    assert there_and_back(type("3_14_15", (nn.Module,), {})()) == Other("Module")
    assert there_and_back("text") == Other("str")
    assert there_and_back([1, 2]) == Other("list", 2)
    assert there_and_back(float("inf")) == Other("float")


def test_value_that_fights_back_is_no_value():
    """What cannot be described is malformed to nobody: it is told as an object."""
    message = Recorded("q1", "check", {"x": 1})
    record = Record(message, b"\xff" * 100)
    assert record["x"] == Other("object")
    assert record["y"] is None or record["y"] == Other("object")


# Frames: any bytes, spoilt messages, and all kinds of messages that are well formed and untrue.

TEXT = st.sampled_from(["q1", "q7", "h_n", "outputs", "", "\x00", "x" * 500]) | st.text(max_size=5)
NUMBER = st.integers(-3, 5) | st.sampled_from([2**31, 2**62, -(2**62), 2**64, 10**30])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)
SHAPE = st.lists(NUMBER, max_size=4)
TENSOR = st.fixed_dictionaries(
    {"is": st.just("TensorData"), "dtype": st.sampled_from(["float32", "int64", "bool", "complex64", "?"])},
    optional={"shape": SHAPE, "device": TEXT, "key": st.sampled_from(["0", "1", "2", "9", ""])},
)
MAYBE = st.none() | TENSOR
DESCRIBED = st.deferred(
    lambda: (
        TENSOR
        | st.fixed_dictionaries({"is": st.sampled_from(["Other", "Packed", "Layer", "?"])})
        | st.fixed_dictionaries({"is": st.just("Other"), "type": TEXT}, optional={"length": NUMBER})
        | st.fixed_dictionaries({"is": st.just("Packed"), "parts": st.tuples(TENSOR, TENSOR, MAYBE, MAYBE)})
        | st.fixed_dictionaries(
            {"is": st.just("Layer"), "type": TEXT, "arguments": st.dictionaries(TEXT, JSON, max_size=3)},
            optional={"dtype": TEXT, "device": TEXT, "parameters": st.dictionaries(TEXT, SHAPE, max_size=2)},
        )
        | JSON
    )
)
FAILURE = st.fixed_dictionaries(
    {"type": st.just("Failure"), "kind": TEXT, "cell": NUMBER, "line": NUMBER}, optional={"text": TEXT}
)
NAMES = sorted({name for question in course.questions() for name in question.names})
QUESTION = st.sampled_from([question.id for question in course.questions()])
MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("Started"), "statement": NUMBER, "cell": NUMBER, "line": NUMBER, "resident": NUMBER}
    ),
    FAILURE,
    st.fixed_dictionaries(
        {
            "type": st.just("Outline"),
            "own": st.lists(
                st.fixed_dictionaries(
                    {"number": NUMBER, "binds": st.lists(st.sampled_from(NAMES), max_size=3)},
                    optional={"numbers": st.lists(st.lists(NUMBER, min_size=2, max_size=2), max_size=2)},
                ),
                max_size=3,
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("Recorded"),
            "question": QUESTION,
            "when": st.sampled_from(["check", "end"]),
            "values": st.dictionaries(st.sampled_from(NAMES), DESCRIBED, max_size=6),
        },
        optional={
            "failures": st.dictionaries(st.sampled_from(NAMES), FAILURE, max_size=2),
            "changed": st.lists(TEXT, max_size=2),
        },
    ),
    st.fixed_dictionaries({"type": st.just("Finished")}),
    st.fixed_dictionaries({"type": JSON}),
    JSON,
)


@cache
def blobs() -> list[bytes]:
    whole = save_tensors({"0": torch.rand(2, 3), "1": torch.tensor([2, 1]), "2": torch.tensor([0, 1])})
    return [b"", whole, whole[:-3], whole[:30], b"\xff" * 20]


@st.composite
def sent(draw: st.DrawFn) -> bytes:
    """A frame of a message, with tensors that fit or do not; then perhaps with bytes changed."""
    body = json.dumps(draw(MESSAGES)).encode()
    frame = len(body).to_bytes(4, "little") + body + draw(st.sampled_from(blobs()))
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(frame)))
        frame = frame[:place] + draw(st.binary(max_size=4)) + frame[place + draw(st.integers(0, 4)) :]
    return frame


@fuzz
@given(st.lists(sent() | st.binary(max_size=60), max_size=8), st.booleans(), st.booleans())
def test_any_frames_make_a_log_that_can_be_judged(run_frames, finished, of_memory):
    """Whatever a child sent, its log answers all that the grader asks, and its records can be checked."""
    log = Log(tuple(run_frames), finished, lines=(3, 1), of_memory=of_memory)
    assert isinstance(log.outline, Outline)
    assert all(failure.cell in (1, 2) and 1 <= failure.line <= 3 for failure in log.failures)
    culprit = log.culprit()
    assert culprit is None or (culprit[1][0] in (1, 2) and 1 <= culprit[1][1] <= 3)
    for question in course.questions():
        for record in log.moments(question.id, ["q8"]):
            found = findings(question, record, reference(question.id))
            assert len(repr(list(found.values()))) < 20_000


@pytest.fixture(scope="module")
def references(run):
    from autograder.grading.reference import Reference

    at = Reference(run).shared(course.scenarios()[0]).at
    _references.update(at)
    return at


_references: dict[str, Any] = {}


def reference(question: str) -> Any:
    return _references[question]


@pytest.fixture(autouse=True)
def _with_references(references):
    """The right values, which records are compared with."""


@fuzz
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_pipe_is_parsed(one, other):
    """Bytes in the result pipe are frames, up to where they stop being any."""
    found, _ = frames(struct.pack(">I", len(one)) + one + other, 50)
    assert found[:1] == (one,)
    assert len(found) <= 50
    assert sum(map(len, found)) <= len(one) + len(other) + 4


HEADERS = st.dictionaries(
    st.text(max_size=3),
    st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["F32", "I64", "F4", "BOOL", "C64", "", "X"]) | JSON,
            "shape": st.lists(st.integers(-1, 2**61), max_size=3) | JSON,
            "data_offsets": st.lists(st.integers(0, 64), min_size=2, max_size=2) | JSON,
        }
    )
    | JSON,
    max_size=4,
)


@fuzz
@given(HEADERS, st.binary(max_size=64), st.sampled_from([0, 1, -1, 1 << 40]))
def test_any_tensors_are_loaded_or_refused(header, data, off):
    """A blob of tensors is loaded as it says or refused, whatever its header claims."""
    text = json.dumps(header).encode()
    try:
        tensors = load_tensors(max(0, len(text) + off).to_bytes(8, "little") + text + data)
    except Malformed:
        return
    assert all(tensor.numel() * tensor.element_size() <= len(data) for tensor in tensors.values())


@fuzz
@given(st.integers(0, 2**32))
def test_described_values_come_back(seed):
    """What an honest child describes is what the grader restores."""
    chance = random.Random(seed)
    shape = [chance.randint(0, 4) for _ in range(chance.randint(0, 4))]
    value = torch.rand(shape).to(chance.choice([torch.float32, torch.float64, torch.int64, torch.bool]))
    back = there_and_back(value)
    assert isinstance(back, torch.Tensor)
    assert back.dtype == value.dtype
    assert torch.equal(back, value)


# Budgets


def test_oversized_parts_are_refused_before_they_are_parsed():
    """A long JSON part or safetensors header is not looked at."""
    assert not Log((encode(Failure("x" * RUN_JSON_BYTES, 1, 1)),), lines=(1,)).failures
    with pytest.raises(Malformed):
        load_tensors((HEADER_BYTES + 1).to_bytes(8, "little") + b"{" * HEADER_BYTES)


@pytest.mark.parametrize(
    "value",
    [
        {"is": "TensorData", "dtype": "float32", "shape": [2], "key": "7"},
        {"is": "TensorData", "dtype": "float32", "shape": [-1]},
        {"is": "TensorData", "dtype": "float32", "shape": [2**60]},
        {"is": "TensorData", "dtype": "float32", "shape": [1] * 17},
        {"is": "TensorData", "dtype": "float32", "shape": [0, 2**39, 2**39]},
        {"is": "Packed", "parts": [{"is": "TensorData", "dtype": "float32", "shape": []}, {
            "is": "TensorData", "dtype": "int64", "shape": [1]}, None, None]},
    ],
)  # fmt: skip
def test_forged_description_is_malformed_and_its_record_tells_of_an_object(value):
    """What describes nothing is not believed, and nothing else happens."""
    body = json.dumps({"type": "Recorded", "question": "q1", "when": "check", "values": {"x": value}}).encode()
    message, blob = decode(len(body).to_bytes(4, "little") + body)
    with pytest.raises(Malformed):
        restore(message.values["x"], {})
    assert Record(message, blob)["x"] == Other("object")


@pytest.mark.parametrize(
    "value",
    [
        {"is": "Other", "type": "x" * 101},
        {"is": "TensorData", "dtype": "float32", "shape": [2], "device": "x" * 101},
        {"is": "Layer", "type": "Embedding", "arguments": {"bias": "x" * 101}},
        {"is": "Layer", "type": "Embedding", "arguments": {"x" * 101: 1}},
    ],
)
def test_words_that_may_be_told_are_short(value):
    """What could stand on a page, and in the gradebook, is no text without end."""
    body = json.dumps({"type": "Recorded", "question": "q1", "when": "check", "values": {"x": value}}).encode()
    with pytest.raises(Malformed):
        decode(len(body).to_bytes(4, "little") + body)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "Started", "statement": 2**64, "cell": 1, "line": 1, "resident": 1},
        {"type": "Outline", "own": [{"number": -(2**70), "binds": {}}]},
    ],
)
def test_number_that_no_job_can_hold_is_malformed(message):
    """What a child says of its run may be asked of the next one: a statement's number, a cell's."""
    body = json.dumps(message).encode()
    with pytest.raises(Malformed):
        decode(len(body).to_bytes(4, "little") + body)


FLOODS = {
    "statements": [encode(Started(number, 1, 1, 0)) for number in range(50_000)],
    "errors": [encode(Failure("T" * 100, 1, 1, "h_n" * 200))] * 50_000,
    "cells": [encode(Outline(tuple(Cell(n, {"h_n": (1, n)}) for n in range(2000))))] * 100,
    "names": [encode(Recorded("q1", "check", {str(n): n for n in range(5000)}))] * 150,
    "nests": [len(b := b'{"type":"Recorded","x":' + b"[" * 100_000).to_bytes(4, "little") + b] * 150,
    "tensors": [encode(Recorded("q1", "check", {}), b"\0" * 1_000_000)] * 16,
    "nothing": [b""] * 100_000,
    "finished": [encode(Finished())] * 100_000,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_flood_of_frames_takes_little_memory(flood):
    """Sixteen megabytes of whatever kind are read within one budget, and nothing of them is kept twice."""
    log = Log(tuple(FLOODS[flood]), True, lines=(1,))
    tracemalloc.start()
    assert len(log.records) <= RUN_JSON_BYTES
    assert len(log.failures) <= RUN_JSON_BYTES
    log.moments("q1", []), log.culprit(), log.outline
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
