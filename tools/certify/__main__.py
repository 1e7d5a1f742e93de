"""`make certify`: prove the graders, print the table, and say by the exit status whether the proof holds."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from autograder import course
from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.sandbox import SandboxFault
from tools.certify import cases, mutants, ways
from tools.certify.cases import Case
from tools.certify.judging import side_by_side, stable, told_apart
from tools.certify.proof import Found, Proof
from tools.certify.public_checks import LEAST_CAUGHT, measure

__all__ = ["main"]

PARTS = ("corpus", "company", "mutants", "stability", "shown", "ways", "public")
WAYS_EVERY = 6
"""Every so many of the corpus go all the ways: a grade that depends on the way does so for many."""


def main(argv: Sequence[str] | None = None) -> int:
    """Prove what *argv* says, print the table, and give the exit status: 0 if all holds."""
    parser = argparse.ArgumentParser(prog="make certify", description=__doc__)
    parser.add_argument("--question", metavar="qN", default="", help="only this question's answers")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="do these parts (default: all)")
    parser.add_argument("--every", metavar="N", type=int, default=1, help="take every Nth submission and mutant")
    parser.add_argument("--pairs", metavar="N", type=int, default=300, help="pairs of mistakes (default: %(default)s)")
    parser.add_argument("--seeds", metavar="N", type=int, default=20, help="judge under N seeds (default: %(default)s)")
    parser.add_argument("--workers", metavar="N", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--environment", metavar="DIR", type=Path, help="where `make grade`'s packages alone are")
    arguments = parser.parse_args(argv)
    proof = Proof()
    _grade(arguments, proof)
    _judge(arguments, proof)
    if "ways" in arguments.only:
        submissions = [case.submission for case in _chosen(cases.corpus(), arguments)][::WAYS_EVERY]
        for found in ways.grades_by_other_ways(submissions, arguments.workers, arguments.environment):
            proof.add(found)
    if "public" in arguments.only:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            caught, passed = pool.submit(measure).result()
        proof.add(caught, least=LEAST_CAUGHT)
        proof.add(passed)
    print("", *proof.lines, sep="\n")
    return 0 if proof.holds else 1


def _chosen(found: Iterable[Case], arguments: argparse.Namespace) -> list[Case]:
    return [case for case in found if arguments.question in ("", *case.questions)][:: arguments.every]


def _grade(arguments: argparse.Namespace, proof: Proof) -> None:
    """Grade the corpus, and its mistakes in company, and score what their owners are told."""
    chosen = _chosen(cases.corpus(), arguments) if "corpus" in arguments.only else []
    if "company" in arguments.only:
        chosen += _chosen(cases.beside_right_answers(), arguments)
        chosen += _chosen(cases.beside_another_mistake(), arguments)[: arguments.pairs]
    if not chosen:
        return
    with Pool(arguments.workers) as pool:
        results = ways.graded(pool, [Task(case.submission, ways.SECRET) for case in chosen], "grading")
    graded = [(case, results[case.submission.name].grade) for case in chosen]
    for kind in dict.fromkeys(case.kind for case in chosen):
        own = {case.id: "; ".join(cases.problems(case, grade)) for case, grade in graded if case.kind == kind}
        proof.add(Found(kind, [f"{id_}: {found}" for id_, found in own.items() if found], len(own)))
    said = [each for case, grade in graded for each in cases.told(case, grade)]
    if said:
        untold = [where for where, what in said if what == cases.UNTOLD]
        more = ", ".join(f"{count} {what}" for what, count in Counter(what for _, what in said).most_common())
        proof.add(Found("wrong answers that are told more", untold, len(said)), least=cases.LEAST_TOLD, more=more)


def _judge(arguments: argparse.Namespace, proof: Proof) -> None:
    """Do what is judged many answers at a time."""
    every = arguments.every
    possible: dict[str, tuple[Callable[[str], Found], float]] = {
        "mutants": (partial(mutants.caught, every=every), 0.98),
        "stability": (partial(stable, every=every, seeds=arguments.seeds), 1.0),
        "shown": (told_apart, 1.0),
    }
    parts = [possible[name] for name in possible if name in arguments.only]
    questions = [one.id for one in course.questions() if arguments.question in ("", one.id)]
    found = side_by_side([part for part, _ in parts], questions, arguments.workers) if parts else iter(())
    for _, least in parts:
        own = [next(found) for _ in tqdm(questions, unit="question", desc="judging")]
        wrong = [one for finding in own for one in finding.wrong]
        proof.add(Found(own[0].what, wrong, sum(finding.total for finding in own)), least=least)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (course.CourseError, SandboxFault) as error:
        sys.exit(f"certify: {error}")
