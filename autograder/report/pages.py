"""HTML pages, one for each student and one on the class: self-contained, nothing loaded, all foreign text escaped."""

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import chain
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder import course
from autograder.course.corpus import misconceptions
from autograder.grade import Difference, OwnCell, Reach, Row
from autograder.intake import SetAside
from autograder.language import LANGUAGES, Language, speaking
from autograder.report import words
from autograder.report.pictures import grids
from autograder.report.summary import Summary, anonymous
from autograder.report.words import plain

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
_TEMPLATES.filters |= {name: getattr(words, name) for name in words.__all__}
_TEMPLATES.filters |= {"anonymous": anonymous, "percent": "{:.0%}".format, "prose": _prose}
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
    cells = {cell.number: answer.question for answer in answers for cell in answer.cells}
    about = {
        "row": row,
        "back": back,
        "cells": cells,
        # A cell may answer several questions.
        "places": {one.question: cells | {cell.number: one.question for cell in one.cells} for one in answers},
        "code": {cell: _code(cell, marked) for answer in answers for cell in answer.cells},
        "pictures": {
            question: [(told, grids(told)) for told in chain[Difference | Reach](shown.differences, shown.reach)]
            for question, shown in examples.items()
        },
    }
    parts = {}
    for lang in languages:
        with speaking(lang):
            fits = _room(_ROOM // len(languages))
            prefix = "" if row.grade.lang else f"{lang}-"
            article = _TEMPLATES.get_template("article.html")
            parts[lang] = Markup(article.render(about, **titles(lang), lang=lang, fits=fits, prefix=prefix))
    return _TEMPLATES.get_template("feedback.html").render(about, parts=parts, lang=languages[0])


def report_page(
    rows: Iterable[Row], set_aside: Sequence[SetAside], links: Callable[[Row], str], lang: Language
) -> Iterator[str]:
    """The report on the class, piece by piece. *rows* are read twice.

    *links* gives the address of a row's own page, or nothing where it has none.
    """
    with speaking(lang):
        about = {"lang": lang, "rows": rows, "summary": Summary(rows), "set_aside": set_aside, "links": links}
        stream = _TEMPLATES.get_template("report.html").stream(about, **titles(lang))
        stream.enable_buffering(200)
        yield from stream


@functools.cache
def titles(lang: Language) -> dict[str, dict[Any, Any]]:
    """What the course calls things, in one language."""
    return {
        "questions": {question.id: question.titles[lang] for question in course.questions()},
        "names": {question.id: question.names for question in course.questions()},
        "checks": {(check.question, check.name): check.titles[lang] for check in course.checks()},
        "scenarios": {scenario.id: scenario.titles[lang] for scenario in course.scenarios()},
        "examples": {shown.id: (shown.titles[lang], shown.values.get("data")) for shown in course.shown_examples()},
        "hints": {known.id: known.hints[lang] for known in misconceptions()},
    }


def _code(cell: OwnCell, marked: Set[tuple[Any, Any]]) -> Markup:
    """The lines of a cell, those that are spoken of marked."""
    lines = str(escape(plain(cell.source).rstrip())).split("\n")
    at = ((cell.number, line) in marked for line in range(cell.line, cell.line + len(lines)))
    starts = ('<span class="at">' if is_marked else "<span>" for is_marked in at)
    return Markup("".join(f"{start}{line}\n</span>" for start, line in zip(starts, lines, strict=True)))


def _room(left: int) -> Callable[[int], bool]:
    """A function that says whether a part of a page, of so many bytes, fits into what is *left*, and takes the room."""

    def fits(size: int) -> bool:
        nonlocal left
        fit = size <= left
        left -= size * fit
        return fit

    return fits
