"""The public check of q2: the definition of the RNN."""

from torch import nn

from autograder.language import text
from expect import expect_given, expect_layer, expect_parameters, expect_present, expect_setting


def test_q2(rnn, batch, embedding_size, hidden_size):
    """
    ko: `rnn`의 종류, weight의 shape, layer와 방향의 수를 보았습니다. 크기를 바꾸어도 맞는지는 보지 않았습니다.
    en: Looked at the class of `rnn`, the shapes of its weights, its layers and directions. Not looked at: whether it
    stays right with other sizes.
    """
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(rnn=rnn)
    hint = text(
        ko="nn.RNN(...)이 돌려준 layer를 그대로 `rnn`에 두세요.",
        en="Leave the layer that nn.RNN(...) returns in `rnn`, as it is.",
    )
    expect_layer("rnn", rnn, nn.RNN, hint)
    hint = text(
        ko="`rnn`이 시점마다 받는 입력은 무엇이며, 그 길이는 얼마인가요?",
        en="What does `rnn` receive at each step, and how long is it?",
    )
    expect_parameters("rnn", rnn, gates=1, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
    hint = text(ko="식에 있는 함수와 같은가요?", en="Is it the function in the formula?")
    expect_setting("rnn.nonlinearity", rnn.nonlinearity, ("tanh",), hint)
