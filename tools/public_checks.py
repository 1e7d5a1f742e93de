"""How much students' own checks see: the public checks on every answer of the corpus, at the released sizes.

Right answers must pass, and of the wrong ones as many as possible should not. The corpus is our own, so it runs without
a sandbox: the solution notebook is executed once, and every answer in a child forked where it departs from it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from autograder import corpus, course, notebook
from autograder.build.checks import student_checks
from autograder.language import LANGUAGES, Language

__all__ = ["Outcome", "main", "measure"]

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


class _Done(BaseException):
    """All that is to be checked was checked."""


class _Grader:
    """What a notebook's `grader` is here: it runs the public checks on the notebook's names and notes what they say."""

    def __init__(self, checks: dict[str, Any], namespace: dict[str, Any], last: str) -> None:
        self.checks, self.namespace, self.last = checks, namespace, last
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
        if question == self.last:
            raise _Done

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def measure(lang: Language) -> list[Outcome]:
    """What the checks of the edition in *lang* say of every answer of the corpus: first the right, then the wrong ones."""
    torch.set_num_threads(1)  # threads of the parent would be missing in its forked children
    checks = _loaded(student_checks(course.PUBLIC, lang))
    solution = _cells(course.REFERENCE.read_bytes(), "rnn.ipynb")
    answers = [_Answer(one.id, "", _cells(one.content, one.file_name)) for one in corpus.alternatives()]
    answers += [_Answer(one.id, one.question, _cells(one.content, "rnn.ipynb")) for one in corpus.misconceptions()]
    outcomes: dict[int, Outcome] = {}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    sys.modules["otter"] = SimpleNamespace(Notebook=lambda *args: namespace["grader"])  # type: ignore[assignment]
    namespace["grader"] = _Grader({}, namespace, "")
    departures = [_departure(solution, answer.cells) for answer in answers]
    for index in range(len(solution)):
        for number, answer in enumerate(answers):
            if departures[number] == index:
                outcomes[number] = _in_a_child(answer, index, checks, namespace)
        _run(solution[index], namespace)
    return [outcomes[number] for number in range(len(answers))]


def _loaded(files: dict[str, str]) -> dict[str, Any]:
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


def _in_a_child(answer: _Answer, start: int, checks: dict[str, Any], namespace: dict[str, Any]) -> Outcome:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(_followed(answer, start, checks, namespace), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    complaints, error = json.loads(told) if told else ({}, "the process ended")
    return Outcome(answer.id, answer.question, complaints, error)


def _followed(answer: _Answer, start: int, checks: dict[str, Any], namespace: dict[str, Any]) -> tuple[dict[str, str], str]:
    """Complaints and the first error of *answer*, from its cell *start* on, after the solution's cells before it."""
    wanted = {answer.question: checks[answer.question]} if answer.question else checks
    grader = _Grader(wanted, namespace, answer.question)
    namespace["grader"] = grader
    errors = []
    with contextlib.suppress(_Done):
        for cell in answer.cells[start:]:
            errors.append(_run(cell, namespace))
        for question in sorted(wanted.keys() - grader.checked):  # a script need not call its checks
            if start == 0 or answer.question:
                grader.check(question)
    return grader.complaints, next(filter(None, errors), "")


def _run(cell: str, namespace: dict[str, Any]) -> str:
    """Run *cell* as a notebook does, where `await` may stand at the top; its error, if any."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        try:
            left = eval(compile(cell, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
            if inspect.iscoroutine(left):
                asyncio.run(left)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return ""


def _report(lang: Language, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The share caught by question, and by name what was not; right answers that do not pass, or cannot run here."""
    wrong = [outcome for outcome in outcomes if outcome.question]
    for question in sorted({outcome.question for outcome in wrong}):
        own = [outcome for outcome in wrong if outcome.question == question]
        unseen = [outcome.id for outcome in own if outcome.passed]
        yield f"{lang} {question}: {len(own) - len(unseen)} of {len(own)} wrong answers caught; not {', '.join(unseen) or 'one'} missed"
    caught = sum(not outcome.passed for outcome in wrong)
    yield f"{lang}: {caught} of {len(wrong)} wrong answers caught ({caught / len(wrong):.1%})"
    for outcome in outcomes:
        if not outcome.question and (outcome.complaints or outcome.error):
            yield f"{lang} right answer {outcome.id}: {outcome.error or outcome.complaints}"


def main() -> int:
    """Print what was measured for both editions; the exit status."""
    fine = True
    for lang in LANGUAGES:
        outcomes = measure(lang)
        print("\n".join(_report(lang, outcomes)))
        wrong = [outcome for outcome in outcomes if outcome.question]
        fine &= sum(not outcome.passed for outcome in wrong) >= LEAST_CAUGHT * len(wrong)
        fine &= all(outcome.passed or outcome.error for outcome in outcomes if not outcome.question)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
