# %% [markdown] lang="master"
# This is the master: text in both languages, given code, and the answers. `make build` makes everything else from it.
#
#   lang="ko" / lang="en"            a cell for one edition; without it the cell is in both
#   # ko: ... / # en: ...            a comment line for one edition
#   ...  # ko / ...  # en            a line of code for one edition
#   # %% q3                          the one answer cell of q3: what students see, then what solves it, in Otter Assign's
#                                    markup (BEGIN PROMPT ... END PROMPT, BEGIN SOLUTION NO PROMPT ... END SOLUTION)
#   # embed: handout/drawing.py          in the place of this line: that file, from this folder
#   # %% picture                     something for the machinery, shown collapsed; otherwise as an aside
#   # %% aside                       something to look at: no cell but other asides needs it, so that runs which nobody sees
#                                    pass it over
#   {{questions}}                    the table of questions, points and names, from the hidden checks
#
# A heading such as `### q3. Running the RNN (15 points)` must agree with the hidden checks. A cell in the language
# "master", like this one, reaches nobody.

# %% [markdown] lang="ko"
# # RNN, LSTM, GRU로 sequence 다루기
#
# 길이가 제각각인 sequence를 하나의 batch로 묶고, embedding layer와 RNN 계열의 layer에 차례로 통과시켜 봅니다.
# 끝까지 마치면 다음 세 가지를 할 수 있습니다.
#
# 1. 길이가 다른 sequence를 padding하고 packing하여 RNN에 넣기
# 2. `nn.RNN`, `nn.LSTM`, `nn.GRU`를 정의하고, 돌려받은 값의 shape을 **축마다** 설명하기
# 3. layer가 여럿인 양방향 모델의 `h_n`에서 원하는 state 찾아내기
#
# **걸리는 시간**은 2~3시간쯤입니다. **미리 알아야 할 것**은 Python의 list와 반복문, PyTorch tensor의 shape과 indexing, 그리고 `nn.Linear` 같은
# layer를 만들고 호출하는 법입니다. 학습(backpropagation)은 하지 않으며 GPU도 필요 없습니다.
#
# ### 진행 방법
#
# - 위에서부터 차례로 실행하면서 `# TODO`가 있는 셀을 채우세요. 나머지 셀은 그대로 두세요.
# - **예상해 보기**에는 점수가 없습니다. 결과를 보기 전에 `guess`에 예상을 적고 실행해 보세요.
# - 문제마다 `grader.check("q1")` 같은 셀이 있습니다. shape과 type, 그리고 여러분의 값들이 **서로 들어맞는지**를 봅니다. 정답을 알고 비교하는 것은
#   아니어서, 통과했더라도 틀렸을 수 있습니다.
# - **점수는 공개하지 않은 검사가 값을 보고 정합니다.** 이 검사는 다른 데이터, 다른 batch 크기(1 포함), 다른 embedding과 hidden 크기,
#   다른 layer 수로 코드를 다시 실행합니다. `512`나 `10` 같은 숫자를 직접 쓰지 말고 `hidden_size`, `batch.shape[0]` 같은 변수를 쓰세요.
# - 실수 값은 `float32`, id와 길이는 `int64`입니다. PyTorch가 처음부터 쓰는 dtype이니 바꾸지 마세요. dtype이 다르면 값이 같아도 틀린 것으로 봅니다.
# - 아래 표에 있는 변수 이름은 그대로 두세요. 그 밖의 변수, 함수, 셀은 자유롭게 더해도 됩니다.
# - 한 문제를 틀려도 다음 문제의 점수에는 영향이 없습니다. 막히면 넘어가세요. 그 문제의 값이 필요한 셀에서는 오류가 나겠지만, 채점할 때는 그 값을
#   바로잡아 놓고 실행합니다.
#
# {{questions}}
#
# ### 도움받기
#
# - PyTorch 문서와 강의 자료, 검색은 얼마든지 이용하세요. 친구와 개념이나 shape에 대해 이야기하는 것도 좋습니다. 다만 **코드는 스스로 쓰세요.**
# - AI 도구에는 개념이나 오류 메시지의 뜻을 물어볼 수 있습니다. 문제를 그대로 주고 답을 받아 적지는 마세요. 수업에서 따로 정한 규칙이 있으면 그 규칙을 따르세요.
# - 풀리지 않으면 담당 조교에게 물어보세요. 오류 메시지 전체와, 어느 셀에서 무엇을 해 보았는지를 함께 보내 주세요.
#
# ### 기호
#
# shape 주석에는 다음 기호를 씁니다.
#
# | 기호 | 뜻 | 변수 |
# |---|---|---|
# | `B` | batch 크기: sequence의 개수 | `batch.shape[0]` |
# | `L` | 가장 긴 sequence의 길이 | `max_len` |
# | `V` | 단어장의 크기(`pad_id` 포함) | `vocab_size` |
# | `d_w` | embedding 크기 | `embedding_size` |
# | `d_h` | hidden state의 크기 | `hidden_size` |
# | `C` | class의 수 | `num_classes` |

# %% [markdown] lang="en"
# # Sequences with RNN, LSTM and GRU
#
# You will gather sequences of different lengths into one batch and send it through an embedding layer and then through
# PyTorch's recurrent layers. By the end you will be able to
#
# 1. pad and pack sequences of unequal length, so that an RNN can read them;
# 2. define `nn.RNN`, `nn.LSTM` and `nn.GRU`, and say what **every axis** of what they return stands for;
# 3. find the state you need in the `h_n` of a model with several layers and two directions.
#
# **Time**: two to three hours. **You should know** Python's lists and loops, shapes and indexing of PyTorch tensors, and how a layer
# such as `nn.Linear` is made and called. Nothing is trained here, and no GPU is needed.
#
# ### How to work
#
# - Run the cells from the top and fill in those marked `# TODO`. Leave the others as they are.
# - **Predict, then run** carries no points. Type what you expect after `guess` before you look at the result.
# - Every question ends with a cell such as `grader.check("q1")`. It looks at shapes and types, and at whether your values **agree with each
#   other**. It does not know the answer, so a wrong answer may pass.
# - **Hidden checks of the values decide the points.** They run your code again on other data, other batch sizes (also 1), other
#   embedding and hidden sizes and other numbers of layers. So write `hidden_size` or `batch.shape[0]`, never `512` or `10`.
# - Real numbers are `float32`, ids and lengths `int64`, as in PyTorch by default. Do not change that: right values in another dtype
#   count as wrong.
# - Keep the variable names in the table below. Beyond them, add as many variables, functions and cells as you like.
# - A mistake in one question costs you nothing in the next. If you are stuck, move on: cells that need the missing values will fail for
#   you, but the grader puts the right ones in their place.
#
# {{questions}}
#
# ### Getting help
#
# - Use PyTorch's documentation, your course material and a search engine as much as you like. Talking about ideas and shapes with others is welcome,
#   too. But **write the code yourself.**
# - You may ask an AI tool what a concept or an error message means. Do not give it a question and copy its answer. Where your course has rules of its own,
#   they come first.
# - If you are stuck, ask your teaching assistant. Send the whole error message, and say which cell it comes from and what you tried.
#
# ### Symbols
#
# Comments give shapes in these symbols.
#
# | Symbol | Meaning | Variable |
# |---|---|---|
# | `B` | batch size: how many sequences | `batch.shape[0]` |
# | `L` | length of the longest sequence | `max_len` |
# | `V` | size of the vocabulary, `pad_id` included | `vocab_size` |
# | `d_w` | embedding size | `embedding_size` |
# | `d_h` | size of a hidden state | `hidden_size` |
# | `C` | number of classes | `num_classes` |

