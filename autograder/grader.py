"""Grade one submission: run it, check it, and go on after a wrong question as if it had been right."""

from __future__ import annotations

import builtins
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from autograder import course, notebook
from autograder.checks import Finding, Findings, Look
from autograder.child.statements import given
from autograder.course import Check, Question, Scenario
from autograder.explain import Explainer
from autograder.job import Job
from autograder.records import CheckResult, Grade, QuestionGrade, StatementError, Status, Submission
from autograder.reference import Reference, replacements
from autograder.runlog import Record, RunLog
from autograder.sandbox import ALLOWANCE, DEFAULT, Allowance
from autograder.text import Language, language, speaking, text

__all__ = ["Grader", "JobWithTensors", "Run"]

JobWithTensors = tuple[Job, dict[str, Tensor]]
"""A job, and the tensors that its rebindings refer to."""
Run = Callable[[Sequence[JobWithTensors], float], "list[RunLog | None]"]
"""Runs jobs of one submission in one child, one after another, for so many seconds at most.

It gives None for those that it did not come to; to the first it always comes.
"""

LINE_CHARACTERS = 500
"""Longest source line that is shown beside an error."""
FINDINGS = 10_000
"""Of so many observations the findings are remembered; some kilobytes each."""
_SIZE_KINDS = {"missing", "shape", "size"}
# The names of a student's own exception classes could carry hidden inputs out.
_ERRORS = {name for name, cls in vars(builtins).items() if isinstance(cls, type) and issubclass(cls, BaseException)}
_ERRORS |= {"TimeLimit", "OutOfMemoryError", "UnsupportedOperation"}


@dataclass(frozen=True)
class _Failure:
    """The first scenario in which a check failed, and what it said there."""

    finding: Finding
    scenario: Scenario
    log: RunLog


