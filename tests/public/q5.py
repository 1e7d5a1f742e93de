"""Public checks of q5: running the LSTM. Shapes, dtypes and types only; they carry no points."""

from autograder.expect import expect_given, expect_tensor
from autograder.text import text


def test_lstm_states_has_a_state_for_every_step(lstm_states, batch, hidden_size):
    """
    ko: `lstm_states`는 sequence마다, 시점마다 hidden state를 하나씩 담고 있습니다.
    en: `lstm_states` holds a hidden state for every sequence and step.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="lstm이 돌려주는 값을 어떤 구조로 풀어 받아야 하는지 문서의 Outputs를 확인하십시오.",
        en="See under Outputs in the documentation how the values that lstm returns are nested.",
    )
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("lstm_states", lstm_states, "L B d_h", "B L d_h", sizes=sizes, hint=hint)


def test_lstm_h_n_has_one_state_for_every_sequence(lstm_h_n, batch, hidden_size):
    """
    ko: `lstm_h_n`은 sequence마다 마지막 hidden state를 하나씩 담고 있습니다.
    en: `lstm_h_n` holds one last hidden state for every sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="두 state는 tuple로 묶여 나옵니다. 가운데 축이 B가 아니라면 입력의 축 순서를 확인하십시오.",
        en="The two states come as a tuple. If the middle axis is not B, look at the order of axes of the input.",
    )
    sizes = {"B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("lstm_h_n", lstm_h_n, "1 B d_h", sizes=sizes, hint=hint)


def test_c_n_has_one_state_for_every_sequence(c_n, batch, hidden_size):
    """
    ko: `c_n`은 sequence마다 마지막 cell state를 하나씩 담고 있습니다.
    en: `c_n` holds one last cell state for every sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="cell state의 shape은 hidden state의 shape과 같습니다.",
        en="A cell state has the same shape as a hidden state.",
    )
    sizes = {"B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("c_n", c_n, "1 B d_h", sizes=sizes, hint=hint)
