"""HTML pages: self-contained, nothing loaded from elsewhere, all foreign text escaped."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.render import words
from autograder.render.clean import one_line, plain, printed
from autograder.render.points import points
from autograder.text import text

__all__ = ["page", "pieces"]


def page(template: str, **values: Any) -> str:
    """The page that the file *template* in this folder makes of *values*."""
    return _environment().get_template(template).render(values)


def pieces(template: str, **values: Any) -> Iterator[str]:
    """The same page, made as it is read: for pages that grow with the class."""
    return _environment().get_template(template).stream(values)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": one_line,
        "percent": lambda share: f"{100 * share:.0f}%",
        "plain": plain,
        "points": points,
        "printed": printed,
        "prose": _prose,
        "url": lambda path: quote(path),
    }
    environment.globals |= {
        "status_sentence": words.status_sentence,
        "status_word": words.status_word,
        "text": text,
        "verdict_word": words.verdict_word,
    }
    return environment


def _prose(written: str) -> Markup:
    """*written* as paragraphs of one kind, with `code` set as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(plain(written).strip()))))
