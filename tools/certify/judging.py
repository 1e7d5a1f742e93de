"""Judge many answers at once: tried out together, one run for each scenario, instead of graded one by one."""

import functools
import itertools
from collections.abc import Mapping, Sequence

import torch

from autograder import course
from autograder.course import Scenario
from autograder.course.corpus import misconceptions
from autograder.grading.explanation import leave_the_same
from autograder.grading.grader import run_in
from autograder.grading.hidden import findings
from autograder.grading.reference import Reference, Run
from autograder.grading.trials import Trial, observe
from autograder.sandbox import Sandbox
from autograder.wire.log import Record
from tools.cases import corpus
from tools.certify.proof import Found

__all__ = ["Judge", "judge", "stable", "told_apart"]

TOGETHER = 40
"""So many answers share a run: of more than twice as many, not all would be read."""
STOPPED = "does not end"


class Judge:
    """Tries answers out and lets the hidden checks look at them."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reference = Reference(run)

    def observed(self, trials: Sequence[Trial], scenario: Scenario, seed: int = 0) -> dict[str, Record]:
        """What each of *trials*, all of one question, leaves behind, by its id; nothing of one that does not end."""
        solution = self._reference.shared(scenario)
        found: dict[str, Record] = {}
        for start in range(0, len(trials), TOGETHER):
            found |= observe(trials[start : start + TOGETHER], scenario, solution, self._run, seed=seed)
        for trial in trials:
            if trial.id not in found:  # it does not end, or another one kept it from its turn
                found |= observe([trial], scenario, solution, self._run, seed=seed)
        return found

    def failing(
        self, trials: Sequence[Trial], scenarios: Sequence[Scenario] = course.scenarios(), seed: int = 0
    ) -> dict[str, set[str]]:
        """The checks that each of *trials*, all of one question, fails in any of *scenarios*."""
        failed: dict[str, set[str]] = {trial.id: set() for trial in trials}
        for scenario in scenarios:
            records = self.observed(trials, scenario, seed)
            right = self._reference.shared(scenario).at
            for trial in trials:
                if trial.id in records:
                    found = findings(course.question(trial.question), records[trial.id], right[trial.question])
                    failed[trial.id] |= found.keys()
                else:
                    failed[trial.id].add(STOPPED)
        return failed


@functools.cache
def judge() -> Judge:
    """This process's own."""
    torch.set_num_threads(1)
    return Judge(run_in(Sandbox(secrets=(course.REFERENCE, course.HIDDEN))))


def stable(question: str, *, every: int, seeds: int) -> Found:
    """Whether verdicts on the corpus are as they must be, whatever random numbers student code starts from.

    The answers are tried with the first seed under all scenarios, and with each other seed in one.
    """
    chosen = [case for case in corpus() if question in case.questions][::every]
    tried = [Trial(f"{case.kind} {case.id}", question, case.code) for case in chosen]
    first = {scenario.id: judge().failing(tried, [scenario]) for scenario in course.scenarios()}
    wrong = set()
    for case, trial in zip(chosen, tried, strict=True):
        failed = set[str]().union(*(found[trial.id] for found in first.values()))
        if any(mistake.catches not in failed for mistake in case.mistakes) if case.mistakes else failed:
            wrong.add(f"{trial.id} fails {', '.join(sorted(failed)) or 'nothing'}")
    for seed in range(1, seeds):
        scenario = course.scenarios()[seed % len(course.scenarios())]
        other = judge().failing(tried, [scenario], seed)
        wrong |= {f"{id_} depends on the seed" for id_ in other if other[id_] != first[scenario.id][id_]}
    return Found(f"verdicts under {seeds} seeds", sorted(wrong), len(tried))


def told_apart(question: str) -> Found:
    """Whether the shown examples tell every mistake from a right answer, and those apart that hidden scenarios do."""
    trials = [Trial(one.id, question, one.answers) for one in misconceptions() if one.question == question]
    failed = judge().failing(trials, course.shown_examples())
    wrong = [f"{one.id} looks right" for one in trials if not failed[one.id]]
    shown = [judge().observed(trials, example) for example in course.shown_examples()]
    hidden = [judge().observed(trials, scenario) for scenario in course.scenarios()]
    for one, other in itertools.combinations([trial.id for trial in trials], 2):
        if _alike(question, one, other, shown) and not _alike(question, one, other, hidden):
            wrong.append(f"{one} looks like {other}")
    return Found("mistakes told apart by shown examples", wrong, len(trials))


def _alike(question: str, one: str, other: str, settings: Sequence[Mapping[str, Record]]) -> bool:
    """Whether two mistakes leave the same values and errors in all *settings*."""
    asked = course.question(question)
    return all(leave_the_same(asked, found.get(one), found.get(other)) for found in settings)