# %% picture
# embed: handout/set_up.py

# %%
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tqdm import tqdm

# %%
import otter

grader = otter.Notebook()

# %% picture
# embed: handout/drawing.py

# %% [markdown] lang="ko"
# ## 데이터와 padding
#
# 문장 10개가 이미 단어 id의 list로 바뀌어 있다고 합시다. id는 `0`부터 `vocab_size - 1`까지의 정수이고, 그중 `pad_id`는 빈자리를 채우는 데
# 쓰므로 실제 단어가 아닙니다. 이제부터 이 list 하나하나를 **sequence**라고 부릅니다.

# %% [markdown] lang="en"
# ## Data and padding
#
# Imagine ten sentences whose words have already been turned into ids: integers from `0` to `vocab_size - 1`. One of them,
# `pad_id`, is no word at all; it fills empty places. From here on, each of these lists is called a **sequence**.

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

# %% aside
print(data[0])
print(len(data), "sequences")

# %% [markdown] lang="ko"
# tensor는 직사각형이어야 하므로, 가장 긴 sequence에 맞추어 나머지의 뒤를 `pad_id`로 채웁니다. 이렇게 채우는 일과 채운 자리를 **padding**이라고 합니다.
# 채우기 전에 **원래 길이를 따로 적어 둡니다.** 이 길이는 packing에서 다시 쓰입니다.

# %% [markdown] lang="en"
# A tensor has to be rectangular, so shorter sequences are filled up with `pad_id` to the length of the longest. This is called
# **padding**. **The original lengths are written down first:** packing will need them.

# %%
max_len = max(len(seq) for seq in data)  # L

valid_lens = []
padded = []
for seq in tqdm(data, desc="padding"):
    valid_lens.append(len(seq))
    padded.append(seq + [pad_id] * (max_len - len(seq)))

# %% aside
print("max_len   ", max_len)
print("valid_lens", valid_lens)
print("padded[-1]", padded[-1])

# %% [markdown] lang="ko"
# 이제 긴 sequence가 위로 오도록 정렬합니다. 정렬해 두면 어느 시점에서든 아직 끝나지 않은 sequence가 위쪽에 모이고, 뒤에서 쓸
# `pack_padded_sequence`가 이 순서를 기본으로 요구합니다. `sorted_idx[i]`는 정렬한 batch의 `i`번째 행이 원래 `data`의 몇 번째 sequence였는지 알려 줍니다.
# **길이와 행을 같은 순서로** 옮긴다는 점을 눈여겨보세요.

# %% [markdown] lang="en"
# Next, the longest sequences go to the top. At any time step, the sequences still running are then the top rows. This is also
# the order that `pack_padded_sequence`, used later on, expects by default. `sorted_idx[i]` tells which sequence of `data` became row `i`. Notice that
# **lengths and rows move together.**

# %%
batch = torch.tensor(padded)  # (B, L)
batch_lens = torch.tensor(valid_lens)  # (B)

batch_lens, sorted_idx = batch_lens.sort(descending=True)
batch = batch[sorted_idx]

# %% aside
print("batch     ", tuple(batch.shape), batch.dtype)
print("batch_lens", batch_lens.tolist())
display(draw_padding("긴 sequence부터 정렬한 batch", batch.tolist(), batch_lens.tolist(), vocab_size))  # ko
display(draw_padding("The batch, longest sequence first", batch.tolist(), batch_lens.tolist(), vocab_size))  # en

# %% [markdown] lang="ko"
# 파란 테두리 안이 진짜 단어이고 나머지는 빈자리입니다. 색의 짙기는 id의 크기를 나타낼 뿐, 아무 뜻도 없습니다. id는 **크기를 비교할 수 있는 양이 아니라 이름표**이므로,
# 그대로 RNN에 넣지 않고 먼저 vector로 바꿉니다.

# %% [markdown] lang="en"
# Real words are inside the blue outline; the rest is padding. The shades show the size of an id and mean nothing: an id is **a
# name, not a quantity**. That is why ids are turned into vectors before an RNN reads them.

# %% [markdown] lang="ko"
# ## Embedding
#
# [nn.Embedding](https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html)은 단어마다 한 행씩을 가진 표입니다. id를 넣으면 그 번호의 행을
# 꺼내 줍니다. 처음에는 무작위로 채워져 있고, 학습하면서 다른 parameter와 함께 바뀝니다.
#
# ### q1. Embedding layer 만들기 (10점)
#
# `embedding`을 만들어, `batch`의 id 하나하나가 길이 `embedding_size`인 vector로 바뀌게 하세요.
#
# - 표에는 행이 몇 개 필요할까요? id가 `0`부터 시작하고, 단어가 아닌 `pad_id`에도 행이 필요하다는 점을 생각해 보세요. 우연히 데이터에 나오지 않은
#   id도 있을 수 있습니다.
# - 결과에는 `batch`보다 축이 하나 더 있습니다. 그 축은 어느 자리에, 왜 생길까요?
#
# > **빈자리의 vector는 0인가요?** 저절로 그렇게 되지는 않습니다. `pad_id`의 행도 여느 행과 같이 무작위로 채워집니다.
# > 게다가 0인 vector를 넣어도 RNN의 state는 계속 바뀝니다. 빈자리를 정말로 건너뛰는 방법은 packing에서 배웁니다.

# %% [markdown] lang="en"
# ## Embedding
#
# [nn.Embedding](https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html) is a table with one row per word: give it an id, and it looks up that
# row. The rows start out random and are trained together with all other parameters.
#
# ### q1. Making the embedding layer (10 points)
#
# Create `embedding`, so that every id in `batch` becomes a vector of length `embedding_size`.
#
# - How many rows does the table need? Ids start at `0`; `pad_id` needs a row too, although it is no word; and some ids may simply not occur in this data.
# - The result has one axis more than `batch`. Where does it appear, and why there?
#
# > **Is the vector of an empty place zero?** Not by itself: the row of `pad_id` is filled at random like any other. And even a
# > zero vector would keep changing an RNN's state. How to really skip empty places is what packing is about.

