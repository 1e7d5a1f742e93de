"""`autograder check`: the verdicts of `grader.check` from a shell, on one's own file.

Only the public checks are needed, nothing of what students do not have. Their own file runs in the sandbox where there
is one, in a process of its own elsewhere.
"""

from __future__ import annotations

import inspect
import itertools
import runpy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder import course, notebook
from autograder.job import Job
from autograder.render.clean import one_line
from autograder.render.terminal import width
from autograder.render.words import verdict_word
from autograder.runlog import Record, RunLog
from autograder.sandbox import Isolation, Limits, Sandbox, SandboxFault
from autograder.text import Language, language, speaking, text

__all__ = ["check"]

PASSED, FAILED, UNREADABLE = 0, 1, 2
"""Exit statuses."""
STATEMENT_SECONDS = 30.0
LIMITS = Limits(wall_seconds=300.0, cpu_seconds=300)
_COLUMNS = 80
_MARGIN = 12
"""Columns before a check's sentence: its question and verdict."""
_MOST_ERRORS = 5


@dataclass(frozen=True)
class _Check:
    question: str
    function: Callable[..., None]

    @property
    def names(self) -> list[str]:
        """The student's variables that it looks at."""
        return list(inspect.signature(self.function).parameters)

    @property
    def title(self) -> str:
        return course.in_languages(self.function.__doc__, self.function.__name__)[language()]

    def complaint(self, log: RunLog) -> str:
        """What is wrong with the names as the run left them at this question's check; nothing if all is well."""
        complaints = []
        for record in log.candidates(self.question, []) or [Record(self.question, {}, b"")]:
            try:
                self.function(**{name: record[name] for name in self.names})
            except AssertionError as failure:
                complaints.append(str(failure))
            else:
                return ""
        return complaints[0]


def check(path: Path, lang: Language | None) -> int:
    """Run the file at *path*, print what the public checks say, in *lang* or its own language; the exit status."""
    with speaking(lang or "ko"):
        try:
            source = notebook.read(path.read_bytes(), path.name)
        except (notebook.Unreadable, OSError) as problem:
            return _unreadable(path, str(problem))
    checks = [
        _Check(file.stem, function)
        for file in sorted(course.PUBLIC.glob("q*.py"))
        for name, function in runpy.run_path(str(file)).items()
        if name.startswith("test_")
    ]
    with speaking(lang or source.lang or "ko"):
        try:
            log = _run(list(source.cells), checks)
        except SandboxFault as fault:
            return _unreadable(path, str(fault))
        complaints = [(check, check.complaint(log)) for check in checks]
        failed = sum(bool(complaint) for _, complaint in complaints)
        for _, of_question in itertools.groupby(complaints, key=lambda pair: pair[0].question):
            print("\n".join(line for check, complaint in of_question for line in _rows(check, complaint)), end="\n\n")
        print("\n".join(_closing(log, len(checks) - failed, len(checks))))
    return FAILED if failed else PASSED


def _unreadable(path: Path, reason: str) -> int:
    print(f"{path}: {reason}", file=sys.stderr)
    return UNREADABLE


def _run(cells: list[str], checks: list[_Check]) -> RunLog:
    names: dict[str, list[str]] = {}
    for check in checks:
        names.setdefault(check.question, []).extend(check.names)
    job = Job(
        cells,
        {question: list(dict.fromkeys(asked)) for question, asked in names.items()},
        statement_seconds=STATEMENT_SECONDS,
        values=False,
        verbose=True,
    )
    try:
        return _run_under("full", job)
    except SandboxFault:
        return _run_under("process", job)


def _run_under(isolation: Isolation, job: Job) -> RunLog:
    with Sandbox(isolation=isolation) as sandbox:
        outcome = sandbox.run(job.encode({}), limits=LIMITS)
    return RunLog(outcome.frames, outcome.ending, lines=tuple(len(cell.splitlines()) for cell in job.cells))


def _rows(check: _Check, complaint: str) -> Iterator[str]:
    """One check as rows of the table: question, verdict, its sentence, and below what is wrong."""
    verdict = verdict_word("failed" if complaint else "passed")
    head = f" {check.question:<4}{verdict}"
    first, *others = _wrapped(check.title)
    yield head + " " * (_MARGIN - width(head)) + first
    below = (piece for line in complaint.splitlines() for piece in _wrapped(one_line(line)))
    yield from (" " * _MARGIN + line for line in [*others, *below])


def _wrapped(sentence: str, indent: int = _MARGIN) -> list[str]:
    """*sentence* in lines that leave room for an indentation, broken between words; Hangul takes two columns."""
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width(longer) > _COLUMNS - indent:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _closing(log: RunLog, passed: int, total: int) -> Iterator[str]:
    """Errors of the run where something failed, and what the verdicts mean."""
    if passed < total:
        for error in log.errors[:_MOST_ERRORS]:
            where = text(
                ko=f"코드 셀 {error.cell}의 {error.line}번째 줄", en=f"code cell {error.cell}, line {error.line}"
            )
            yield from _wrapped(f"{where}: {one_line(error.kind)}: {one_line(error.message)}", indent=0)
        yield from [""] * bool(log.errors)
    if log.ending != "finished" and log.last_started:
        cell, line = log.last_started
        yield from _wrapped(
            text(
                ko=f"실행이 코드 셀 {cell}의 {line}번째 줄에서 멈추었습니다. 그 뒤는 실행하지 못했습니다.",
                en=f"The run stopped at code cell {cell}, line {line}. Nothing after it was reached.",
            ),
            indent=0,
        )
    yield from _wrapped(
        text(
            ko=f"검사 {total}개 가운데 {passed}개를 통과했습니다. shape과 type만 보았습니다. "
            "점수는 공개하지 않은 검사가 값을 보고 정합니다.",
            en=f"{passed} of {total} checks passed. They look at shapes and types only: "
            "hidden checks of the values decide the points.",
        ),
        indent=0,
    )
