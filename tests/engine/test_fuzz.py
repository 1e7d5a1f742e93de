"""Everything that parses what students or children send, on input that nobody would send by accident.

`FUZZ_EXAMPLES` sets how many cases each test tries; `make fuzz` tries many.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
import io
import json
import os
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from autograder import archive, course, lms, notebook
from autograder.checks import GraderFault
from autograder.explain import Explainer
from autograder.observation import Malformed, describe, pack, restore, unpack
from autograder.runlog import Record, RunLog
from autograder.sandbox import frames
from autograder.text import speaking

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=5000,  # milliseconds: no hang
    derandomize=EXAMPLES < 1000,
    database=None,
    suppress_health_check=list(HealthCheck),
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["code", "tensor", "packed", "module", "q1", "float32", "GRU", "\ud800", "is"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)


def mutated(seeds: Callable[[], list[bytes]]) -> st.SearchStrategy[bytes]:
    """The seeds with bytes changed, cut out, doubled or put in."""

    @st.composite
    def mutate(draw: st.DrawFn) -> bytes:
        content = bytearray(draw(st.sampled_from(seeds())))
        for _ in range(draw(st.integers(0, 6))):
            place = draw(st.integers(0, len(content)))
            end = min(len(content), place + draw(st.sampled_from([0, 1, 2, 4, 8, 100])))
            piece = draw(
                st.binary(max_size=8)
                | st.sampled_from(
                    [b"\0", b"\xff" * 4, b"[", b"{", b'"', b"\\ud800", b"1e999", b"PK\1\2", b"\0\0\0\x80"]
                )
                | st.just(bytes(content[place:end]) * 2)
            )
            content[place:end] = piece
        return bytes(content)

    return mutate()


# Files


@cache
def notebooks() -> list[bytes]:
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["import torch\n", "x = 1"]},
        {"cell_type": "markdown", "metadata": {}, "source": "# 안녕하십니까, 여러분"},
    ]
    modern = json.dumps({"cells": cells, "metadata": {"edition": "ko"}, "nbformat": 4, "nbformat_minor": 5})
    old = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}], "nbformat": 3})
    script = "# %%\nimport torch\n# In[3]:\nx = 1\n# 주석입니다 여러분\n"
    texts = [modern, old, script]
    return [text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16", "utf-8-sig", "cp949")]


@cache
def zips() -> list[bytes]:
    found = []
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", compression) as opened:
            opened.writestr("rnn.ipynb", notebooks()[0] * 3)
            opened.writestr("과제/rnn.py", b"import torch")
        found.append(stream.getvalue())
    return found


def read(content: bytes, name: str) -> None:
    with speaking("en"):
        try:
            source = notebook.read(content, name)
        except notebook.Unreadable as problem:
            assert str(problem)
        else:
            assert all(isinstance(cell, str) for cell in source.cells)


NAMES = st.sampled_from(["a.ipynb", "a.py", "a.zip", "a.txt", "", "a"])


@fuzz
@given(st.binary(max_size=400) | mutated(notebooks) | mutated(zips), NAMES)
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    """A file is a submission or unreadable for a reason that its author can read."""
    read(content, name)


@fuzz
@given(JSON, st.sampled_from(["cells", "worksheets", "metadata"]))
def test_any_json_is_read_or_refused(value: object, key: str) -> None:
    """JSON of any form is a submission or unreadable."""
    for whole in (
        {key: value},
        {"cells": [value]},
        {"cells": [{"cell_type": "code", "source": value}], "metadata": value},
    ):
        read(json.dumps(whole).encode(), "a.ipynb")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zips") / "export.zip"


@fuzz
@given(content=mutated(zips))
def test_any_zip_is_listed_or_refused(place: Path, content: bytes) -> None:
    """An export that is damaged or made to harm gives files, or reasons why not."""
    place.write_bytes(content)
    archive.is_otter_export(place)
    try:
        for name, load in archive.members(place, 1 << 20):
            assert isinstance(name, str)
            try:
                assert len(load()) <= 1 << 20
            except archive.ArchiveError as problem:
                assert str(problem)
    except archive.ArchiveError as problem:
        assert str(problem)


ROSTERS = [
    b"submission_1:\n  :submitters:\n  - :name: Kim\n    :sid: '1'\n",
    b"a: &a [1]\nb: [*a, *a]\n",
    b"? [a]\n: !!x {}\n",
]


@fuzz
@given(mutated(lambda: ROSTERS))
def test_any_roster_gives_names_or_none(content: bytes) -> None:
    """Gradescope's list of people may be anything."""
    for folder, person in lms.gradescope_names(content).items():
        assert isinstance(folder, str)
        assert isinstance(person, str)


# Observations


