"""HTML pages, one for each student and one on the class: self-contained, nothing loaded, all foreign text escaped."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder import course
from autograder.course.corpus import misconceptions
from autograder.grade import Difference, QuestionGrade, Reach, Row
from autograder.intake import SetAside
from autograder.language import LANGUAGES, Language, speaking
from autograder.report import words
from autograder.report.clean import one_line, plain
from autograder.report.pictures import Grid, grids
from autograder.report.summary import anonymous, summarise

__all__ = ["feedback_page", "report_page", "titles"]

_CODE = 4_000
"""Bytes of a student's own code, as HTML, that a page shows of one answer, all languages together."""
_PICTURES = 70_000
"""Bytes of pictures on one page, all languages together."""
_FOLDER = Path(__file__).parent
_SCRIPT = (_FOLDER / "report.js").read_text(encoding="utf-8")


@functools.lru_cache(4096)
def _prose(written: str) -> Markup:
    """*written* with `code` set as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(plain(written).strip()))))


_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters |= {
    "adjustment": words.adjustment_sentence,
    "anonymous": anonymous,
    "line": one_line,
    "percent": "{:.0%}".format,
    "plain": plain,
    "points": words.points,
    "prose": _prose,
    "sentence": words.sentence,
    "status_sentence": words.status_sentence,
    "status_word": words.status_word,
    "error_sentence": words.error_sentence,
}
_TEMPLATES.globals |= {
    "script": Markup(_SCRIPT),
    "script_hash": base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode(),
}


def feedback_page(row: Row, back: str = "") -> str:
    """The feedback on one submission, in its language; in both where that is not known.

    *back* is the address of the class report, for instructors.
    """
    languages: Sequence[Language] = [row.grade.lang] if row.grade.lang else LANGUAGES
    wrong = [answer for answer in row.grade.questions if answer.answered and answer.score < answer.points]
    about = {
        "row": row,
        "back": back,
        "cells": {cell.number: answer.question for answer in row.grade.questions for cell in answer.cells},
        "code": {answer.question: [*_code(answer, _CODE / len(languages))] for answer in wrong},
        "pictures": _pictures(wrong, _PICTURES / len(languages)),
    }
    article = _TEMPLATES.get_template("article.html")
    parts = {}
    for lang in languages:
        with speaking(lang):
            parts[lang] = Markup(article.render(about, **_spoken(lang), prefix="" if row.grade.lang else f"{lang}-"))
    page = _TEMPLATES.get_template("feedback.html")
    return page.render(about, parts=parts, lang=languages[0], ko=languages[0] == "ko")


def report_page(
    rows: Iterable[Row], set_aside: Sequence[SetAside], links: Callable[[Row], str], lang: Language
) -> Iterator[str]:
    """The report on the class, piece by piece. *rows* are read twice.

    *links* gives the address of a row's own page, or nothing where it has none.
    """
    with speaking(lang):
        summary = summarise(rows, course.maximum())
        about = {"rows": rows, "summary": summary, "set_aside": set_aside, "links": links, **_spoken(lang)}
        stream = _TEMPLATES.get_template("report.html").stream(about, worth=[q for q in course.questions() if q.points])
        stream.enable_buffering(200)
        yield from stream


def titles(lang: Language) -> dict[str, dict[Any, Any]]:
    """What the course calls things, in one language."""
    return {
        "questions": {question.id: question.titles[lang] for question in course.questions()},
        "checks": {(check.question, check.name): check.titles[lang] for check in course.checks()},
        "scenarios": {scenario.id: scenario.titles[lang] for scenario in course.scenarios()},
        "examples": {shown.id: (shown.titles[lang], shown.values.get("data")) for shown in course.shown_examples()},
        "hints": {known.id: known.hints[lang] for known in misconceptions()},
    }


def _spoken(lang: Language) -> dict[str, Any]:
    return {"lang": lang, "ko": lang == "ko", **titles(lang)}


def _pictures(
    answers: Sequence[QuestionGrade], room: float
) -> dict[str, list[tuple[Difference | Reach, Sequence[Grid]]]]:
    """What is shown of each answer, with its picture if there is *room* left for that."""
    pictures: dict[str, list[tuple[Difference | Reach, Sequence[Grid]]]] = {}
    for answer in answers:
        example = answer.example
        pictures[answer.question] = shown = []
        all_told: tuple[Difference | Reach, ...] = (*example.differences, *example.reach) if example else ()
        for told in all_told:
            drawn = grids(told)
            room -= sum(len(grid.drawn) + 200 for grid in drawn)
            shown.append((told, drawn if room >= 0 else ()))
    return pictures


def _code(answer: QuestionGrade, room: float) -> Iterator[tuple[list[tuple[str, bool]], bool]]:
    """The student's own cells: lines, marked if something is said of them; and whether some are left out."""
    error = answer.example.error if answer.example else None
    marked = {(error.cell, error.line)} if error else set()
    marked |= {(note.about.get("cell", 0), note.about.get("line", 0)) for note in answer.notes}
    for cell in answer.cells:
        lines = plain(cell.source).rstrip("\n").split("\n")
        shown = []
        for number, line in enumerate(lines, 1):
            room -= len(escape(line).encode()) + 20
            if room >= 0:
                shown.append((line, (cell.number, number) in marked))
        yield shown, len(shown) < len(lines)
