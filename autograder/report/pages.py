"""HTML pages, one for each student and one on the class: self-contained, nothing loaded, all foreign text escaped."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder import course
from autograder.course.corpus import misconceptions
from autograder.grade import Difference, Example, OwnCell, Reach, Row
from autograder.intake import SetAside
from autograder.language import LANGUAGES, Language, speaking
from autograder.report import words
from autograder.report.clean import one_line, plain
from autograder.report.pictures import Grid, grids
from autograder.report.summary import anonymous, summarise

__all__ = ["feedback_page", "report_page", "titles"]

_ROOM = 72_000
"""Bytes of students' own code and of pictures on one page, all languages together."""
_FOLDER = Path(__file__).parent
_SCRIPT = (_FOLDER / "report.js").read_text(encoding="utf-8")


@functools.lru_cache(4096)
def _prose(written: str) -> Markup:
    """*written* with `code` set as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(plain(written).strip()))))


_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
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
    "error_said": words.error_said,
    "error_sentence": words.error_sentence,
}
_TEMPLATES.globals |= {
    "zip": zip,
    "script": Markup(_SCRIPT),
    "script_hash": base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode(),
}


def feedback_page(row: Row, back: str = "") -> str:
    """The feedback on one submission, in its language; in both where that is not known.

    *back* is the address of the class report, for instructors.
    """
    languages: Sequence[Language] = [row.grade.lang] if row.grade.lang else LANGUAGES
    answers = row.grade.questions
    examples = {answer.question: answer.example for answer in answers if answer.example}
    marked = {
        *((shown.error.cell, shown.error.line) for shown in examples.values() if shown.error),
        *((note.about.get("cell"), note.about.get("line")) for answer in answers for note in answer.notes),
    }
    about = {
        "row": row,
        "back": back,
        "cells": {cell.number: answer.question for answer in answers for cell in answer.cells},
        "code": {cell: _code(cell, marked) for answer in answers for cell in answer.cells},
        "pictures": {question: _pictures(shown) for question, shown in examples.items()},
    }
    article = _TEMPLATES.get_template("article.html")
    parts = {}
    for lang in languages:
        with speaking(lang):
            fits = _room(_ROOM // len(languages))
            prefix = "" if row.grade.lang else f"{lang}-"
            parts[lang] = Markup(article.render(about, **_spoken(lang), fits=fits, prefix=prefix))
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


def _code(cell: OwnCell, marked: Set[tuple[Any, Any]]) -> Markup:
    """The lines of a cell, those that are spoken of marked."""
    lines = str(escape(plain(cell.source).rstrip())).split("\n")
    starts = ('<span class="at">' if (cell.number, line) in marked else "<span>" for line in range(1, len(lines) + 1))
    return Markup("".join(f"{start}{line}\n</span>" for start, line in zip(starts, lines, strict=True)))


def _pictures(example: Example) -> list[tuple[Difference | Reach, Sequence[Grid], int]]:
    """What is told of an example, its grids, and their size in bytes."""
    told: list[Difference | Reach] = [*example.differences, *example.reach]
    drawn = [(each, grids(each)) for each in told]
    return [(each, pair, sum(len(grid.drawn.encode()) for grid in pair)) for each, pair in drawn]


def _room(left: int) -> Callable[[int], bool]:
    """Tells of one part of a page after another whether there is room for its bytes, and takes the room if so."""

    def fits(size: int) -> bool:
        nonlocal left
        fit = size <= left
        left -= size * fit
        return fit

    return fits
