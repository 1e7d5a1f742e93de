"""The public check of q6: greedy decoding."""

import torch
from torch import nn

from autograder.language import text
from expect import expect_close, expect_given, expect_present, expect_solved, expect_tensor, plain


def test_q6(decoded_ids, hidden, embedding, gru, output_layer, batch, max_len, vocab_size, embedding_size, hidden_size):
    """
    ko: shape과 dtype, 그리고 첫 단어와 여러분이 고른 단어를 차례로 읽은 GRU가 시점마다 바로 그 단어에 가장 높은
    점수를 주는지, 마지막 state가 `hidden`인지 보았습니다. 다른 크기와 데이터, sequence가 하나뿐인 경우는 보지
    않았습니다.
    en: Looked at shapes and dtypes, and let the GRU read the first words and then the words you chose: at each step
    your word has its highest score, and its last state is `hidden`. Not looked at: other sizes and data, a batch of
    one.
    """
    expect_given(batch=batch, max_len=max_len, vocab_size=vocab_size)
    expect_given(embedding_size=embedding_size, hidden_size=hidden_size)
    expect_given(gru=gru, output_layer=output_layer)
    expect_present(decoded_ids=decoded_ids, hidden=hidden)
    expect_solved("q1", nn.Embedding, embedding=embedding)
    sizes = {"V": vocab_size, "d_w": embedding_size, "max_len": max_len, "B": batch.shape[0], "d_h": hidden_size}
    hint = text(ko="q1의 답부터 확인해 보세요.", en="Look at q1 first.")
    expect_tensor("embedding.weight", embedding.weight, "V d_w", sizes=sizes, hint=hint)
    hint = text(
        ko="max_len개의 시점마다 shape이 (B)인 `input_id`를 하나씩 모아 쌓은 것입니다. 점수가 아니라 id를 모았나요? "
        "TODO가 아닌 줄은 주어진 그대로인가요?",
        en="It stacks one `input_id` from each of the max_len steps: ids of shape (B), not scores. Are the lines "
        "without a TODO as they were given?",
    )
    expect_tensor("decoded_ids", decoded_ids, "max_len B", sizes=sizes, hint=hint, dtype=torch.int64)
    hint = text(
        ko="`gru`가 기대하는 축의 순서를 확인해 보세요. 시점이 하나여도 시간 축은 있어야 합니다.",
        en="Which order of axes does `gru` expect? A single step has a time axis too.",
    )
    expect_tensor("hidden", hidden, "1 B d_h", sizes=sizes, hint=hint)
    chosen = plain(decoded_ids)
    if not 0 <= int(chosen.min()) <= int(chosen.max()) < vocab_size:
        raise AssertionError(
            text(
                ko=f"`decoded_ids`: 기대한 id 0 … {vocab_size - 1}, 받은 값 {int(chosen.min())} … "
                f"{int(chosen.max())}.\n"
                "점수는 `output_layer`를 지나야 단어마다 하나씩 나옵니다.",
                en=f"`decoded_ids`: expected ids 0 … {vocab_size - 1}, received {int(chosen.min())} … "
                f"{int(chosen.max())}.\n"
                "Only after `output_layer` is there a score for each word.",
            )
        )

    read = torch.cat([plain(batch)[None, :, 0], chosen[:-1]]).to(embedding.weight.device)  # (max_len, B)
    with torch.no_grad():
        seen, last = gru(embedding(read.T if gru.batch_first else read))
        scores = plain(output_layer(seen.movedim(1, 0) if gru.batch_first else seen))  # (max_len, B, V)
    highest, favourite = scores.max(dim=-1)
    behind = highest - scores.gather(-1, chosen[..., None]).squeeze(-1) > 1e-4
    if behind.any():
        t, row = behind.nonzero()[0].tolist()
        raise AssertionError(
            text(
                ko=f"`decoded_ids`: t = {t}, row = {row}에서 기대한 단어 {int(favourite[t, row])}, 받은 단어 "
                f"{int(chosen[t, row])}.\n첫 단어에서 시작해, 시점마다 점수가 가장 높은 단어와 새 state를 "
                "다음 시점에 넘겼나요?",
                en=f"`decoded_ids`: at t = {t}, row = {row}, expected word {int(favourite[t, row])}, received "
                f"{int(chosen[t, row])}.\nDoes it start with the first words, and does each step hand on the word with "
                "the highest score and the new state?",
            )
        )
    hint = text(
        ko="`hidden`은 마지막 시점까지 마친 뒤의 state여야 합니다. 시점마다 새 state를 `hidden`에 두었나요?",
        en="`hidden` is the state after the last step. Does every step leave its new state in `hidden`?",
    )
    expect_close("hidden", plain(hidden).squeeze(0), plain(last).squeeze(0), "row", hint)
