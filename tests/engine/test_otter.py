"""The checks handed out, run by Otter itself."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import pickle
import re
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from symtable import symtable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autograder import course
from autograder.course import corpus
from autograder.language import LANGUAGES, Language

ROOT = Path(__file__).parents[2]
QUESTIONS = [question.id for question in course.questions()]
EVERY = [(lang, question) for lang in LANGUAGES for question in QUESTIONS]
NO_RESULT = {"ko": "아직 결과가 없습니다", "en": "no result yet"}
GIVEN_MISSING = {"ko": "주어진 변수", "en": "The given variable"}


@cache
def reference() -> dict[str, dict[str, Any]]:
    """All names as they stand at each question's check in the solution, made at small sizes."""
    at_check: dict[str, dict[str, Any]] = {}
    namespace: dict[str, Any] = {}
    recorder = SimpleNamespace(
        check=lambda question: at_check.update({question: dict(namespace)}),
        check_all=lambda: None,
        export=lambda **_: None,
    )
    namespace["grader"] = recorder
    solution = json.loads((ROOT / "solutions" / "rnn.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in solution["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells if "aside" not in cell["metadata"].get("tags", ())]
    code = "\n\n".join(source for source in sources if "import otter" not in source)
    code = code.replace("hidden_size = 512", "hidden_size = 12").replace("embedding_size = 256", "embedding_size = 7")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(code, namespace)
    return at_check


@cache
def otter_file(lang: Language, question: str) -> Any:
    """The checks of *question* as Otter loads them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Otter imports uses traits in a deprecated way
        from otter.test_files.exception_test import ExceptionTestFile
    return ExceptionTestFile.from_file(str(ROOT / "assignment" / lang / "tests" / f"{question}.py"))


def check(lang: Language, question: str, names: dict[str, Any]) -> list[str]:
    """What Otter tells about each check of *question* that fails."""
    file = otter_file(lang, question)
    file.run(names)
    return [result.message or "" for result in file.test_case_results if not result.passed]


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_reference_passes(lang: Language, question: str) -> None:
    """The values of the solution pass every check."""
    assert check(lang, question, reference()[question]) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reference_passes_at_the_end(lang: Language) -> None:
    """`check_all` runs after names such as `num_layers` were bound anew, and still passes."""
    for question in QUESTIONS:
        assert check(lang, question, reference()[QUESTIONS[-1]]) == []


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_open_todo_is_called_by_its_name(lang: Language, question: str) -> None:
    """Where the student's own names are missing, one sentence in the edition's language says which."""
    own = course.question(question).names
    (message,) = check(
        lang, question, {name: value for name, value in reference()[question].items() if name not in own}
    )
    assert NO_RESULT[lang] in message
    missing = own if question != "q1" else ["embedding"]  # `batch_emb` is made by given code
    assert all(f"`{name}`" in message for name in missing)


@pytest.mark.parametrize(("lang", "question"), EVERY)
@pytest.mark.parametrize(
    "odd", [None, 3, 1.5, "x", [], (), {}, object(), torch.tensor(1.0), torch.empty(0, 2, 3, 4, 5)]
)
def test_odd_values_fail_with_a_sentence(lang: Language, question: str, odd: object) -> None:
    """Whatever the names hold, a check that fails does so by its own sentence and never by an error of its own."""
    right = reference()[question]
    for names in (dict.fromkeys(right, odd), right | dict.fromkeys(course.question(question).names, odd)):
        (message,) = check(lang, question, names)
        assert re.search(r"^AssertionError: ", message, re.MULTILINE), message
    for name in course.question(question).names:
        assert all("AssertionError: " in message for message in check(lang, question, right | {name: odd}))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_changed_given_names_are_called_so(lang: Language) -> None:
    """A given name that is gone is not taken for the student's mistake."""
    names = {name: value for name, value in reference()["q3"].items() if name != "batch"}
    (message,) = check(lang, "q3", names)
    assert GIVEN_MISSING[lang] in message


@pytest.mark.parametrize("lang", LANGUAGES)
def test_either_layout_passes(lang: Language) -> None:
    """States and outputs may have the batch axis first."""
    for question, name in (("q3", "hidden_states"), ("q5", "lstm_states"), ("q7", "outputs")):
        names = reference()[question]
        assert check(lang, question, names | {name: names[name].transpose(0, 1)}) == []


class ScaledRNN(torch.nn.RNN):
    """An RNN with a parameter of its own."""

    def __init__(self, **sizes: int) -> None:
        super().__init__(**sizes)
        self.scale = torch.nn.Parameter(torch.ones(1))


def test_own_layer_and_turned_input_pass() -> None:
    """A subclass may have parameters of its own, and `batch_emb` may have been turned in its place."""
    assert check("en", "q2", reference()["q2"] | {"rnn": ScaledRNN(input_size=7, hidden_size=12)}) == []
    names = reference()["q7"]
    assert check("en", "q7", names | {"batch_emb": names["batch_emb"].transpose(0, 1)}) == []


@pytest.mark.parametrize(
    ("question", "made", "told"),
    [
        ("q2", {"rnn": torch.nn.RNN(7, 12, num_layers=20)}, "`rnn.num_layers`: expected 1, received 20"),
        ("q2", {"rnn": torch.nn.RNN}, "received class RNN"),
        ("q3", {"rnn": torch.nn.RNN(7, 5), "hidden_states": torch.zeros(20, 10, 5)}, "Look at q1 and q2 first"),
        ("q6", {"embedding": torch.nn.Embedding(100, 9)}, "Look at q1 first"),
        ("q6", {"decoded_ids": [1, 2]}, "`decoded_ids`: expected a Tensor, received list"),
        ("q7", {"batch": torch.ones(2, 20, dtype=torch.int64)}, "`batch_emb`: expected shape (B=2, L=20, d_w=7)"),
        ("q8", {"bi_h_n": torch.zeros(2, 10, 12), "h_n_by_layer": torch.zeros(1, 2, 10, 12)}, "Look at q7 first"),
    ],
)
def test_failure_names_what_is_to_be_mended(question: str, made: dict[str, Any], told: str) -> None:
    """A failure names the setting, the class or the earlier question that is wrong, not what follows from it."""
    (message,) = check("en", question, reference()[question] | made)
    assert told in message


def test_states_of_padding_are_told_where_they_end() -> None:
    """Where padding was not read, the first state that it left out is named, and not the last state, which is right."""
    names = reference()["q5"]
    padding = (names["batch"] == 0).T[..., None]
    (message,) = check("en", "q5", names | {"lstm_states": names["lstm_states"].masked_fill(padding, 0.0)})
    assert "`lstm_states`: at t = 5, row = 9" in message


def test_cell_state_is_compared_under_its_own_name() -> None:
    """The numbers shown are those of the name beside them: of the cell state only the tanh is known."""
    names = reference()["q5"]
    wrong = names["c_n"] + 1
    (message,) = check("en", "q5", names | {"c_n": wrong})
    assert re.search(rf"`tanh\(c_n\)`.*received \[{wrong.tanh()[0, 0, 0]:.3f}", message)


def one_number_off(value: torch.Tensor) -> torch.Tensor:
    changed = value.detach().clone()
    changed.flatten()[-1] += 1
    return changed


MADE_WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "another vector": ("q1", lambda names: {"batch_emb": one_number_off(names["batch_emb"])}),
    "a step of the RNN": ("q3", lambda names: {"hidden_states": one_number_off(names["hidden_states"])}),
    "rows of h_n exchanged": ("q3", lambda names: {"h_n": names["h_n"].flip(1)}),
    "states of the LSTM exchanged": ("q5", lambda names: {"lstm_h_n": names["c_n"], "c_n": names["lstm_h_n"]}),
    "another cell state": ("q5", lambda names: {"c_n": one_number_off(names["c_n"])}),
    "another word": ("q6", lambda names: {"decoded_ids": names["decoded_ids"].roll(1, 0)}),
    "another last state": ("q6", lambda names: {"hidden": one_number_off(names["hidden"])}),
    "words after the end": ("q7", lambda names: {"outputs": one_number_off(names["outputs"])}),
    "rows of the last states exchanged": ("q7", lambda names: {"bi_h_n": names["bi_h_n"].flip(1)}),
    "lengths of other rows": ("q7", lambda names: {"output_lens": names["output_lens"].flip(0)}),
    "directions exchanged": (
        "q8",
        lambda names: {"last_forward": names["last_backward"], "last_backward": names["last_forward"]},
    ),
    "blocks exchanged": ("q8", lambda names: {"h_n_by_layer": names["h_n_by_layer"].flip(0)}),
}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("wrong", MADE_WRONG)
def test_values_that_do_not_agree_are_told(lang: Language, wrong: str) -> None:
    """Right shapes with wrong values fail: expected, received, and a hint on a line of its own."""
    question, made = MADE_WRONG[wrong]
    names = reference()[question]
    (message,) = check(lang, question, names | made(names))  # type: ignore[operator]
    told = message.partition("AssertionError: ")[2]
    assert re.search({"ko": r"기대한.*받은", "en": r"expected.*received"}[lang], told.splitlines()[0])
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("en", "AssertionError: `h_n`: expected shape (1, B=10, d_h=12), received (1, 20, 12).\nIs it as `rnn`"),
        ("ko", "AssertionError: `h_n`: 기대한 shape (1, B=10, d_h=12), 받은 shape (1, 20, 12).\n`rnn`이 돌려준"),
    ],
)
def test_failure_says_what_was_expected_and_what_came(lang: Language, told: str) -> None:
    """A failure tells expected, received, and what to look at, also where Otter shows it in its own way."""
    file = otter_file(lang, "q3")
    file.run(reference()["q3"] | {"h_n": torch.zeros(1, 20, 12)})
    indented = told.replace("\n", "\n        ")
    assert file.summary().count(indented) == 1


