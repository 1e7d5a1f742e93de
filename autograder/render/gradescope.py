"""Gradescope's `results.json`: one test a check.

Without `execution_time`, which students see: code in a hidden scenario could sleep for as long as a hidden number says.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
"""

from __future__ import annotations

import json
from typing import Any

from autograder.gradebook import Row
from autograder.records import CheckResult, QuestionGrade
from autograder.render.clean import one_line, plain
from autograder.render.words import status_sentence, verdict_word
from autograder.text import speaking, text

__all__ = ["results_json"]


def results_json(row: Row) -> bytes:
    """The results of one submission; without a score where there is none, never with 0."""
    grade = row.grade
    with speaking(grade.lang):
        results = {
            **({} if grade.score is None else {"score": grade.score}),
            "output": plain("\n".join(filter(None, (status_sentence(grade.status), *grade.remarks)))),
            "output_format": "text",
            "visibility": "visible",
            "tests": [
                _test(question, number, check)
                for question in grade.questions
                for number, check in enumerate(question.checks, 1)
            ],
            "extra_data": {
                "submission": plain(row.name),
                "student": plain(row.student),
                "status": grade.status,
                "max_score": grade.max_score,
                "questions": {question.question: question.score for question in grade.questions},
            },
        }
    return json.dumps(results, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _test(question: QuestionGrade, number: int, check: CheckResult) -> dict[str, Any]:
    passed = check.verdict == "passed"
    lines = [check.message]
    if check.scenario:
        lines.append(text(ko=f"확인한 설정: {check.scenario}", en=f"Checked with: {check.scenario}"))
    if not passed and question.hint:
        lines.append(text(ko=f"힌트: {question.hint}", en=f"Hint: {question.hint}"))
    if check.verdict == "could-not-grade":
        lines.append(verdict_word(check.verdict))
    return {
        "number": f"{question.question.removeprefix('q')}.{number}",
        "name": one_line(f"{question.question}: {check.title}"),
        "score": check.points if passed else 0.0,
        "max_score": check.points,
        "status": "passed" if passed else "failed",
        "output": plain("\n".join(filter(None, lines))),
        "output_format": "text",
        "visibility": "visible",
    }
