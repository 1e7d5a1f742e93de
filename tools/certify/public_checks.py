"""How much students' own checks see: the public checks on every answer of the corpus, at the released sizes.

Right answers must pass, and of the wrong ones as many as possible should not. The corpus is our own, so it runs without
a sandbox: the solution notebook is executed once, and every answer in a child forked where it departs from it.
"""

import contextlib
import json
import os
import sys
import tempfile
import threading
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import torch
from IPython.core.interactiveshell import InteractiveShell
from tqdm import tqdm
from traitlets.config import Config

from autograder import course
from autograder.build.checks import student_checks
from autograder.course import corpus
from autograder.intake import notebook
from autograder.language import Language
from tools.certify.proof import Found

__all__ = ["LEAST_CAUGHT", "measure"]

LEAST_CAUGHT = 0.85
"""The share of wrong answers that the public checks must catch."""
_Said = tuple[dict[str, str], str]
"""What failing checks said of an answer, by question; and the first error of the answer's own code, if any."""


@dataclass(frozen=True)
class _Answer:
    """An answer of the corpus."""

    id: str
    question: str
    """The question that a wrong answer belongs to; nothing for a right answer."""
    cells: Sequence[str]


class _Grader:
    """A notebook's `grader`, which notes what the public checks say of the notebook's names."""

    def __init__(self, checks: Mapping[str, Any], namespace: dict[str, Any]) -> None:
        self.checks, self.namespace = checks, namespace
        self.said: dict[str, str] = {}
        """What each check that was called said last; nothing where it passed."""

    def check(self, question: str) -> None:
        if question in self.checks:
            file = self.checks[question]
            file.run(self.namespace)
            self.said[question] = "\n".join(one.message for one in file.test_case_results if not one.passed)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def measure() -> tuple[Found, Found]:
    """The wrong answers that the checks do not catch, and the right ones that run here and that one of them fails.

    It takes this process for itself. The two editions differ in words only, so one is enough.
    """
    said = _said("ko")
    wrong = [(answer, complaints) for answer, complaints, _ in said if answer.question]
    missed = [f"{answer.question} {answer.id}" for answer, complaints in wrong if not complaints]
    right = [(answer, complaints) for answer, complaints, error in said if not (answer.question or error)]
    rejected = [f"{answer.id}: {complaints}" for answer, complaints in right if complaints]
    return (
        Found("wrong answers that public checks catch", missed, len(wrong)),
        Found("right answers that public checks pass", rejected, len(right)),
    )


def _said(lang: Language) -> list[tuple[_Answer, dict[str, str], str]]:
    """Every answer of the corpus, what the checks of the edition in *lang* say of it, and its first error."""
    torch.set_num_threads(1)  # threads of the parent would be missing in its forked children
    tqdm.set_lock(threading.RLock())  # its own is one for all processes: forked children would leave it behind
    checks = _loaded(student_checks(lang))
    solution = _cells(course.REFERENCE.read_bytes(), "rnn.ipynb")
    shell = _shell()
    sys.modules["otter"] = SimpleNamespace(Notebook=lambda *args: shell.user_ns["grader"])  # type: ignore[assignment]
    shell.user_ns["grader"] = _Grader({}, shell.user_ns)
    waiting: defaultdict[int, list[_Answer]] = defaultdict(list)
    for answer in _answers():
        waiting[_departure(solution, answer.cells)].append(answer)
    found = []
    for index, cell in enumerate(solution):
        found += [(answer, *_in_a_child(answer, index, checks, shell)) for answer in waiting[index]]
        _run(cell, shell)
    return found


def _answers() -> Iterator[_Answer]:
    """Wrong answers, and those right ones that public checks must pass: they may say so of an edited given cell."""
    for right in corpus.alternatives():
        if not right.given_edited:
            yield _Answer(right.id, "", _cells(right.content, right.file_name))
    for wrong in corpus.misconceptions():
        yield _Answer(wrong.id, wrong.question, _cells(wrong.content, "rnn.ipynb"))


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


def _in_a_child(answer: _Answer, start: int, checks: Mapping[str, Any], shell: Any) -> _Said:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as told:
        child = os.fork()
        if child == 0:
            try:
                os.chdir(folder)  # what it writes goes with it
                json.dump(_followed(answer, start, checks, shell), told)
                told.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        told.seek(0)
        complaints, error = json.loads(told.read() or '[{}, "the process ended"]')
    return complaints, error


def _followed(answer: _Answer, start: int, checks: Mapping[str, Any], shell: Any) -> _Said:
    """Complaints and the first error of *answer*, from its cell *start* on, after the solution's cells before it."""
    wanted = {answer.question: checks[answer.question]} if answer.question else checks
    grader = shell.user_ns["grader"] = _Grader(wanted, shell.user_ns)
    errors = []
    for cell in answer.cells[start:]:
        errors.append(_run(cell, shell))
        if answer.question in grader.said:
            break
    for question in sorted(wanted.keys() - grader.said) if start == 0 else ():
        grader.check(question)  # a script need not call its checks
    return {question: said for question, said in grader.said.items() if said}, next(filter(None, errors), "")


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
