"""What the hidden checks say of the questions, and so of the master: points, topics, names, and order."""

import itertools
import re
from collections.abc import Sequence

from autograder import course
from autograder.build.master import ASIDES, Cell
from autograder.course import CourseError
from autograder.course.files import expect
from autograder.language import Language

__all__ = ["check_structure", "table"]

_HEADING = {"ko": r"### (q\d+)\b.*\(([\d.]+)점\)", "en": r"### (q\d+)\b.*\(([\d.]+) points?\)"}
_COLUMNS = {
    "ko": "| 문제 | 내용 | 점수 | 남겨야 할 변수와 그 점수 |",
    "en": "| Question | Topic | Points | Names to leave behind, and their points |",
}
_MASTER = "solutions/rnn.py"
_TOTAL = {"ko": "합계", "en": "total"}


def table(lang: Language) -> str:
    """All questions with their points, as Markdown."""
    rows = [_COLUMNS[lang], "|---|---|--:|---|"]
    for question in course.questions():
        checks = [check for check in question.checks if check.points]
        names = [f"{', '.join(f'`{name}`' for name in check.names)} {check.points:g}" for check in checks]
        rows.append(f"| {question.id} | {question.titles[lang]} | {question.points:g} | {' · '.join(names)} |")
    return "\n".join([*rows, f"| {_TOTAL[lang]} | | {course.maximum():g} | |"])


def check_structure(cells: Sequence[Cell], lang: Language) -> None:
    """Raise `CourseError` unless *cells* are those of the questions that hidden checks grade.

    Headings give their points, and each has one answer cell before its check.
    """
    graded = course.questions()
    roles = ["check", *sorted(ASIDES), *(question.id for question in graded)]
    expect(_MASTER, "kind of cell", (cell.role for cell in cells if cell.role), roles)
    prose = "\n".join(cell.source for cell in cells if cell.kind == "markdown")
    headings = [f"a heading of {id_} with {points} points" for id_, points in re.findall(_HEADING[lang], prose)]
    asking = [cell for cell in cells if cell.role and cell.role not in ASIDES]
    order = [cell.source if cell.role == "check" else f"an answer cell {cell.role}" for cell in asking]
    for found, wanted in (
        (headings, [f"a heading of {one.id} with {one.points:g} points" for one in graded]),
        (order, [said for one in graded for said in (f"an answer cell {one.id}", f'grader.check("{one.id}")')]),
    ):
        for there, here in itertools.zip_longest(found, wanted, fillvalue="nothing more"):
            if there != here:
                raise CourseError(f"{_MASTER} ({lang}): there is {there}, where tests/hidden wants {here}")
