"""Prove the graders: right answers earn all; every known mistake is caught, explained, and costs its own question.

`make certify` runs all of it and prints a table; the exit status says whether the proof holds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from tqdm import tqdm

from autograder import corpus, course
from autograder.checks import Findings, Look, serve
from autograder.job import Job
from autograder.mutants import Mutant, mutants
from autograder.pool import Pool
from autograder.records import Grade, QuestionGrade, Submission
from autograder.reference import Reference
from autograder.runlog import RunLog
from autograder.sandbox import Sandbox
from autograder.text import LANGUAGES
from autograder.trials import Trial, observe

__all__ = ["Case", "cases", "judge", "main"]

PARTS = ("corpus", "mutants", "stability", "ways")
LEAST_LOSS = 0.3
"""The share of its question's points that a wrong answer loses at least."""
MUTANTS_CAUGHT = 0.98
"""The share of the mutants that are not equivalent which must be caught at least."""


@dataclass(frozen=True)
class Case:
    """A submission whose grade is known beforehand."""

    kind: str
    id: str
    content: bytes
    problems: Callable[[Grade], list[str]]
    """What is wrong with the grade that it got: nothing, if the graders are right."""
    question: str = ""
    """The question that it is about, if only one."""

    @property
    def submission(self) -> Submission:
        suffix = "ipynb" if self.content.startswith(b"{") else "py"
        return Submission(f"{self.kind}/{self.id}.{suffix}", self.id, self.content)


def cases() -> Iterator[Case]:
    """The reference, the blank editions, every alternative and every misconception."""
    yield Case("reference", "solution", course.REFERENCE.read_bytes(), _must_score(course.maximum()))
    for lang in LANGUAGES:
        blank = course.ROOT / "assignment" / lang / "rnn.ipynb"
        yield Case("blank", lang, blank.read_bytes(), _must_score(0.0))
    for alternative in corpus.alternatives():
        question = next(iter(alternative.answers)) if len(alternative.answers) == 1 else ""
        yield Case("alternative", alternative.id, alternative.content, _must_score(course.maximum()), question)
    for misconception in corpus.misconceptions():
        must = _must_catch(misconception)
        yield Case("misconception", misconception.id, misconception.content, must, misconception.question)


def _must_score(points: float) -> Callable[[Grade], list[str]]:
    def problems(grade: Grade) -> list[str]:
        if grade.score == points:
            return []
        lost = [
            f"{question.question} {check.check}: {check.message}"
            for question in grade.questions
            for check in question.checks
            if check.verdict != "passed" and check.points
        ]
        return [f"earned {grade.score}, not {points} ({grade.status} {grade.detail})", *(lost if points else [])]

    return problems


def _must_catch(misconception: corpus.Misconception) -> Callable[[Grade], list[str]]:
    def problems(grade: Grade) -> list[str]:
        found = _costs_only(misconception.question, grade)
        for question in grade.questions:
            if question.question == misconception.question:
                if not _fails(question, misconception.catches):
                    found.append(f"slips through {misconception.catches}")
                if question.misconception != misconception.id:
                    found.append(f"explained as {question.misconception or 'nothing known'}")
        return found

    return problems


def _costs_only(own: str, grade: Grade) -> list[str]:
    found = [] if grade.questions else [f"{grade.status}: {grade.detail}"]
    for question in grade.questions:
        if question.question == own:
            if question.score > (1 - LEAST_LOSS) * question.points:
                found.append(f"keeps {question.score:g} of {question.points:g} points")
        elif question.score != question.points:
            found.append(f"costs {question.points - question.score:g} points of {question.question}")
    return found


def _fails(question: QuestionGrade, name: str) -> bool:
    return any(check.check == name and check.verdict == "failed" for check in question.checks)


def without(check: str, grade: Grade) -> Grade:
    """The grade as it would be without one hidden check (`q3.test_h_n`)."""
    owner, _, name = check.partition(".")
    questions = []
    for question in grade.questions:
        if question.question == owner and _fails(question, name):
            checks = tuple(replace(c, verdict="passed") if c.check == name else c for c in question.checks)
            score = sum(c.points for c in checks if c.verdict == "passed")
            right = all(c.verdict == "passed" for c in checks if c.points)
            question = replace(
                question, checks=checks, score=score, misconception="" if right else question.misconception
            )
        questions.append(question)
    return replace(grade, questions=tuple(questions), score=sum(question.score for question in questions))


def judge(cases: Sequence[Case], pool: Pool, *, disabled: str = "") -> Iterator[tuple[Case, Grade, list[str]]]:
    """Grade the cases and say of each what is wrong with its grade."""
    by_name = {case.submission.name: case for case in cases}
    for submission, result in pool.grade(case.submission for case in cases):
        case = by_name[submission.name]
        grade = without(disabled, result.grade) if disabled else result.grade
        yield case, grade, case.problems(grade)


Failing = Callable[[Sequence[Trial], int], dict[str, set[str]]]
"""For trials and a seed: the hidden checks that each fails in some hidden scenario."""