def test_results_can_be_logged_and_read_without_the_check_file() -> None:
    """Otter pickles results into its log, which instructors read elsewhere: all that it holds is Otter's own."""
    file = otter_file("en", "q3")
    file.run({})
    case = pickle.loads(pickle.dumps(file)).test_case_results[0].test_case
    assert type(case.body).__module__ == "otter.test_files.exception_test"


@pytest.mark.parametrize(
    ("question", "name", "dtype"),
    [("q3", "hidden_states", torch.float64), ("q6", "decoded_ids", torch.int32), ("q7", "output_lens", torch.int32)],
)
def test_wrong_dtype_is_told(question: str, name: str, dtype: torch.dtype) -> None:
    """Right values in another dtype fail, and the check names the dtypes that the notebook's rules ask for."""
    names = reference()[question]
    (message,) = check("en", question, names | {name: names[name].to(dtype)})
    assert f"received {str(dtype).removeprefix('torch.')}" in message
    assert "numbers are float32, ids and lengths int64" in message


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_check_files_are_ascii(lang: Language, question: str) -> None:
    """Otter reads the files in the system's encoding, so they hold no other characters."""
    assert (ROOT / "assignment" / lang / "tests" / f"{question}.py").read_bytes().isascii()


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_passing_says_what_was_looked_at(lang: Language, question: str) -> None:
    """The message of success is in the edition's language and says what was not looked at, too."""
    (case,) = otter_file(lang, question).test_cases
    assert {"ko": "보지 않았습니다", "en": "Not looked at"}[lang] in case.success_message
    assert not set("<>&") & set(case.success_message)


