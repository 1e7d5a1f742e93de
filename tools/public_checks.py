"""How much students' own checks see: the public checks on every answer of the corpus, at the released sizes.

Right answers must pass, and of the wrong ones as many as possible should not. The corpus is our own, so it runs without
a sandbox: the solution notebook is executed once, and every answer in a child forked where it departs from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder import course
from autograder.build.checks import student_checks
from autograder.course import corpus
from autograder.intake import notebook
from autograder.language import Language

__all__ = ["LEAST_CAUGHT", "Outcome", "main", "measure", "rejected"]

LEAST_CAUGHT = 0.85
"""The share of wrong answers that the public checks must catch."""


@dataclass(frozen=True)
class Outcome:
    """What the public checks said of one answer of the corpus."""

    id: str
    question: str
    """The question that a wrong answer belongs to; nothing for a right answer."""
    complaints: dict[str, str]
    """What failing checks said, by question."""
    error: str
    """The first error of the answer's own code, if any."""

    @property
    def passed(self) -> bool:
        return not self.complaints


@dataclass(frozen=True)
class _Answer:
    id: str
    question: str
    cells: Sequence[str]


class _Grader:
    """A notebook's `grader`, which notes what the public checks say of the notebook's names."""

    def __init__(self, checks: dict[str, Any], namespace: dict[str, Any]) -> None:
        self.checks, self.namespace = checks, namespace
        self.complaints: dict[str, str] = {}
        self.checked: set[str] = set()

    def check(self, question: str) -> None:
        if question in self.checks:
            file = self.checks[question]
            file.run(self.namespace)
            said = [result.message for result in file.test_case_results if not result.passed]
            self.complaints.pop(question, None)
            self.complaints |= {question: "\n".join(said)} if said else {}
            self.checked.add(question)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def measure(lang: Language) -> list[Outcome]:
    """What the checks of the edition in *lang* say of every answer of the corpus, the right ones first."""
    torch.set_num_threads(1)  # threads of the parent would be missing in its forked children
    checks = _loaded(student_checks(lang))
    solution = _cells(course.REFERENCE.read_bytes(), "rnn.ipynb")
    answers = [_Answer(one.id, "", _cells(one.content, one.file_name)) for one in _right_answers()]
    answers += [_Answer(one.id, one.question, _cells(one.content, "rnn.ipynb")) for one in corpus.misconceptions()]
    outcomes: dict[int, Outcome] = {}
    shell = _shell()
    sys.modules["otter"] = SimpleNamespace(Notebook=lambda *args: shell.user_ns["grader"])  # type: ignore[assignment]
    shell.user_ns["grader"] = _Grader({}, shell.user_ns)
    departures = [_departure(solution, answer.cells) for answer in answers]
    for index in range(len(solution)):
        for number, answer in enumerate(answers):
            if departures[number] == index:
                outcomes[number] = _in_a_child(answer, index, checks, shell)
        _run(solution[index], shell)
    return [outcomes[number] for number in range(len(answers))]


def _right_answers() -> Iterator[corpus.Alternative]:
    """Those that public checks must pass: they may say so where a given cell was edited."""
    return (one for one in corpus.alternatives() if not one.given_edited)


def _loaded(files: Mapping[str, str]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Otter imports uses traits in a deprecated way
        from otter.test_files.exception_test import ExceptionTestFile
    return {name.removesuffix(".py"): ExceptionTestFile.from_string(source) for name, source in files.items()}


def _cells(content: bytes, file_name: str) -> list[str]:
    """The code cells without what is only to look at."""
    asides = {
        "".join(cell["source"])
        for cell in json.loads(course.REFERENCE.read_text(encoding="utf-8"))["cells"]
        if "aside" in cell["metadata"].get("tags", ())
    }
    return [cell for cell in notebook.read(content, file_name).cells if cell.rstrip("\n") not in asides]


def _departure(solution: Sequence[str], cells: Sequence[str]) -> int:
    """The index of the first cell that is another one; the last one's where all are the solution's."""
    pairs = enumerate(zip(solution, cells, strict=False))
    return next((index for index, (ours, theirs) in pairs if ours != theirs), len(solution) - 1)


def _in_a_child(answer: _Answer, start: int, checks: dict[str, Any], shell: Any) -> Outcome:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe, tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)  # what it writes goes with it
                json.dump(_followed(answer, start, checks, shell), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    complaints, error = json.loads(told) if told else ({}, "the process ended")
    return Outcome(answer.id, answer.question, complaints, error)


def _followed(answer: _Answer, start: int, checks: dict[str, Any], shell: Any) -> tuple[dict[str, str], str]:
    """Complaints and the first error of *answer*, from its cell *start* on, after the solution's cells before it."""
    wanted = {answer.question: checks[answer.question]} if answer.question else checks
    grader = _Grader(wanted, shell.user_ns)
    shell.user_ns["grader"] = grader
    errors = []
    for cell in answer.cells[start:]:
        errors.append(_run(cell, shell))
        if answer.question in grader.checked:
            break
    for question in sorted(wanted.keys() - grader.checked) if start == 0 else ():
        grader.check(question)  # a script need not call its checks
    return grader.complaints, next(filter(None, errors), "")


def _shell() -> Any:
    """IPython as in a notebook, with magics and top-level `await`, but without history, programs and installing."""
    shell: Any = cast(Any, InteractiveShell)(config=Config({"HistoryManager": {"enabled": False}}))
    shell.system = shell.getoutput = lambda *args, **kwargs: None
    shell.register_magic_function(lambda line: None, magic_name="pip")
    return shell


def _run(cell: str, shell: Any) -> str:
    """Run *cell*; its error, if any."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        result = shell.run_cell(cell)
    error = result.error_before_exec or result.error_in_exec
    return f"{type(error).__name__}: {error}" if error else ""


def _report(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The share caught by question, and by name what was not; right answers that do not pass, or cannot run here."""
    wrong = [outcome for outcome in outcomes if outcome.question]
    for question in sorted({outcome.question for outcome in wrong}):
        own = [outcome for outcome in wrong if outcome.question == question]
        unseen = [outcome.id for outcome in own if outcome.passed]
        missed = f"; missed: {', '.join(unseen)}" if unseen else ""
        yield f"{question}: {len(own) - len(unseen)} of {len(own)} wrong answers caught{missed}"
    caught = sum(not outcome.passed for outcome in wrong)
    yield f"all: {caught} of {len(wrong)} wrong answers caught ({caught / len(wrong):.1%})"
    for outcome in outcomes:
        if not outcome.question and (outcome.complaints or outcome.error):
            yield f"right answer {outcome.id}: {outcome.error or outcome.complaints}"


def rejected(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The right answers that ran here without an error, and that a public check fails nonetheless."""
    return [outcome for outcome in outcomes if not (outcome.question or outcome.passed or outcome.error)]


def main() -> int:
    """Print what was measured; the exit status. The two editions differ in words only, so one is enough."""
    outcomes = measure("ko")
    print("\n".join(_report(outcomes)))
    wrong = [outcome for outcome in outcomes if outcome.question]
    caught = sum(not outcome.passed for outcome in wrong)
    return 0 if caught >= LEAST_CAUGHT * len(wrong) and not rejected(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
