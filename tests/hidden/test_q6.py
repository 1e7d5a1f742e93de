"""Question 6.

ko: GRU 언어 모델의 greedy decoding
en: Greedy decoding with a GRU language model
"""

import pytest

from autograder.course.compare import same


@pytest.mark.points(14)
def test_decoded_ids(decoded_ids, reference):
    """
    ko: decoded_ids에 시점마다 점수가 가장 높은 단어가 차례로 들어 있습니다.
    en: decoded_ids holds, step by step, the word with the highest score.
    """
    same(decoded_ids, reference.decoded_ids, "decoded_ids", "max_len B")


@pytest.mark.points(6)
def test_final_hidden(hidden, reference):
    """
    ko: hidden이 마지막 시점까지 마친 뒤의 state입니다.
    en: hidden is the state after the last step.
    """
    same(hidden, reference.hidden, "hidden", "1 B d_h")
