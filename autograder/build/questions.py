"""What the hidden checks say of the questions, as students read it: points, topics and names."""

import re
from collections.abc import Sequence

from autograder import course
from autograder.build.master import Cell
from autograder.language import Language

__all__ = ["check_headings", "table"]

_HEADING = {"ko": r"### (q\d+)\b.*\((\d+)점\)", "en": r"### (q\d+)\b.*\((\d+) points\)"}
_COLUMNS = {
    "ko": "| 문제 | 내용 | 점수 | 남겨야 할 변수와 그 점수 |",
    "en": "| Question | Topic | Points | Names to leave behind, and their points |",
}
_TOTAL = {"ko": "합계", "en": "total"}


def table(lang: Language) -> str:
    """All questions with their points, as Markdown."""
    rows = [_COLUMNS[lang], "|---|---|--:|---|"]
    for question in course.questions():
        checks = [check for check in question.checks if check.points]
        names = [f"{', '.join(f'`{name}`' for name in check.names)} {check.points:g}" for check in checks]
        rows.append(f"| {question.id} | {question.titles[lang]} | {question.points:g} | {' · '.join(names)} |")
    return "\n".join([*rows, f"| {_TOTAL[lang]} | | {course.maximum():g} | |"])


def check_headings(cells: Sequence[Cell], lang: Language) -> None:
    """Raise ValueError unless the headings of the questions in *cells* give the points of the hidden checks."""
    prose = "\n".join(cell.source for cell in cells if cell.kind == "markdown")
    headings = re.findall(_HEADING[lang], prose)
    graded = [(question.id, f"{question.points:g}") for question in course.questions()]
    if headings != graded:
        raise ValueError(f"headings ({lang}) and hidden checks disagree: {sorted({*headings} ^ {*graded})}")