# %%
embedding_size = 256  # d_w

# %% q1
""" # BEGIN PROMPT
embedding = None  # TODO
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
embedding = nn.Embedding(vocab_size, embedding_size)
# END SOLUTION

batch_emb = embedding(batch)  # (B, L, d_w)

# %%
grader.check("q1")

# %% [markdown] lang="ko"
# **예상해 보기.** `batch_emb`의 shape은 무엇일까요? 기호가 아니라 숫자로 `guess = (…, …, …)`처럼 적고 실행해 보세요.

# %% [markdown] lang="en"
# **Predict, then run.** What is the shape of `batch_emb`? Write numbers, not symbols, as in `guess = (…, …, …)`, and run the cell.

# %% aside
guess = None

reveal("batch_emb", guess)
with after("q1"):
    print("batch_emb", tuple(batch_emb.shape))

# %% [markdown] lang="ko"
# ## RNN
#
# RNN은 왼쪽에서 오른쪽으로 읽으면서, 지금까지 읽은 내용을 hidden state라는 vector 하나에 요약합니다. 시점 $t$에서 하는 계산은 다음이 전부입니다.
#
# $$h_t = \tanh(W_{ih}\,x_t + b_{ih} + W_{hh}\,h_{t-1} + b_{hh})$$
#
# $x_t$는 그 시점의 단어 vector이고 $h_{t-1}$은 바로 앞의 state입니다. **같은 weight를 모든 시점에서 되풀이해 씁니다.** 그래서 길이가 얼마든 읽을 수 있습니다.
#
# ### q2. RNN 정의하기 (10점)
#
# [`nn.RNN`의 문서](https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html)를 읽고 비어 있는 두 인자를 채우세요. 이 RNN은 `batch_emb`를 읽게 됩니다.
#
# - `input_size`: 식에서 $x_t$의 길이입니다. 단어의 수나 sequence의 길이와 헷갈리지 마세요.
# - `batch_first`: 입력에서 batch 축과 시간 축 가운데 어느 쪽이 먼저인지를 정합니다. `True`와 `False` 모두 답이 될 수 있습니다.
#   다만 q3에서 그에 맞는 입력을 넣어야 합니다.
#
# > **`h_0`는 꼭 주어야 하나요?** 주지 않으면 0에서 시작합니다. 여기서는 shape을 보이려고 만들어 두었습니다.

# %% [markdown] lang="en"
# ## RNN
#
# An RNN reads from left to right and sums up what it has read so far in one vector, the hidden state. All it does at step $t$ is
#
# $$h_t = \tanh(W_{ih}\,x_t + b_{ih} + W_{hh}\,h_{t-1} + b_{hh})$$
#
# where $x_t$ is the word vector at that step and $h_{t-1}$ the state just before. **The same weights serve every step**, which is why it
# can read sequences of any length.
#
# ### q2. Defining an RNN (10 points)
#
# Read the [documentation of `nn.RNN`](https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html) and fill in the two open arguments. This RNN is going to read `batch_emb`.
#
# - `input_size` is the length of $x_t$ in the formula: neither the number of words nor the length of a sequence.
# - `batch_first` says which of the two comes first in the input, the batch axis or the time axis. Both `True` and `False` can be
#   right; in q3 you then have to give it an input that agrees.
#
# > **Must I supply `h_0`?** No; without it the state starts at zero. It is here to show its shape.

# %%
hidden_size = 512  # d_h
# ko: 쌓을 layer의 수
# en: how many layers are stacked
num_layers = 1
# ko: 1은 단방향, 2는 양방향
# en: 1 for one direction, 2 for both
num_dirs = 1

h_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)

# %% q2
""" # BEGIN PROMPT
rnn = nn.RNN(
    input_size=None,  # TODO
    hidden_size=hidden_size,
    num_layers=num_layers,
    bidirectional=num_dirs > 1,
    batch_first=None,  # TODO
)
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
rnn = nn.RNN(
    input_size=embedding_size,
    hidden_size=hidden_size,
    num_layers=num_layers,
    bidirectional=num_dirs > 1,
    batch_first=False,
)
# END SOLUTION

# %%
grader.check("q2")

# %% [markdown] lang="ko"
# ### q3. RNN 실행하기 (15점)
#
# `batch_emb`와 `h_0`를 `rnn`에 넣으세요. 두 값이 나옵니다.
#
# - `hidden_states`: **모든 시점**의 hidden state입니다. shape은 `(L, B, d_h)`이고, `batch_first=True`라면 `(B, L, d_h)`입니다.
# - `h_n`: **마지막 시점**의 hidden state입니다. shape은 언제나 `(num_layers * num_dirs, B, d_h)`입니다.
#
# layer가 여럿일 때 둘이 어떻게 다른지 아래 그림에서 확인해 보세요.

# %% [markdown] lang="en"
# ### q3. Running the RNN (15 points)
#
# Run `rnn` on `batch_emb`, starting from `h_0`. It returns two things.
#
# - `hidden_states`: the hidden states at **all steps**, `(L, B, d_h)`, or `(B, L, d_h)` with `batch_first=True`.
# - `h_n`: the hidden states at the **last step**, always `(num_layers * num_dirs, B, d_h)`.
#
# With more than one layer they are different cuts through the same grid:

# %% aside
display(draw_grid("layer가 하나 더 있다면", num_layers + 1, max_len, batch.shape[0], hidden_size))  # ko
display(draw_grid("With one more layer", num_layers + 1, max_len, batch.shape[0], hidden_size))  # en

# %% [markdown] lang="ko"
# `hidden_states`는 **맨 위 layer의 모든 시점**(가로줄)이고, `h_n`은 **모든 layer의 마지막 시점**(세로줄)입니다. 두 줄은 한 칸에서 만납니다. 그래서
# layer가 하나이고 한 방향이면 `h_n`이 `hidden_states`의 마지막 시점에 그대로 들어 있고, layer가 더 있으면 아래 layer의 마지막 state는 `h_n`에만 있습니다.
#
# > **`h_n`은 왜 `batch_first=True`여도 batch가 앞에 오지 않나요?** `h_n`에는 시간 축이 없습니다. 첫 축은 layer와 방향이고,
# > 그 값을 다음 호출의 `h_0`로 그대로 넘길 수 있도록 `h_0`와 shape이 같습니다. `batch_first`는 시간 축이 있는 입력과 출력에만 적용됩니다.
# >
# > **오류가 나지 않으면 축을 제대로 넣은 것인가요?** 아닙니다. `h_0`를 주지 않으면 batch와 시간을 바꾸어 넣어도 RNN은 조용히
# > 계산합니다. 어느 축이 `B`이고 어느 축이 `L`인지는 직접 확인해야 합니다.

