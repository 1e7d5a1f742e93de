"""The page that a student reads: each answer beside what the checks say of it, and a picture of what is wrong."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup, escape

from autograder import course
from autograder.course.corpus import misconceptions
from autograder.grade import Difference, QuestionGrade, Reach, Row
from autograder.language import LANGUAGES, Language, speaking
from autograder.report.clean import plain
from autograder.report.pages import page
from autograder.report.pictures import Panel, panels, reach_panels
from autograder.report.words import adjustment_sentence, error_sentence

__all__ = ["CODE", "PICTURES", "feedback_page", "titles"]

CODE = 4_000
"""Bytes of a student's own code, as HTML, that a page shows of one answer, all languages together."""
PICTURES = 70_000
"""Bytes of pictures on one page, all languages together."""


def feedback_page(row: Row, questions: Sequence[course.Question], back: str = "") -> str:
    """The feedback on one submission, in its language; in both where that is not known.

    *back* is the address of the class report, for instructors.
    """
    languages: Sequence[Language] = [row.grade.lang] if row.grade.lang else LANGUAGES
    parts = [(lang, Markup(_article(row, questions, lang, 1 / len(languages)))) for lang in languages]
    with speaking(languages[0]):
        return page("feedback.html", row=row, parts=parts, lang=languages[0], back=back)


def _article(row: Row, questions: Sequence[course.Question], lang: Language, share: float) -> str:
    """What the page says in one language, which has a *share* of its room."""
    cells = {cell.number: answer.question for answer in row.grade.questions for cell in answer.cells}
    with speaking(lang):
        return page(
            "article.html",
            row=row,
            scores=row.scores(),
            prefix="" if row.grade.lang else f"{lang}-",
            cells=cells,
            code=functools.partial(_code, room=CODE * share),
            draw=_Drawing(PICTURES * share),
            adjustments=[adjustment_sentence(adjustment) for adjustment in row.adjustments],
            error_sentence=error_sentence,
            **titles(questions, lang),
        )


def titles(questions: Sequence[course.Question], lang: Language) -> dict[str, dict[Any, Any]]:
    """What the course calls things, in one language."""
    return {
        "questions": {question.id: question.titles[lang] for question in questions},
        "checks": {(check.question, check.name): check.titles[lang] for check in course.checks()},
        "scenarios": {scenario.id: scenario.titles[lang] for scenario in course.scenarios()},
        "examples": {shown.id: (shown.titles[lang], shown.values.get("data")) for shown in course.shown_examples()},
        "hints": {known.id: known.hints[lang] for known in misconceptions()},
    }


class _Drawing:
    """Draws what is wrong, until there is no more room on the page."""

    def __init__(self, room: float) -> None:
        self.room = room

    def __call__(self, wrong: Difference | Reach) -> tuple[Panel, ...]:
        drawn = panels(wrong) if isinstance(wrong, Difference) else reach_panels(wrong)
        self.room -= sum(len(panel.svg) for panel in drawn)
        return drawn if self.room >= 0 else ()


def _code(answer: QuestionGrade, room: float) -> Iterator[tuple[list[tuple[int, str, bool]], bool]]:
    """The student's own cells: numbered lines, marked if something is said of them; and whether some are left out."""
    error = answer.example.error if answer.example else None
    marked = {(error.cell, error.line)} if error else set()
    marked |= {(note.about.get("cell", 0), note.about.get("line", 0)) for note in answer.notes}
    for cell in answer.cells:
        lines = plain(cell.source).strip("\n").split("\n")
        shown = []
        for number, line in enumerate(lines, 1):
            room -= len(escape(line).encode()) + 20
            if room >= 0:
                shown.append((number, line, (cell.number, number) in marked))
        yield shown, len(shown) < len(lines)
