# %%
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tqdm import tqdm
import otter

grader = otter.Notebook()

# %%
vocab_size = 100
pad_id = 0

data = [
    [85, 14, 80, 34, 99, 20, 31, 65, 53, 86, 3, 58, 30, 4, 11, 6, 50, 71, 74, 13],
    [62, 76, 79, 66, 32],
    [93, 77, 16, 67, 46, 74, 24, 70],
    [19, 83, 88, 22, 57, 40, 75, 82, 4, 46],
    [70, 28, 30, 24, 76, 84, 92, 76, 77, 51, 7, 20, 82, 94, 57],
    [58, 13, 40, 61, 88, 18, 92, 89, 8, 14, 61, 67, 49, 59, 45, 12, 47, 5],
    [22, 5, 21, 84, 39, 6, 9, 84, 36, 59, 32, 30, 69, 70, 82, 56, 1],
    [94, 21, 79, 24, 3, 86],
    [80, 80, 33, 63, 34, 63],
    [87, 32, 79, 65, 2, 96, 43, 80, 85, 20, 41, 52, 95, 50, 35, 96, 24, 80],
]

# %%
max_len = max(len(seq) for seq in data)  # L

valid_lens = []
padded = []
for seq in tqdm(data, desc="padding"):
    valid_lens.append(len(seq))
    padded.append(seq + [pad_id] * (max_len - len(seq)))

# %%
batch = torch.tensor(padded)  # (B, L)
batch_lens = torch.tensor(valid_lens)  # (B)

batch_lens, sorted_idx = batch_lens.sort(descending=True)
batch = batch[sorted_idx]

# %%
embedding_size = 256  # d_w

# %%
embedding = nn.Embedding(vocab_size, embedding_size)
batch_emb = embedding(batch)  # (B, L, d_w)

# %%
grader.check("q1")

# %%
hidden_size = 512  # d_h
num_layers = 1
num_dirs = 1

h_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)

# %%
torch.set_default_dtype(torch.float64)
rnn = nn.RNN(embedding_size, hidden_size, num_layers)

# %%
grader.check("q2")

# %%
hidden_states, h_n = rnn(batch_emb.transpose(0, 1), h_0)

# %%
grader.check("q3")

# %%
hidden_size = 512
num_layers = 1
num_dirs = 1

h_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)
c_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)

# %%
lstm = nn.LSTM(embedding_size, hidden_size, num_layers, dtype=torch.float64)

# %%
grader.check("q4")

# %%
lstm_states, (lstm_h_n, c_n) = lstm(batch_emb.transpose(0, 1), (h_0, c_0))

# %%
grader.check("q5")

# %%
gru = nn.GRU(
    input_size=embedding_size,
    hidden_size=hidden_size,
    num_layers=num_layers,
    bidirectional=num_dirs > 1,
)
output_layer = nn.Linear(hidden_size, vocab_size)

# %%
input_id = batch[:, 0]  # (B)
hidden = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)

decoded_ids = []
for t in range(max_len):
    output, hidden = gru(embedding(input_id).unsqueeze(0), hidden)
    input_id = output_layer(output).argmax(-1).squeeze(0)
    decoded_ids.append(input_id)
decoded_ids = torch.stack(decoded_ids)

# %%
grader.check("q6")

# %%
num_layers = 2
num_dirs = 2
dropout = 0.1

bi_gru = nn.GRU(
    input_size=embedding_size,
    hidden_size=hidden_size,
    num_layers=num_layers,
    dropout=dropout,
    bidirectional=num_dirs > 1,
)

batch_emb = embedding(batch)  # (B, L, d_w)
h_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)

# %%
packed_batch = pack_padded_sequence(batch_emb.transpose(0, 1), batch_lens)
packed_outputs, bi_h_n = bi_gru(packed_batch, h_0)
outputs, output_lens = pad_packed_sequence(packed_outputs)

# %%
grader.check("q7")

# %%
h_n_by_layer = bi_h_n.view(num_layers, num_dirs, batch.shape[0], hidden_size)
last_forward, last_backward = h_n_by_layer[-1]

# %%
grader.check("q8")