# %% [markdown] lang="en"
# `hidden_states` is **the top layer at every step** (a row), `h_n` is **every layer at the last step** (a column). They meet in one cell. So
# with one layer and one direction, `h_n` is also the last step of `hidden_states`; with more layers, the last states of the lower ones are in `h_n` only.
#
# > **Why is `h_n` not batch-first, even with `batch_first=True`?** It has no time axis. Its first axis counts layers and directions, and it can
# > serve as the `h_0` of a next call, so it has the shape of `h_0`. `batch_first` concerns only inputs and outputs that have a time axis.
# >
# > **No error, so the axes are right?** No. Without `h_0`, an RNN quietly computes with batch and time exchanged. Make sure
# > for yourself which axis is `B` and which is `L`.

# %% q3
""" # BEGIN PROMPT
hidden_states, h_n = None, None  # TODO
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
hidden_states, h_n = rnn(batch_emb.transpose(0, 1), h_0)
# END SOLUTION

# %%
grader.check("q3")

# %% [markdown] lang="ko"
# **예상해 보기.** 이 RNN에 layer가 3개 쌓여 있다면, 두 shape 가운데 무엇이 달라질까요? 번호를 적어 보세요.
#
# 1. `hidden_states`만 달라진다.
# 2. `h_n`만 달라진다.
# 3. 둘 다 달라진다.

# %% [markdown] lang="en"
# **Predict, then run.** If this RNN had a stack of three layers, which of the two shapes would change? Type the number.
#
# 1. that of `hidden_states` only
# 2. that of `h_n` only
# 3. both

# %% aside
guess = None

reveal("layers", guess)
with after("q3"):
    print("hidden_states", tuple(hidden_states.shape))
    print("h_n          ", tuple(h_n.shape))

# %% [markdown] lang="ko"
# ### 두 출력의 쓰임
#
# sequence 하나에 답이 하나인 과제(문장 분류 등)라면 마지막 state만 있으면 됩니다. 전체를 읽은 뒤의 요약이기 때문입니다.

# %% [markdown] lang="en"
# ### What the two outputs are for
#
# A task with one answer per sequence, such as classifying sentences, needs the last state: the summary after reading it all.

# %% aside
num_classes = 2
classification_layer = nn.Linear(hidden_size, num_classes)

with after("q3"):
    sequence_logits = classification_layer(h_n[-1])  # (B, d_h) => (B, C)
    print(tuple(h_n[-1].shape), "=>", tuple(sequence_logits.shape))

# %% [markdown] lang="ko"
# 단어마다 답이 필요한 과제(개체명 인식 등)에는 모든 시점의 state를 씁니다. `nn.Linear`는 마지막 축에만 작용하므로 나머지 두 축은 그대로 남습니다.

# %% [markdown] lang="en"
# A task with an answer for every word, such as recognising named entities, needs the states at all steps. `nn.Linear` acts on the last
# axis only and leaves the other two alone.

# %% aside
num_classes = 5
entity_layer = nn.Linear(hidden_size, num_classes)

with after("q3"):
    token_logits = entity_layer(hidden_states)  # (L, B, d_h) => (L, B, C)
    print(tuple(hidden_states.shape), "=>", tuple(token_logits.shape))

# %% [markdown] lang="ko"
# ## LSTM
#
# LSTM에는 hidden state 말고도 **cell state** $c_t$가 있습니다. gate 세 개가 $c_t$에서 무엇을 지우고(forget), 무엇을 더하고(input), 무엇을 내보일지(output)
# 정합니다. $\sigma$는 sigmoid, $\odot$은 원소끼리의 곱입니다.
#
# $$
# \begin{aligned}
# i_t &= \sigma(W_{ii}\,x_t + b_{ii} + W_{hi}\,h_{t-1} + b_{hi}) \\
# f_t &= \sigma(W_{if}\,x_t + b_{if} + W_{hf}\,h_{t-1} + b_{hf}) \\
# g_t &= \tanh(W_{ig}\,x_t + b_{ig} + W_{hg}\,h_{t-1} + b_{hg}) \\
# o_t &= \sigma(W_{io}\,x_t + b_{io} + W_{ho}\,h_{t-1} + b_{ho}) \\
# c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
# h_t &= o_t \odot \tanh(c_t)
# \end{aligned}
# $$
#
# $h_t$는 $c_t$ 가운데 지금 내보일 부분입니다. 그래서 위 layer와 출력에는 $h_t$가 쓰이고, $c_t$는 LSTM 안에만 머뭅니다. 두 state의 shape은 같습니다.
#
# ### q4. LSTM 정의하기 (10점)
#
# [`nn.LSTM`의 문서](https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html)를 읽고 비어 있는 세 인자를 채우세요. 이 LSTM도 `batch_emb`를 읽습니다.

# %% [markdown] lang="en"
# ## LSTM
#
# Besides the hidden state, an LSTM carries a **cell state** $c_t$. Three gates decide what is erased from it (forget), what is added to it (input), and what
# is shown of it (output). $\sigma$ is the sigmoid, $\odot$ the product element by element.
#
# $$
# \begin{aligned}
# i_t &= \sigma(W_{ii}\,x_t + b_{ii} + W_{hi}\,h_{t-1} + b_{hi}) \\
# f_t &= \sigma(W_{if}\,x_t + b_{if} + W_{hf}\,h_{t-1} + b_{hf}) \\
# g_t &= \tanh(W_{ig}\,x_t + b_{ig} + W_{hg}\,h_{t-1} + b_{hg}) \\
# o_t &= \sigma(W_{io}\,x_t + b_{io} + W_{ho}\,h_{t-1} + b_{ho}) \\
# c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
# h_t &= o_t \odot \tanh(c_t)
# \end{aligned}
# $$
#
# $h_t$ is the part of $c_t$ that is shown at this step. So outputs and layers above see $h_t$, while $c_t$ stays inside. Both have the same shape.
#
# ### q4. Defining an LSTM (10 points)
#
# Read the [documentation of `nn.LSTM`](https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html) and fill in the three open arguments. This LSTM reads `batch_emb` too.

# %%
hidden_size = 512
num_layers = 1
num_dirs = 1

h_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)
c_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (num_layers * num_dirs, B, d_h)

# %% q4
""" # BEGIN PROMPT
lstm = nn.LSTM(
    input_size=None,  # TODO
    hidden_size=None,  # TODO
    num_layers=num_layers,
    bidirectional=num_dirs > 1,
    batch_first=None,  # TODO
)
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
lstm = nn.LSTM(
    input_size=embedding_size,
    hidden_size=hidden_size,
    num_layers=num_layers,
    bidirectional=num_dirs > 1,
    batch_first=False,
)
# END SOLUTION