@cache
def values() -> dict[str, object]:
    """Right values under small sizes, for all names that checks ask for."""
    torch.manual_seed(0)
    lens, d_w, d_h = [4, 2, 1], 3, 2
    batch = torch.randint(1, 9, (3, 4))
    embedding, rnn, lstm = nn.Embedding(9, d_w), nn.RNN(d_w, d_h), nn.LSTM(d_w, d_h)
    bi_gru = nn.GRU(d_w, d_h, num_layers=2, bidirectional=True)
    emb = embedding(batch).detach()
    states, h_n = rnn(emb.transpose(0, 1))
    lstm_states, (lstm_h_n, c_n) = lstm(emb.transpose(0, 1))
    packed = pack_padded_sequence(emb.transpose(0, 1), torch.tensor(lens))
    out, bi_h_n = bi_gru(packed)
    outputs, output_lens = torch.nn.utils.rnn.pad_packed_sequence(out)
    by_layer = bi_h_n.view(2, 2, 3, d_h)
    return {
        **{"batch": batch, "batch_lens": torch.tensor(lens), "sorted_idx": torch.tensor([0, 1, 2]), "max_len": 4},
        **{"vocab_size": 9, "pad_id": 0, "embedding_size": d_w, "hidden_size": d_h, "num_layers": 2, "num_dirs": 2},
        **{"embedding": embedding, "batch_emb": emb, "rnn": rnn, "hidden_states": states.detach(), "h_n": h_n.detach()},
        **{"lstm": lstm, "lstm_states": lstm_states.detach(), "lstm_h_n": lstm_h_n.detach(), "c_n": c_n.detach()},
        **{"decoded_ids": torch.randint(0, 9, (4, 3)), "hidden": h_n.detach(), "packed_batch": packed},
        **{"bi_gru": bi_gru, "bi_h_n": bi_h_n.detach(), "outputs": outputs.detach(), "output_lens": output_lens},
        **{"h_n_by_layer": by_layer.detach(), "last_forward": by_layer[-1, 0].detach()},
        **{"last_backward": by_layer[-1, 1].detach(), "data": [[1, 2]], "input_size": d_w},
    }


