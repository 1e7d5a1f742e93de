"""Question 5.

ko: LSTM 실행
en: Running the LSTM
"""

import pytest

from autograder.course.compare import same


@pytest.mark.points(5)
@pytest.mark.either_layout("lstm_states")
def test_lstm_states(lstm_states, reference):
    """
    ko: lstm_states에 모든 시점의 hidden state가 들어 있습니다.
    en: lstm_states holds the hidden state of every time step.
    """
    same(lstm_states, reference.lstm_states, "lstm_states", "L B d_h", either_layout=True)


@pytest.mark.points(5)
def test_lstm_h_n(lstm_h_n, reference):
    """
    ko: lstm_h_n이 마지막 시점의 hidden state입니다.
    en: lstm_h_n is the hidden state after the last time step.
    """
    same(lstm_h_n, reference.lstm_h_n, "lstm_h_n", "1 B d_h")


@pytest.mark.points(5)
def test_c_n(c_n, reference):
    """
    ko: c_n이 마지막 시점의 cell state입니다.
    en: c_n is the cell state after the last time step.
    """
    same(c_n, reference.c_n, "c_n", "1 B d_h")
