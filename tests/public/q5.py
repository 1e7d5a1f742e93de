"""The public check of q5: running the LSTM."""

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


def test_q5(lstm_states, lstm_h_n, c_n, lstm, batch_emb, batch, embedding_size, hidden_size):
    """
    ko: 세 tensor의 shape, state들이 모든 시점에서 LSTM의 식을 따르는지, `lstm_states`의 마지막 시점이 `lstm_h_n`인지
    보았습니다. 다른 크기와 데이터에서도 그런지는 보지 않았습니다.
    en: Looked at the three shapes, whether the states follow the LSTM's formulas at every step, and whether the last
    step of `lstm_states` is `lstm_h_n`. Not looked at: other sizes and data.
    """
    expect_given(batch=batch, embedding_size=embedding_size, hidden_size=hidden_size)
    expect_present(lstm_states=lstm_states, lstm_h_n=lstm_h_n, c_n=c_n)
    expect_solved("q1", torch.Tensor, batch_emb=batch_emb)
    expect_solved("q4", nn.LSTM, lstm=lstm)
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "d_w": embedding_size, "d_h": hidden_size}
    hint = text(ko="q1과 q4의 답부터 확인해 보세요.", en="Look at q1 and q4 first.")
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    expect_parameters("lstm", lstm, gates=4, embedding_size=embedding_size, hidden_size=hidden_size, hint=hint)
    hint = text(
        ko="`lstm`이 돌려주는 값을 어떤 구조로 풀어 받아야 하는지 문서의 Outputs에서 확인해 보세요.",
        en="See under Outputs in the documentation how the values that `lstm` returns are nested.",
    )
    expect_tensor("lstm_states", lstm_states, "L B d_h", "B L d_h", sizes=sizes, hint=hint)
    hint = text(
        ko="두 state는 tuple로 묶여 나옵니다. 각각 그대로 두었나요? B 자리에 L이 있다면 입력의 축 순서를 확인해 "
        "보세요.",
        en="The two states come as a tuple. Is each left as it came? If L stands in the place of B, look at the order "
        "of axes of the input.",
    )
    expect_tensor("lstm_h_n", lstm_h_n, "1 B d_h", sizes=sizes, hint=hint)
    expect_tensor("c_n", c_n, "1 B d_h", sizes=sizes, hint=hint)

    states, words = steps_first(lstm_states, batch), steps_first(batch_emb, batch)
    # h = o * tanh(c) at every step: a state tells the cell state it came from, and that one follows from the last.
    in_gate, forget_gate, candidate, out_gate = added_up(lstm, words, before_each_step(states)).chunk(4, dim=-1)
    shown = (states / out_gate.sigmoid()).clamp(-0.999999, 0.999999)
    kept = forget_gate.sigmoid() * before_each_step(shown.atanh()) + in_gate.sigmoid() * candidate.tanh()
    hint = text(
        ko="이 state는 이 시점의 단어와 바로 앞의 두 state에서 나온 것이 아닙니다. t = 0이면 초기 state와 입력을, 그 "
        "뒤라면 어느 축이 시간인지, 두 state를 모두 넘겼는지, 빈자리까지 읽은 그대로인지를 확인해 보세요.",
        en="This state does not follow from the word at this step and the two states before it. At t = 0, look at "
        "the initial states and the input; later, at which axis is time, whether both states were handed on, and "
        "whether padding was read like words.",
    )
    expect_close("lstm_states", states, out_gate.sigmoid() * kept.tanh(), "t row", hint)
    hint = text(
        ko="`lstm_h_n`은 `lstm_states`의 마지막 시점과 같아야 합니다. hidden state와 cell state의 순서도 확인해 "
        "보세요.",
        en="`lstm_h_n` is the last step of `lstm_states`. Look also at the order of the hidden and the cell state.",
    )
    expect_close("lstm_h_n", plain(lstm_h_n).squeeze(0), states[-1], "row", hint)
    hint = text(
        ko="마지막 시점에서는 hidden state = output gate × tanh(cell state)입니다. `c_n`이 정말 마지막 cell "
        "state인가요?",
        en="At the last step, hidden state = output gate × tanh(cell state). Is `c_n` really the last cell state?",
    )
    expect_close("tanh(c_n)", plain(c_n).squeeze(0).tanh(), shown[-1], "row", hint)
