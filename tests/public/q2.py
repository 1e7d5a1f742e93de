"""Public checks of q2: the definition of the RNN. Shapes, dtypes and types only; they carry no points."""

from torch import nn

from autograder.expect import expect_given, expect_layer, expect_tensor
from autograder.text import text


def test_rnn_is_a_layer(rnn):
    """
    ko: `rnn`은 RNN layer입니다.
    en: `rnn` is an RNN layer.
    """
    hint = text(
        ko="nn.RNN(...)의 결과를 그대로 `rnn`에 두십시오.",
        en="Leave what nn.RNN(...) returns in `rnn`.",
    )
    expect_layer("rnn", rnn, nn.RNN, hint)


def test_rnn_reads_word_vectors(rnn, embedding_size, hidden_size):
    """
    ko: `rnn`의 입력 weight는 단어 vector를 hidden state로 옮깁니다.
    en: The input weights of `rnn` take a word vector to a hidden state.
    """
    expect_given(embedding_size=embedding_size, hidden_size=hidden_size)
    hint = text(
        ko="`rnn`이 시점마다 받는 입력은 무엇이며, 그 길이는 얼마입니까?",
        en="What does `rnn` receive at each step, and how long is it?",
    )
    expect_layer("rnn", rnn, nn.RNN, hint)
    sizes = {"d_h": hidden_size, "d_w": embedding_size}
    expect_tensor("rnn.weight_ih_l0", rnn.weight_ih_l0, "d_h d_w", sizes=sizes, hint=hint)
