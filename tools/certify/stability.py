"""Whether verdicts are as they must be, whatever random numbers student code starts from."""

from __future__ import annotations

from collections.abc import Iterator

from autograder import course
from autograder.course.corpus import alternatives, misconceptions
from autograder.grading.trials import Trial
from tools.certify.judging import judge
from tools.certify.proof import Found

__all__ = ["stable"]


def stable(question: str, *, every: int, seeds: int) -> Found:
    """Try the corpus's answers to *question* with the first seed under all scenarios, and with each other in one."""
    catches = {trial.id: check for trial, check in [*_trials(question)][::every]}
    tried = [trial for trial, _ in _trials(question) if trial.id in catches]
    first = {scenario.id: judge().failing(tried, [scenario]) for scenario in course.scenarios()}
    wrong = set()
    for id_, check in catches.items():
        failed = set[str]().union(*(found[id_] for found in first.values()))
        if check not in failed if check else failed:
            wrong.add(f"{id_} fails {', '.join(sorted(failed)) or 'nothing'}")
    for seed in range(1, seeds):
        scenario = course.scenarios()[seed % len(course.scenarios())]
        other = judge().failing(tried, [scenario], seed)
        wrong |= {f"{id_} depends on the seed" for id_ in other if other[id_] != first[scenario.id][id_]}
    return Found(f"verdicts under {seeds} seeds", sorted(wrong), len(tried))


def _trials(question: str) -> Iterator[tuple[Trial, str]]:
    """All mistakes, with the check to catch each; and all right answers, which none may."""
    for mistake in misconceptions():
        if mistake.question == question:
            yield Trial(mistake.id, question, mistake.answers), mistake.catches
    for right in alternatives():
        if question in right.answers:
            yield Trial(f"{right.id} {question}", question, right.answers), ""
