"""The machine that students had: what their notebooks do besides answering costs nothing."""

from __future__ import annotations

import pytest

from autograder.course import corpus

from .submissions import after, lost_by, notebook, solution, solved

LOOP = corpus.answer("q6")
CUDA = [
    ("nn.Embedding(vocab_size, embedding_size)", "nn.Embedding(vocab_size, embedding_size).cuda()"),
    ("embedding(batch)", "embedding(batch.cuda()).to('cuda:0')"),
    ("batch_first=False,\n)", "batch_first=False,\n).to(torch.device('cuda'))"),
    ("torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)", "torch.zeros(num_layers * num_dirs, "
     "batch.shape[0], hidden_size, device='cuda')"),
]  # fmt: skip


@pytest.mark.parametrize("device", ["cuda", "mps", "xpu"])
def test_unguarded_device_means_the_cpu(device, lost):
    """Everywhere, given cells included."""
    cells = solution()
    for old, new in CUDA:
        if ".cuda()" in new and device == "mps":  # tensors have no method of that name
            continue
        cells = [cell.replace(old, new.replace("cuda", device)) for cell in cells]
    assert lost(notebook(cells)) == set()


BESIDE = {
    "tqdm.notebook": LOOP.replace("range(max_len)", "tqdm(range(max_len))").replace(
        "decoded_ids = []", "from tqdm.notebook import tqdm\ndecoded_ids = []"
    ),
    "tqdm.auto": LOOP.replace("range(max_len)", "trange(max_len, desc='decoding')").replace(
        "decoded_ids = []", "from tqdm.auto import trange\ndecoded_ids = []"
    ),
    "tqdm_notebook": LOOP.replace("range(max_len)", "progress(range(max_len))").replace(
        "decoded_ids = []", "from tqdm import tqdm_notebook as progress\ndecoded_ids = []"
    ),
    "wandb": "import wandb\nrun = wandb.init(project='x', config={'lr': 1})\n"
    + LOOP.replace("    decoded_ids.append", "    wandb.log({'step': t, 'best': wandb.Image(3)})\n    decoded_ids.append"),  # noqa: E501
    "TensorBoard": "from torch.utils.tensorboard import SummaryWriter\nwriter = SummaryWriter('runs')\n"
    + LOOP.replace("    decoded_ids.append", "    writer.add_scalar('x', 1.0, t)\n    decoded_ids.append"),
    "icecream": "from icecream import ic\n" + LOOP.replace("input_id = logits.argmax(dim=-1).squeeze(0)", ""
    "input_id = ic(logits.argmax(dim=-1)).squeeze(0)"),
    "matplotlib": "import matplotlib.pyplot as plt\nfigure, (left, right) = plt.subplots(1, 2)\n"
    "left.imshow(batch), plt.show()\nfor axis in (left, right): axis.set_title('x')\n" + LOOP,
    "plotly": "import plotly.graph_objects as go\nfig = go.Figure(data=[go.Bar(y=[1])])\nfig.show()\n" + LOOP,
    "seaborn": "import seaborn as sns\nsns.set_theme(style='whitegrid')\nax = sns.heatmap(batch)\n" + LOOP,
    "torchinfo": "from torchinfo import summary\nprint(summary(gru, input_size=(1, 2, 3)))\n" + LOOP,
    "assert on a released size": "assert batch.shape == (10, 20) and vocab_size == 100\n" + LOOP,
    "assert in a function": "def checked(x):\n    assert x.shape == (1, 10, 256), x.shape\n    return x\n"
    + LOOP.replace("embedding(input_id).unsqueeze(0)", "checked(embedding(input_id).unsqueeze(0))"),
    "top-level await": "import asyncio\nasync def loop():\n    await asyncio.sleep(0)\n    return 1\nx = await loop()\n"
    + LOOP,
    "awaited answer": "async def decode():\n    tokens, state, token = [], hidden, input_id\n"
    "    for t in range(max_len):\n        _, state = gru(embedding(token).unsqueeze(0), state)\n"
    "        token = output_layer(state[0]).argmax(-1)\n        tokens.append(token)\n"
    "    return torch.stack(tokens), state\n" + LOOP.split("decoded_ids")[0] + "decoded_ids, hidden = await decode()",
    "tasks and threads, awaited later": "import asyncio\nasync def times(x):\n"
    "    return await asyncio.to_thread(int, x)\n"
    "tasks = [asyncio.create_task(times(1)), asyncio.ensure_future(times(1))]\n"
    "a, b = await asyncio.gather(*tasks)\n" + LOOP.replace("range(max_len)", "range(max_len * a * b)"),
    "x = %time f()": LOOP.replace("decoded_ids = torch.stack", "decoded_ids = %time torch.stack"),
    "%%time": "%%time\n" + LOOP,
    "result = %timeit -o f()": "result = %timeit -o -n 1 -r 1 gru(batch_emb.transpose(0, 1))\n"
    "print(result.average)\n" + LOOP,
    "%time in a loop": LOOP.replace("    output, hidden = gru", "    %time output, hidden = gru").replace(
        "    logits = output_layer", "    logits = %time output_layer"
    ),
    "%time in a function": "def once(x):\n    %time y = x\n    return x\n"
    + LOOP.replace("embedding(input_id)", "once(embedding(input_id))"),
    "%%memit": "%%memit\n" + LOOP,
    "the last value": LOOP.split("decoded_ids = torch.stack")[0] + "\ntorch.stack(decoded_ids)\ndecoded_ids = _",
    "display": "handle = display('x', display_id=True)\nhandle.update('y')\nfrom IPython.display import clear_output\n"
    "clear_output(wait=True)\n" + LOOP,
    "files copied, renamed and listed": "import os, shutil\n"
    + LOOP.replace(
        "    decoded_ids",
        "    torch.save(hidden, 'new')\n    shutil.copy('new', 'out/new')\n    os.replace('out/new', 'out/last')\n"
        "    (name,) = os.listdir('out')\n    hidden = torch.load('out/' + name)\n    decoded_ids",
    ),
    "links in a path": "import os, sys\n"
    + LOOP.replace("    decoded_ids", "    os.path.realpath(sys.executable)\n    decoded_ids"),
    "magics and shell": "%matplotlib inline\n!pip install torch\n%load_ext autoreload\n%autoreload 2\n"
    "files = !ls\n%config InlineBackend.figure_format = 'retina'\n" + LOOP,
    "a file written and read": "with open('/content/ids.txt', 'w') as file:\n    print(3, file=file)\n"
    "with open('/content/ids.txt') as file:\n    assert int(file.read()) == 3\n" + LOOP,
    "a folder and a checkpoint": "import os\nos.makedirs('out', exist_ok=True)\ntorch.save(gru.state_dict(), 'out/gru.pt')\n"  # noqa: E501
    "gru.load_state_dict(torch.load('out/gru.pt'))\n" + LOOP,
    "folders and files made, looked at and removed": "import os\nfrom pathlib import Path\n"
    + LOOP.replace("    decoded_ids.append", "    os.makedirs('out', exist_ok=True)\n"
    "    Path('logs').mkdir(exist_ok=True)\n    Path('out/a.txt').write_text('x')\n"
    "    while os.path.exists('out/a.txt') and os.path.getsize('out/a.txt') == 1:\n"
    "        os.remove('out/a.txt')\n    decoded_ids.append"),
    "pathlib": "from pathlib import Path\nPath('notes.txt').write_text('x')\nnotes = Path('notes.txt').read_text()\n"
    + LOOP.replace("range(max_len)", "range(max_len * len(notes))"),
    "tempfile": "import tempfile\nwith tempfile.NamedTemporaryFile('w', suffix='.txt') as file:\n    file.write('x')\n"
    "with tempfile.TemporaryDirectory() as folder:\n    open(folder + '/a', 'w').close()\n" + LOOP,
    "logging": "import logging\nlogging.basicConfig(filename='run.log', level=logging.INFO)\nlogging.info('x')\n" + LOOP,  # noqa: E501
    "DataLoader with workers": "from torch.utils.data import DataLoader, TensorDataset\n"
    "loader = DataLoader(TensorDataset(batch), batch_size=len(batch), num_workers=2, persistent_workers=True)\n"
    + LOOP.replace("input_id = batch[:, 0]", "input_id = next(iter(loader))[0][:, 0]"),
    "warnings and seeds": "import warnings, random, numpy as np\nwarnings.filterwarnings('ignore')\n"
    "torch.manual_seed(1), random.seed(1), np.random.seed(1)\ntorch.use_deterministic_algorithms(True)\n" + LOOP,
    "time and sleep": "import time\nstart = time.time()\ntime.sleep(3600)\n" + LOOP,
    "waiting by the clock": "import time\n"
    + LOOP.replace("    decoded_ids.append", "    end = time.time() + 60\n    while time.time() < end:\n"
    "        time.sleep(1)\n    decoded_ids.append"),
    "questions and breakpoints that nobody answers": "import pdb\n"
    + LOOP.replace("    decoded_ids.append", "    input('go on? ')\n    breakpoint(), pdb.set_trace()\n"
    "    decoded_ids.append"),
    "memory of the device": "if torch.cuda.is_available(): torch.cuda.empty_cache()\ntorch.cuda.synchronize()\n" + LOOP,
    "memory of any device, in the loop": LOOP.replace("    decoded_ids.append", "    torch.cuda.ipc_collect()\n"
    "    torch.mps.synchronize(), torch.xpu.empty_cache(), torch.mps.current_allocated_memory()\n"
    "    decoded_ids.append"),
    "tensor types of the device": LOOP.replace("input_id = batch[:, 0]", "input_id = batch[:, 0].type("
    "torch.cuda.LongTensor).type('torch.cuda.LongTensor')"),
    "a class that derives from a stand-in": "import pandas as pd\nclass Table(pd.DataFrame):\n    rows = 3\n"
    "print(Table(batch).rows)\nwith torch.profiler.profile() as profile:\n    pass\n" + LOOP,
    "a table of functions' values": "import pandas as pd\ndef length(row):\n    return len(row)\n"
    "rows = pd.Series(batch.tolist())\n"
    + LOOP.replace("    decoded_ids.append", "    rows.apply(length).mean(), rows.map(lambda row: row[0]).max()\n"
    "    decoded_ids.append"),
    "a folder called as a module": "import os\nos.makedirs('out/wave')\nopen('out/wave/a.txt', 'w').close()\n"
    + LOOP.replace("    decoded_ids.append", "    import wave\n    wave.Error\n    decoded_ids.append"),
    "measured and reckoned with": "import wandb\n"
    "start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))\n"
    "total = 0\nwith torch.cuda.device(0), torch.cuda.stream(torch.cuda.Stream()):\n"
    + "".join(f"    {line}\n" for line in LOOP.replace("    decoded_ids.append", "    start.record()\n"
    "    total += start.elapsed_time(end) / 1000\n    print(f'{total:.3f} s', float(wandb.run.step) > 1, total < 3)\n"
    "    decoded_ids.append").splitlines()),
    "measured and checked by a decorator": "from memory_profiler import profile\nfrom beartype import beartype\n"
    "@profile\n@beartype\ndef once(x: torch.Tensor) -> torch.Tensor:\n    return x\n"
    + LOOP.replace("embedding(input_id)", "once(embedding(input_id))"),
    "logged and tabulated": "from loguru import logger\nimport pandas as pd, pynvml\nlog = pd.DataFrame()\n"
    + LOOP.replace("    decoded_ids.append", "    log.loc[len(log)] = [t]\n"
    "    logger.info(pynvml.nvmlDeviceGetMemoryInfo(0).used // 2**20)\n    decoded_ids.append"),
    "the shell asked for": "from IPython import get_ipython\n"
    + LOOP.replace("    decoded_ids.append", "    get_ipython().run_line_magic('ls', '')\n    decoded_ids.append"),
    "an event loop of one's own": "import asyncio, nest_asyncio\nnest_asyncio.apply()\nasync def pause():\n"
    "    await asyncio.sleep(0)\n    return max_len\nsteps = asyncio.run(pause())\n"
    "loop = asyncio.new_event_loop()\nsteps = loop.run_until_complete(pause())\n"
    + LOOP.replace("range(max_len)", "range(steps)"),
    "training": "import torch._dynamo\ntorch._dynamo.config.suppress_errors = True\n"
    "optimizer = torch.optim.Adam(gru.parameters())\ngru(embedding(batch).transpose(0, 1))[0].sum().backward()\n"
    "optimizer.step()\n" + LOOP,
    "layers that find their sizes": "probe, head = nn.LazyLinear(2), nn.LazyLinear(2)\nhead(batch_emb)\n"
    + LOOP.replace("range(max_len)", "range(max_len * head.out_features // 2)"),
    "einops": "from einops import rearrange\n"
    + LOOP.replace("embedding(input_id).unsqueeze(0)", "rearrange(embedding(input_id), 'b d -> 1 b d')"),
}  # fmt: skip