# %%
grader.check("q4")

# %% [markdown] lang="ko"
# **예상해 보기.** PyTorch는 네 식의 $W_{i\cdot}$를 위아래로 쌓아 `weight_ih_l0` 하나에 둡니다. 이 tensor의 행은 몇 개일까요? 위의 식을 보고 숫자를 적어 보세요.

# %% [markdown] lang="en"
# **Predict, then run.** PyTorch stacks the $W_{i\cdot}$ of the four formulas in one tensor, `weight_ih_l0`. How many rows does it have? Look at the formulas and type a
# number.

# %% aside
guess = None

reveal("gates", guess)

# %% [markdown] lang="ko"
# ### q5. LSTM 실행하기 (15점)
#
# `lstm`에 `batch_emb`와 두 초기 state를 넣고, 결과에 다음 이름을 붙이세요.
#
# - `lstm_states`: 모든 시점의 hidden state
# - `lstm_h_n`: 마지막 hidden state, `(1, B, d_h)`
# - `c_n`: 마지막 cell state, `(1, B, d_h)`
#
# 문서의 *Inputs*와 *Outputs*에서 괄호의 위치를 잘 보세요. state 두 개를 어떻게 묶어서 주고받을까요? `lstm_h_n`과 `c_n`은 shape이
# 같으므로 **순서를 바꾸어 받아도 오류가 나지 않습니다.**
#
# > **분류나 예측에는 $h$와 $c$ 가운데 무엇을 쓰나요?** 보통 $h$를 씁니다. $c$는 LSTM이 다음 시점에 이어 쓰려고 간직하는 기억이고, 밖으로 내보이려고 만든 것이 $h$입니다.

# %% [markdown] lang="en"
# ### q5. Running the LSTM (15 points)
#
# Run `lstm` on `batch_emb` and the two initial states, and name the results
#
# - `lstm_states`: the hidden states at all steps,
# - `lstm_h_n`: the last hidden state, `(1, B, d_h)`,
# - `c_n`: the last cell state, `(1, B, d_h)`.
#
# Mind the brackets under *Inputs* and *Outputs* in the documentation: how do two states travel together? `lstm_h_n` and `c_n` have the
# same shape, so **mixing them up raises no error.**
#
# > **Should predictions be made from $h$ or from $c$?** From $h$, as a rule. $c$ is the memory that an LSTM keeps for its own next step; $h$ is the part
# > that it shows to everything else.

