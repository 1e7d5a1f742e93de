"""Submissions whose grade is known beforehand, and what is wrong with the grade that they got."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from autograder import corpus, course
from autograder.pool import Pool
from autograder.records import Grade, QuestionGrade, Submission
from autograder.text import LANGUAGES

__all__ = ["Case", "cases", "costs_only", "judge"]

LEAST_LOSS = 0.3
"""The share of its question's points that a wrong answer loses at least."""


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
        found = costs_only([misconception.question], grade)
        for question in grade.questions:
            if question.question == misconception.question:
                if not _fails(question, misconception.catches):
                    found.append(f"slips through {misconception.catches}")
                if question.misconception != misconception.id:
                    found.append(f"explained as {question.misconception or 'nothing known'}")
        return found

    return problems


def costs_only(own: Collection[str], grade: Grade) -> list[str]:
    """What is wrong with *grade* if mistakes in the questions *own* are to cost these, and no others."""
    found = [] if grade.questions else [f"{grade.status}: {grade.detail}"]
    for question in grade.questions:
        if question.question in own:
            if question.score > (1 - LEAST_LOSS) * question.points:
                found.append(f"keeps {question.score:g} of {question.points:g} points")
        elif question.score != question.points:
            found.append(f"costs {question.points - question.score:g} points of {question.question}")
    return found


def _fails(question: QuestionGrade, name: str) -> bool:
    return any(check.check == name and check.verdict == "failed" for check in question.checks)


def _without(check: str, grade: Grade) -> Grade:
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
        grade = _without(disabled, result.grade) if disabled else result.grade
        yield case, grade, case.problems(grade)
