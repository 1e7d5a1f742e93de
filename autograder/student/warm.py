"""What is done once, before any submission: imports, stand-ins, the first calls of what notebooks use."""

import contextlib
import io
import threading

from tqdm import tqdm

from autograder.student import layers, standins
from autograder.student.execute import Execution, main
from autograder.student.handout import given
from autograder.wire.job import Job

__all__ = ["main", "warm"]

# A made-up submission. It uses what the notebook is about, as the documentation of PyTorch shows it: children inherit
# it, and nothing here is worth hiding.
_CELLS = (
    """
import numpy as np

np.random.seed(0)
rows = torch.tensor([[number, 1, 0] for number in tqdm([3, 2, 1])])
counts, order = torch.tensor([3, 2, 1]).sort(descending=True)
rows = rows[order]
print(f"{len(rows):<4}", tuple(rows.shape), repr(rows), max(len(row) for row in rows.tolist()))
""",
    """
layer = nn.Embedding(5, 4, padding_idx=0)
states = layer(rows)
start = torch.zeros(1, rows.shape[0], 3)
for kind in (nn.RNN, nn.LSTM, nn.GRU):
    out = kind(4, 3)(states.transpose(0, 1))
    out = kind(4, 3, num_layers=2, bidirectional=True, batch_first=True)(states)
out, last = nn.RNN(4, 3)(states.transpose(0, 1), start)
out, (last, cell) = nn.LSTM(4, 3)(states.transpose(0, 1), (start, start))
both = nn.GRU(4, 3, num_layers=2, dropout=0.1, bidirectional=True)
for enforce_sorted in (True, False):
    packed = pack_padded_sequence(states.transpose(0, 1), counts, enforce_sorted=enforce_sorted)
    out, lens = pad_packed_sequence(both(packed)[0])
both.load_state_dict(both.state_dict())
grader.check("q1")
""",
    """
scores = nn.Linear(6, 5)(out)
best, chosen = torch.max(scores, dim=-1)
best, chosen = scores.softmax(-1).topk(1)
stack = torch.stack([one for one in scores.argmax(dim=-1)])
parts = last.view(1, 1, rows.shape[0], -1).reshape(1, -1, 3)[-1]
parts = torch.cat([parts.flip(0), parts.unsqueeze(0)[0]], dim=-1).permute(1, 0).contiguous()
print(torch.allclose(parts, parts, atol=1e-5), torch.randn(2, 3)[:, 0], torch.zeros_like(start).bool())
with torch.no_grad():
    nothing = None
""",
    "lost = layer(start)\n",
    "%matplotlib inline\nother = lost[0]\n",
    "broken = (\n",
)
_NAMES = {"q1": ("layer", "rows", "packed", "states", "kind", "nothing", "lost", "stack")}


def warm() -> None:
    """Do once what every run would have to do."""
    tqdm.set_lock(threading.RLock())  # its own is in shared memory, through which one child could reach another
    tqdm.monitor_interval = 0  # else every child that shows progress starts a thread that watches it
    standins.prepare()
    layers.pin_all_layers()
    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        job = Job((*given(), *_CELLS), _NAMES, statement_seconds=60.0, told=True)
        execution = Execution(job, {}, lambda frame: None)
        execution.everything()
        execution.loop.close()
    # Let go of the layers of the released sizes: a child that inherits memory pays for it.
    standins.install(lambda question: None)
    layers.salted("")