def main(argv: Sequence[str] | None = None) -> int:
    """Grade the whole corpus, print the table, and give the exit status: 0 if the proof holds."""
    parser = argparse.ArgumentParser(prog="make certify", description=__doc__)
    parser.add_argument("--without", metavar="qN.test_NAME", default="", help="pretend that this check did not exist")
    parser.add_argument("--question", metavar="qN", default="", help="only this question's answers")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="do these parts (default: all)")
    parser.add_argument("--every", metavar="N", type=int, default=1, help="take every Nth submission and mutant")
    parser.add_argument("--seeds", metavar="N", type=int, default=20, help="judge under N seeds (default: %(default)s)")
    parser.add_argument("--workers", metavar="N", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args(argv)
    failures = 0
    if "corpus" in arguments.only:
        chosen = [case for case in cases() if arguments.question in ("", case.question)][:: arguments.every]
        with Pool(workers=arguments.workers, lang="en") as pool:
            judged = judge(chosen, pool, disabled=arguments.without)
            failures += _print_corpus(list(tqdm(judged, total=len(chosen), unit="case", desc="corpus")))

    def in_one_run(failing: Failing) -> None:
        nonlocal failures
        if "mutants" in arguments.only:
            tried = [mutant for mutant in mutants() if arguments.question in ("", mutant.question)]
            failures += _print_mutants(tried[:: arguments.every], failing)
        if "stability" in arguments.only:
            failures += _print_stability(_trials(arguments.question), arguments.seeds, failing)

    if {"mutants", "stability"} & set(arguments.only):
        _with_graders(in_one_run)
    if "ways" in arguments.only:
        submissions = [case.submission for case in cases() if arguments.question in ("", case.question)]
        failures += _print_ways(submissions[:: arguments.every], arguments.workers)
    return 1 if failures else 0


def _print_corpus(rows: Sequence[tuple[Case, Grade, list[str]]]) -> int:
    failed = 0
    for case, grade, problems in sorted(rows, key=lambda row: (row[0].kind, row[0].id)):
        failed += bool(problems)
        score = "-" if grade.score is None else f"{grade.score:g}"
        print(f"{'FAIL' if problems else 'ok  '} {case.kind:13} {case.id:44} {score:>5}")
        for problem in problems:
            print(f"       {problem}")
    print()
    for kind in ("reference", "blank", "alternative", "misconception"):
        of_kind = [problems for case, _, problems in rows if case.kind == kind]
        print(f"{kind:13} {sum(not problems for problems in of_kind):4} of {len(of_kind):4} as they must be")
    return failed


def _print_mutants(tried: Sequence[Mutant], failing: Failing) -> int:
    trials = [Trial(mutant.id, mutant.question, {mutant.question: mutant.code}) for mutant in tried]
    failed = failing(trials, 0)
    survivors = [mutant for mutant in tried if not failed[mutant.id]]
    equivalent = [mutant for mutant in survivors if mutant.reason]
    print("\nmutants that pass all checks, and why they may:")
    for mutant in survivors:
        print(f"  {mutant.id:7} {mutant.change}\n{'':10}{mutant.reason or 'NO REASON KNOWN: a hole in the graders'}")
    wrong, caught = len(tried) - len(equivalent), len(tried) - len(survivors)
    print(f"\nmutants       {caught:4} of {wrong:4} that change the answer are caught ({caught / wrong:.1%})")
    return 0 if caught >= MUTANTS_CAUGHT * wrong else 1


def _trials(only: str) -> list[tuple[Trial, str]]:
    """All misconceptions and alternatives, each under every question that it answers, with the check to catch it."""
    wrong = [(Trial(one.id, one.question, one.answers), one.catches) for one in corpus.misconceptions()]
    right = [
        (Trial(f"{one.id} {name}", name, one.answers), "") for one in corpus.alternatives() for name in one.answers
    ]
    return [(trial, catches) for trial, catches in (*wrong, *right) if only in ("", trial.question)]


def _print_stability(tried: Sequence[tuple[Trial, str]], seeds: int, failing: Failing) -> int:
    """Whether verdicts are as they must be, whatever random numbers student code starts from."""
    trials = [trial for trial, _ in tried]
    verdicts = [failing(trials, seed) for seed in tqdm(range(seeds), unit="seed", desc="stability")]
    failed = 0
    for trial, catches in tried:
        first = verdicts[0][trial.id]
        problems = ["its verdict depends on the seed"] * any(found[trial.id] != first for found in verdicts)
        if catches and catches not in first:
            problems.append(f"slips through {catches}")
        if first and not catches:
            problems.append(f"is right, but fails {', '.join(sorted(first))}")
        failed += bool(problems)
        for problem in problems:
            print(f"FAIL {trial.id}: {problem}")
    print(
        f"stability     {len(tried) - failed:4} of {len(tried):4} answers judged as they must be, under {seeds} seeds"
    )
    return failed


def _print_ways(submissions: Sequence[Submission], workers: int) -> int:
    """Whether grades are those that so many workers gave, however else they are come by."""
    from autograder import ways  # Dask takes a second to import

    failures = 0
    print(f"\ngrades as {workers} workers gave them:")
    for way, total, differing in ways.differing(submissions, workers):
        failures += len(differing)
        for name in differing:
            print(f"FAIL {name}")
        print(f"{way:32} {total - len(differing):4} of {total:4}")
    return failures


def _with_graders(work: Callable[[Failing], None]) -> None:
    """Call *work* with a function that judges many trials, tried out together in one run a scenario."""
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


if __name__ == "__main__":
    sys.exit(main())
