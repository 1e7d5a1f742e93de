"""The public check of q1: the embedding layer."""

from torch import nn

from autograder.language import text
from expect import expect_close, expect_given, expect_layer, expect_present, expect_setting, expect_tensor, plain


def test_q1(embedding, batch_emb, batch, vocab_size, embedding_size, pad_id):
    """
    ko: 표의 크기와 `batch_emb`의 shape, 그리고 `batch_emb`의 vector 하나하나가 표에서 그 id의 행인지 보았습니다.
    크기와 데이터를 바꾸어도 그런지는 보지 않았습니다.
    en: Looked at the size of the table, at the shape of `batch_emb`, and whether each vector in it is the row of its
    id. Not looked at: whether it stays so with other sizes and data.
    """
    expect_given(batch=batch, vocab_size=vocab_size, embedding_size=embedding_size)
    expect_present(embedding=embedding)
    hint = text(
        ko="id를 받아 표에서 그 행을 꺼내 주는 layer가 필요합니다.",
        en="You need the layer that takes ids and looks up rows in a table.",
    )
    expect_layer("embedding", embedding, nn.Embedding, hint)
    hint = text(
        ko="표에는 있을 수 있는 id마다 행이 하나씩 필요하고, 행 하나는 단어 하나의 vector입니다.",
        en="The table needs a row for every id that there can be; a row is the vector of one word.",
    )
    sizes = {"V": vocab_size, "d_w": embedding_size, "B": batch.shape[0], "L": batch.shape[1]}
    expect_tensor("embedding.weight", embedding.weight, "V d_w", sizes=sizes, hint=hint)
    hint = text(
        ko="이 인자는 주지 않아도 됩니다. 주었다면 어떤 행을 바꾸는지 문서에서 확인해 보세요.",
        en="You can leave this argument out. The documentation says which rows it changes.",
    )
    expect_setting("embedding.padding_idx", embedding.padding_idx, (None, pad_id), hint)
    expect_setting("embedding.max_norm", embedding.max_norm, (None,), hint)
    expect_present(batch_emb=batch_emb)
    hint = text(
        ko="앞의 두 축은 `batch`와 같고 마지막 축은 vector입니다.",
        en="The first two axes are those of `batch`, the last one is the vector.",
    )
    expect_tensor("batch_emb", batch_emb, "B L d_w", sizes=sizes, hint=hint)
    hint = text(
        ko="`batch_emb`에는 `batch`의 id마다 표에서 꺼낸 행이 그대로 있어야 합니다. 넣은 id나 꺼낸 vector를 바꾸지 "
        "않았나요?",
        en="For each id of `batch`, `batch_emb` holds its row of the table as it is. Were ids or vectors changed on "
        "the way?",
    )
    expect_close("batch_emb", plain(batch_emb), plain(embedding.weight)[plain(batch)], "row t", hint)
