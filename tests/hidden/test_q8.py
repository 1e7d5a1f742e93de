"""Question 8.

ko: h_n 나누기
en: Taking h_n apart
"""

import pytest

from autograder.compare import close, same
from autograder.text import text


@pytest.mark.points(4)
def test_h_n_by_layer(h_n_by_layer, reference):
    """
    ko: h_n_by_layer에 layer 축과 방향 축이 따로 있습니다.
    en: h_n_by_layer has an axis for the layers and one for the directions.
    """
    same(h_n_by_layer, reference.h_n_by_layer, "h_n_by_layer", "num_layers num_dirs B d_h")


@pytest.mark.points(3)
def test_last_forward(last_forward, reference):
    """
    ko: last_forward가 맨 위 layer의 정방향 마지막 state입니다.
    en: last_forward is the top layer's final state in the forward direction.
    """
    same(last_forward, reference.last_forward, "last_forward", "B d_h", lengths=reference.batch_lens)


@pytest.mark.points(3)
def test_last_backward(last_backward, reference):
    """
    ko: last_backward가 맨 위 layer의 역방향 마지막 state입니다.
    en: last_backward is the top layer's final state in the backward direction.
    """
    same(last_backward, reference.last_backward, "last_backward", "B d_h", lengths=reference.batch_lens)


def test_forward_ends_at_the_last_word(last_forward, reference):
    """
    ko: last_forward가 각 sequence의 마지막 단어에서의 정방향 출력과 같습니다.
    en: last_forward is the forward half of the output at each sequence's last word.
    """
    same(last_forward, reference.last_forward, "last_forward", "B d_h", lengths=reference.batch_lens)
    for row, length in enumerate(reference.batch_lens.tolist()):
        forward, _ = reference.outputs[length - 1, row].chunk(2)
        assert close(last_forward[row], forward), text(
            ko=f"{row}번 행이 그 sequence의 마지막 단어에서의 state가 아닙니다.",
            en=f"Row {row} is not the state at its sequence's last word.",
        )


def test_backward_ends_at_the_first_word(last_backward, reference):
    """
    ko: last_backward가 첫 단어에서의 역방향 출력과 같습니다.
    en: last_backward is the backward half of the output at the first word.
    """
    same(last_backward, reference.last_backward, "last_backward", "B d_h", lengths=reference.batch_lens)
    _, backward = reference.outputs[0].chunk(2, dim=-1)
    assert close(last_backward, backward), text(
        ko="첫 단어에서의 역방향 state와 다릅니다.",
        en="It differs from the backward state at the first word.",
    )