# %% q5
""" # BEGIN PROMPT
lstm_states = None  # TODO
lstm_h_n = None  # TODO
c_n = None  # TODO
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
lstm_states, (lstm_h_n, c_n) = lstm(batch_emb.transpose(0, 1), (h_0, c_0))
# END SOLUTION

# %%
grader.check("q5")

# %% aside
with after("q5"):
    print("lstm_states", tuple(lstm_states.shape))
    print("lstm_h_n   ", tuple(lstm_h_n.shape))
    print("c_n        ", tuple(c_n.shape))

# %% [markdown] lang="ko"
# ## GRU 언어 모델
#
# [nn.GRU](https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html)에는 cell state가 없어서 `nn.RNN`과 똑같이 씁니다. 이번에는 sequence를 읽는 대신
# **만들어** 봅니다. 언어 모델은 지금까지의 단어를 보고 다음 단어를 예측합니다. 예측한 단어를 다시 입력으로 넣으면 다음다음 단어도 예측할 수 있습니다.
#
# `output_layer`는 hidden state를 단어마다 하나씩, 모두 `V`개의 점수(logit)로 바꿉니다. 아직 학습하지 않은 모델이므로 만들어 낸 단어에는 뜻이 없습니다.

# %% [markdown] lang="en"
# ## A GRU language model
#
# [nn.GRU](https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html) has no cell state and is used just like `nn.RNN`. This time you **write** sequences instead of
# reading them. A language model sees the words so far and predicts the next one; feed that word back in, and it predicts the one after that.
#
# `output_layer` turns a hidden state into `V` scores (logits), one for each word. The model is untrained, so the words will make no sense.

# %%
gru = nn.GRU(
    input_size=embedding_size,
    hidden_size=hidden_size,
    num_layers=num_layers,
    bidirectional=num_dirs > 1,
)
output_layer = nn.Linear(hidden_size, vocab_size)

# %% [markdown] lang="ko"
# ### q6. Greedy decoding (20점)
#
# 반복문 안을 채우세요. `input_id`는 각 sequence의 첫 단어에서, `hidden`은 0에서 시작합니다. 시점마다 다음 네 가지를 합니다.
#
# 1. shape이 `(B)`인 `input_id`를 embedding합니다.
# 2. `gru`를 **한 시점만큼만** 실행합니다. 시점이 하나여도 `gru`는 시간 축이 있는 입력을 기대합니다. 축이 둘뿐이면 batch가 아니라
#    sequence 하나로 읽습니다. `gru`에는 `batch_first`를 주지 않았습니다.
# 3. 점수가 가장 큰 단어를 고릅니다(greedy). 다음 시점에 `embedding`이 찾을 것은 가장 큰 **점수**가 아니라 그 점수를 받은 **단어의 id**입니다.
# 4. 고른 단어와 새 state를 **다음 시점에 넘깁니다.** 어느 하나라도 넘기지 않으면 오류 없이 틀린 결과가 나옵니다.
#
# 반복문의 마지막 줄은 그 시점에 **고른** 단어를 `decoded_ids`에 더합니다. 끝나면 `decoded_ids`는 `(max_len, B)`이고 `hidden`은 마지막 시점의 state입니다.
#
# > **왜 한 번에 다 넣지 않나요?** 다음 입력이 방금 고른 단어이기 때문입니다. 정답 sequence를 입력으로 넣는 방식(teacher forcing)은
# > 학습할 때 쓰며, 여기서 하려는 일이 아닙니다.
# >
# > **batch가 1이면 어떻게 되나요?** `squeeze()`는 크기가 1인 축을 모두 없앱니다. 없애려는 축을 지정하세요.

# %% [markdown] lang="en"
# ### q6. Greedy decoding (20 points)
#
# Fill in the loop. `input_id` starts with the first word of every sequence, `hidden` with zeros. Each step has four parts:
#
# 1. embed `input_id`, which has shape `(B)`;
# 2. run `gru` for **one step only**; even then it expects an input with a time axis (an input of two axes is read as one sequence, not as a batch), and it
#    was not given `batch_first`;
# 3. choose the word with the highest score (greedy): what `embedding` looks up at the next step is the **id of the word**, not its score;
# 4. **hand the chosen word and the new state on** to the next step. Forget one of them, and the result is wrong without any error.
#
# The last line of the loop adds the word **chosen** at this step to `decoded_ids`. In the end `decoded_ids` is `(max_len, B)`, and `hidden` is the state
# after the last step.
#
# > **Why not feed everything at once?** Because the next input is the word just chosen. Feeding the true sequence instead (teacher forcing) belongs
# > to training; it is not what we do here.
# >
# > **And with a batch of one?** `squeeze()` removes every axis of size 1. Name the axis that you mean.

# %% q6
input_id = batch[:, 0]  # (B)
hidden = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)  # (1, B, d_h)

decoded_ids = []
for t in range(max_len):
    """ # BEGIN PROMPT
    # ko: 한 시점을 실행하고, 고른 단어는 input_id에, 새 state는 hidden에 둡니다.
    # en: run one step; leave the chosen word in input_id and the new state in hidden
    input_id, hidden = None, None  # TODO
    """  # END PROMPT
    # BEGIN SOLUTION NO PROMPT
    input_emb = embedding(input_id).unsqueeze(0)  # (1, B, d_w)
    output, hidden = gru(input_emb, hidden)  # (1, B, d_h), (1, B, d_h)
    logits = output_layer(output)  # (1, B, V)
    input_id = logits.argmax(dim=-1).squeeze(0)  # (B)
    # END SOLUTION
    decoded_ids.append(input_id)
decoded_ids = torch.stack(decoded_ids)  # (max_len, B)

# %%
grader.check("q6")

# %% [markdown] lang="ko"
# **예상해 보기.** 반복문이 끝난 뒤의 `hidden`을 `output_layer`에 넣으면 다음 단어의 점수가 나옵니다. 그 shape은 무엇일까요? `guess = (…, …, …)`처럼 적어 보세요.

# %% [markdown] lang="en"
# **Predict, then run.** Given the `hidden` that the loop leaves behind, `output_layer` scores the next word. What is the shape of these scores? Write `guess = (…, …, …)`.

# %% aside
guess = None

reveal("scores", guess)
with after("q6"):
    print("input_id   ", tuple(decoded_ids[-1].shape))
    print("hidden     ", tuple(hidden.shape))
    print("decoded_ids", tuple(decoded_ids.shape))

# %% [markdown] lang="ko"
# ## Packing
#
# 지금까지는 빈자리도 단어처럼 읽었습니다. 길이가 5인 sequence의 `h_n`은 진짜 단어 5개를 읽은 뒤 빈자리 15개를 더 읽은 state입니다. 양방향이라면 더 곤란합니다.
# 거꾸로 읽는 쪽은 **빈자리부터** 읽기 시작하기 때문입니다.
#
# > **빈자리는 단어 뒤에 있는데도 결과에 영향을 주나요?** 앞에서부터 읽으면 단어가 있는 시점의 state는 그대로이고 `h_n`만 달라집니다. 양방향이면 거꾸로
# > 읽는 쪽의 모든 시점이 달라집니다.
#
# [pack_padded_sequence](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html)는 길이를 받아 빈자리를 걷어 냅니다. **시점마다**
# 아직 끝나지 않은 sequence만 모읍니다.
#
# **예상해 보기.** batch의 칸은 모두 `10 * 20 = 200`개입니다. 빈자리를 걷어 내면 몇 칸이 남을까요? 번호를 적어 보세요.
#
# 1. 200: 칸의 수는 그대로이다.
# 2. 123: 모든 길이의 합이다.
# 3. 20: 가장 긴 길이이다.

# %% [markdown] lang="en"
# ## Packing
#
# So far, padding was read like words. The `h_n` of a sequence of length 5 is the state after five real words and then fifteen empty places. With two
# directions it gets worse: the one that reads backwards **starts** in the padding.
#
# > **Padding comes after the words: does it matter at all?** Reading forwards, the states at the words stay as they are, and only `h_n` changes. In the
# > direction that reads backwards, every state changes.
#
# [pack_padded_sequence](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html) takes the lengths and removes the padding. It goes **step by step** and keeps, for
# each step, the sequences that are still running.
#
# **Predict, then run.** The batch has `10 * 20 = 200` cells. How many are left once the padding is gone? Type the number of the answer.
#
# 1. 200: as many as before
# 2. 123: all lengths added up
# 3. 20: the longest length

# %% aside
guess = None

reveal("cells", guess)
display(draw_packing("시점마다 아직 끝나지 않은 sequence만 계산합니다", batch.tolist(), batch_lens.tolist()))  # ko
display(draw_packing("Each step computes only the sequences still running", batch.tolist(), batch_lens.tolist()))  # en

# %% [markdown] lang="ko"
# 주황 테두리의 세로줄을 왼쪽부터 이어 붙인 것이 `PackedSequence`의 `data`이고, 아래에 적힌 개수가 `batch_sizes`입니다. 그래서 `data`의 행 수는
# **모든 길이의 합**입니다. 그림 맨 아래의 두 수는 계산할 칸의 수로, 앞은 padding한 그대로일 때, 뒤는 packing했을 때입니다.
#
# > **왜 정렬하나요?** 정렬되어 있으면 시점마다 남은 sequence가 위에서부터 빈틈없이 이어집니다. 위의 몇 행만 쓰면 되므로 계산이 간단해집니다.
# >
# > **`data`는 sequence 순서대로 이어져 있나요?** 아닙니다. 모든 sequence의 첫 단어가 먼저 오고, 그다음에 둘째 단어들이 이어집니다.
# >
# > **packing은 값이 `pad_id`인 자리를 찾아서 지우나요?** 아닙니다. 값은 보지 않고 **길이만** 믿습니다. 길이가 다른 행의 것이면 엉뚱한 자리가 잘립니다.
#
# ## 양방향, 여러 layer
#
# 양방향 RNN에는 거꾸로 읽는 RNN이 하나 더 있습니다. 앞에서부터 읽는 쪽을 **정방향**(forward), 거꾸로 읽는 쪽을 **역방향**(backward)이라고 합니다.
# 두 RNN은 weight를 공유하지 않습니다. 아래 셀은 작은 양방향 GRU 하나를 **GRU 두 개와 `flip`으로** 다시 만들어 같은 값이 나오는지 확인합니다.

# %% [markdown] lang="en"
# The columns outlined in orange, joined from left to right, are the `data` of a `PackedSequence`; the counts below are its `batch_sizes`. So `data` has as
# many rows as **all lengths add up to**. The two numbers at the bottom count the cells to compute: padded, then packed.
#
# > **Why sort?** In sorted order the sequences still running at a step are the upper rows, without gaps: taking the first few is enough.
# >
# > **Is `data` sequence after sequence?** No: first come the first words of all sequences, then all second words, and so on.
# >
# > **Does packing look for `pad_id`?** No. It never looks at the values and trusts **the lengths alone**. With the lengths of other rows it cuts in
# > the wrong places.
#
# ## Two directions, several layers
#
# A bidirectional RNN has a second RNN that reads backwards, with weights of its own. The next cell rebuilds a small bidirectional GRU **from two GRUs and
# `flip`** and compares.

# %% aside
small_gru = nn.GRU(3, 4, bidirectional=True)
forward_gru, backward_gru = nn.GRU(3, 4), nn.GRU(3, 4)
forward_gru.load_state_dict({name: value for name, value in small_gru.state_dict().items() if "reverse" not in name})
backward_gru.load_state_dict(
    {name.removesuffix("_reverse"): value for name, value in small_gru.state_dict().items() if "reverse" in name}
)

steps = torch.randn(6, 1, 3)  # (L, B, d_w)
# ko: 뒤집어 읽은 뒤, 결과를 제자리로 되돌립니다.
# en: read in reverse order, then put the results back in place
there, back = forward_gru(steps)[0], backward_gru(steps.flip(0))[0].flip(0)  # (L, B, d_h), (L, B, d_h)
rebuilt = torch.cat([there, back], dim=-1)  # (L, B, 2 * d_h)
print("같은 값:", torch.allclose(small_gru(steps)[0], rebuilt, atol=1e-5))  # ko
print("same values:", torch.allclose(small_gru(steps)[0], rebuilt, atol=1e-5))  # en

# %% [markdown] lang="ko"
# 두 방향의 결과는 **더하지 않고 마지막 축을 따라 이어 붙입니다.** 그래서 출력의 크기가 `num_dirs * d_h`입니다.
#
# > **역방향의 마지막 state는 출력의 어느 쪽 끝에 있나요?** 앞쪽 끝입니다. 마지막 단어에서 출발해 첫 단어에서 끝나므로, 전체를 다 읽은 state는 `t = 0`에
# > 놓입니다. 반대로 정방향은 마지막 단어의 자리에서 끝납니다. 그래서 출력의 **한 시점에서 두 방향의 마지막 state를 함께 꺼낼 수 없습니다.**
# > `h_n`은 방향마다 알맞은 끝을 골라 줍니다.
# >
# > **두 방향은 따로 학습하나요?** 아닙니다. 이어 붙인 출력에서 loss 하나를 구하므로, 두 방향의 weight가 함께 학습됩니다.
#
# layer를 쌓으면 위 layer는 바로 아래 layer의 출력을 시점마다 입력으로 받습니다. 양방향이면 이어 붙인 출력을 받습니다. `dropout`은 학습할 때 layer와 layer 사이를
# 지나는 값의 일부를 무작위로 0으로 만듭니다. 그래서 아래 `bi_gru`의 결과는 실행할 때마다 조금씩 다릅니다. 채점할 때는 dropout을 꺼 둡니다.

# %% [markdown] lang="en"
# The two directions are **not added but joined along the last axis**, hence the size `num_dirs * d_h`.
#
# > **At which end of the output does the backward direction finish?** At the front. It sets out from the last word and arrives at the first, so the state that
# > has seen everything sits at `t = 0`; the forward direction finishes at the last word. **No single step of the output holds the final states of both.** `h_n`
# > takes each direction at its own end.
# >
# > **Are the two directions trained separately?** No. One loss is computed from the joined output, and both sets of weights learn from it.
#
# In a stack, each layer reads at every step what the layer below it gives out; with two directions, that is the joined output. During training, `dropout` sets some
# of the values between layers to zero at random. So what `bi_gru` returns differs a little from run to run; while grading it is switched off.

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

# %% [markdown] lang="ko"
# ### q7. Packing하여 양방향 GRU 실행하기 (10점)
#
# `batch_emb`를 pack하여 `bi_gru`에 넣고, 나온 결과를 다시 펼치세요.
#
# - `packed_batch`: `bi_gru`에 넣을 `PackedSequence`
# - `bi_h_n`: 마지막 hidden state, `(num_layers * num_dirs, B, d_h)`
# - `outputs`: 펼친 출력, `(L, B, num_dirs * d_h)`. `batch_first=True`로 펼쳤다면 `(B, L, num_dirs * d_h)`입니다.
# - `output_lens`: 펼칠 때 함께 나오는 길이, `(B)`
#
# [`pad_packed_sequence`의 문서](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html)도 읽어 보세요. pack하는 함수와 펼치는 함수는 축의 순서를 **각각**
# 인자로 받으며, 서로의 설정도 `bi_gru`의 설정도 알지 못합니다.
#
# > **`outputs`의 마지막 시점이 `bi_h_n`인가요?** 아닙니다. packing하면 `outputs`에서 짧은 sequence가 끝난 뒤의 자리는 0이고, 마지막 state가 놓인 자리는
# > sequence마다 다릅니다. 반면 `bi_h_n`에는 sequence마다 **자기 길이에 맞는 끝**에서 얻은 state가 들어 있습니다.
# >
# > **`outputs`에 `nn.Linear`를 쓰려면 다시 pack해야 하나요?** 아닙니다. `nn.Linear`는 자리마다 따로 계산하므로 빈자리가 다른 자리의 값을 바꾸지 않습니다.
# > loss를 구할 때 빈자리를 빼기만 하면 됩니다.

# %% [markdown] lang="en"
# ### q7. Packing for a bidirectional GRU (10 points)
#
# Pack `batch_emb`, run `bi_gru` on it, and unpack what comes out.
#
# - `packed_batch`: the `PackedSequence` that goes into `bi_gru`
# - `bi_h_n`: the last hidden states, `(num_layers * num_dirs, B, d_h)`
# - `outputs`: the unpacked outputs, `(L, B, num_dirs * d_h)`, or `(B, L, num_dirs * d_h)` when unpacked with `batch_first=True`
# - `output_lens`: the lengths that unpacking returns as well, `(B)`
#
# See also [pad_packed_sequence](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html). Packing and unpacking **each** are told an order of axes; neither knows what the
# other, or `bi_gru`, was told.
#
# > **Is the last step of `outputs` the same as `bi_h_n`?** No. After packing, `outputs` is zero past the end of a shorter sequence, so the last state sits in a different place in every
# > row. `bi_h_n`, however, gives for each sequence the states at **its own ends**.
# >
# > **Must `outputs` be packed again for an `nn.Linear`?** No. It treats every position by itself, so padding cannot spill over into other positions. Just leave the
# > padding out of the loss.

# %% q7
""" # BEGIN PROMPT
packed_batch = None  # TODO
bi_h_n = None  # TODO
outputs = None  # TODO
output_lens = None  # TODO
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
packed_batch = pack_padded_sequence(batch_emb.transpose(0, 1), batch_lens)
packed_outputs, bi_h_n = bi_gru(packed_batch, h_0)
outputs, output_lens = pad_packed_sequence(packed_outputs)  # (L, B, num_dirs * d_h), (B)
# END SOLUTION

