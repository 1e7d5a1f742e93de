"""Differences in words: what hidden checks tell students."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from autograder.compare import Mismatch, same, same_layer, same_packed, sized
from autograder.observation import Opaque
from autograder.text import speaking

STATES = torch.arange(6 * 4 * 7).view(6, 4, 7).float()
LENGTHS = torch.tensor([6, 5, 6, 2])


def said(*args: object, lang: str = "en", **options: object) -> str:
    with speaking(lang), pytest.raises(Mismatch) as mismatch:
        same(*args, **options)
    return str(mismatch.value)


def test_sizes_come_with_their_symbols():
    """A number that is its own symbol stands alone."""
    assert sized("L B d_h", (6, 4, 7)) == "(L=6, B=4, d_h=7)"
    assert sized("1 B d_h", (1, 4, 7)) == "(1, B=4, d_h=7)"
    assert sized("B", (4,)) == "(B=4,)"


def test_either_layout_passes_where_it_may():
    """The first two axes may be exchanged only if the check says so."""
    same(STATES, STATES, "x", "L B d_h")
    same(STATES.transpose(0, 1), STATES, "x", "L B d_h", either_layout=True)
    assert "another order" in said(STATES.transpose(0, 1), STATES, "x", "L B d_h")


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (None, "x has no value."),
        (Opaque("list"), "x: expected a tensor, received list."),
        (STATES.double(), "x.dtype: expected torch.float32, received torch.float64."),
        (
            STATES.transpose(0, 1),
            "x.shape: expected (L=6, B=4, d_h=7), received (4, 6, 7). The axes are in another order.",
        ),
        (STATES.unsqueeze(0), "There is an axis of size 1 too many."),
        (STATES[:, :, :5], "The size of d_h differs."),
        (STATES[0], "It has 2 axes instead of 3."),
        (STATES + 1, "It differs from the first step (t=0) on."),
        (STATES.flip(2), "All the right numbers are there, but in other places."),
        (STATES.flip(0), "All the right numbers are there, but in other places."),
    ],
)
def test_difference_is_named(received, words):
    """Missing, type, dtype, shape and values each have words of their own."""
    assert words in said(received, STATES, "x", "L B d_h")


def changed(*where: object) -> torch.Tensor:
    other = STATES.clone()
    other[where] += 1
    return other


def test_place_of_wrong_values_is_named():
    """The rows, the step from which it departs, the padding."""
    assert "Rows that differ: 2." in said(changed(slice(None), 2), STATES, "x", "L B d_h")
    assert "differs from step t=3 on" in said(changed(slice(3, 6)), STATES, "x", "L B d_h")
    short = changed(slice(None), [1, 3])
    assert "was padding read" in said(short, STATES, "x", "L B d_h", lengths=LENGTHS)


def test_direction_of_wrong_values_is_named():
    """Of the two halves of the last axis, the one that differs."""
    both = torch.cat([STATES, STATES], dim=-1)
    forward = torch.cat([STATES + 1, STATES], dim=-1)
    assert "Only the forward half" in said(forward, both, "x", "L B num_dirs*d_h")


def test_korean_is_spoken_where_it_is_asked_for():
    """Messages come in the language of the student's edition."""
    assert "기대한 값 (L=6, B=4, d_h=7), 받은 값 (4, 6, 7)" in said(
        STATES.transpose(0, 1), STATES, "x", "L B d_h", lang="ko"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_no_odd_number_passes(value):
    """NaN and infinity are as wrong as any other number."""
    assert said(torch.full_like(STATES, value), STATES, "x", "L B d_h")


def test_packed_rows_may_be_in_another_order():
    """`enforce_sorted=False` orders equal lengths as it likes; the sequences are the same."""
    rows = torch.randn(4, 6, 2)
    lengths = torch.tensor([6, 6, 5, 5])
    one = pack_padded_sequence(rows, lengths, batch_first=True)
    order = torch.tensor([1, 0, 3, 2])
    other = pack_padded_sequence(rows[order], lengths[order], batch_first=True, enforce_sorted=False)
    with pytest.raises(Mismatch):
        same_packed(other, one, "p")
    same_packed(pack_padded_sequence(rows, lengths, batch_first=True, enforce_sorted=False), one, "p")


def test_forged_packed_sequence_is_a_mismatch():
    """Batch sizes that do not fit the data are the student's fault, not the grader's."""
    good = pack_padded_sequence(torch.randn(3, 4, 2), torch.tensor([4, 3, 1]), batch_first=True)
    with pytest.raises(Mismatch):
        same_packed(good._replace(batch_sizes=torch.tensor([5, 3])), good, "p")


def test_layer_is_compared_by_kind_and_arguments():
    """A subclass is such a layer; another class or size is not; free arguments are free."""
    right = nn.RNN(3, 4)
    same_layer(nn.RNN(3, 4, batch_first=True), right, "rnn", free=["batch_first"])
    for wrong in (nn.RNN(4, 4), nn.RNN(3, 4, nonlinearity="relu"), nn.RNN(3, 4, bias=False), nn.GRU(3, 4), None):
        with pytest.raises(Mismatch):
            same_layer(wrong, right, "rnn", free=["batch_first"])
