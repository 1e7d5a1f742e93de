"""The public check of q4: the definition of the LSTM."""

from torch import nn

from autograder.language import text
from expect import expect_given, expect_layer, expect_parameters, expect_present


def test_q4(lstm, batch, embedding_size, hidden_size):
    """
    ko: `lstm`의 종류, weight의 shape, layer와 방향의 수를 보았습니다. 크기를 바꾸어도 맞는지는 보지 않았습니다.
    en: Looked at the class of `lstm`, the shapes of its weights, its layers and directions. Not looked at: whether it
    stays right with other sizes.
    """
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(lstm=lstm)
    hint = text(
        ko="nn.LSTM(...)이 돌려준 layer를 그대로 `lstm`에 두세요.",
        en="Leave the layer that nn.LSTM(...) returns in `lstm`, as it is.",
    )
    expect_layer("lstm", lstm, nn.LSTM, hint)
    hint = text(
        ko="`lstm`이 시점마다 받는 입력의 길이와 hidden state의 크기를 확인해 보세요.",
        en="Look at the length of what `lstm` receives at each step, and at the size of its hidden state.",
    )
    expect_parameters("lstm", lstm, gates=4, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
