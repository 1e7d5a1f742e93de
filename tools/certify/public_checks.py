"""How much students' own checks see: the public checks on every answer of the corpus, at the released sizes.

Right answers must pass, and of the wrong ones as many as possible should not. The corpus is our own, so it runs without
a sandbox, each answer in a child of a warm process.
"""

import json
import os
import warnings
from collections.abc import Mapping
from typing import Any

import torch

from autograder import course
from autograder.build.checks import student_checks
from autograder.course import corpus
from autograder.intake import notebook
from autograder.sandbox.processes import fork
from autograder.student import execute, warm
from autograder.student.program import Statement
from autograder.wire.job import Job
from autograder.wire.messages import Failure
from tools.certify.proof import Found

__all__ = ["measure"]

LEAST_CAUGHT = 0.85
"""The share of wrong answers that the public checks must catch."""
_Said = tuple[dict[str, str], str]
"""What failing checks said of an answer, by question; and the first error of the answer's own code, if any."""


class _Observed(execute.Execution):
    """A run in which the public checks look at the notebook's names."""

    def __init__(self, job: Job, checks: Mapping[str, Any]) -> None:
        super().__init__(job, {}, lambda frame: None)
        self.checks = checks
        self.said: dict[str, str] = {}
        """What each check said last; nothing where it passed."""
        self.error = ""

    def fail(self, statement: Statement, failure: Failure) -> None:
        super().fail(statement, failure)
        self.error = self.error or f"{failure.kind}: {failure.text}"

    def record(self, question: str, when: object) -> None:
        if when == "check" or question not in self.said:  # a script need not call its checks
            file = self.checks[question]
            file.run(self.namespace)
            self.said[question] = "\n".join(one.message for one in file.test_case_results if not one.passed)


def measure() -> tuple[Found, Found]:
    """The wrong answers that the checks do not catch, and the right ones that run here and that one of them fails.

    It takes this process for itself. The two editions differ in words only, so one is enough. Of right answers those
    are left out in which given cells are edited: checks may say so.
    """
    torch.set_num_threads(1)  # threads of the parent would be missing in its forked children
    checks = _loaded(student_checks("ko"))
    warm()
    missed, rejected, tried = [], [], 0
    for mistake in corpus.misconceptions():
        said, _ = _said(mistake.content, "rnn.ipynb", checks)
        missed += [] if said.get(mistake.question) else [f"{mistake.question} {mistake.id}"]
    for right in corpus.alternatives():
        said, error = ({}, "edited") if right.given_edited else _said(right.content, right.file_name, checks)
        tried += not error
        rejected += [f"{right.id}: {said}"] if not error and any(said.values()) else []
    return (
        Found("wrong answers that public checks catch", missed, len(corpus.misconceptions()), LEAST_CAUGHT),
        Found("right answers that public checks pass", rejected, tried),
    )


def _loaded(files: Mapping[str, str]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Otter imports uses traits in a deprecated way
        from otter.test_files.exception_test import ExceptionTestFile
    return {name.removesuffix(".py"): ExceptionTestFile.from_string(source) for name, source in files.items()}


def _said(content: bytes, file_name: str, checks: Mapping[str, Any]) -> _Said:
    """What the checks say of a submission, in a process of its own."""
    names = {question.id: question.names for question in course.questions()}
    job = Job(notebook.read(content, file_name).cells, names, told=True)
    nowhere, (reading, writing) = os.open(os.devnull, os.O_WRONLY), os.pipe()

    def run() -> None:
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        observed = _Observed(job, checks)
        observed.everything()
        os.write(writing, json.dumps([observed.said, observed.error]).encode())

    child = fork(run)
    for one in (writing, nowhere):
        os.close(one)
    told = b"".join(iter(lambda: os.read(reading, 1 << 16), b""))
    os.close(reading)
    os.waitpid(child, 0)
    said, error = json.loads(told or b'[{}, "the process ended"]')
    return said, error