@dataclass(frozen=True)
class _Verdict:
    """What the hidden checks say of one question over all hidden scenarios."""

    question: Question
    records: Sequence[Record]
    failures: dict[str, _Failure]

    @property
    def points(self) -> float:
        return sum(check.points for check in _hidden(self.question) if check.name not in self.failures)

    @property
    def right(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class _Runs:
    """What the hidden scenarios left behind."""

    wrong: Sequence[Question]
    """The questions whose names were as if they had been right."""
    batch_first: bool
    """The layout of what was put in the place of wrong values."""
    logs: dict[Scenario, RunLog]


def _hidden(question: Question) -> list[Check]:
    return [check for check in course.checks() if check.question == question.id and not check.public]


def _public(question: Question) -> list[Check]:
    return [check for check in course.checks() if check.question == question.id and check.public]


class Grader:
    """Grades submissions one after another; a score depends on nothing but the submission.

    *look* runs the checks of a question on an observation, *run* a job in the sandbox.
    """

    def __init__(self, run: Run, look: Callable[[Look], Findings], allowance: Allowance = ALLOWANCE) -> None:
        self.run = run
        self.look = look
        self.allowance = allowance
        self.reference = Reference(self.run_own)
        self.explainer = Explainer(self.run_own)
        self._findings: dict[tuple[str, str, Language, bytes], Findings] = {}

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
            grade = _Grading(self, list(source.cells), run or self.run).grade()
        return replace(grade, seconds=time.perf_counter() - started)

    def findings(self, question: Question, scenario: Scenario, record: Record, *, public: bool = False) -> Findings:
        """What the checks say of *record*; equal observations are checked once."""
        key = (f"{question.id}{' public' * public}", scenario.id, language(), hashlib.sha256(record.frame).digest())
        findings = self._findings.pop(key, None)
        if findings is None:
            reference = None if public else self.reference.at(scenario, question.id)
            findings = self.look(Look(question.id, public, record, reference, scenario))
            if len(self._findings) >= FINDINGS:
                del self._findings[next(iter(self._findings))]
        self._findings[key] = findings  # behind all others: what was not asked for longest goes first
        return findings


def _unreadable(reason: str) -> Grade:
    questions = tuple(QuestionGrade(q.id, q.points, 0.0, ()) for q in course.questions() if q.points)
    return Grade("unreadable", 0.0, course.maximum(), questions, language(), detail=reason, remarks=(reason,))


class _Grading:
    """The grading of one submission."""

    def __init__(self, grader: Grader, cells: list[str], run: Run) -> None:
        self.grader = grader
        self.cells = cells
        self.run_jobs = run
        self.skip: list[int] = []
        self.stops: list[tuple[Status, str]] = []
        self.seconds_left = grader.allowance.submission_seconds
        self.questions = course.questions()

    def grade(self) -> Grade:
        released = self.run(course.as_released())
        verdicts = self.verdicts()
        graded = tuple(self.question_grade(verdict, released) for verdict in verdicts if verdict.question.points)
        status, detail = self.stops[0] if self.stops else ("graded", "")
        return Grade(
            status,
            sum(grade.score for grade in graded),
            course.maximum(),
            graded,
            language(),
            detail,
            tuple(self.remarks(verdicts, released)),
            tuple(self.errors(released)),
            released.printed,
        )

    def run(self, scenario: Scenario, wrong: Sequence[Question] = (), *, batch_first: bool = False) -> RunLog:
        """Run the submission, again without the statement that hangs or crashes it where there is one."""
        for _ in range(self.grader.allowance.restarts):
            (log,) = self.timed([self.job(scenario, wrong, batch_first=batch_first)])
            assert log is not None
            if not self.settle(log) or log.ending == "finished":
                break
        assert log is not None
        return log

    def job(self, scenario: Scenario, wrong: Sequence[Question], *, batch_first: bool) -> JobWithTensors:
        """The submission under *scenario*, with the names of the *wrong* questions as if they were right."""
        released = scenario.id == "as-released"
        tensors: dict[str, Tensor] = {}
        rebindings = [
            self.grader.reference.at(scenario, question.id).rebinding(question, tensors) for question in wrong
        ]
        allowance = self.grader.allowance
        job = Job(
            self.cells,
            {question.id: list(question.asked) for question in self.questions},
            replacements(scenario),
            rebindings,
            batch_first,
            sorted(self.skip),
            allowance.released_statement_seconds if released else allowance.hidden_statement_seconds,
            values=not released,
            verbose=released,
        )
        return job, tensors

    def timed(self, jobs: Sequence[JobWithTensors]) -> list[RunLog | None]:
        """What runs leave behind, nothing where the submission has used up its time."""
        if self.seconds_left <= 0:
            self.stops.append(("timed-out", f"its runs took {self.grader.allowance.submission_seconds:g} s together"))
            return [RunLog((), "timed-out")] * len(jobs)
        started = time.monotonic()
        logs = self.run_jobs(jobs, min(self.seconds_left, self.grader.allowance.run.wall_seconds))
        for log in logs:
            _ = log and log.messages  # reading them is part of what the submission costs
        self.seconds_left -= max(sum(log.seconds for log in logs if log), time.monotonic() - started)
        return logs

    def settle(self, log: RunLog) -> bool:
        """Take note of what stopped a run; whether there is a statement to be left out from now on."""
        stalled = [statement for statement in log.stalled if statement not in self.skip]
        self.skip += stalled
        self.note_stop(log)
        return bool(stalled)

    def note_stop(self, log: RunLog) -> None:
        overtime = [error for error in log.errors if error.kind == "TimeLimit"]
        if overtime:
            self.stops.append(("timed-out", f"cell {overtime[0].cell}, line {overtime[0].line} does not end"))
        if log.ending != "finished":
            status: Status = "timed-out" if log.ending == "timed-out" else "crashed"
            where = f" in cell {log.last_started[0]}, line {log.last_started[1]}" if log.last_started else ""
            self.stops.append((status, f"the run {_ENDINGS[log.ending]}{where}"))

    def verdicts(self) -> list[_Verdict]:
        """Every question's verdict, each graded as if the wrong ones before it had been right.

        An answer that gives the right values is right, whatever came before it. Only where one does not, and may not
        because of an earlier one, is the submission run again.
        """
        final: list[_Verdict] = []
        wrong: list[_Verdict] = []
        runs = self.hidden(())
        for question in self.questions:
            verdict = self.verdict(question, runs)
            if not verdict.right and len(runs.wrong) < len(wrong) and self.answered(question):
                verdict, runs = self.follow_through(question, wrong)
            final.append(verdict)
            if not verdict.right:
                wrong.append(verdict)
        return final

    def answered(self, question: Question) -> bool:
        """Whether any cell that was not handed out like that speaks of the question's names.

        What is left blank does not depend on the questions before it, and needs no explanation.
        """
        return any(name in cell for cell in self.own_cells() for name in question.names)

    def own_cells(self) -> list[str]:
        """The cells that were not handed out like that."""
        return [cell for cell in self.cells if cell not in given()]

    def follow_through(self, question: Question, wrong: Sequence[_Verdict]) -> tuple[_Verdict, _Runs]:
        """The verdict on *question* as if the *wrong* ones before it had been right, and the runs that it is from."""
        layouts = [False, True] if any(map(self.is_open, wrong)) else [False]
        best: tuple[_Verdict, _Runs] | None = None
        for batch_first in layouts:
            runs = self.hidden(tuple(verdict.question for verdict in wrong), batch_first=batch_first)
            verdict = self.verdict(question, runs)
            if best is None or verdict.points > best[0].points:
                best = verdict, runs
            if verdict.right:
                break
        assert best is not None
        return best

    def hidden(self, wrong: Sequence[Question], *, batch_first: bool = False) -> _Runs:
        """What the hidden scenarios leave behind, with the names of the *wrong* questions as if they were right.

        One child runs them all; what it did not bring to its end is run alone.
        """
        scenarios = course.scenarios()
        together = self.timed([self.job(scenario, wrong, batch_first=batch_first) for scenario in scenarios])
        logs = {}
        for scenario, log in zip(scenarios, together, strict=True):
            if log is not None and log.ending == "finished":
                self.settle(log)
                logs[scenario] = log
            else:
                logs[scenario] = self.run(scenario, wrong, batch_first=batch_first)
        return _Runs(wrong, batch_first, logs)

    def verdict(self, question: Question, runs: _Runs) -> _Verdict:
        """What the checks say of *runs*; a check fails only by a run that was the first of its process."""
        while True:
            verdict = self.best(question, runs.logs)
            doubtful = next((failure.scenario for failure in verdict.failures.values() if not failure.log.clean), None)
            if doubtful is None:
                return verdict
            runs.logs[doubtful] = self.run(doubtful, runs.wrong, batch_first=runs.batch_first)

    def best(self, question: Question, logs: dict[Scenario, RunLog]) -> _Verdict:
        """The verdict on the last record before a later question's, or, where it is better, on the last of all."""
        later = [q.id for q in self.questions[self.questions.index(question) + 1 :]]
        candidates = [log.candidates(question.id, later) or [_nothing(question)] for log in logs.values()]
        verdict = self.judge(question, logs, [records[0] for records in candidates])
        if not verdict.right and any(len(records) > 1 for records in candidates):
            verdict = max(
                verdict,
                self.judge(question, logs, [records[-1] for records in candidates]),
                key=lambda verdict: verdict.points,
            )
        return verdict

    def judge(self, question: Question, logs: dict[Scenario, RunLog], records: Sequence[Record]) -> _Verdict:
        failures: dict[str, _Failure] = {}
        for (scenario, log), record in zip(logs.items(), records, strict=True):
            for name, finding in self.grader.findings(question, scenario, record).items():
                if not finding.passed and name not in failures:
                    failures[name] = _Failure(finding, scenario, log)
        return _Verdict(question, records, failures)

    def is_open(self, verdict: _Verdict) -> bool:
        """Whether it cannot be told in which layout the code after a wrong question expects the right values.

        So it is with a recurrent layer where the submission has none to take the layout from, and with tensors that
        are right in either and that the submission speaks of again.
        """
        own = "\n".join(self.own_cells())
        if any(own.count(name) > 1 for name in verdict.question.either_layout):
            return True
        reference = self.grader.reference.at(course.scenarios()[0], verdict.question.id)
        recurrent = [name for name in verdict.question.names if isinstance(getattr(reference, name), nn.RNNBase)]
        return any(not isinstance(record[name], nn.RNNBase) for name in recurrent for record in verdict.records)

    def question_grade(self, verdict: _Verdict, released: RunLog) -> QuestionGrade:
        question = verdict.question
        public = self.public_findings(question, released)
        lang = language()
        results = [
            CheckResult(check.name, check.titles[lang], 0.0, "passed" if found.passed else "failed", found.message)
            for check in _public(question)
            for found in (public[check.name],)
        ]
        for check in _hidden(question):
            failure = verdict.failures.get(check.name)
            if failure is None:
                results.append(CheckResult(check.name, check.titles[lang], check.points, "passed"))
            else:
                message = failure.finding.message + _where(failure, check)
                title = failure.scenario.titles[lang]
                results.append(CheckResult(check.name, check.titles[lang], check.points, "failed", message, title))
        hint, known = "", None
        if not verdict.right and self.answered(question):
            known = self.grader.explainer.explain(question, verdict.records)
            hint = known.hints[lang] if known else ""
        return QuestionGrade(
            question.id, question.points, verdict.points, tuple(results), hint, known.id if known else ""
        )

    def public_findings(self, question: Question, released: RunLog) -> Findings:
        """The public checks at the released sizes, on the last record: what the student sees on running everything."""
        return self.grader.findings(question, course.as_released(), self.last_record(question, released), public=True)

    def last_record(self, question: Question, log: RunLog) -> Record:
        return (log.candidates(question.id, []) or [_nothing(question)])[-1]

    def remarks(self, verdicts: list[_Verdict], released: RunLog) -> list[str]:
        found = []
        for verdict in verdicts:
            question = verdict.question
            if verdict.right:
                continue
            if not question.points:
                found.append(
                    text(
                        ko="주어진 데이터 셀이 바뀌어 있습니다. 원래 셀 그대로인 것으로 보고 채점했습니다.",
                        en="A given data cell was changed. Everything was graded as if it had not been.",
                    )
                )
            elif all(finding.passed for finding in self.public_findings(question, released).values()) and any(
                failure.finding.kind in _SIZE_KINDS for failure in verdict.failures.values()
            ):
                found.append(
                    text(
                        ko=f"{question.id}: 공개 검사는 통과했지만, 공개하지 않은 검사에서 크기가 맞지 않았습니다. "
                        "숫자를 직접 쓴 곳처럼 배포된 크기에서만 맞는 코드가 있는지 확인해 보십시오.",
                        en=f"{question.id}: the public checks passed, but in the hidden ones a size did not fit. "
                        "Does anything hold only at the released sizes, such as a number typed in?",
                    )
                )
        return found

    def errors(self, released: RunLog) -> list[StatementError]:
        """The errors at the released sizes with their source lines; those of pictures are no concern here."""
        return [
            replace(error, source=_line(self.cells, error.cell, error.line))
            for error in released.errors
            if "matplotlib" not in error.message
        ]


_ENDINGS = {
    "timed-out": "did not end",
    "crashed": "ended with a crash",
    "flooded": "sent more than can be taken down",
}


def _nothing(question: Question) -> Record:
    return Record(question.id, {}, b"")


def _line(cells: list[str], cell: int, line: int) -> str:
    lines = cells[cell - 1].splitlines() if 0 < cell <= len(cells) else []
    return lines[line - 1][:LINE_CHARACTERS] if 0 < line <= len(lines) else ""


def _where(failure: _Failure, check: Check) -> str:
    """Which statement left a missing name unbound: the kind of its error and its line, nothing of its text."""
    if failure.finding.kind != "missing":
        return ""
    for error in failure.log.errors:
        if set(error.names) & set(check.names):
            kind = error.kind if error.kind in _ERRORS else text(ko="예외", en="an exception")
            return text(
                ko=f" (코드 셀 {error.cell}의 {error.line}번째 줄: {kind})",
                en=f" (code cell {error.cell}, line {error.line}: {kind})",
            )
    return ""
