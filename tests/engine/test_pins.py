"""Pinned parameters: a right answer gives the reference's numbers, a wrong loop other words."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from autograder import course, pins

SCENARIOS = course.scenarios()
MARGIN = 1e-2


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pinned(layer: nn.Module) -> nn.Module:
    pins.pin(layer)
    return layer.eval()


def padded(scenario: course.Scenario) -> Tensor:
    """The scenario's batch, (B, L), longest first."""
    rows = sorted(scenario.values["data"], key=len, reverse=True)
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


@torch.no_grad()
def decode(scenario: course.Scenario, mistake: str = "") -> tuple[Tensor, float]:
    """The words that greedy decoding chooses, (L, B), and the least lead of a best word over the second best."""
    vocab, width, hidden_size = (scenario.values[k] for k in ("vocab_size", "embedding_size", "hidden_size"))
    embedding, gru = pinned(nn.Embedding(vocab, width)), pinned(nn.GRU(width, hidden_size))
    output_layer = pinned(nn.Linear(hidden_size, vocab))
    batch = padded(scenario)
    chosen, hidden, lead, words = batch[:, 0], None, float("inf"), []
    for step in range(batch.shape[1]):
        fed = {"gold": batch[:, step], "same": batch[:, 0]}.get(mistake, chosen)
        output, hidden = gru(embedding(fed).unsqueeze(0), None if mistake == "no state" else hidden)
        logits = output_layer(output)[0]
        best = logits.topk(2).values
        lead = min(lead, (best[:, 0] - best[:, 1]).min().item())
        chosen = logits.argmax(-1)
        words.append(fed if mistake == "inputs" else chosen)
    return torch.stack(words), lead


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_decoding_is_diverse_and_decided(scenario):
    """Every row visits at least three words, and the best word leads clearly."""
    words, lead = decode(scenario)
    assert min(len(set(row.tolist())) for row in words.T) >= 3
    assert lead > MARGIN


@pytest.mark.parametrize("mistake", ["gold", "same", "no state", "inputs"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_every_wrong_loop_shows_in_every_row(scenario, mistake):
    """Feeding the gold or the same word, dropping the state, or collecting inputs gives other words."""
    right, _ = decode(scenario)
    wrong, _ = decode(scenario, mistake)
    assert (right != wrong).any(dim=0).all()


@torch.no_grad()
def states(batch: Tensor, vocab: int, width: int, hidden_size: int) -> dict[str, Tensor]:
    """The states of a bidirectional two-layer GRU, run in ways that are all right, each (L, B, 2 * d_h)."""
    embedding = pinned(nn.Embedding(vocab, width))
    gru = pinned(nn.GRU(width, hidden_size, num_layers=2, bidirectional=True))
    batch_emb = embedding(batch).transpose(0, 1)
    found = {"plain": gru(batch_emb)[0], "contiguous": gru(batch_emb.contiguous())[0]}
    found["row by row"] = torch.cat([gru(batch_emb[:, [row]])[0] for row in range(batch.shape[0])], dim=1)
    torch.set_num_threads(2)
    found["two threads"] = gru(batch_emb)[0]
    return found


SIZES = [
    pytest.param(padded(s), *(s.values[k] for k in ("vocab_size", "embedding_size", "hidden_size")), id=s.id)
    for s in SCENARIOS
]
RELEASED = course.released_values()
SIZES.append(
    pytest.param(
        pad_sequence([torch.tensor(row) for row in RELEASED["data"]], batch_first=True),
        RELEASED["vocab_size"],
        RELEASED["embedding_size"],
        RELEASED["hidden_size"],
        id="as-released",
    )
)


@pytest.mark.parametrize(("batch", "vocab", "width", "hidden_size"), SIZES)
def test_values_are_stable(batch, vocab, width, hidden_size):
    """`contiguous()`, rows one by one and a second thread move no state by more than 1e-5."""
    found = states(batch, vocab, width, hidden_size)
    for name, other in found.items():
        assert (other - found["plain"]).abs().max() < 1e-5, name


PINNED_PROCESS = """
import torch
from torch import nn
from autograder import pins
pins.pin_all_layers()

def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))

class Own(nn.Embedding):
    def reset_parameters(self):
        nn.init.zeros_(self.weight)

torch.manual_seed(1)
plain = nn.Embedding(7, 3)
torch.manual_seed(2)
assert same(plain, nn.Embedding(7, 3)) and plain.weight.data_ptr() != nn.Embedding(7, 3).weight.data_ptr()
assert same(plain, Own(7, 3)) and same(plain, nn.Embedding(7, 3, padding_idx=2))
assert not plain.weight[0].any()
nn.init.xavier_uniform_(plain.weight)
nn.init.normal_(plain.weight.data)
plain.weight.data.uniform_(-0.1, 0.1)
plain.reset_parameters()
assert same(plain, nn.Embedding(7, 3))
assert nn.Embedding.from_pretrained(torch.ones(7, 3)).weight.eq(1).all()
own = torch.empty(3)
assert nn.init.ones_(own).sum() == 3 and own.uniform_(5, 6).min() >= 5
assert same(nn.LSTM(3, 4), nn.LSTM(3, 4, batch_first=True))

with pins.practising():
    practised = [nn.Linear(300, 300).weight.data_ptr() for _ in range(2)]
large = [nn.Linear(300, 300) for _ in range(3)]
assert {layer.weight.data_ptr() for layer in large[:2]} == set(practised)
assert all(same(large[0], other) for other in large)
assert len({layer.weight.data_ptr() for layer in large}) == 3
"""


def test_parameters_of_the_released_sizes_are_ready():
    """The warm process has computed what the solution needs at the released sizes, as often as it needs it."""
    script = """
from autograder import course, pins
from autograder.child import run
from autograder.job import Job
run.warm()
computed = []
numbers = pins._numbers
pins._numbers = lambda *key: computed.append(key) or numbers(*key)
run._Run(Job(list(course.reference_cells()), {}, values=False), {}, lambda frame: None).everything()
large = [key for key in computed if numbers(*key).numel() > pins._KEPT_NUMBERS]
assert computed and not large, large
"""
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


def test_layers_are_alike_whatever_was_drawn():
    """Seeds, `nn.init`, subclasses and resets leave pinned parameters alone; one's own vectors stay one's own."""
    subprocess.run([sys.executable, "-c", PINNED_PROCESS], check=True)
