"""Properties that hold for any data and sizes: of the reference, and of what the engine does with it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import course, pins
from autograder.compare import close, same
from autograder.job import Job
from autograder.observation import describe, pack, restore, unpack
from autograder.reference import ReferenceValues, replacements
from autograder.runlog import RunLog
from autograder.sandbox import Sandbox

NAMES = sorted({name for question in course.questions() for name in (*question.names, "batch_emb", "bi_gru")})
QUESTIONS = [question for question in course.questions() if question.points]
# A run in the sandbox for each example: few, and no deadline on a busy machine.
in_sandbox = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def run():
    with Sandbox() as sandbox:

        def run(job: Job, tensors: dict[str, torch.Tensor] | None = None) -> RunLog:
            outcome = sandbox.run(job.encode(tensors or {}))
            return RunLog(outcome.frames, outcome.ending)

        yield run


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


def job(scenario: course.Scenario, **options: object) -> Job:
    cells = list(course.reference_cells())
    return Job(cells, {question.id: NAMES for question in QUESTIONS}, replacements(scenario), **options)


@in_sandbox
@given(scenario=scenarios())
def test_reference_keeps_its_promises(run, scenario):
    """The last output is the final state, packing is reading alone, directions end where they must."""
    log = run(job(scenario))
    assert log.ending == "finished"
    assert log.errors == []
    q3, q5, q7, q8 = (ReferenceValues(log.candidates(name, [])[-1]) for name in ("q3", "q5", "q7", "q8"))
    assert close(q3.hidden_states[-1], q3.h_n[0])
    assert close(q5.lstm_states[-1], q5.lstm_h_n[0])
    lengths = q7.batch_lens.tolist()
    for row, length in enumerate(lengths):
        alone, final = q7.bi_gru(q7.batch_emb[row, :length].unsqueeze(1))
        assert close(q7.outputs[:length, row], alone[:, 0].detach())
        assert not q7.outputs[length:, row].any()
        assert close(q7.bi_h_n[:, row], final[:, 0].detach())
        forward, backward = q7.outputs[length - 1, row].chunk(2)[0], q7.outputs[0, row].chunk(2)[1]
        assert close(q8.last_forward[row], forward)
        assert close(q8.last_backward[row], backward)


@in_sandbox
@given(
    scenario=scenarios(),
    wrong=st.sets(st.sampled_from([question.id for question in QUESTIONS])),
)
def test_rebinding_leads_back_to_the_reference(run, scenario, wrong):
    """Where questions are spoilt and rebound, all others leave behind what the reference does."""
    right = run(job(scenario))
    tensors: dict[str, torch.Tensor] = {}
    rebindings = [
        ReferenceValues(right.candidates(question.id, [])[-1]).rebinding(question, 1, tensors)
        for question in QUESTIONS
        if question.id in wrong
    ]
    spoilt = job(scenario, rebindings=rebindings)
    for question in (question for question in QUESTIONS if question.id in wrong):
        # Bound, and wrong: what the check takes down is overruled for everything after it.
        check = spoilt.cells.index(f'grader.check("{question.id}")')
        spoilt.cells[check] = f"{' = '.join(question.names)} = None\n{spoilt.cells[check]}"
    log = run(spoilt, tensors)
    for question in QUESTIONS:
        if question.id not in wrong:
            one, other = (found.candidates(question.id, [])[-1] for found in (log, right))
            for name in question.names:
                if isinstance(other[name], torch.Tensor):
                    assert close(one[name], other[name]), (question.id, name)


@given(
    shape=st.lists(st.integers(1, 5), min_size=3, max_size=3),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool]),
)
def test_recording_changes_nothing(shape, dtype):
    """Whatever its layout in memory, a tensor arrives as it was, and either layout is the same answer."""
    value = torch.arange(torch.Size(shape).numel()).view(shape).to(dtype).transpose(0, 2)
    tensors: dict[str, torch.Tensor] = {}
    message, loaded = unpack(pack({"value": describe(value, tensors, values=True)}, tensors))
    back = restore(message["value"], loaded)
    assert close(back, value)
    same(back.transpose(0, 1), value, "x", "L B d_h", either_layout=True)


@given(sizes=st.tuples(*[st.integers(1, 6)] * 3), layer=st.sampled_from([torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU]))
def test_pins_depend_on_class_name_and_shape_alone(sizes, layer):
    """Two layers alike hold the same numbers, bounded by the gain over the square root of the fan-in."""
    width, hidden_size, num_layers = sizes
    one, other = (layer(width, hidden_size, num_layers, batch_first=first) for first in (False, True))
    pins.pin(one)
    torch.manual_seed(width)
    pins.pin(other)
    for mine, yours in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, yours)
        assert mine.abs().max() <= pins.GAIN / mine.shape[-1] ** 0.5