@pytest.mark.parametrize("beside", BESIDE)
def test_what_stands_beside_an_answer_costs_nothing(beside, lost):
    """Devices, progress bars, logs, files, magics: the answer around them is right."""
    assert lost(solved(q6=BESIDE[beside])) == set()


HELPER = """
def decode(first, state, steps):
    tokens = []
    for _ in range(steps):
        _, state = gru(embedding(first).unsqueeze(0), state)
        first = output_layer(state[0]).argmax(-1)
        tokens.append(first)
    return tokens, state
"""
ANSWER = (
    LOOP.split("decoded_ids = []")[0]
    + "tokens, hidden = {}(input_id, hidden, max_len)\ndecoded_ids = torch.stack(tokens)"
)


@pytest.mark.parametrize(
    "cells",
    [
        ("%%writefile helpers.py\ndef times(x):\n    return x", "import helpers", "once = helpers.times"),
        ("%%writefile lib/helpers.py\ndef times(x):\n    return x", "from lib import helpers\nonce = helpers.times"),
        ("%%writefile /content/helpers.py\ndef times(x):\n    return x", "from helpers import times as once"),
        ("%%writefile helpers.py\ndef times(x):\n    return x", "%run helpers.py\nonce = times"),
        ("with open('helpers.py', 'w') as file:\n    file.write('def times(x): return x')", "from helpers import times as once"),  # noqa: E501
    ],
    ids=["imported", "imported from a folder", "written to where the notebook works", "run", "written by hand"],
)  # fmt: skip
def test_module_that_the_notebook_wrote_can_be_used(cells, lost):
    """Answers may rely on it."""
    q6 = LOOP.replace("embedding(input_id)", "once(embedding(input_id))")
    assert lost(after("q5", *cells, q6=q6)) == set()


def test_run_file_sees_and_binds_the_notebooks_names(lost):
    """As with `%run -i`."""
    assert (
        lost(after("q5", f"%%writefile decode.py\n{HELPER}", "%run -i decode.py", q6=ANSWER.format("decode"))) == set()
    )


def test_numerical_module_that_is_not_installed_is_missing_whatever_is_installed_beside(grade):
    """Answers that compute with one fail everywhere alike, and it is told which module is missing."""
    loop = LOOP.replace("output_layer(output)", "scipy.special.softmax(output_layer(output), -1)")
    result = grade(solved(q6=f"import scipy.special\n{loop}"))
    assert lost_by(result) == {"q6"}
    error = result.questions[5].example.error
    assert (error.kind, "scipy" in error.message) == ("ModuleNotFoundError", True)
