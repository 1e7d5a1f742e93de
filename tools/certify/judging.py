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
from autograder.grading.reference import Reference, Runner
from autograder.grading.trials import Trials, observe
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

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._reference = Reference(run)

    def observed(self, question: str, trials: Trials, scenario: Scenario, seed: int = 0) -> dict[str, Record]:
        """What each of *trials* leaves behind, by its id; nothing of one that does not end."""
        solution = self._reference.shared(scenario)
        found: dict[str, Record] = {}
        for start in range(0, len(trials), TOGETHER):
            some = dict(itertools.islice(trials.items(), start, start + TOGETHER))
            found |= observe(question, some, scenario, solution, self._run, seed=seed)
        for id_ in trials.keys() - found.keys():  # it does not end, or another one kept it from its turn
            found |= observe(question, {id_: trials[id_]}, scenario, solution, self._run, seed=seed)
        return found

    def failing(
        self, question: str, trials: Trials, scenarios: Sequence[Scenario] = course.scenarios(), seed: int = 0
    ) -> dict[str, set[str]]:
        """The checks that each of *trials* fails in any of *scenarios*."""
        failed: dict[str, set[str]] = {id_: set() for id_ in trials}
        for scenario in scenarios:
            records = self.observed(question, trials, scenario, seed)
            right = self._reference.shared(scenario).at[question]
            for id_ in trials:
                if id_ in records:
                    failed[id_] |= findings(course.question(question), records[id_], right).keys()
                else:
                    failed[id_].add(STOPPED)
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
    asked = [case for case in corpus() if question in case.questions][::every]
    chosen = {f"{case.kind} {case.id}": case for case in asked}
    tried = {id_: case.code for id_, case in chosen.items()}
    first = {scenario.id: judge().failing(question, tried, [scenario]) for scenario in course.scenarios()}
    wrong = set()
    for id_, case in chosen.items():
        failed = set[str]().union(*(found[id_] for found in first.values()))
        if any(mistake.catches not in failed for mistake in case.mistakes) if case.mistakes else failed:
            wrong.add(f"{id_} fails {', '.join(sorted(failed)) or 'nothing'}")
    for seed in range(1, seeds):
        scenario = course.scenarios()[seed % len(course.scenarios())]
        other = judge().failing(question, tried, [scenario], seed)
        wrong |= {f"{id_} depends on the seed" for id_ in other if other[id_] != first[scenario.id][id_]}
    return Found(f"verdicts under {seeds} seeds", sorted(wrong), len(tried))


def told_apart(question: str) -> Found:
    """Whether the shown examples tell every mistake from a right answer, and those apart that hidden scenarios do."""
    trials = {one.id: one.answers for one in misconceptions() if one.question == question}
    failed = judge().failing(question, trials, course.shown_examples())
    wrong = [f"{id_} looks right" for id_ in trials if not failed[id_]]
    shown = [judge().observed(question, trials, example) for example in course.shown_examples()]
    hidden = [judge().observed(question, trials, scenario) for scenario in course.scenarios()]
    for one, other in itertools.combinations(trials, 2):
        if _alike(question, one, other, shown) and not _alike(question, one, other, hidden):
            wrong.append(f"{one} looks like {other}")
    return Found("mistakes told apart by shown examples", wrong, len(trials))


def _alike(question: str, one: str, other: str, settings: Sequence[Mapping[str, Record]]) -> bool:
    """Whether two mistakes leave the same values and errors in all *settings*."""
    asked = course.question(question)
    return all(leave_the_same(asked, found.get(one), found.get(other)) for found in settings)
