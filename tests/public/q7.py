"""The public check of q7: packing, and a bidirectional GRU."""

import torch
from torch.nn.utils.rnn import PackedSequence

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


def test_q7(
    packed_batch,
    bi_h_n,
    outputs,
    output_lens,
    batch_emb,
    batch,
    batch_lens,
    embedding_size,
    hidden_size,
    num_layers,
    num_dirs,
):
    """
    ko: shape과 dtype, `packed_batch`에 단어만 시점 순서로 들어 있는지, `outputs`가 각 sequence의 끝 뒤에서 0인지,
    `bi_h_n`의 두 행이 각 sequence의 양 끝에 있는지 보았습니다. 초기 state, 다른 크기와 데이터, layer 수는 보지
    않았습니다.
    en: Looked at shapes and dtypes, whether `packed_batch` holds the words only, step by step, whether `outputs` is
    zero after each end, and whether two rows of `bi_h_n` sit at the two ends of each sequence. Not looked at: the
    initial state, other sizes, data and numbers of layers.
    """
    expect_given(
        batch=batch,
        batch_lens=batch_lens,
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        num_dirs=num_dirs,
    )
    expect_present(packed_batch=packed_batch, bi_h_n=bi_h_n, outputs=outputs, output_lens=output_lens)
    expect_solved("q1", torch.Tensor, batch_emb=batch_emb)
    if not isinstance(packed_batch, PackedSequence):
        raise AssertionError(
            text(
                ko=f"`packed_batch`: 기대한 type PackedSequence, 받은 type {type(packed_batch).__name__}.\n"
                "`bi_gru`에 넣을, pack한 단어 vector입니다.",
                en=f"`packed_batch`: expected a PackedSequence, received {type(packed_batch).__name__}.\n"
                "It holds the packed word vectors that go into `bi_gru`.",
            )
        )
    sizes = {"B": batch.shape[0], "L": batch.shape[1], "N": int(batch_lens.sum()), "d_w": embedding_size}
    hint = text(ko="q1의 답부터 확인해 보세요.", en="Look at q1 first.")
    expect_tensor("batch_emb", batch_emb, "B L d_w", "L B d_w", sizes=sizes, hint=hint)
    hint = text(
        ko="`bi_gru`에 들어갈 값입니다. 행 하나가 단어 vector 하나이고, 행의 수는 모든 길이의 합입니다. 각 행의 길이와 "
        "함께 pack했나요?",
        en="It goes into `bi_gru`: a row for the vector of every word, as many as all lengths add up to. Did you pack "
        "with the length of each row?",
    )
    expect_tensor("packed_batch.data", packed_batch.data, "N d_w", sizes=sizes, hint=hint)
    hint = text(
        ko="시점마다 아직 끝나지 않은 sequence의 수입니다. 길이가 자기 행의 것인지, pack할 때 정한 축의 순서가 "
        "입력과 같은지 확인해 보세요.",
        en="It counts the sequences still running at each step. Does each length belong to its row, and do the axes "
        "of the input have the order that packing was told?",
    )
    expect_tensor("packed_batch.batch_sizes", packed_batch.batch_sizes, "L", sizes=sizes, hint=hint, dtype=torch.int64)
    steps, lens = torch.arange(batch.shape[1]), plain(batch_lens)
    running = (lens > steps[:, None]).sum(dim=1)
    expect_close("packed_batch.batch_sizes", plain(packed_batch.batch_sizes), running, "t", hint)
    order = torch.arange(batch.shape[0]) if packed_batch.sorted_indices is None else plain(packed_batch.sorted_indices)
    vectors = steps_first(batch_emb, batch)
    words = torch.cat([vectors[t, order[:count]] for t, count in enumerate(running.tolist())])
    hint = text(
        ko="`batch_emb`의 첫 단어들이 행 순서대로 먼저 오고, 둘째 단어들이 이어져야 합니다. `batch_emb`를 pack했나요? "
        "축은 어떻게 바꾸었나요?",
        en="The first words of `batch_emb` come first, row by row, then the second words. Is it `batch_emb` that was "
        "packed, and how were its axes changed?",
    )
    expect_close("packed_batch.data", plain(packed_batch.data), words, "row", hint)

    hint = text(
        ko="펼치는 함수가 tensor와 함께 돌려주는 값입니다.",
        en="The unpacking function returns it together with the tensor.",
    )
    expect_tensor("output_lens", output_lens, "B", sizes=sizes, hint=hint, dtype=torch.int64)
    hint = text(
        ko="pack할 때 준 길이가 나옵니다. 길이가 각 행의 것인지, 펼친 뒤에 순서를 바꾸지 않았는지 확인해 보세요.",
        en="They are the lengths given to packing. Does each belong to its row, and did you leave their order alone?",
    )
    expect_close("output_lens", plain(output_lens), plain(batch_lens), "row", hint)
    sizes |= {"num_layers*num_dirs": num_layers * num_dirs, "num_dirs*d_h": num_dirs * hidden_size, "d_h": hidden_size}
    hint = text(
        ko="`bi_gru`가 돌려주는 두 값 가운데 마지막 state를 그대로 `bi_h_n`에 두세요. 앞 문제의 셀을 실행하고 왔다면 "
        "`bi_gru`를 만드는 셀부터 다시 실행해 보세요.",
        en="Of the two values that `bi_gru` returns, leave the last states in `bi_h_n` as they are. If you came back "
        "from earlier cells, first run the cell that makes `bi_gru` again.",
    )
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)
    hint = text(
        ko="`bi_gru`의 출력을 펼친 그대로의 tensor여야 합니다. 펼치는 함수가 돌려주는 값은 몇 개인가요?",
        en="This is the output of `bi_gru`, unpacked and left as it is. How many values does the unpacking function "
        "return?",
    )
    expect_tensor("outputs", outputs, "L B num_dirs*d_h", "B L num_dirs*d_h", sizes=sizes, hint=hint)

    unpacked, ended = steps_first(outputs, batch), steps[:, None] >= lens
    hint = text(
        ko="이 자리에서는 sequence가 이미 끝났습니다. 각 행의 길이로 pack한 `packed_batch`를 `bi_gru`에 넣고, "
        "나온 것을 0으로 채워 펼쳤나요?",
        en="The sequence has ended before this place. Did `packed_batch`, packed with each row's own length, go into "
        "`bi_gru`, and was the result unpacked with zeros?",
    )
    expect_close("outputs", unpacked, unpacked.masked_fill(ended[..., None], 0.0), "t row", hint)
    hint = text(
        ko="각 행의 state가 자기 sequence의 것인지, `bi_h_n`과 `outputs`가 `bi_gru`를 한 번 실행해 나온 것인지 "
        "확인해 보세요.",
        en="Does every row hold the states of its own sequence, and do `bi_h_n` and `outputs` come from the same run "
        "of `bi_gru`?",
    )
    for half, ends in zip(unpacked.chunk(num_dirs, dim=-1), (lens - 1, torch.zeros_like(lens)), strict=False):
        # Which of its rows it is stays open: finding it is q8.
        nearest = min(plain(bi_h_n), key=lambda state: float((half - state).abs().amax(dim=-1).amin(dim=0).sum()))
        expect_only_at("bi_h_n", nearest, half, ends, hint)
