"""The public check of q3: running the RNN."""

import torch
from torch import nn

from autograder.language import text
from expect import (
    added_up,
    before_each_step,
    expect_close,
    expect_given,
    expect_parameters,
    expect_present,
    expect_solved,
    expect_tensor,
    plain,
    steps_first,
)


def test_q3(hidden_states, h_n, rnn, batch_emb, batch, embedding_size, hidden_size):
    """
    ko: 두 tensor의 shape, `hidden_states`의 모든 시점에서 RNN의 식이 성립하는지, 그 마지막 시점이 `h_n`인지
    보았습니다. 다른 크기와 데이터에서도 그런지는 보지 않았습니다.
    en: Looked at both shapes, at the RNN's formula at every step of `hidden_states`, and whether its last step is
    `h_n`. Not looked at: other sizes and data.
    """
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(hidden_states=hidden_states, h_n=h_n)
    expect_solved("q1", torch.Tensor, batch_emb=batch_emb)
    expect_solved("q2", nn.RNN, rnn=rnn)
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "d_w": embedding_size, "d_h": hidden_size}
    hint = text(ko="q1과 q2의 답부터 확인해 보세요.", en="Look at q1 and q2 first.")
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    expect_parameters("rnn", rnn, gates=1, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
    hint = text(
        ko="`rnn`은 두 값을 돌려줍니다. 그 순서와, 입력의 shape을 확인해 보세요.",
        en="`rnn` returns two values. Look at their order, and at the shape of the input.",
    )
    expect_tensor("hidden_states", hidden_states, "L B d_h", "B L d_h", sizes=sizes, hint=hint)
    hint = text(
        ko="`rnn`이 돌려준 그대로인가요? B 자리에 L이 있다면, 입력의 batch 축과 시간 축이 `rnn`이 기대하는 순서인지 "
        "확인해 보세요.",
        en="Is it as `rnn` returned it? If L stands in the place of B: does the input have its batch and time axes in "
        "the order that `rnn` expects?",
    )
    expect_tensor("h_n", h_n, "1 B d_h", sizes=sizes, hint=hint)

    states, words = steps_first(hidden_states, batch), steps_first(batch_emb, batch)
    formula = getattr(torch, rnn.nonlinearity)(added_up(rnn, words, before_each_step(states)))
    hint = text(
        ko="이 state는 이 시점의 단어와 바로 앞의 state에서 나온 것이 아닙니다. t = 0이면 초기 state와 입력을, 그 "
        "뒤라면 어느 축이 시간인지와 빈자리까지 읽은 그대로인지를 확인해 보세요.",
        en="This state does not follow from the word at this step and the state before it. At t = 0, look at the "
        "initial state and the input; later, at which axis is time, and whether padding was read like words.",
    )
    expect_close("hidden_states", states, formula, "t row", hint)
    hint = text(
        ko="`h_n`은 빈자리까지 모두 읽은 마지막 시점의 state입니다. 어느 축을 따라 마지막인가요?",
        en="`h_n` is the state at the last step, padding included: last along which axis?",
    )
    expect_close("h_n", plain(h_n).squeeze(0), states[-1], "row", hint)
