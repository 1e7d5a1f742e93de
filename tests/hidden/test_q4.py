"""Question 4.

ko: LSTM 정의
en: Defining the LSTM
"""

import pytest

from autograder.course.compare import same_layer


@pytest.mark.points(10)
def test_lstm_layer(lstm, reference):
    """
    ko: lstm의 크기와 종류가 맞습니다.
    en: lstm is of the right kind and size.
    """
    same_layer(lstm, reference.lstm, "lstm", free=["batch_first"])
