"""Public checks of q3: running the RNN. Shapes, dtypes and types only; they carry no points."""

from autograder.expect import expect_given, expect_tensor
from autograder.text import text


def test_hidden_states_has_a_state_for_every_step(hidden_states, batch, hidden_size):
    """
    ko: `hidden_states`는 sequence마다, 시점마다 hidden state를 하나씩 담고 있습니다.
    en: `hidden_states` holds a hidden state for every sequence and step.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="rnn이 돌려주는 두 값의 순서와, 입력의 shape을 확인하십시오.",
        en="Look at the order of the two values that rnn returns, and at the shape of its input.",
    )
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("hidden_states", hidden_states, "L B d_h", "B L d_h", sizes=sizes, hint=hint)


def test_h_n_has_one_state_for_every_sequence(h_n, batch, hidden_size):
    """
    ko: `h_n`은 sequence마다 마지막 hidden state를 하나씩 담고 있습니다.
    en: `h_n` holds one last hidden state for every sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="가운데 축이 B가 아니라면, 입력에서 batch 축과 시간 축의 순서가 `rnn`이 기대하는 것과 같은지 확인하십시오.",
        en="If the middle axis is not B: does the input have its batch and time axes in the order that `rnn` expects?",
    )
    sizes = {"B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("h_n", h_n, "1 B d_h", sizes=sizes, hint=hint)
