"""Differences as data: what hidden checks find."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from autograder.course.compare import Mismatch, alike, same, same_layer, same_packed
from autograder.wire.values import Other, describe_layer

STATES = torch.arange(6 * 4 * 7).view(6, 4, 7).float()
LENGTHS = torch.tensor([6, 5, 6, 2])


def found(received: object, expected: torch.Tensor = STATES, symbols: str = "L B d_h", **options: object) -> dict:
    with pytest.raises(Mismatch) as mismatch:
        same(received, expected, "x", symbols, **options)
    note = mismatch.value.note
    assert note.about["name"] == "x"
    return {"kind": note.kind, **note.about}


def changed(*where: object) -> torch.Tensor:
    other = STATES.clone()
    other[where] += 1
    return other


def test_either_layout_passes_where_it_may():
    """The first two axes may be exchanged only if the check says so."""
    same(STATES, STATES, "x", "L B d_h")
    same(STATES.transpose(0, 1), STATES, "x", "L B d_h", either_layout=True)
    assert found(STATES.transpose(0, 1))["kind"] == "shape"


@pytest.mark.parametrize(
    ("received", "kind", "about"),
    [
        (None, "missing", {}),
        (Other("list", 3), "type", {"expected": "Tensor", "received": "list"}),
        (3, "type", {"expected": "Tensor", "received": "int"}),
        (STATES.double(), "dtype", {"expected": "float32", "received": "float64"}),
        (STATES.to("meta"), "device", {"expected": "cpu", "received": "meta"}),
        (STATES[:, :, :5], "shape", {"expected": [[6, 4, 7]], "received": [6, 4, 5], "orders": ["L B d_h"]}),
        (STATES + 1, "values", {"where": "step", "step": 0}),
        (changed(slice(3, 6)), "values", {"where": "step", "step": 3}),
        (STATES.flip(2), "values", {"where": "places"}),
        (changed(slice(None), 2), "values", {"where": "rows", "rows": [2]}),
        (changed(0, 0, 0) * float("nan"), "values", {"where": "nan"}),
    ],
    ids=str,
)  # fmt: skip
def test_difference_is_named(received, kind, about):
    """Missing, type, dtype, device, shape and values each have a kind of their own, and tell where."""
    note = found(received)
    assert (note["kind"], {key: note.get(key) for key in about}) == (kind, about)


def test_both_orders_are_told_where_either_is_right():
    """Of a shape that is neither, both that would be right are told; of values, the layout that came."""
    shape = found(STATES[:5], either_layout=True)
    assert (shape["orders"], shape["expected"]) == (["L B d_h", "B L d_h"], [[6, 4, 7], [4, 6, 7]])
    values = found((STATES + 1).transpose(0, 1), either_layout=True)
    assert (values["symbols"], values["turned"]) == ("B L d_h", True)


def test_rows_shorter_than_the_longest_are_told_from_others():
    """With the lengths it is said that just these rows differ."""
    assert found(changed(slice(None), [1, 3]), lengths=LENGTHS)["where"] == "short-rows"
    assert found(changed(slice(None), [0, 3]), lengths=LENGTHS)["where"] == "rows"


def test_direction_of_wrong_values_is_told():
    """Of the two halves of the last axis, the one that differs."""
    both = torch.cat([STATES, STATES], dim=-1)
    forward = torch.cat([STATES + 1, STATES], dim=-1)
    note = found(forward, both, "L B num_dirs*d_h")
    assert (note["where"], note["half"]) == ("half", "forward")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_no_odd_number_passes(value):
    """NaN and infinity are as wrong as any other number."""
    assert found(torch.full_like(STATES, value))["kind"] == "values"


def test_packed_rows_may_be_in_another_order():
    """Who sorts by hand orders equal lengths at will; that rows are put back is seen in what the layer gives out."""
    rows, lengths = torch.randn(4, 6, 2), torch.tensor([6, 6, 5, 5])
    one = pack_padded_sequence(rows, lengths, batch_first=True)
    order = torch.tensor([1, 0, 3, 2])
    same_packed(pack_padded_sequence(rows[order], lengths[order], batch_first=True), one, "p")
    same_packed(pack_padded_sequence(rows, lengths, batch_first=True, enforce_sorted=False), one, "p")
    rows[1, 0] = rows[0, 0]  # the same first words, to within rounding
    one = pack_padded_sequence(rows, lengths, batch_first=True)
    rows[1, 0] -= 1e-6
    same_packed(pack_padded_sequence(rows, lengths, batch_first=True), one, "p")
    with pytest.raises(Mismatch):  # lengths of other rows
        same_packed(pack_padded_sequence(rows, lengths.flip(0), batch_first=True, enforce_sorted=False), one, "p")


@pytest.mark.parametrize(
    "change",
    [
        {"batch_sizes": torch.tensor([5, 3])},
        {"batch_sizes": torch.tensor([], dtype=torch.int64)},
        {"sorted_indices": torch.tensor([9, 9, 9]), "unsorted_indices": torch.tensor([7, 7, 7])},
        {"data": torch.zeros(8, 2, device="meta")},
        {"data": torch.zeros(8, 2, dtype=torch.int64)},
    ],
    ids=str,
)
def test_forged_packed_sequence_is_a_mismatch(change):
    """Parts that do not fit together are the student's fault, not the grader's."""
    good = pack_padded_sequence(torch.randn(3, 4, 2), torch.tensor([4, 3, 1]), batch_first=True)
    with pytest.raises(Mismatch):
        same_packed(good._replace(**change), good, "p")


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (nn.RNN(4, 4), "argument"),
        (nn.RNN(3, 4, nonlinearity="relu"), "argument"),
        (nn.RNN(3, 4, bias=False), "argument"),
        (nn.GRU(3, 4), "type"),
        (nn.RNN(3, 4, dtype=torch.float64), "dtype"),
        (nn.RNN(3, 4, device="meta"), "device"),
    ],
)
def test_layer_is_compared_by_kind_arguments_dtype_and_device(wrong, kind):
    """A subclass is such a layer, and free arguments are free; everything else is told for what it is."""
    right = describe_layer(nn.RNN(3, 4))
    same_layer(describe_layer(type("Own", (nn.RNN,), {})(3, 4, batch_first=True)), right, "rnn", free=["batch_first"])
    with pytest.raises(Mismatch) as mismatch:
        same_layer(describe_layer(wrong), right, "rnn", free=["batch_first"])
    assert mismatch.value.note.kind == kind


def test_layer_of_another_class_is_told_with_both_names():
    """Both are `nn.…`, so that no one is told to give what was given."""
    with pytest.raises(Mismatch) as mismatch:
        same_layer(describe_layer(nn.GRU(3, 4)), describe_layer(nn.RNN(3, 4)), "rnn")
    about = mismatch.value.note.about
    assert (about["expected"], about["received"]) == ("nn.RNN", "nn.GRU")


def test_answers_are_alike_in_one_layout_all_together():
    """Two answers are the same mistake if all their values agree, none or all in the other layout."""
    one, turned = [STATES, STATES[0]], [STATES.transpose(0, 1), STATES[0]]
    assert alike(one, [STATES.clone(), STATES[0]], [False, False])
    assert alike(turned, one, [True, False])
    assert not alike(turned, one, [False, False])
    assert not alike([STATES.transpose(0, 1), STATES], [STATES, STATES], [True, True])
