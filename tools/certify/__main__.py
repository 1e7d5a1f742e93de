"""`make certify`: prove the graders, print the table, and say by the exit status whether the proof holds."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tqdm import tqdm

from autograder import corpus
from autograder.certify.cases import Case, cases, judge
from autograder.certify.company import companies, judged
from autograder.certify.judging import Failing, with_graders
from autograder.certify.mutants import Mutant, mutants
from autograder.pool import Pool
from autograder.records import Grade, Submission
from autograder.trials import Trial

__all__ = ["main"]

PARTS = ("corpus", "company", "mutants", "stability", "ways")
MUTANTS_CAUGHT = 0.98
"""The share of the mutants that are not equivalent which must be caught at least."""
EXPLAINED = 0.95
"""The share of the misconceptions which must be explained by their own hint at least, whatever stands beside them."""


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

    if "company" in arguments.only:
        mistakes = [one for one in corpus.misconceptions() if arguments.question in ("", one.question)]
        failures += _print_company(mistakes[:: arguments.every], arguments.workers)

    def in_one_run(failing: Failing) -> None:
        nonlocal failures
        if "mutants" in arguments.only:
            tried = [mutant for mutant in mutants() if arguments.question in ("", mutant.question)]
            failures += _print_mutants(tried[:: arguments.every], failing)
        if "stability" in arguments.only:
            failures += _print_stability(_trials(arguments.question), arguments.seeds, failing)

    if {"mutants", "stability"} & set(arguments.only):
        with_graders(in_one_run)
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


def _print_company(mistakes: Sequence[corpus.Misconception], workers: int) -> int:
    """Whether mistakes are explained, and cost their own questions, whatever stands beside them."""
    failures = 0
    print()
    with Pool(workers=workers, lang="en") as pool:
        for company in companies(mistakes):
            strange, costly = judged(company, pool)
            total = len(company.members)
            failures += len(costly) + (len(strange) > (1 - EXPLAINED) * total)
            for problem in (*strange, *costly):
                print(f"{'FAIL' if problem in costly else 'but '} {problem}")
            share = f" ({1 - len(strange) / total:.1%})" if total else ""
            print(f"{company.name}: {total - len(strange)} of {total} mistakes explained by their own hint{share}")
    return failures


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
    from autograder.certify import ways  # Dask takes a second to import

    failures = 0
    print(f"\ngrades as {workers} workers gave them:")
    for way, total, differing in ways.differing(submissions, workers):
        failures += len(differing)
        for name in differing:
            print(f"FAIL {name}")
        print(f"{way:32} {total - len(differing):4} of {total:4}")
    return failures


if __name__ == "__main__":
    sys.exit(main())
