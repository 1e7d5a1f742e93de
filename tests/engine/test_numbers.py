"""The numbers of layers: a right answer gives the reference's, a wrong loop other words, whatever was drawn before."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from autograder import course
from autograder.course.scenarios import margin
from autograder.grading.reference import Reference
from autograder.student import layers

SCENARIOS = course.scenarios()
LEAD = 2e-2


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    layers.salted("")


def pinned(layer: nn.Module) -> nn.Module:
    layers.pin(layer)
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
    assert lead > LEAD


@pytest.mark.parametrize("mistake", ["gold", "same", "no state", "inputs"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_every_wrong_loop_shows_in_every_row(scenario, mistake):
    """Feeding the gold or the same word, dropping the state, or collecting inputs gives other words."""
    right, _ = decode(scenario)
    wrong, _ = decode(scenario, mistake)
    assert (right != wrong).any(dim=0).all()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_private_numbers_decide_clearly_too(scenario, run):
    """They are drawn until they do: the best word leads, and the words that are visited are not all the same."""
    solution = Reference(run).private(scenario, b"identity", run)
    layers.salted(solution.salt)
    words, lead = decode(scenario)
    assert lead >= margin().least * 0.99
    assert torch.equal(words, solution.at["q6"].decoded_ids)
    assert sum(len(set(row.tolist())) >= 3 for row in words.T) * 2 >= words.shape[1]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
@torch.no_grad()
def test_values_are_stable(scenario):
    """`contiguous()`, rows one by one and a second thread move no state by more than 1e-5."""
    vocab, width, hidden_size = (scenario.values[k] for k in ("vocab_size", "embedding_size", "hidden_size"))
    batch, embedding = padded(scenario), pinned(nn.Embedding(vocab, width))
    gru = pinned(nn.GRU(width, hidden_size, num_layers=2, bidirectional=True))
    batch_emb = embedding(batch).transpose(0, 1)
    plain = gru(batch_emb)[0]
    found = {"contiguous": gru(batch_emb.contiguous())[0]}
    found["row by row"] = torch.cat([gru(batch_emb[:, [row]])[0] for row in range(batch.shape[0])], dim=1)
    torch.set_num_threads(2)
    found["two threads"] = gru(batch_emb)[0]
    for name, other in found.items():
        assert (other - plain).abs().max() < 1e-5, name


PINNED_PROCESS = """
import torch
from torch import nn
from autograder.student import layers
layers.pin_all_layers()

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

plain.weight.data.mul_(2)
plain.weight = nn.Parameter(torch.randn(7, 3))
layers.restore()
assert same(plain, nn.Embedding(7, 3))
one, other = nn.Linear(3, 3), nn.RNN(3, 3)
one.weight.data.copy_(other.weight_hh_l0)
layers.restore()
assert torch.equal(one.weight, other.weight_hh_l0)
layers.salted("another")
assert not same(plain, nn.Embedding(7, 3))
"""


def test_layers_are_alike_whatever_was_drawn():
    """Seeds, `nn.init`, subclasses, resets and training leave numbers alone; vectors and copies of one's own stay."""
    subprocess.run([sys.executable, "-c", PINNED_PROCESS], check=True)
