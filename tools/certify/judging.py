"""Judge many answers at once: tried out together, one run for each scenario, instead of graded one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from tqdm import tqdm

from autograder import course
from autograder.checks import Findings, Look, serve
from autograder.job import Job
from autograder.reference import Reference
from autograder.runlog import RunLog
from autograder.sandbox import Sandbox
from autograder.trials import Trial, observe

__all__ = ["Failing", "with_graders"]

Failing = Callable[[Sequence[Trial], int], dict[str, set[str]]]
"""For trials and a seed: the hidden checks that each fails in some hidden scenario."""


def with_graders(work: Callable[[Failing], None]) -> None:
    """Call *work* with a function that judges trials."""
    torch.set_num_threads(1)
    with Sandbox() as sandbox:

        def run(jobs: Sequence[Job]) -> list[RunLog]:
            outcome = sandbox.run(b"".join(job.encode({}) for job in jobs))
            logs = RunLog(outcome.frames, outcome.ending).parted(len(jobs))
            return [log or RunLog((), "crashed") for log in logs]

        def with_look(look: Callable[[Look], Findings]) -> None:
            reference = Reference(run)
            known: dict[tuple[str, bytes], set[str]] = {}

            def failing(trials: Sequence[Trial], seed: int) -> dict[str, set[str]]:
                records = observe(trials, run, seed=seed)
                found: dict[str, set[str]] = {trial.id: set() for trial in trials}
                for trial in tqdm(trials, unit="answer", desc="checks", leave=False):
                    for scenario, record in zip(course.scenarios(), records[trial.id], strict=True):
                        key = (scenario.id, record.frame)
                        if key not in known:
                            values = reference.at(scenario, trial.question)
                            findings = look(Look(trial.question, False, record, values, scenario))
                            known[key] = {name for name, finding in findings.items() if not finding.passed}
                        found[trial.id] |= known[key]
                return found

            work(failing)

        serve(with_look)
