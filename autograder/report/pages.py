"""HTML pages: self-contained, nothing loaded from elsewhere, all foreign text escaped."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from autograder.language import text
from autograder.report import words
from autograder.report.clean import one_line, plain
from autograder.report.points import points

__all__ = ["page", "pieces"]

_FOLDER = Path(__file__).parent


def page(template: str, **values: Any) -> str:
    """The page that the file *template* in this folder makes of *values*."""
    return _environment().get_template(template).render(values)


def pieces(template: str, **values: Any) -> Iterator[str]:
    """The same page, made as it is read: for pages that grow with the class."""
    stream = _environment().get_template(template).stream(values)
    stream.enable_buffering(200)
    return stream


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
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
        "prose": _prose,
        "url": quote,
    }
    script = (_FOLDER / "report.js").read_text(encoding="utf-8")
    environment.globals |= {
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "sentence": words.sentence,
        "status_sentence": words.status_sentence,
        "status_word": words.status_word,
        "text": text,
    }
    return environment


@functools.lru_cache(4096)
def _prose(written: str) -> Markup:
    """*written* with `code` set as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(plain(written).strip()))))
