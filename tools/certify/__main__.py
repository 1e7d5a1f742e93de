"""`make certify`: prove the graders, print the table, and say by the exit status whether the proof holds."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

from tqdm import tqdm

from autograder import course
from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.sandbox import SandboxFault
from tools import cases
from tools.cases import Case
from tools.certify import mutants, proof, ways
from tools.certify.judging import stable, told_apart
from tools.certify.proof import Found
from tools.certify.public_checks import measure

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
    arguments = parser.parse_args(argv)
    table = []
    for found in _found(arguments):
        for one in found.wrong:
            tqdm.write(f"{'missed' if found.holds else 'FAIL'} {found.what}: {one}", file=sys.stdout)
        table.append(found)
    print("", *table, sep="\n")
    return 0 if all(found.holds for found in table) else 1


def _found(arguments: argparse.Namespace) -> Iterator[Found]:
    """What each part of the proof finds."""
    yield from _graded(arguments)
    yield from _judged(arguments)
    if "ways" in arguments.only:
        submissions = [case.submission for case in _chosen(cases.corpus(), arguments)][::WAYS_EVERY]
        yield from ways.grades_by_other_ways(submissions, arguments.workers)
    if "public" in arguments.only:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield from pool.submit(measure).result()


def _chosen(found: Iterable[Case], arguments: argparse.Namespace) -> list[Case]:
    return [case for case in found if arguments.question in ("", *case.questions)][:: arguments.every]


def _graded(arguments: argparse.Namespace) -> Iterator[Found]:
    """The grades of the corpus, and of its mistakes in company, and what their owners are told."""
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
        own = {case.id: "; ".join(proof.problems(case, grade)) for case, grade in graded if case.kind == kind}
        yield Found(kind, [f"{id_}: {found}" for id_, found in own.items() if found], len(own))
    said = [each for case, grade in graded for each in proof.told(case, grade)]
    if said:
        untold = [where for where, what in said if what == proof.UNTOLD]
        more = ", ".join(f"{count} {what}" for what, count in Counter(what for _, what in said).most_common())
        yield Found("wrong answers that are told more", untold, len(said), proof.LEAST_TOLD, more)


def _judged(arguments: argparse.Namespace) -> Iterator[Found]:
    """What is judged many answers at a time: each part question by question, by so many processes."""
    every = arguments.every
    parts: dict[str, Callable[[str], Found]] = {
        "mutants": partial(mutants.caught, every=every),
        "stability": partial(stable, every=every, seeds=arguments.seeds),
        "shown": told_apart,
    }
    questions = [one.id for one in course.questions() if arguments.question in ("", one.id)]
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        # All are begun at once, so that no process waits for the others between two parts.
        begun = [pool.map(parts[name], questions) for name in parts if name in arguments.only]
        for findings in begun:
            own = list(tqdm(findings, total=len(questions), unit="question", desc="judging"))
            wrong = [one for found in own for one in found.wrong]
            yield replace(own[0], wrong=wrong, total=sum(found.total for found in own))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (course.CourseError, SandboxFault) as error:
        sys.exit(f"certify: {error}")