# %%
grader.check("q7")

# %% [markdown] lang="ko"
# **예상해 보기.** layer가 2개가 아니라 3개라면 `bi_h_n`의 첫 축은 얼마가 될까요? 숫자를 적어 보세요.

# %% [markdown] lang="en"
# **Predict, then run.** With three layers instead of two, how large would the first axis of `bi_h_n` be? Type a number.

# %% aside
guess = None

reveal("states", guess)
with after("q7"):
    print("packed_batch.data       ", tuple(packed_batch.data.shape))
    print("packed_batch.batch_sizes", packed_batch.batch_sizes.tolist())
    print("bi_h_n                  ", tuple(bi_h_n.shape))
    print("outputs                 ", tuple(outputs.shape))
    print("output_lens             ", output_lens.tolist())

# %% [markdown] lang="ko"
# ### q8. `h_n` 나누기 (10점)
#
# `bi_h_n`의 첫 축에는 layer와 방향이 한 줄로 늘어서 있습니다. 이것을 두 축으로 나누세요.
#
# - `h_n_by_layer`: `(num_layers, num_dirs, B, d_h)`
# - `last_forward`: **맨 위 layer**의 정방향 마지막 state, `(B, d_h)`
# - `last_backward`: **맨 위 layer**의 역방향 마지막 state, `(B, d_h)`
#
# 한 줄로 늘어선 순서는 다음과 같습니다.

