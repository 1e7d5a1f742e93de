"""Properties that hold for any data and sizes: of the reference, and of putting right what is wrong."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from autograder import course
from autograder.course import replacements
from autograder.course.compare import close
from autograder.grading.reference import Reference
from autograder.student import layers
from autograder.wire.job import Correction, Job

QUESTIONS = course.questions()
# A run in the sandbox for each example: few, and no deadline on a busy machine.
in_sandbox = settings(
    max_examples=8, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def scenarios(draw):
    """Any data and sizes, one sequence and equal lengths included."""
    vocab_size = draw(st.integers(3, 40))
    word = st.integers(1, vocab_size - 1)
    values = {
        "vocab_size": vocab_size,
        "embedding_size": draw(st.integers(1, 9)),
        "hidden_size": draw(st.integers(1, 9)),
        "num_layers": draw(st.integers(1, 4)),
        "data": draw(st.lists(st.lists(word, min_size=1, max_size=8), min_size=1, max_size=6)),
        "dropout": 0.0,
    }
    return course.Scenario("drawn", {"ko": "", "en": ""}, values)


@pytest.fixture
def own(monkeypatch):
    """What is pinned here is forgotten afterwards."""
    layers.salted("")
    yield
    layers.salted("")


def pinned(layer: nn.Module) -> nn.Module:
    layers.pin(layer)
    return layer.eval()


@in_sandbox
@given(scenario=scenarios())
def test_reference_keeps_its_promises(run, own, scenario):
    """The last output is the final state, packing is reading alone, directions end where they must."""
    at = Reference(run).shared(scenario).at
    q1, q3, q5, q7, q8 = (at[name] for name in ("q1", "q3", "q5", "q7", "q8"))
    assert close(q3.hidden_states[-1], q3.h_n[0])
    assert close(q5.lstm_states[-1], q5.lstm_h_n[0])
    width, hidden_size, num_layers = (scenario.values[k] for k in ("embedding_size", "hidden_size", "num_layers"))
    bi_gru = pinned(nn.GRU(width, hidden_size, num_layers, bidirectional=True))
    for row, length in enumerate(q7.batch_lens.tolist()):
        alone, final = bi_gru(q1.batch_emb[row, :length].unsqueeze(1))
        assert close(q7.outputs[:length, row], alone[:, 0].detach())
        assert not q7.outputs[length:, row].any()
        assert close(q7.bi_h_n[:, row], final[:, 0].detach())
        assert close(q8.last_forward[row], q7.outputs[length - 1, row].chunk(2)[0])
        assert close(q8.last_backward[row], q7.outputs[0, row].chunk(2)[1])


@in_sandbox
@given(
    scenario=scenarios(), wrong=st.sets(st.sampled_from([question.id for question in QUESTIONS])), first=st.booleans()
)
def test_putting_right_leads_back_to_the_reference(run, scenario, wrong, first):
    """Where questions are spoilt and put right, in either layout, all others leave behind what the reference does."""
    right = Reference(run).shared(scenario)
    given_values, tensors = right.given
    tensors = dict(tensors)
    corrections = tuple(
        Correction(q.id, right.at[q.id].described(q.names, tensors), q.either_layout)
        for q in QUESTIONS
        if q.id in wrong
    )
    cells = list(course.reference_cells())
    for question in (question for question in QUESTIONS if question.id in wrong):
        check = cells.index(f'grader.check("{question.id}")')
        cells[check] = f"{' = '.join(question.names)} = None\n{cells[check]}"
    names = {question.id: question.names for question in QUESTIONS}
    calls = dict.fromkeys(names, 1)
    job = Job(
        tuple(cells),
        names,
        replacements(scenario),
        given_values,
        put_back=first,
        corrections=corrections,
        settling_calls=calls,
    )
    log = run(job, tensors)
    assert log.finished
    for question in (question for question in QUESTIONS if question.id not in wrong):
        record = next(r for r in log.records if r.message.question == question.id)
        for name in question.names:
            if isinstance(record[name], torch.Tensor):
                assert close(record[name], getattr(right.at[question.id], name)), (question.id, name)


@given(
    sizes=st.tuples(*[st.integers(1, 6)] * 3),
    layer=st.sampled_from([nn.RNN, nn.LSTM, nn.GRU]),
    salt=st.sampled_from(["", "a"]),
)
def test_numbers_of_layers_depend_on_class_name_shape_and_salt_alone(sizes, layer, salt):
    """Two layers alike hold the same numbers, bounded by the gain over the square root of the fan-in."""
    width, hidden_size, num_layers = sizes
    one, other = (layer(width, hidden_size, num_layers, batch_first=first) for first in (False, True))
    try:
        layers.salted(salt)
        pinned(one)
        torch.manual_seed(width)
        pinned(other)
        for mine, yours in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(mine, yours)
            assert mine.abs().max() <= layers.GAIN / mine.shape[-1] ** 0.5
        layers.salted(salt + "other")
        pinned(other)
        assert not torch.equal(one.weight_hh_l0, other.weight_hh_l0)
    finally:
        layers.salted("")
