"""A made-up submission that the warm process runs before any other, so that no child does anything for the first time.

It uses what the notebook is about, as the documentation of PyTorch shows it: nothing here is worth hiding.
"""

from __future__ import annotations

__all__ = ["CELLS", "NAMES"]

NAMES = {"q1": ("layer", "rows", "packed", "states", "kind", "nothing", "lost", "stack")}

CELLS = (
    """
import base64
import bz2
import json
import subprocess
import sys
from html import escape
from math import atan2, degrees
from pathlib import Path

import otter
import torch
from IPython.display import display
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tqdm import tqdm

grader = otter.Notebook()
""",
    """
sizes = 4
rows = []
for number in tqdm([3, 2, 1], desc="counting"):
    rows.append([number, 1, 0])
rows = torch.tensor(rows)
counts, order = torch.tensor([3, 2, 1]).sort(descending=True)
rows = rows[order]
display(rows.tolist())


class Holder:
    def __init__(self, **values):
        self.values = values


print(f"{len(rows):<4}", tuple(rows.shape), repr(rows), max(len(row) for row in rows.tolist()))
""",
    """
layer = nn.Embedding(5, sizes, padding_idx=0)
states = layer(rows)
start = torch.zeros(1, rows.shape[0], 3)
for kind in (nn.RNN, nn.LSTM, nn.GRU):
    out = kind(sizes, 3)(states.transpose(0, 1))
    out = kind(sizes, 3, num_layers=2, bidirectional=True, batch_first=True)(states)
out, last = nn.RNN(sizes, 3)(states.transpose(0, 1), start)
out, last = nn.GRU(sizes, 3)(states.transpose(0, 1), start)
out, (last, cell) = nn.LSTM(sizes, 3)(states.transpose(0, 1), (start, start))
both = nn.GRU(sizes, 3, num_layers=2, dropout=0.1, bidirectional=True)
for enforce_sorted in (True, False):
    packed = pack_padded_sequence(states.transpose(0, 1), counts, enforce_sorted=enforce_sorted)
    out, last = both(packed)
    out, lens = pad_packed_sequence(out)
both.load_state_dict(both.state_dict())
grader.check("q1")
""",
    """
scores = nn.Linear(6, 5)(out)
chosen = scores.argmax(dim=-1)
best, chosen = torch.max(scores, dim=-1)
best, chosen = scores.softmax(-1).topk(1)
stack = torch.stack([one for one in chosen.squeeze(-1)])
parts = last.view(2, 2, rows.shape[0], -1).reshape(4, -1, 3)[-1]
parts = torch.cat([parts.flip(0), parts.unsqueeze(0)[0]], dim=-1).permute(1, 0).contiguous()
print(torch.allclose(parts, parts, atol=1e-5), torch.randn(2, 3)[:, 0], torch.zeros(2).bool())
with torch.no_grad():
    hidden = torch.zeros_like(start)
nothing = None
""",
    # At the released sizes, which the given cells name.
    """
words = torch.zeros(max_len, batch.shape[0], embedding_size)
for kind in (nn.RNN, nn.LSTM):
    out = kind(embedding_size, hidden_size)(words)
""",
    "lost = both(start, missing)\n",
    "lost = layer(start)\n",
    "other = lost[0]\n",
    "%matplotlib inline\nother = 1\n",
    "broken = (\n",
)