# %% [markdown] lang="en"
# ### q8. Taking `h_n` apart (10 points)
#
# The first axis of `bi_h_n` lists layers and directions in a single line. Split it into two axes.
#
# - `h_n_by_layer`: `(num_layers, num_dirs, B, d_h)`
# - `last_forward`: the **top layer's** final state in the forward direction, `(B, d_h)`
# - `last_backward`: the **top layer's** final state in the backward direction, `(B, d_h)`
#
# This is the order of the line:

# %% aside
display(draw_blocks("bi_h_n: layer와 방향의 순서", num_layers, num_dirs, batch.shape[0], hidden_size))  # ko
display(draw_blocks("bi_h_n: the order of layers and directions", num_layers, num_dirs, batch.shape[0], hidden_size))  # en

# %% [markdown] lang="ko"
# 맨 아래 layer부터 차례로, 한 layer 안에서는 정방향, 역방향의 순서로 놓입니다. 블록 하나가 `(B, d_h)`입니다. layer의 수가 바뀌어도 성립하는 방법으로 **맨 위 layer**를 고르세요. 또 layer가 2개이고 방향도 2개이면 두 축의 순서를
# 잘못 정해도 shape이 같습니다. layer가 3개라면 어떻게 되는지 생각해 보세요.

# %% [markdown] lang="en"
# It starts with the bottom layer; within a layer, forward comes before backward. Each block is `(B, d_h)`. Pick **the top layer** in a way that stays right when the number of layers changes. And beware: with two layers and two directions,
# the two axes can be taken in the wrong order without any change of shape. What would happen with three layers?

# %% q8
""" # BEGIN PROMPT
h_n_by_layer = None  # TODO
last_forward = None  # TODO
last_backward = None  # TODO
"""  # END PROMPT
# BEGIN SOLUTION NO PROMPT
h_n_by_layer = bi_h_n.view(num_layers, num_dirs, batch.shape[0], hidden_size)
last_forward = h_n_by_layer[-1, 0]  # (B, d_h)
last_backward = h_n_by_layer[-1, 1]  # (B, d_h)
# END SOLUTION

# %%
grader.check("q8")

# %% [markdown] lang="ko"
# ## 마무리
#
# 지금까지 만든 tensor의 shape입니다. 축마다 `B`, `L`, `d_h` 가운데 무엇인지 말할 수 있다면 이 과제의 목표를 이룬 것입니다. 아직 풀지 않은 문제의 자리에는 `()`가 보입니다.

# %% [markdown] lang="en"
# ## Looking back
#
# Here are the shapes of everything you have made. If you can name each axis, `B`, `L`, `d_h` and so on, you have reached the goal. Where a question is still open, you
# see `()`.

# %% aside
results = "batch batch_emb hidden_states h_n lstm_states lstm_h_n c_n decoded_ids hidden"
results += " bi_h_n outputs output_lens h_n_by_layer last_forward last_backward"
for name in results.split():
    print(f"{name:<14}", tuple(getattr(globals().get(name), "shape", ())))

# %% [markdown] lang="ko"
# ## 확인하고 제출하기
#
# 1. kernel을 다시 시작하고 처음부터 끝까지 실행해 보세요(**Restart & Run All**). 셀을 실행한 순서 덕분에 우연히 통과한 답이 여기서 드러납니다.
# 2. 아래 셀로 모든 문제를 한 번에 확인해 보세요.

# %% [markdown] lang="en"
# ## Check and hand in
#
# 1. Restart the kernel and run everything (**Restart & Run All**), so that nothing passes only because of the order in which you happened to run the cells.
# 2. The next cell checks all questions at once.

# %%
grader.check_all()

# %% [markdown] lang="ko"
# 3. **저장한 뒤** 이 노트북 파일(`.ipynb`)을 제출하세요. 수업에서 zip을 요구하면 아래 셀로 만들 수 있습니다. Colab에서는 이 셀 대신
#    **파일 → 다운로드 → .ipynb 다운로드**를 쓰세요. 폴더에 노트북이 여러 개라면 `grader.export("rnn.ipynb", pdf=False)`처럼 파일 이름을 적어 주세요.

# %% [markdown] lang="en"
# 3. **Save**, then hand in this notebook (`.ipynb`). If your course asks for a zip, the next cell makes one. On Colab use **File → Download →
#    Download .ipynb** instead. With several notebooks in the folder, name yours: `grader.export("rnn.ipynb", pdf=False)`.

# %%
grader.export(pdf=False, display_link=False)
print("이 노트북이 있는 폴더에 zip 파일을 만들었습니다.")  # ko
print("The zip is in the folder of this notebook.")  # en
