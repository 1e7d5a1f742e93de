"""Question 2.

ko: RNN 정의
en: Defining the RNN
"""

import pytest

from autograder.course.compare import same_layer


@pytest.mark.points(10)
def test_rnn_layer(rnn, reference):
    """
    ko: rnn의 크기와 종류가 맞습니다.
    en: rnn is of the right kind and size.
    """
    same_layer(rnn, reference.rnn, "rnn", free=["batch_first"])
