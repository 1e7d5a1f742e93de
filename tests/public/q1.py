"""Public checks of q1: the embedding layer. Shapes, dtypes and types only; they carry no points."""

from torch import nn

from autograder.expect import expect_given, expect_layer, expect_tensor
from autograder.text import text


def test_embedding_is_a_layer(embedding):
    """
    ko: `embedding`은 embedding layer입니다.
    en: `embedding` is an embedding layer.
    """
    hint = text(
        ko="id를 받아 표에서 그 행을 꺼내 주는 layer가 필요합니다.",
        en="You need the layer that takes ids and looks up rows in a table.",
    )
    expect_layer("embedding", embedding, nn.Embedding, hint)


def test_batch_emb_has_a_vector_for_every_id(batch_emb, batch, embedding_size):
    """
    ko: `batch_emb`는 batch의 id마다 vector를 하나씩 담고 있습니다.
    en: `batch_emb` holds one vector for every id in the batch.
    """
    expect_given(batch=batch, embedding_size=embedding_size)
    hint = text(
        ko="앞의 두 축은 batch와 같고 마지막 축은 vector입니다. embedding layer의 두 인자는 각각 무엇을 뜻합니까?",
        en="The first two axes are those of batch, the last is a vector. What does each argument of the layer mean?",
    )
    sizes = {"B": batch.shape[0], "L": batch.shape[1], "d_w": embedding_size}
    expect_tensor("batch_emb", batch_emb, "B L d_w", sizes=sizes, hint=hint)
