"""The public check of q8: taking h_n apart."""

import torch

from autograder.language import text
from expect import (
    expect_close,
    expect_given,
    expect_only_at,
    expect_present,
    expect_solved,
    expect_tensor,
    plain,
    steps_first,
)


def test_q8(
    h_n_by_layer, last_forward, last_backward, bi_h_n, outputs, batch, batch_lens, hidden_size, num_layers, num_dirs
):
    """
    ko: shape, `h_n_by_layer`의 블록들이 `bi_h_n`의 순서대로인지, `outputs`에 q7의 값이 있다면 `last_forward`와
    `last_backward`가 거기에서 각 sequence의 알맞은 끝에 있는지 보았습니다. 다른 크기와 데이터, 다른 layer 수는 보지
    않았습니다.
    en: Looked at shapes, whether the blocks of `h_n_by_layer` come in the order of `bi_h_n`, and, where `outputs` is
    that of q7, whether it holds `last_forward` and `last_backward` at the right end of each sequence. Not looked at:
    other sizes, data and numbers of layers.
    """
    expect_given(batch=batch, batch_lens=batch_lens, hidden_size=hidden_size, num_layers=num_layers, num_dirs=num_dirs)
    expect_present(h_n_by_layer=h_n_by_layer, last_forward=last_forward, last_backward=last_backward)
    expect_solved("q7", torch.Tensor, bi_h_n=bi_h_n)
    sizes = {"num_layers": num_layers, "num_dirs": num_dirs, "B": batch.shape[0], "d_h": hidden_size}
    sizes["num_layers*num_dirs"] = num_layers * num_dirs
    hint = text(
        ko="q7의 답부터 확인해 보세요. 앞 문제의 셀을 실행하고 왔다면 `bi_gru`를 만드는 셀부터 다시 실행해 보세요.",
        en="Look at q7 first. If you came back from earlier cells, run the cell that makes `bi_gru` again before.",
    )
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)
    hint = text(
        ko="`bi_h_n`의 첫 축만 둘로 나누고 나머지 축은 그대로 두세요.",
        en="Split only the first axis of `bi_h_n`; leave the others as they are.",
    )
    expect_tensor("h_n_by_layer", h_n_by_layer, "num_layers num_dirs B d_h", sizes=sizes, hint=hint)
    hint = text(
        ko="layer 하나와 방향 하나를 고르면 남는 축은 둘입니다.",
        en="After choosing one layer and one direction, two axes remain.",
    )
    expect_tensor("last_forward", last_forward, "B d_h", sizes=sizes, hint=hint)
    expect_tensor("last_backward", last_backward, "B d_h", sizes=sizes, hint=hint)

    hint = text(
        ko="블록 (B, d_h)은 그림에 그려진 순서대로 남아 있어야 합니다. 축을 나누기만 했나요, 아니면 값의 순서도 "
        "바뀌었나요?",
        en="The blocks (B, d_h) must stay in the order of the picture. Was the axis only split, or were values moved?",
    )
    expect_close("h_n_by_layer", plain(h_n_by_layer).flatten(0, 1), plain(bi_h_n), "block row", hint)

    joined = (batch.shape[0], batch.shape[1], num_dirs * hidden_size)
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) not in (joined, (joined[1], joined[0], joined[2])):
        return  # `outputs` is no longer what q7 left, which is allowed: then the ends cannot be looked at
    unpacked, lens = steps_first(outputs, batch), plain(batch_lens)
    hint = text(
        ko="맨 위 layer에서, 이 방향이 sequence를 끝까지 읽은 뒤의 state여야 합니다. layer, 방향, 끝을 차례로 확인해 "
        "보세요.",
        en="It is the top layer's state once this direction has read the whole sequence. Check the layer, the "
        "direction, and the end.",
    )
    for name, state, half, ends in zip(
        ("last_forward", "last_backward"),
        (last_forward, last_backward),
        unpacked.chunk(num_dirs, dim=-1),
        (lens - 1, torch.zeros_like(lens)),
        strict=False,
    ):
        expect_only_at(name, plain(state), half, ends, hint)