@cache
def functions() -> list[tuple[str, Callable[..., None], list[str]]]:
    """All hidden and public checks with the names that they ask for."""
    found = []
    for path in sorted([*course.HIDDEN.glob("test_*.py"), *course.PUBLIC.glob("q*.py")]):
        spec = importlib.util.spec_from_file_location(f"fuzzed_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # this run does not know the graders' marks
            spec.loader.exec_module(module)
        for name, function in vars(module).items():
            if name.startswith("test_"):
                found.append((path.stem.removeprefix("test_"), function, list(inspect.signature(function).parameters)))
    return found


@cache
def described() -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    tensors: dict[str, torch.Tensor] = {}
    return {name: describe(value, tensors, values=True) for name, value in values().items()}, tensors


@cache
def honest_frames() -> list[bytes]:
    trees, tensors = described()
    started = pack({"kind": "started", "statement": 1, "cell": 1, "line": 1})
    error = pack({"kind": "error", "cell": 1, "line": 1, "type": "ValueError", "message": "m", "names": ["h_n"]})
    records = []
    for question in course.questions():
        own = {name: trees[name] for name in question.asked if name in trees}
        records.append(pack({"kind": "record", "question": question.id, "values": own}, tensors))
    return [*records, started, error, pack({"kind": "finished"})]


def look(record: Record) -> None:
    """All checks of the record's question on its values: each passes or fails, and none breaks."""
    reference = SimpleNamespace(**values())
    for question, function, names in functions():
        if question == record.question:
            arguments = {
                name: reference if name == "reference" else record[name] for name in names if name != "scenario"
            }
            if "scenario" in names:
                arguments["scenario"] = course.scenarios()[0]
            try:
                function(**arguments)
            except AssertionError as failure:
                assert len(str(failure)) < 3000
            except Exception as broken:
                raise GraderFault(f"{question}.{function.__name__}: {broken!r}") from broken


def test_honest_values_pass_every_check() -> None:
    """The values that are going to be spoilt are right as they are."""
    trees, tensors = described()
    for question in {question for question, _, _ in functions()}:
        record = Record(question, trees, pack({"values": trees}, tensors))
        reference = SimpleNamespace(**values())
        for of, function, names in functions():
            if of == question:
                function(**{name: reference if name == "reference" else record[name] for name in names})


@fuzz
@given(st.lists(st.binary(max_size=100) | mutated(honest_frames), max_size=8), st.sampled_from(["finished", "crashed"]))
def test_any_frames_make_a_log(sent: list[bytes], ending: str) -> None:
    """Whatever a child sent, its log can be asked everything that the grader asks, and its records can be checked."""
    log = RunLog(tuple(sent), ending, lines=(3, 1))
    for error in log.errors:
        assert error.cell in (1, 2)
        assert 1 <= error.line <= 3
    assert log.last_started is None or log.last_started[0] in (1, 2)
    assert all(isinstance(statement, int) for statement in log.stalled)
    for question in course.questions():
        for record in log.candidates(question.id, ["q8"]):
            look(record)


@fuzz
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_pipe_is_parsed(one: bytes, other: bytes) -> None:
    """Bytes in the result pipe are frames, up to where they stop being any."""
    whole = struct.pack(">I", len(one)) + one + other
    found, _ = frames.parse(whole)
    assert found[:1] == (one,)
    assert sum(map(len, found)) <= len(whole)


TREES = st.deferred(
    lambda: (
        st.builds(
            dict,
            **{"is": st.sampled_from(["tensor", "packed", "module", "scalar", "list", "tuple", "missing", "other"])},
        )
        | st.sampled_from(list(described()[0].values())).map(copy.deepcopy)
        | JSON
    )
)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A record of right values in which some part of a description is something else."""
    question = draw(st.sampled_from(course.questions()))
    trees: dict[str, Any] = json.loads(json.dumps(described()[0]))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = trees
        key: Any = draw(st.sampled_from(question.asked))
        while isinstance(holder[key], (dict, list)) and holder[key] and draw(st.integers(0, 3)):
            holder = holder[key]
            key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))))
        holder[key] = draw(TREES | st.integers(-1, 5) | st.lists(st.integers(-1, 2**62), max_size=4))
    return question.id, trees


@fuzz
@given(spoilt())
def test_any_description_is_judged(record: tuple[str, dict[str, Any]]) -> None:
    """A description that is nearly right, or nothing like it, is judged: it breaks no check and no explanation."""
    question, trees = record
    found = Record(question, trees, pack({"values": trees}, described()[1]))
    look(found)
    other = Record(question, described()[0], pack({"values": {}}, described()[1]))
    of = next(q for q in course.questions() if q.id == question)
    explainer = Explainer(lambda jobs: [RunLog((), "finished") for _ in jobs])
    explainer._known = {question: [(m, [other]) for m in _misconceptions(question)]}
    explainer.explain(of, [found])


def _misconceptions(question: str) -> list[Any]:
    from autograder.corpus import misconceptions

    return [misconception for misconception in misconceptions() if misconception.question == question]


HEADERS = st.dictionaries(
    st.text(max_size=3),
    st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["F32", "I64", "F4", "BOOL", "C64", "", "X"]) | JSON,
            "shape": st.lists(st.integers(-1, 2**61), max_size=3) | JSON,
            "data_offsets": st.lists(st.integers(0, 64), min_size=2, max_size=2) | JSON,
        }
    )
    | JSON,
    max_size=4,
)


@fuzz
@given(HEADERS, st.binary(max_size=64), st.sampled_from([0, 1, -1, 1 << 40]))
def test_any_tensors_are_loaded_or_refused(header: dict[str, Any], data: bytes, off: int) -> None:
    """A blob of tensors is loaded as it says or refused, whatever its header claims."""
    text = json.dumps(header).encode()
    blob = max(0, len(text) + off).to_bytes(8, "little") + text + data
    body = json.dumps({"kind": "record", "values": {}}).encode()
    try:
        _, tensors = unpack(len(body).to_bytes(4, "little") + body + blob)
    except Malformed:
        return
    for tensor in tensors.values():
        assert tensor.numel() * tensor.element_size() <= len(data)


@fuzz
@given(st.integers(0, 2**32))
def test_described_values_come_back(seed: int) -> None:
    """What an honest child describes is what the grader restores."""
    chance = random.Random(seed)
    shape = [chance.randint(0, 4) for _ in range(chance.randint(0, 4))]
    value = torch.rand(shape).to(chance.choice([torch.float32, torch.float64, torch.int64, torch.bool]))
    tensors: dict[str, torch.Tensor] = {}
    message, loaded = unpack(pack({"value": describe(value, tensors, values=True)}, tensors))
    restored = restore(message["value"], loaded)
    assert isinstance(restored, torch.Tensor)
    assert restored.dtype == value.dtype
    assert torch.equal(restored, value)


def test_roster_that_grows_without_end_is_no_roster() -> None:
    """Aliases in YAML can make a few lines into more text than there is memory."""
    bomb = b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 60))
    assert lms.gradescope_names(bomb + b"submission_1:\n  :submitters:\n  - :name: *a59\n") == {}
    assert lms.gradescope_names(bomb + b"*a59 : {':submitters': [{':name': Kim}]}\n") == {}
