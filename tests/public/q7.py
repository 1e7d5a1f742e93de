"""Public checks of q7: packing. Shapes, dtypes and types only; they carry no points."""

import torch
from torch.nn.utils.rnn import PackedSequence

from autograder.expect import expect_given, expect_present, expect_tensor, type_name
from autograder.text import text


def test_packed_batch_is_packed(packed_batch, batch, embedding_size):
    """
    ko: `packed_batch`는 단어 vector를 담은 PackedSequence입니다.
    en: `packed_batch` is a PackedSequence of word vectors.
    """
    expect_given(batch=batch, embedding_size=embedding_size)
    expect_present(packed_batch=packed_batch)
    hint = text(
        ko="pack하는 것은 id가 아니라 단어 vector이며, 그 축의 순서가 pack할 때 정한 것과 같아야 합니다.",
        en="Pack the word vectors, not the ids, with their axes in the order that you tell the packing function.",
    )
    if not isinstance(packed_batch, PackedSequence):
        raise AssertionError(
            text(
                ko=f"`packed_batch`: 기대한 type PackedSequence, 받은 type {type_name(packed_batch)}.\n{hint}",
                en=f"`packed_batch`: expected a PackedSequence, received {type_name(packed_batch)}.\n{hint}",
            )
        )
    # How many rows there are is a matter of values (the lengths), so only their own count is asked for.
    rows = packed_batch.data.shape[0]
    sizes = {"N": rows, "d_w": embedding_size}
    expect_tensor("packed_batch.data", packed_batch.data, "N d_w", sizes=sizes, hint=hint)
    expect_tensor(
        "packed_batch.batch_sizes",
        packed_batch.batch_sizes,
        "L",
        sizes={"L": batch.shape[1]},
        hint=hint,
        dtype=torch.int64,
    )


def test_bi_h_n_has_a_state_for_every_layer_and_direction(bi_h_n, batch, hidden_size, num_layers, num_dirs):
    """
    ko: `bi_h_n`은 layer와 방향마다, sequence마다 마지막 hidden state를 하나씩 담고 있습니다.
    en: `bi_h_n` holds a last hidden state for every layer, direction and sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size, num_layers=num_layers, num_dirs=num_dirs)
    hint = text(
        ko="bi_gru가 돌려주는 두 값 가운데 마지막 state를 그대로 `bi_h_n`에 두십시오.",
        en="Of the two values that bi_gru returns, leave the last states in `bi_h_n` as they are.",
    )
    sizes = {"num_layers*num_dirs": num_layers * num_dirs, "B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("bi_h_n", bi_h_n, "num_layers*num_dirs B d_h", sizes=sizes, hint=hint)


def test_outputs_joins_the_directions(outputs, batch, hidden_size, num_dirs):
    """
    ko: `outputs`는 시점마다 두 방향의 state를 이어 붙여 담고 있습니다.
    en: `outputs` holds the states of both directions, joined, for every step.
    """
    expect_given(batch=batch, hidden_size=hidden_size, num_dirs=num_dirs)
    hint = text(
        ko="bi_gru의 출력을 다시 펼친 tensor여야 합니다. 펼치는 함수가 돌려주는 값이 몇 개인지 확인하십시오.",
        en="This is the output of bi_gru, unpacked. How many values does the unpacking function return?",
    )
    sizes = {"L": batch.shape[1], "B": batch.shape[0], "num_dirs*d_h": num_dirs * hidden_size}
    expect_tensor("outputs", outputs, "L B num_dirs*d_h", "B L num_dirs*d_h", sizes=sizes, hint=hint)


def test_output_lens_has_a_length_for_every_sequence(output_lens, batch):
    """
    ko: `output_lens`는 sequence마다 길이를 하나씩 담고 있습니다.
    en: `output_lens` holds one length for every sequence.
    """
    expect_given(batch=batch)
    hint = text(
        ko="펼치는 함수가 tensor와 함께 돌려주는 값입니다.",
        en="The unpacking function returns it together with the tensor.",
    )
    sizes = {"B": batch.shape[0]}
    expect_tensor("output_lens", output_lens, "B", sizes=sizes, hint=hint, dtype=torch.int64)