def statements(question: str) -> list[str]:
    """Each line of code of the check of *question* that does something, functions included, as it stands."""
    tree = ast.parse((ROOT / "assignment" / "en" / "tests" / f"{question}.py").read_text(encoding="utf-8"))
    lines = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, ast.Return)]
    return [ast.unparse(node) for node in lines]


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_line_of_a_check_answers_its_question(question: str) -> None:
    """Pasted into the answer cell, no line of its check leaves behind, under any name, what the question asks for."""
    right = reference()[question]
    own = course.question(question).names
    symbols = symtable(corpus.answer(question), "answer", "exec").get_symbols()
    answered = {symbol.get_name() for symbol in symbols if symbol.is_assigned()}
    namespace = {name: value for name, value in right.items() if name not in answered} | dict.fromkeys(own)
    blank = dict(namespace)
    for _ in range(2):  # a line may need another one that stands below it
        for line in statements(question):
            with contextlib.suppress(Exception):
                exec(line, namespace)
    made = [value for name, value in namespace.items() if blank.get(name) is not value]
    given = {name for name in own if any(same(value, right[name]) for value in blank.values())}
    assert given <= {"output_lens"}  # the lengths that were packed
    for name in set(own) - given:
        assert not any(same(value, right[name]) for value in made), name


def same(value: object, right: object) -> bool:
    """Whether *value* would pass for *right*."""
    if isinstance(value, torch.Tensor) and isinstance(right, torch.Tensor):
        return value.shape == right.shape and value.dtype == right.dtype and bool((value == right).all())
    return type(value) is type(right) and not isinstance(right, torch.Tensor)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_checks_see_a_wrong_answer_whatever_dropout_and_devices_do(lang: Language) -> None:
    """Checks hold for layers in evaluation mode, and for values that need no gradient."""
    names = dict(reference()["q7"])
    names["bi_gru"].eval()
    exec(corpus.answer("q7"), names)
    detached = {name: names[name].detach() for name in ("bi_h_n", "outputs")}
    assert check(lang, "q7", names) == check(lang, "q7", names | detached) == []
    names["bi_gru"].train()
