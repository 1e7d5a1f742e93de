"""Prove the graders: right answers earn everything, every known mistake is caught, explained, and costs its own question.

`make certify` runs all of it and prints a table; the exit status says whether the proof holds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from autograder import corpus, course
from autograder.mutants import EQUIVALENT, Mutant, mutants
from autograder.pool import Pool
from autograder.records import Grade, QuestionGrade, Submission
from autograder.text import LANGUAGES

__all__ = ["Case", "cases", "judge", "main"]

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
        yield Case("alternative", alternative.id, alternative.content, _must_score(course.maximum()))
    for misconception in corpus.misconceptions():
        yield Case("misconception", misconception.id, misconception.content, _must_catch(misconception))


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
    from dataclasses import replace

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


def judge(
    cases: Sequence[Case], pool: Pool, *, disabled: str = "", total: int | None = None
) -> Iterator[tuple[Case, Grade, list[str]]]:
    """Grade the cases and say of each what is wrong with its grade."""
    by_name = {case.submission.name: case for case in cases}
    for submission, result in pool.grade(case.submission for case in cases):
        case = by_name[submission.name]
        grade = without(disabled, result.grade) if disabled else result.grade
        yield case, grade, case.problems(grade)


def survives(mutant: Mutant, grade: Grade) -> bool:
    """Whether the graders take a mutant for a right answer."""
    return grade.score == course.maximum()


def main(argv: Sequence[str] | None = None) -> int:
    """Grade the whole corpus, print the table, and give the exit status: 0 if the proof holds."""
    parser = argparse.ArgumentParser(prog="make certify", description=__doc__)
    parser.add_argument("--without", metavar="qN.test_NAME", default="", help="pretend that this check did not exist")
    parser.add_argument("--no-mutants", action="store_true", help="leave the mutants out")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args(argv)
    everything = list(cases())
    with Pool(workers=arguments.workers, lang="en") as pool:
        judged = judge(everything, pool, disabled=arguments.without)
        rows = list(tqdm(judged, total=len(everything), unit="case", desc="corpus"))
        failures = _print_corpus(rows)
        if not arguments.no_mutants:
            failures += _print_mutants(pool)
    return 1 if failures else 0


def _print_corpus(rows: Iterable[tuple[Case, Grade, list[str]]]) -> int:
    rows = sorted(rows, key=lambda row: (row[0].kind, row[0].id))
    failed = 0
    for case, grade, problems in rows:
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


def _print_mutants(pool: Pool) -> int:
    found = {mutant.submission.name: mutant for mutant in mutants()}
    graded = pool.grade(mutant.submission for mutant in found.values())
    survivors = [
        found[submission.name]
        for submission, result in tqdm(graded, total=len(found), unit="mutant", desc="mutants")
        if survives(found[submission.name], result.grade)
    ]
    unexplained = [mutant for mutant in survivors if not mutant.reason]
    print("\nmutants that the graders take for right, and why they are:")
    for mutant in survivors:
        print(f"  {mutant.id:12} {mutant.change}\n{'':15}{mutant.reason or 'NO REASON KNOWN'}")
    wrong = len(found) - (len(survivors) - len(unexplained))
    caught = len(found) - len(survivors)
    print(f"\nmutants       {caught} of {wrong} that change the answer are caught ({caught / wrong:.1%})")
    return 0 if caught >= MUTANTS_CAUGHT * wrong else 1


if __name__ == "__main__":
    sys.exit(main())
