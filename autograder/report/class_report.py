"""The page on the class that instructors read and work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from autograder import course
from autograder.grade import Note, Row
from autograder.language import Language, speaking, text
from autograder.report.feedback import titles
from autograder.report.pages import pieces
from autograder.report.summary import summarise
from autograder.report.words import status_word

__all__ = ["report_page"]


def report_page(
    rows: Iterable[Row], set_aside: Mapping[str, Note], links: Callable[[Row], str], lang: Language
) -> Iterator[str]:
    """The report on the class, piece by piece. *rows* are read twice.

    *set_aside* says why a file is nobody's submission, by its name. *links* gives the address of a row's own page, or
    nothing where it has none.
    """
    questions = course.questions()
    summary = summarise(rows, questions)
    with speaking(lang):
        values = {
            "course_questions": questions,
            "summary": summary,
            "set_aside": set_aside,
            "links": links,
            "flags": _flags,
        }
        yield from pieces("report.html", rows=rows, lang=lang, **values, **titles(questions, lang))


def _flags(row: Row) -> list[str]:
    """What an instructor should look at."""
    flags = [
        (row.grade.status != "graded", status_word(row.grade.status)),
        (Note("other-assignment") in row.grade.remarks, text(ko="다른 과제?", en="wrong assignment?")),
        (row.adjustments, text(ko="조정", en="adjusted")),
        (row.excused, text(ko="면제", en="excused")),
        (row.late, text(ko="늦은 제출", en="late")),
    ]
    return [word for holds, word in flags if holds]
