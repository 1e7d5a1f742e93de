"""The proof itself: it must be able to fail, and hold over a part of the corpus."""

from __future__ import annotations

import contextlib
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from autograder import course
from autograder.classroom.pool import Pool
from autograder.grade import CheckResult, Difference, Example, Grade, Note, QuestionGrade, Shown
from autograder.grading.reference import Runner
from tools.cases import Case, beside_another_mistake, corpus
from tools.certify import __main__ as certify
from tools.certify import judging, ways
from tools.certify import mutants as mutation
from tools.certify.judging import Judge
from tools.certify.mutants import equivalent, mutants
from tools.certify.proof import EXACT, RECOGNISED, UNTOLD, Found, problems, told

from .submissions import POINTS

MISTAKE = next(case for case in corpus() if case.questions == {"q3"} and case.mistakes)
EXAMPLE = Example("tiny", (Difference("h_n", Note("missing", {}), Shown("tensor"), Shown("other")),))


def graded(case: Case) -> Grade:
    """The grade that a case with mistakes must get."""
    wrong = {mistake.question: mistake for mistake in case.mistakes}
    questions = tuple(
        QuestionGrade(one.id, one.points, 0.0, _failed(one, wrong[one.id].catches), True, wrong[one.id].id)
        if one.id in wrong
        else QuestionGrade(one.id, one.points, one.points, answered=True)
        for one in course.questions()
    )
    return Grade("graded", sum(one.score for one in questions), course.maximum(), questions)


def _failed(question: course.Question, name: str) -> tuple[CheckResult, ...]:
    return tuple(CheckResult(one.name, one.points, one.name != name, Note("x")) for one in question.checks)


def changed(grade: Grade, question: str, **fields: object) -> Grade:
    """*grade* with other *fields* of one question."""
    return replace(
        grade, questions=tuple(replace(q, **fields) if q.question == question else q for q in grade.questions)
    )


def test_grade_that_is_as_it_must_be_has_no_problems() -> None:
    """A mistake that is caught, explained and costs its own question is no problem."""
    assert problems(MISTAKE, graded(MISTAKE)) == []


@pytest.mark.parametrize(
    ("question", "fields", "problem"),
    [
        ("q5", {"score": 0.0}, "q5: earned 0"),
        ("q3", {"score": POINTS["q3"]}, f"keeps {POINTS['q3']:g} of {POINTS['q3']:g}"),
        ("q3", {"checks": ()}, "slips through"),
        ("q3", {"misconception": "another"}, "explained as another"),
        ("q3", {"misconception": ""}, "explained as nothing known"),
    ],
)
def test_grade_that_is_not_as_it_must_be_is_found_out(question: str, fields: dict[str, object], problem: str) -> None:
    """Points lost elsewhere, points kept, a check passed, another mistake's hint or none: each is named."""
    assert problem in "; ".join(problems(MISTAKE, changed(graded(MISTAKE), question, **fields)))


def test_in_company_an_exact_difference_is_enough_but_another_hint_is_not() -> None:
    """Of a pair, a mistake may be told by its difference; never by the hint of something else."""
    pair = next(beside_another_mistake())
    own = pair.mistakes[0].question
    unexplained = changed(graded(pair), own, misconception="", example=EXAMPLE)
    assert problems(pair, unexplained) == []
    assert problems(pair, changed(unexplained, own, misconception="another"))
    said = dict(told(pair, unexplained))
    assert (said.pop(f"{pair.id}: {own}"), [*said.values()]) == (EXACT, [RECOGNISED])
    assert dict(told(pair, changed(unexplained, own, example=None)))[f"{pair.id}: {own}"] == UNTOLD


def test_every_mistake_is_beside_one_of_every_other_question() -> None:
    """Every mistake is in some pair, and no pair comes twice."""
    mistakes = {case.id for case in corpus() if case.mistakes}
    cases = list(beside_another_mistake())
    pairs = [frozenset(mistake.id for mistake in case.mistakes) for case in cases]
    assert len(set(pairs)) == len(pairs)
    assert frozenset().union(*pairs) == mistakes
    assert all(len(case.questions) == 2 for case in cases)


def test_proof_fails_where_too_many_are_wrong_or_nothing_was_tried() -> None:
    """A share may be enough; of nothing, nothing is."""
    assert Found("mutants", ["one"], 100, least=0.98).holds
    assert not Found("corpus", ["one"], 100).holds
    assert not Found("corpus", [], 0).holds


def test_mutants_are_many_and_every_excuse_is_used() -> None:
    """There are many of them; what `tests/mutants.toml` excuses comes up."""
    found = [change for question in course.questions() for change in mutants(question.id).values()]
    assert len(found) > 500
    assert [form for form in equivalent() if not any(re.fullmatch(form, change) for change in found)] == []


@pytest.fixture(scope="module")
def certified(pool: Pool, run: Runner) -> str:
    """The proof over every eighth answer to one question, with a pair or two of mistakes.

    The session's processes do it, beside a cluster: starting others takes longer than all of it.
    """
    parts = ("company", "mutants", "stability", "shown", "ways")
    few = ("--question", "q4", "--every", "8", "--seeds", "3", "--pairs", "2", "--workers", "1")
    judge = Judge(run)
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        for module, name in ((certify, "Pool"), (ways, "Pool")):
            patch.setattr(module, name, lambda *_: contextlib.nullcontext(pool))
        for module in (judging, mutation):
            patch.setattr(module, "judge", lambda: judge)
        patch.setattr(certify, "ProcessPoolExecutor", lambda workers, **_: ThreadPoolExecutor(workers))
        assert certify.main(["--only", *parts, *few]) == 0
    return printed.getvalue()


@pytest.mark.filterwarnings("ignore")  # Dask's own
@pytest.mark.parametrize(
    "line",
    [
        "mutants caught",
        "verdicts under 3 seeds",
        "mistakes told apart by shown examples",
        "company",
        "pair",
        "wrong answers that are told more",
        "same grades by regrading, nothing run",
        "same grades by one worker",
        "same grades by a Dask cluster",
        "same grades among hostile submissions",
    ],
)
def test_proof_holds_over_a_part_of_the_corpus(certified: str, line: str) -> None:
    """Each of its lines says that all that was tried is as it must be."""
    assert re.search(rf"^ok   {line} +(\d+) of +\1\b", certified, re.MULTILINE), certified
