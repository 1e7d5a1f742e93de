"""Question 7.

ko: packing과 양방향 GRU
en: Packing and a bidirectional GRU
"""

import pytest
import torch

from autograder.compare import close, same, same_packed
from autograder.text import text


@pytest.mark.points(3)
def test_packed_batch(packed_batch, reference):
    """
    ko: packed_batch에 padding을 뺀 모든 sequence가 들어 있습니다.
    en: packed_batch holds every sequence without its padding.
    """
    same_packed(packed_batch, reference.packed_batch, "packed_batch")


@pytest.mark.points(3)
def test_bi_h_n(bi_h_n, reference):
    """
    ko: bi_h_n이 각 layer와 방향의 마지막 state입니다.
    en: bi_h_n holds the final state of every layer and direction.
    """
    same(bi_h_n, reference.bi_h_n, "bi_h_n", "num_layers*num_dirs B d_h", lengths=reference.batch_lens)


@pytest.mark.points(4)
def test_outputs(outputs, output_lens, reference):
    """
    ko: outputs에 모든 시점의 두 방향 state가, output_lens에 각 sequence의 길이가 들어 있습니다.
    en: outputs holds the states of both directions at every time step, output_lens every sequence's length.
    """
    same(outputs, reference.outputs, "outputs", "L B num_dirs*d_h", either_layout=True, lengths=reference.batch_lens)
    same(output_lens, reference.batch_lens, "output_lens", "B")


def test_states_match_each_sequence_alone(outputs, reference):
    """
    ko: 각 sequence의 state가, 그 sequence 하나만 넣었을 때와 같습니다.
    en: Every sequence has the states that it would have if it were alone.
    """
    same(outputs, reference.outputs, "outputs", "L B num_dirs*d_h", either_layout=True)
    rows = outputs if close(outputs, reference.outputs) else outputs.transpose(0, 1)
    for row, length in enumerate(reference.batch_lens.tolist()):
        alone, _ = reference.bi_gru(reference.batch_emb[row, :length].unsqueeze(1))  # (length, 1, num_dirs*d_h)
        assert close(rows[:length, row], alone[:, 0].detach()), text(
            ko=f"{row}번 행의 state가 그 sequence 하나만 넣었을 때와 다릅니다.",
            en=f"Row {row} has other states than its sequence alone.",
        )


def test_nothing_after_the_end(outputs, reference):
    """
    ko: sequence가 끝난 뒤의 outputs는 모두 0입니다.
    en: After a sequence's end, outputs is all zeros.
    """
    same(outputs, reference.outputs, "outputs", "L B num_dirs*d_h", either_layout=True)
    rows = outputs if close(outputs, reference.outputs) else outputs.transpose(0, 1)
    for row, length in enumerate(reference.batch_lens.tolist()):
        assert not torch.any(rows[length:, row]), text(
            ko=f"{row}번 행은 길이 {length} 뒤에도 0이 아닙니다.",
            en=f"Row {row} is not zero after its {length} steps.",
        )
