"""What the hidden checks say of the questions, and so of the master: points, topics, names, and order."""

import re
from collections.abc import Sequence

from autograder import course
from autograder.build.master import ASIDES, Cell, written
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
_FORM = {"ko": '"### {} … ({}점)"', "en": '"### {} … ({} points)"'}
_LOCAL = re.compile(r"""(?:!\[[^]]*\]\(|<img[^>]* src=["']?)(?!https?:|data:)([^\s)"'>]+)""")
"""An image that is a file of the instructor's."""
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

    Headings give their points, and each has one answer cell before its check. Students find in it what to fill in.
    """
    graded = course.questions()
    roles = ["check", *sorted(ASIDES), *(question.id for question in graded)]
    headings, order = list[tuple[str, str]](), list[tuple[str, str]]()
    for cell in cells:
        if cell.role:
            expect(cell.where, "kind of cell", [cell.role], roles)
        if cell.kind == "markdown":
            headings += ((_FORM[lang].format(*found), cell.where) for found in re.findall(_HEADING[lang], cell.source))
            if image := _LOCAL.search(cell.source):
                raise CourseError(f"{cell.where}: {image[1]} is not handed out; give the image a web address")
        elif cell.role == "check":
            order.append((cell.source, cell.where))
        elif cell.role and cell.role not in ASIDES:
            order.append((f"an answer cell {cell.role}", cell.where))
            if "TODO" not in written(cell, "prompt"):
                raise CourseError(f"{cell.where}: there is no TODO in what students get of {cell.role}")
    for found, wanted in (
        (headings, [_FORM[lang].format(one.id, f"{one.points:g}") for one in graded]),
        (order, [said for one in graded for said in (f"an answer cell {one.id}", f'grader.check("{one.id}")')]),
    ):
        end = "nothing more"
        for (there, where), here in zip([*found, (end, _MASTER)], [*wanted, end], strict=False):
            if there != here:
                raise CourseError(f"{where}: there is {there}, where tests/hidden wants {here}")
