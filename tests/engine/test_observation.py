"""Values into plain data and back."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from autograder.observation import HEADER_BYTES, Malformed, Opaque, describe, pack, restore, unpack


def there_and_back(value: object, *, values: bool = True) -> object:
    tensors: dict[str, torch.Tensor] = {}
    frame = pack({"kind": "x", "value": describe(value, tensors, values=values)}, tensors)
    message, loaded = unpack(frame)
    return restore(message["value"], loaded)


@pytest.mark.parametrize("value", [None, True, 3, 2.5, float("inf")])
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
)
def test_tensor_comes_back(value):
    """Values, dtype and shape survive, whatever the memory layout."""
    back = there_and_back(value)
    assert isinstance(back, torch.Tensor)
    assert back.dtype == value.dtype
    assert torch.equal(back.nan_to_num(), value.nan_to_num())


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(1).expand(10**11),
        torch.zeros(2, device="meta"),
        torch.eye(2).to_sparse(),
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros(3000, 3000),
    ],
)
def test_unusual_or_huge_tensor_is_told_by_its_shape(value):
    """Expanded, meta, sparse, complex and huge tensors are described, not carried."""
    back = there_and_back(value)
    assert isinstance(back, torch.Tensor)
    assert back.device.type == "meta"
    assert back.shape == value.shape


def test_shapes_only_where_asked():
    """With `values=False` a tensor comes back on the meta device."""
    assert there_and_back(torch.ones(2, 3), values=False).device.type == "meta"


def test_packed_sequence_comes_back():
    """Data, batch sizes and the order of the rows survive."""
    packed = pack_sequence([torch.ones(2, 3), torch.ones(4, 3)], enforce_sorted=False)
    back = there_and_back(packed)
    assert isinstance(back, PackedSequence)
    assert torch.equal(back.batch_sizes, packed.batch_sizes)
    assert torch.equal(back.unsorted_indices, packed.unsorted_indices)
    assert isinstance(there_and_back(packed, values=False), PackedSequence)


class Own(nn.LSTM):
    """A subclass as students write it."""


@pytest.mark.parametrize(
    "layer",
    [
        nn.Embedding(5, 3, padding_idx=0),
        nn.RNN(3, 4, nonlinearity="relu"),
        Own(3, 4, batch_first=True),
        nn.Linear(2, 3),
    ],
)
def test_layer_is_rebuilt_on_the_meta_device(layer):
    """A layer comes back as its nearest torch class with its configuration and no weights."""
    back = there_and_back(layer)
    assert isinstance(layer, type(back))
    assert all(parameter.device.type == "meta" for parameter in back.parameters())
    assert [p.shape for p in back.parameters()] == [p.shape for p in layer.parameters()]


def test_layer_with_foreign_weights_is_no_such_layer():
    """A configuration that its own weights contradict is not believed."""
    layer = nn.RNN(3, 4)
    layer.hidden_size = 7
    assert there_and_back(layer) == Opaque("RNN")


def test_names_of_own_classes_stay_inside():
    """A class's name is a student's text: only well-known names are told."""
    secret = type("3_14_15", (), {})
    assert there_and_back(secret()) == Opaque("object")
    assert there_and_back("text") == Opaque("str")


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"is": "tensor"},
        {"is": "tensor", "dtype": "float32", "shape": [2], "key": "7"},
        {"is": "tensor", "dtype": "float32", "shape": [-1]},
        {"is": "tensor", "dtype": "float32", "shape": "ab"},
        {"is": "tensor", "dtype": "float32", "shape": [2**60]},
        {"is": "scalar", "value": [1]},
        {"is": "module", "class": "RNN", "config": {}},
        {"is": "module", "class": "os", "config": {}},
        {"is": "packed", "data": 1},
        {"is": "list", "items": 3},
    ],
)
def test_forged_description_is_malformed(tree):
    """What describes nothing is said to be malformed, and nothing else happens."""
    with pytest.raises(Malformed):
        restore(tree, {})


def test_forged_module_cannot_be_huge():
    """Sizes and layer counts beyond reason are not built."""
    config = {"input_size": 3, "hidden_size": 4, "num_layers": 10**9, "bias": True, "batch_first": False}
    config |= {"bidirectional": False, "nonlinearity": "tanh"}
    assert restore({"is": "module", "class": "RNN", "config": config, "parameters": {}}, {}) == Opaque("RNN")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(frame):
    """No frame brings the grader down."""
    try:
        message, tensors = unpack(frame)
    except Malformed:
        return
    assert isinstance(message, dict)
    assert isinstance(tensors, dict)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_tree_is_restored_or_malformed(tree):
    """No description brings the grader down."""
    try:
        restore(tree, {})
    except Malformed:
        return


def test_oversized_parts_are_refused_before_they_are_parsed():
    """A long JSON part or safetensors header is not looked at."""
    with pytest.raises(Malformed):
        unpack(pack({"a": "x" * 1_000_000}))
    with pytest.raises(Malformed):
        unpack((2).to_bytes(4, "little") + b"{}" + (HEADER_BYTES + 1).to_bytes(8, "little") + json.dumps({}).encode())
