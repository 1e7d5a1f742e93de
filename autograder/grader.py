"""Grade one submission: run it, check it, and go on after a wrong question as if it had been right."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from autograder import course, notebook
from autograder.checks import Findings, Look
from autograder.course import Question, Scenario
from autograder.explain import Explainer
from autograder.job import Job
from autograder.marking import hidden_message, public_message, remarks
from autograder.records import CheckResult, Grade, QuestionGrade, Submission
from autograder.reference import Reference, ReferenceValues
from autograder.runlog import Record, RunLog
from autograder.runner import Run, Runner
from autograder.sandbox import ALLOWANCE, DEFAULT, Allowance
from autograder.text import Language, language, speaking
from autograder.verdicts import Verdict, verdicts

__all__ = ["Grader"]

LINE_CHARACTERS = 500
"""Longest source line that is shown beside an error."""
FINDINGS = 2_000
"""Of so many observations the findings are remembered; some kilobytes each, and most of a class behaves in few ways."""


class Grader:
    """Grades submissions one after another; a score depends on nothing but the submission.

    *look* runs the checks of a question on an observation, *run* jobs in the sandbox.
    """

    def __init__(self, run: Run, look: Callable[[Look], Findings], allowance: Allowance = ALLOWANCE) -> None:
        self.run = run
        self.look = look
        self.allowance = allowance
        self.reference = Reference(self.run_own)
        self.explainer = Explainer(self.run_own)
        self._remembered: dict[tuple[str, bool, str, Language, bytes], Findings] = {}

    def run_own(self, jobs: Sequence[Job]) -> list[RunLog]:
        """Run jobs of the grader's own in one child; one that it did not come to has crashed."""
        return [log or RunLog((), "crashed") for log in self.run([(job, {}) for job in jobs], DEFAULT.wall_seconds)]

    def grade(self, submission: Submission, lang: Language | None = None, run: Run | None = None) -> Grade:
        """The grade, in *lang* or the language of the student's edition; *run* may answer from kept evidence."""
        started = time.perf_counter()
        with speaking(lang or "ko"):
            try:
                if submission.problem:
                    raise notebook.Unreadable(submission.problem)
                source = notebook.read(submission.content, submission.name)
            except notebook.Unreadable as problem:
                return _unreadable(str(problem))
        with speaking(lang or source.lang or "ko"):
            grade = self._graded(Runner(source.cells, self.reference, run or self.run, self.allowance))
        return replace(grade, seconds=time.perf_counter() - started)

    def _graded(self, runner: Runner) -> Grade:
        released = runner.alone(course.as_released())
        found = verdicts(runner, self.reference, self.hidden_findings, self.explainer.explain)
        public = {verdict.question.id: self._public_findings(verdict.question, released) for verdict in found}
        graded = tuple(
            self._question_grade(verdict, public[verdict.question.id]) for verdict in found if verdict.question.points
        )
        status, detail = runner.stops[0] if runner.stops else ("graded", "")
        return Grade(
            status,
            sum(grade.score for grade in graded),
            course.maximum(),
            graded,
            language(),
            detail,
            tuple(remark for verdict in found for remark in remarks(verdict, public[verdict.question.id])),
            tuple(replace(error, source=_line(runner.cells, error.cell, error.line)) for error in released.errors),
            released.printed,
        )

    def _question_grade(self, verdict: Verdict, public: Findings) -> QuestionGrade:
        question, lang = verdict.question, language()
        results = [
            CheckResult(
                *(check.name, check.titles[lang], 0.0),
                verdict="passed" if public[check.name].passed else "failed",
                message=public_message(public[check.name], verdict),
            )
            for check in course.public_checks(question)
        ]
        for check in course.hidden_checks(question):
            failure = verdict.failures.get(check.name)
            result = CheckResult(check.name, check.titles[lang], check.points, "passed")
            if failure is not None:
                message, where = hidden_message(failure, check), failure.scenario.titles[lang]
                result = replace(result, verdict="failed", message=message, scenario=where)
            results.append(result)
        known = verdict.mistake
        hint, name = (known.hints[lang], known.id) if known else ("", "")
        return QuestionGrade(question.id, question.points, verdict.points, tuple(results), hint, name)

    def hidden_findings(self, question: Question, scenario: Scenario, record: Record) -> Findings:
        """What the hidden checks say of *record*."""
        return self._findings(question, scenario, record, self.reference.at(scenario, question.id))

    def _public_findings(self, question: Question, released: RunLog) -> Findings:
        """What the public checks say at the released sizes, of the record that they like best."""
        records = released.candidates(question.id, []) or [Record(question.id, {}, b"")]
        found = [self._findings(question, course.as_released(), record) for record in records]
        return max(found, key=lambda findings: sum(finding.passed for finding in findings.values()))

    def _findings(
        self, question: Question, scenario: Scenario, record: Record, reference: ReferenceValues | None = None
    ) -> Findings:
        """What the checks say, the public ones without a *reference*; equal observations are checked once."""
        public = reference is None
        key = (question.id, public, scenario.id, language(), hashlib.sha256(record.frame).digest())
        findings = self._remembered.pop(key, None)
        if findings is None:
            findings = self.look(Look(question.id, public, record, reference, scenario))
            if len(self._remembered) >= FINDINGS:
                del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = findings  # behind all others: what was not asked for longest goes first
        return findings


def _unreadable(reason: str) -> Grade:
    questions = tuple(QuestionGrade(q.id, q.points, 0.0, ()) for q in course.questions() if q.points)
    return Grade("unreadable", 0.0, course.maximum(), questions, language(), detail=reason, remarks=(reason,))


def _line(cells: Sequence[str], cell: int, line: int) -> str:
    lines = cells[cell - 1].splitlines() if 0 < cell <= len(cells) else []
    return lines[line - 1][:LINE_CHARACTERS] if 0 < line <= len(lines) else ""
