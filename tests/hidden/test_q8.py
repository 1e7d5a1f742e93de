"""Question 8.

ko: h_n 나누기
en: Taking h_n apart
"""

import pytest

from autograder.course.compare import same


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
