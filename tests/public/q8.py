"""Public checks of q8: taking h_n apart. Shapes, dtypes and types only; they carry no points."""

from autograder.expect import expect_given, expect_tensor
from autograder.text import text


def test_h_n_by_layer_has_axes_for_layers_and_directions(h_n_by_layer, batch, hidden_size, num_layers, num_dirs):
    """
    ko: `h_n_by_layer`에는 layer 축과 방향 축이 따로 있습니다.
    en: `h_n_by_layer` has one axis for layers and one for directions.
    """
    expect_given(batch=batch, hidden_size=hidden_size, num_layers=num_layers, num_dirs=num_dirs)
    hint = text(
        ko="`bi_h_n`의 첫 축만 둘로 나누고 나머지 축은 그대로 두십시오.",
        en="Split only the first axis of `bi_h_n`; leave the others as they are.",
    )
    sizes = {"num_layers": num_layers, "num_dirs": num_dirs, "B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("h_n_by_layer", h_n_by_layer, "num_layers num_dirs B d_h", sizes=sizes, hint=hint)


def test_last_forward_has_one_state_for_every_sequence(last_forward, batch, hidden_size):
    """
    ko: `last_forward`는 sequence마다 state를 하나씩 담고 있습니다.
    en: `last_forward` holds one state for every sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="layer 하나와 방향 하나를 고르면 남는 축은 둘입니다.",
        en="After choosing one layer and one direction, two axes remain.",
    )
    sizes = {"B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("last_forward", last_forward, "B d_h", sizes=sizes, hint=hint)


def test_last_backward_has_one_state_for_every_sequence(last_backward, batch, hidden_size):
    """
    ko: `last_backward`는 sequence마다 state를 하나씩 담고 있습니다.
    en: `last_backward` holds one state for every sequence.
    """
    expect_given(batch=batch, hidden_size=hidden_size)
    hint = text(
        ko="layer 하나와 방향 하나를 고르면 남는 축은 둘입니다.",
        en="After choosing one layer and one direction, two axes remain.",
    )
    sizes = {"B": batch.shape[0], "d_h": hidden_size}
    expect_tensor("last_backward", last_backward, "B d_h", sizes=sizes, hint=hint)
