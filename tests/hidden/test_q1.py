"""Question 1.

ko: embedding layer
en: The embedding layer
"""

import pytest

from autograder.course.compare import same, same_layer


@pytest.mark.points(4)
def test_embedding_layer(embedding, reference):
    """
    ko: embedding이 모든 단어를 길이가 d_w인 vector로 바꾸는 layer입니다.
    en: embedding is a layer that turns every word of the vocabulary into a vector of size d_w.
    """
    pads = (None, reference.pad_id)
    right_pad = getattr(embedding, "padding_idx", None) in pads
    same_layer(embedding, reference.embedding, "embedding", free=["padding_idx"] if right_pad else [])


@pytest.mark.points(6)
def test_batch_emb_values(batch_emb, reference):
    """
    ko: batch_emb에 batch에 있는 모든 단어의 vector가 들어 있습니다.
    en: batch_emb holds the vectors of all words of the batch.
    """
    same(batch_emb, reference.batch_emb, "batch_emb", "B L d_w")
