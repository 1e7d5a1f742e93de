"""The two languages in which people read: Korean and English."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

__all__ = ["LANGUAGES", "Language", "speaking", "text"]

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_spoken: ContextVar[Language] = ContextVar("language", default="ko")


@contextmanager
def speaking(lang: Language) -> Iterator[None]:
    """Let `text` give *lang* inside the `with` block, not Korean as elsewhere."""
    token = _spoken.set(lang)
    try:
        yield
    finally:
        _spoken.reset(token)


def text(*, ko: str, en: str) -> str:
    """The sentence in the language being spoken.

    `make build` replaces a call in `tests/public` by the argument of the edition's language, so that the checks that
    students get need nothing from this package.
    """
    return ko if _spoken.get() == "ko" else en
