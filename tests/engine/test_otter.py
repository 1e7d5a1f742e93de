"""The checks handed out, run by Otter itself."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import pickle
import re
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autograder.text import LANGUAGES, Language

ROOT = Path(__file__).parents[2]
QUESTIONS = [f"q{number}" for number in range(1, 9)]
EVERY = [(lang, question) for lang in LANGUAGES for question in QUESTIONS]
STILL_NONE = {"ko": "None입니다", "en": "is still None"}
GIVEN_MISSING = {"ko": "주어진 변수", "en": "The given variable"}


@cache
def reference() -> dict[str, dict[str, Any]]:
    """All names as they stand at each question's check in the solution."""
    at_check: dict[str, dict[str, Any]] = {}
    namespace: dict[str, Any] = {}
    recorder = SimpleNamespace(
        check=lambda question: at_check.update({question: dict(namespace)}),
        check_all=lambda: None,
        export=lambda **_: None,
    )
    namespace["grader"] = recorder
    solution = json.loads((ROOT / "solutions" / "rnn.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in solution["cells"] if cell["cell_type"] == "code"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec("\n\n".join(source for source in sources if "import otter" not in source), namespace)
    return at_check


def on_meta(value: object) -> object:
    """*value* as the engine hands it to the checks: without values."""
    return value.to("meta") if isinstance(value, torch.Tensor) else value


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


def parameters(lang: Language, question: str) -> set[str]:
    tree = ast.parse((ROOT / "assignment" / lang / "tests" / f"{question}.py").read_text(encoding="utf-8"))
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {argument.arg for test in tests for argument in test.args.args}


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_reference_passes(lang: Language, question: str) -> None:
    """The values of the solution pass every check."""
    assert check(lang, question, reference()[question]) == []


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_reference_without_values_passes(lang: Language, question: str) -> None:
    """The checks look at no values: tensors on the `meta` device pass as well."""
    names = {name: on_meta(value) for name, value in reference()[question].items()}
    assert check(lang, question, names) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reference_passes_at_the_end(lang: Language) -> None:
    """`check_all` runs after names such as `num_layers` were bound anew, and still passes."""
    for question in QUESTIONS:
        assert check(lang, question, reference()["q8"]) == []


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_open_todo_is_called_by_its_name(lang: Language, question: str) -> None:
    """Where the student's own names are missing, every check fails and says which, in the edition's language."""
    own = {"q1": {"embedding", "batch_emb"}, "q2": {"rnn"}, "q4": {"lstm"}}
    given = {"batch", "embedding_size", "hidden_size", "num_layers", "num_dirs", "max_len"}
    missing = own.get(question, parameters(lang, question) - given)
    names = {name: value for name, value in reference()[question].items() if name not in missing}
    messages = check(lang, question, names)
    assert len(messages) == len(check(lang, question, {}))
    for message in messages:
        assert STILL_NONE[lang] in message
        assert any(f"`{name}`" in message for name in missing)


@pytest.mark.parametrize(("lang", "question"), EVERY)
@pytest.mark.parametrize(
    "odd", [None, 3, 1.5, "x", [], (), {}, object(), torch.tensor(1.0), torch.empty(0, 2, 3, 4, 5)]
)
def test_odd_values_fail_with_a_sentence(lang: Language, question: str, odd: object) -> None:
    """Whatever the names hold, a check that fails does so by its own sentence and never by an error of its own."""
    for names in (dict.fromkeys(reference()[question], odd), self_made(question, odd)):
        messages = check(lang, question, names)
        assert messages
        for message in messages:
            assert re.search(r"^\s*AssertionError: ", message, re.MULTILINE), message


def self_made(question: str, odd: object) -> dict[str, Any]:
    """The reference's names, the student's own replaced by *odd*."""
    given = {"batch", "embedding_size", "hidden_size", "num_layers", "num_dirs", "max_len"}
    return {name: value if name in given else odd for name, value in reference()[question].items()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_changed_given_names_are_called_so(lang: Language) -> None:
    """A given name that is gone is not taken for the student's mistake."""
    names = {name: value for name, value in reference()["q3"].items() if name != "batch"}
    messages = check(lang, "q3", names)
    assert messages
    assert all(GIVEN_MISSING[lang] in message for message in messages)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_either_layout_passes(lang: Language) -> None:
    """States and outputs may have the batch axis first."""
    for question, name in (("q3", "hidden_states"), ("q5", "lstm_states"), ("q7", "outputs")):
        names = reference()[question]
        assert check(lang, question, names | {name: names[name].transpose(0, 1)}) == []


@pytest.mark.parametrize(
    ("lang", "sentence", "hint"),
    [
        ("en", "`h_n`: expected shape (1, B=10, d_h=512), received (1, 20, 512).", "middle axis"),
        ("ko", "`h_n`: 기대한 shape (1, B=10, d_h=512), 받은 shape (1, 20, 512).", "가운데 축"),
    ],
)
def test_failure_says_first_what_was_expected_and_what_came(lang: Language, sentence: str, hint: str) -> None:
    """As text and as HTML, a failure tells expected, received, what to look at, and only then where it was raised."""
    file = otter_file(lang, "q3")
    file.run(reference()["q3"] | {"h_n": torch.zeros(1, 20, 512)})
    for shown in (file.summary(), file._repr_html_()):
        assert shown.index(sentence) < shown.index(hint) < shown.index("Error at line")
        assert shown.count(hint) == 1


def test_results_can_be_logged_and_read_without_the_check_file() -> None:
    """Otter pickles results into its log, which instructors read elsewhere: all that it holds is Otter's own."""
    file = otter_file("en", "q3")
    file.run({})
    case = pickle.loads(pickle.dumps(file)).test_case_results[0].test_case
    assert type(case.body).__module__ == "otter.test_files.exception_test"
    assert case.failure_message.startswith("The given variable")


def test_wrong_dtype_is_told() -> None:
    """Scores in place of ids have the right shape and the wrong dtype."""
    names = reference()["q6"]
    (message,) = check("en", "q6", names | {"decoded_ids": names["decoded_ids"].float()})
    assert "expected dtype int64, received float32" in message


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_check_files_are_ascii(lang: Language, question: str) -> None:
    """Otter reads the files in the system's encoding, so they hold no other characters."""
    assert (ROOT / "assignment" / lang / "tests" / f"{question}.py").read_bytes().isascii()


@pytest.mark.parametrize(("lang", "question"), EVERY)
def test_check_is_named_by_the_line_that_students_read(lang: Language, question: str) -> None:
    """Otter heads each result with the check's sentence in the edition's language, free of HTML's own characters."""
    file = otter_file(lang, question)
    for case in file.test_cases:
        assert bool(re.search("[가-힣]", case.name)) == (lang == "ko")
        assert not set("<>&") & set(case.name)
