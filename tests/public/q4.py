"""Public checks of q4: the definition of the LSTM. Shapes, dtypes and types only; they carry no points."""

from torch import nn

from autograder.expect import expect_given, expect_layer, expect_tensor
from autograder.text import text


def test_lstm_is_a_layer(lstm):
    """
    ko: `lstm`은 LSTM layer입니다.
    en: `lstm` is an LSTM layer.
    """
    hint = text(
        ko="nn.LSTM(...)의 결과를 그대로 `lstm`에 두십시오.",
        en="Leave what nn.LSTM(...) returns in `lstm`.",
    )
    expect_layer("lstm", lstm, nn.LSTM, hint)


def test_lstm_reads_word_vectors(lstm, embedding_size, hidden_size):
    """
    ko: `lstm`의 입력 weight는 단어 vector를 gate 네 개로 옮깁니다.
    en: The input weights of `lstm` take a word vector to its four gates.
    """
    expect_given(embedding_size=embedding_size, hidden_size=hidden_size)
    hint = text(
        ko="`lstm`이 시점마다 받는 입력의 길이와, hidden state의 크기를 확인하십시오.",
        en="Look at the length of what `lstm` receives at each step, and at the size of its hidden state.",
    )
    expect_layer("lstm", lstm, nn.LSTM, hint)
    sizes = {"4*d_h": 4 * hidden_size, "d_w": embedding_size}
    expect_tensor("lstm.weight_ih_l0", lstm.weight_ih_l0, "4*d_h d_w", sizes=sizes, hint=hint)
