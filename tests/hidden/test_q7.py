"""Question 7.

ko: packing과 양방향 GRU
en: Packing and a bidirectional GRU
"""

import pytest

from autograder.course.compare import same, same_packed


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
@pytest.mark.either_layout("outputs")
def test_outputs(outputs, output_lens, reference):
    """
    ko: outputs에 모든 시점의 두 방향 state가, output_lens에 각 sequence의 길이가 들어 있습니다.
    en: outputs holds the states of both directions at every time step, output_lens every sequence's length.
    """
    same(outputs, reference.outputs, "outputs", "L B num_dirs*d_h", either_layout=True, lengths=reference.batch_lens)
    same(output_lens, reference.batch_lens, "output_lens", "B")
