"""Grade one submission: run it, check it, go on after a wrong answer as if it were right, explain what is wrong."""

import hashlib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from autograder import course
from autograder.course import assignment
from autograder.course.scenarios import margin
from autograder.grade import CheckResult, Grade, Note, QuestionGrade, Result, Status, Submission
from autograder.grading.evidence import Evidence
from autograder.grading.explanation import explained
from autograder.grading.hidden import findings
from autograder.grading.reference import Reference, Runner
from autograder.grading.runs import Runs
from autograder.grading.trials import Learned
from autograder.grading.verdicts import Verdict, verdicts
from autograder.intake import Refused, notebook
from autograder.sandbox import ALLOWANCE, Allowance, Sandbox
from autograder.wire.job import Job, encode_job
from autograder.wire.log import Log
from autograder.wire.messages import Finished, encode

__all__ = ["Grader", "run_in"]


def run_in(sandbox: Sandbox, allowance: Allowance = ALLOWANCE) -> Runner:
    """Run jobs in children of *sandbox*, one after another."""

    def run(job: Job, tensors: Mapping[str, Tensor]) -> Log:
        outcome = sandbox.run(encode_job(job, tensors), limits=allowance.run)
        lines = tuple(len(cell.splitlines()) for cell in job.cells)
        of_memory = outcome.exit_code in (1, -signal.SIGABRT, -signal.SIGSEGV)
        # Student code can send an end mark and exit: only `Finished` says that the end of the notebook was reached.
        finished = outcome.ending == "finished" and outcome.frames[-1:] == (encode(Finished()),)
        return Log(outcome.frames, finished, lines, of_memory, outcome.cpu_seconds, outcome.seconds)

    return run


class Grader:
    """Grades submissions one after another; a score depends on nothing but the submission.

    Student code is run in *sandbox*, or by *run*, which may watch what is run there.
    """

    def __init__(self, sandbox: Sandbox, allowance: Allowance = ALLOWANCE, run: Runner | None = None) -> None:
        self._sandbox = sandbox
        self._allowance = allowance
        self._run = run or run_in(sandbox, allowance)
        own = run_in(sandbox)  # without *allowance* and *run*, which are for submissions
        self._reference = Reference(own)
        self._learned = Learned(own, self._reference)

    def prove(self) -> None:
        """Raise `CourseError` where the solution fails, or a hidden check fails it: nobody could be graded then."""
        for scenario in course.scenarios():
            solution = self._reference.shared(scenario)
            for question, record in solution.records.items():
                for check, note in findings(course.question(question), record, solution.at[question]).items():
                    where = f"tests/hidden/test_{question}.py, {check}, in scenario {scenario.id!r}"
                    raise course.CourseError(f"{where}: finds the solution wrong: {note.kind} {note.about}")
        course.shown_examples()  # mistakes in these, or in the margin, would otherwise show with the first wrong answer
        margin()

    def grade(self, submission: Submission, secret: bytes, evidence: bytes = b"") -> Result:
        """The grade; with *evidence* of an earlier grading, student code is run only where that does not tell.

        Private numbers depend on *secret*, of the grading run, and on the submission: what one carries out of its
        process is worth nothing to any other.
        """
        if submission.fault:
            return Result(Grade("could-not-grade", None, course.maximum(), detail=submission.fault))
        try:
            if submission.problem:
                raise Refused(submission.problem)
            source = notebook.read(submission.content, submission.name)
        except Refused as refused:
            nothing = tuple(QuestionGrade(question.id, question.points, 0.0) for question in course.questions())
            return Result(Grade("unreadable", 0.0, course.maximum(), nothing, detail=refused.note))
        kept = Evidence(self._run, evidence)
        name = hashlib.sha256(submission.name.encode(errors="replace")).digest()
        identity = hashlib.sha256(secret + name + submission.content).digest()
        runs = Runs(source.cells, identity, kept.run, self._reference, self._allowance)
        grade = self._graded(runs)
        if not grade.score and not notebook.belongs(source, assignment()):
            grade = replace(grade, remarks=(Note("other-assignment"),))
        grade = replace(grade, lang=source.lang, isolation=self._sandbox.isolation)
        return Result(grade, kept.encode(), kept.runs)

    def _graded(self, runs: Runs) -> Grade:
        found = verdicts(runs)
        detail = Note("exhausted") if runs.exhausted else None
        if runs.stops:
            cell, line = runs.stops[0]
            detail = Note("stopped", {"cell": cell, "line": line})
        # From here on nothing is decided: whether explaining has to stop something is no part of a grade.
        questions = tuple(explained(_question_grade(verdict), verdict, self._learned) for verdict in found)
        score = sum(question.score for question in questions)
        status: Status = "stopped" if detail else "graded"
        return Grade(status, score, course.maximum(), questions, detail=detail, remarks=_remarks(found, runs))


def _question_grade(verdict: Verdict) -> QuestionGrade:
    question = verdict.question
    checks = tuple(_result(check, verdict) for check in question.checks)
    return QuestionGrade(question.id, question.points, verdict.points, checks, bool(verdict.answers))


def _result(check: course.Check, verdict: Verdict) -> CheckResult:
    if check.name not in verdict.failures:
        return CheckResult(check.name, check.points, True)
    note, scenario = verdict.failures[check.name]
    # Of a hidden scenario no number is told, only what kind of difference there is.
    told = Note(f"hidden-{note.kind}", {"name": note.about["name"]})
    return CheckResult(check.name, check.points, False, told, scenario.id)


def _remarks(found: Sequence[Verdict], runs: Runs) -> tuple[Note, ...]:
    """What is to be said of the whole notebook: given names that were put back for an answer to be right."""
    if not any(verdict.right and verdict.remedy.put_back for verdict in found):
        return ()
    records = [record for scenario in course.scenarios() for record in runs.under(scenario).records]
    changed = {name for record in records for name in record.message.changed if name in course.given()}
    return (Note("given-changed", {"names": sorted(changed)}),) if changed else ()
