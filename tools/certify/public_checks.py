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
from tqdm import tqdm

from autograder import course
from autograder.build.checks import student_checks
from autograder.grade import Submission
from autograder.intake import notebook
from autograder.student import execute, warm
from autograder.student.program import Statement
from autograder.wire.job import Job
from autograder.wire.messages import Failure
from tools.cases import corpus
from tools.certify.proof import Found
from tools.commands import forked

__all__ = ["measure"]

LEAST_CAUGHT = 0.85
"""The share of wrong answers that the public checks must catch."""


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
    warm.warm()
    cases = [case for case in corpus() if case.kind in ("misconception", "alternative") and not case.given_edited]
    found = [(case, *_said(case.submission, checks)) for case in tqdm(cases, desc="public checks")]
    wrong = [(mistake, said) for case, said, _ in found for mistake in case.mistakes]
    missed = [f"{mistake.question} {mistake.id}" for mistake, said in wrong if not said.get(mistake.question)]
    right = [(case.id, said) for case, said, error in found if not case.mistakes and not error]
    rejected = [f"{id_}: {said}" for id_, said in right if any(said.values())]
    return (
        Found("wrong answers that public checks catch", missed, len(wrong), LEAST_CAUGHT),
        Found("right answers that public checks pass", rejected, len(right)),
    )


def _loaded(files: Mapping[str, str]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Otter imports uses traits in a deprecated way
        from otter.test_files.exception_test import ExceptionTestFile
    return {name.removesuffix(".py"): ExceptionTestFile.from_string(source) for name, source in files.items()}


def _said(submission: Submission, checks: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """What failing checks say of a submission, by question; and the first error of its own code, if any."""
    names = {question.id: question.names for question in course.questions()}
    job = Job(notebook.read(submission.content, submission.name).cells, names, public=True)
    with open(os.memfd_create("told"), "w+") as told:  # a file with a name would be the notebook's own, in memory

        def run() -> None:
            observed = _Observed(job, checks)
            observed.everything()
            json.dump([observed.said, observed.error], told)
            told.flush()

        forked(run)
        told.seek(0)
        said, error = json.loads(told.read() or '[{}, "the process ended"]')
    return said, error
