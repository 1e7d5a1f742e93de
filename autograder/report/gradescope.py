"""Gradescope's `results.json`: one test a check.

Without `execution_time`, which students see: code in a hidden scenario could sleep for as long as a hidden number says.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
"""

import json
from collections.abc import Mapping
from typing import Any

from autograder.grade import CheckResult, QuestionGrade, Row
from autograder.language import LANGUAGES, Language, speaking, text
from autograder.report.pages import titles
from autograder.report.words import adjustment_sentence, one_line, plain, sentence, status_sentence

__all__ = ["VISIBILITIES", "results_json"]

VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
"""When students see what: Gradescope's own words."""


def results_json(row: Row, visibility: str = "visible") -> bytes:
    """The results of one submission, in its language; in both where that is not known."""
    languages = [row.grade.lang] if row.grade.lang else LANGUAGES
    results, *others = [_results(row, lang, visibility) for lang in languages]
    for other in others:
        for here, there in zip([results, *results["tests"]], [other, *other["tests"]], strict=True):
            here["output"] = f"{here['output']}\n{there['output']}".strip()
        for here, there in zip(results["tests"], other["tests"], strict=True):
            here["name"] += f" / {there['name']}"
    return json.dumps(results, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _results(row: Row, lang: Language, visibility: str) -> dict[str, Any]:
    """Without a score where there is none, never with 0."""
    grade, score = row.grade, row.score
    with speaking(lang):
        called = titles(lang)
        shown = {"output_format": "text", "visibility": visibility}
        said = [status_sentence(grade.status), *map(sentence, grade.remarks)]
        if grade.detail and grade.status in ("stopped", "unreadable"):
            said.append(sentence(grade.detail))
        said += map(adjustment_sentence, row.adjustments)
        return {
            **({} if score is None else {"score": round(score, 2)}),
            **{"output": plain("\n".join(filter(None, said))), **shown},
            "tests": [
                {"number": f"{answer.question.removeprefix('q')}.{number}", **_test(answer, check, called), **shown}
                for answer in grade.questions
                for number, check in enumerate(answer.checks, 1)
            ],
            "extra_data": {"submission": plain(row.submission), "status": grade.status},
        }


def _test(answer: QuestionGrade, check: CheckResult, called: Mapping[str, Mapping[Any, str]]) -> dict[str, Any]:
    lines = [sentence(check.note)] if check.note else []
    if scenario := called["scenarios"].get(check.scenario):
        lines.append(text(ko=f"확인한 설정: {scenario}", en=f"Checked with: {scenario}"))
    if not check.passed and (hint := called["hints"].get(answer.misconception)):
        lines.append(text(ko=f"힌트: {hint}", en=f"Hint: {hint}"))
    title = called["checks"].get((answer.question, check.check), check.check)
    return {
        "name": one_line(f"{answer.question}: {title}"),
        "score": round(check.points, 2) if check.passed else 0.0,
        "max_score": round(check.points, 2),
        "status": "passed" if check.passed else "failed",
        "output": plain("\n".join(lines)),
    }
