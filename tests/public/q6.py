"""Public checks of q6: greedy decoding. Shapes, dtypes and types only; they carry no points."""

import torch

from autograder.expect import expect_given, expect_tensor
from autograder.text import text


def test_decoded_ids_has_a_word_for_every_step(decoded_ids, batch, max_len):
    """
    ko: `decoded_ids`는 시점마다, sequence마다 고른 단어의 id를 하나씩 담고 있습니다.
    en: `decoded_ids` holds the id of one chosen word for every step and sequence.
    """
    expect_given(batch=batch, max_len=max_len)
    hint = text(
        ko="시점마다 더하는 `input_id`의 shape은 (B)이고, 점수가 아니라 id여야 합니다.",
        en="The `input_id` that is added at each step has shape (B) and holds ids, not scores.",
    )
    sizes = {"max_len": max_len, "B": batch.shape[0]}
    expect_tensor("decoded_ids", decoded_ids, "max_len B", sizes=sizes, hint=hint, dtype=torch.int64)


def test_hidden_has_one_state_for_every_sequence(hidden, batch, hidden_size):
    """
    ko: `hidden`은 sequence마다 GRU의 state를 하나씩 담고 있습니다.
    en: `hidden` holds one state of the GRU for every sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="gru가 기대하는 축의 순서를 확인하십시오. 시점이 하나여도 시간 축은 있어야 합니다.",
        en="Which order of axes does gru expect? A single step has a time axis too.",
    )
    sizes = {"B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("hidden", hidden, "1 B d_h", sizes=sizes, hint=hint)
