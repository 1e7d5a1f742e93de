"""The given cells: the padded batch, sorted by length.

ko: 주어진 데이터 셀
en: The given data cells
"""

from autograder.compare import Mismatch, same
from autograder.text import text


def test_batch(batch, reference):
    """
    ko: 주어진 셀이 만든 batch가 그대로입니다.
    en: batch is what the given cells make it.
    """
    same(batch, reference.batch, "batch", "B L")


def test_batch_lens(batch_lens, reference):
    """
    ko: 주어진 셀이 만든 batch_lens가 그대로입니다.
    en: batch_lens is what the given cells make it.
    """
    same(batch_lens, reference.batch_lens, "batch_lens", "B")


def test_sorted_idx(sorted_idx, reference):
    """
    ko: 주어진 셀이 만든 sorted_idx가 그대로입니다.
    en: sorted_idx is what the given cells make it.
    """
    same(sorted_idx, reference.sorted_idx, "sorted_idx", "B")


def test_max_len(max_len, reference):
    """
    ko: 주어진 셀이 만든 max_len이 그대로입니다.
    en: max_len is what the given cells make it.
    """
    if type(max_len) is not int or max_len != reference.max_len:
        raise Mismatch("values", text(ko="max_len이 바뀌었습니다.", en="max_len was changed."))
