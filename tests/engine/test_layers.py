"""Layers: a wrong one is put right wherever it is held, and numbers that a student gives a right one cost nothing."""

from __future__ import annotations

import pytest

from .submissions import after, lost_by, solved

WRONG = "nn.RNN(vocab_size, hidden_size, num_layers)"
FORWARD = "hidden_states, h_n = {}(batch_emb.transpose(0, 1), h_0)"

HOLDERS = {
    "another name": ("rnn = other = {}", "other"),
    "dict": ("parts = {{'rnn': {}}}\nrnn = parts['rnn']", "parts['rnn']"),
    "list": ("parts = [1, ({},)]\nrnn = parts[1][0]", "parts[1][0]"),
    "namespace": ("import types\nmodel = types.SimpleNamespace(rnn={})\nrnn = model.rnn", "model.rnn"),
    "module": ("model = nn.Module()\nmodel.rnn = rnn = {}", "model.rnn"),
    "module list": ("model = nn.ModuleList([{}])\nrnn = model[0]", "model[0]"),
    "class": ("class Model:\n    rnn = {}\nrnn = Model.rnn", "Model().rnn"),
    "closure": ("def make(layer):\n    return lambda *args: layer(*args)\nrnn = {}\nrun = make(rnn)", "run"),
    "default": ("rnn = {}\ndef run(*args, layer=rnn):\n    return layer(*args)", "run"),
    "partial": ("import functools\nrnn = {}\nrun = functools.partial(rnn.forward)", "run"),
    "bound method": ("rnn = {}\nrun = rnn.forward", "run"),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_wrong_layer_is_put_right_wherever_it_is_held(holder, lost):
    """The next question reads it from there and loses nothing."""
    q2, held = HOLDERS[holder]
    assert lost(solved(q2=q2.format(WRONG), q3=FORWARD.format(held))) == {"q2"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"q1": "emb = embedding = nn.Embedding(100, 256)\nbatch_emb = emb(batch)"}, {"q1"}),
        ({"q3": "hidden_states = h_n = batch_emb"}, {"q3"}),
        ({"q3": "hidden_states, h_n = batch, h_0"}, {"q3"}),
        ({"q5": "lstm_states = lstm_h_n = c_n = h_0"}, {"q5"}),
        ({"q5": "lstm_states, lstm_h_n, c_n = hidden_states, h_n, h_n"}, {"q5"}),
        ({"q6": "decoded_ids, hidden = batch, h_n"}, {"q6"}),
        ({"q4": "lstm = rnn"}, {"q4"}),
        ({"q8": "h_n_by_layer = last_forward = last_backward = bi_h_n"}, {"q8"}),
        (
            {
                "q7": "packed_batch, outputs, output_lens = None, batch_emb, batch_lens\nbi_h_n = h_0",
                "q8": "h_n_by_layer = bi_h_n.view(num_layers, num_dirs, *bi_h_n.shape[1:])\n"
                "last_forward, last_backward = h_n_by_layer[-1]",
            },
            {"q7"},
        ),
    ],
)
def test_two_names_of_one_object_are_kept_apart(answers, expected, lost):
    """Putting a wrong name right changes no given or graded name that holds the same object."""
    assert lost(solved(**answers)) == expected


@pytest.mark.parametrize(
    "change",
    ["dtype=torch.float64)", ").double()", ").to(torch.bfloat16)", ").half()", 'device="meta")'],
)
@pytest.mark.parametrize(("question", "layer"), [("q2", "rnn = nn.RNN"), ("q4", "lstm = nn.LSTM")])
def test_layer_of_another_dtype_or_device_is_wrong_in_its_own_question_only(question, layer, change, lost):
    """It costs the question that runs it nothing."""
    comma = "" if change.startswith(")") else ", "
    assert lost(solved(**{question: f"{layer}(embedding_size, hidden_size{comma}{change}"})) == {question}


NUMBERS = [
    "embedding.weight.data.mul_(0.1)",
    "embedding.weight.data = torch.randn(vocab_size, embedding_size)",
    "embedding.weight.data[:] = 0.5",
    "with torch.no_grad(): embedding.weight.copy_(torch.ones_like(embedding.weight))",
    "embedding.weight = nn.Parameter(torch.randn(vocab_size, embedding_size))",
    "embedding.load_state_dict({'weight': torch.randn(vocab_size, embedding_size)})",
    "nn.init.xavier_uniform_(embedding.weight)",
    "embedding.weight.data.uniform_(-0.1, 0.1)",
    "embedding.apply(lambda layer: nn.init.normal_(layer.weight, std=0.02))",
    "embedding.reset_parameters()",
    "embedding.weight.requires_grad_(False)",
]


@pytest.mark.parametrize("numbers", NUMBERS)
def test_any_initialisation_earns_all(numbers, lost):
    """Layers have the numbers that they are compared by, however a student has filled them."""
    q1 = f"embedding = nn.Embedding(vocab_size, embedding_size)\n{numbers}\nbatch_emb = embedding(batch)"
    assert lost(solved(q1=q1)) == set()


TRAINING = """
def train(layers, steps=2):
    optimizer = torch.optim.SGD([p for layer in layers for p in layer.parameters()], lr=0.5)
    for _ in range(steps):
        loss = layers[1](layers[0](batch).transpose(0, 1))[0].pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize("compiled", ["compile(table)", "jit.script(table)", "jit.trace(table, batch)"])
def test_compiled_layer_is_that_layer(compiled, lost):
    """Nothing is compiled, so that it takes no time and has the layer's class."""
    table = "table = nn.Embedding(vocab_size, embedding_size)"
    assert lost(solved(q1=f"{table}\nembedding = torch.{compiled}\nbatch_emb = embedding(batch)")) == set()


def test_training_in_a_helper_of_another_cell_costs_no_later_question(lost):
    """Layers are what they were as the next statement begins."""
    assert lost(after("q3", TRAINING, "train([embedding, rnn])\nembedding.weight.data[1] = 7.0")) == set()


def test_copy_of_a_layer_that_belongs_to_an_answer_stays(lost):
    """Parameters of one layer given to another are an answer's own: here the two LSTMs are one."""
    q5 = """
own = nn.LSTM(embedding_size, hidden_size, batch_first=True)
own.load_state_dict(lstm.state_dict())
lstm_states, (lstm_h_n, c_n) = own(batch_emb)
"""
    assert lost(solved(q5=q5)) == set()


def test_vectors_of_ones_own_are_wrong(grade):
    """`from_pretrained` on made-up vectors is no initialisation but another layer: its answer loses points."""
    q1 = (
        "embedding = nn.Embedding.from_pretrained(torch.ones(vocab_size, embedding_size))\nbatch_emb = embedding(batch)"
    )
    assert lost_by(grade(solved(q1=q1))) == {"q1"}
