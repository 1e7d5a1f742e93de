"""Question 3.

ko: RNN 실행
en: Running the RNN
"""

import pytest

from autograder.course.compare import same


@pytest.mark.points(8)
@pytest.mark.either_layout("hidden_states")
def test_hidden_states(hidden_states, reference):
    """
    ko: hidden_states에 모든 시점의 hidden state가 들어 있습니다.
    en: hidden_states holds the hidden state of every time step.
    """
    same(hidden_states, reference.hidden_states, "hidden_states", "L B d_h", either_layout=True)


@pytest.mark.points(7)
def test_h_n(h_n, reference):
    """
    ko: h_n이 마지막 시점의 hidden state입니다.
    en: h_n is the hidden state after the last time step.
    """
    same(h_n, reference.h_n, "h_n", "1 B d_h")
