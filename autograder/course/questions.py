"""Questions and their hidden checks, as the test files say: names come from signatures, points from marks.

The files are run here as plain Python, since intake and reports ask for names and points and need no pytest. It is
pytest that runs the checks: see `grading.hidden`.
"""

import functools
import inspect
import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.files import HIDDEN, CourseError, expect
from autograder.intake import Assignment
from autograder.language import LANGUAGES, Language
from autograder.student import handout

__all__ = ["Check", "Question", "assignment", "checks", "given", "in_languages", "maximum", "question", "questions"]


@dataclass(frozen=True)
class Check:
    """One hidden test function of a question."""

    question: str
    name: str
    points: float
    names: tuple[str, ...]
    """The student's names that it asks for."""
    either_layout: tuple[str, ...]
    """Those that it takes with the batch or the steps first."""
    titles: Mapping[Language, str]
    test: Callable[..., None]
    """The function itself; its parameter `reference`, if it has that, is for the right values of all names."""


@dataclass(frozen=True)
class Question:
    id: str
    titles: Mapping[Language, str]
    checks: tuple[Check, ...]

    @functools.cached_property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """What it must leave behind: the names that its checks ask for."""
        return tuple(dict.fromkeys(name for check in self.checks for name in check.names))

    @functools.cached_property
    def compared(self) -> tuple[str, ...]:
        """The names of the solution that its checks may compare with: its own, and what else their code speaks of."""
        spoken_of = (name for check in self.checks for name in check.test.__code__.co_names)
        return tuple(dict.fromkeys([*self.names, *spoken_of]))

    @functools.cached_property
    def either_layout(self) -> tuple[str, ...]:
        """The names that are right with the batch or the steps first."""
        return tuple(dict.fromkeys(name for check in self.checks for name in check.either_layout))


@functools.cache
def questions() -> tuple[Question, ...]:
    """The questions in order."""
    return tuple(_question(path) for path in sorted(HIDDEN.glob("test_q*.py"), key=lambda path: (len(path.stem), path)))


@functools.cache
def question(id_: str) -> Question:
    """The question of that id."""
    return next(question for question in questions() if question.id == id_)


def checks() -> Iterator[Check]:
    """All hidden checks, question by question."""
    return (check for question in questions() for check in question.checks)


def maximum() -> float:
    """The points of all questions."""
    return sum(question.points for question in questions())


@functools.cache
def given() -> tuple[str, ...]:
    """The names that the given cells bind and questions rely on, as `tests/hidden/given.py` lists them."""
    return tuple(_bound(HIDDEN / "given.py")["NAMES"])


@functools.cache
def assignment() -> Assignment:
    """What was handed out, as intake needs to know it."""
    names = frozenset(name for question in questions() for name in question.names)
    return Assignment(frozenset(handout.given()), names)


def _question(path: Path) -> Question:
    bound = _bound(path)
    id_ = path.stem.removeprefix("test_")
    tests = [test for name, test in bound.items() if name.startswith("test_")]
    return Question(
        id_, in_languages(bound["__doc__"], f"tests/hidden/{path.name}"), tuple(_check(id_, test) for test in tests)
    )


def _check(question: str, test: Callable[..., None]) -> Check:
    where = f"tests/hidden/test_{question}.py, {test.__name__}"
    marks = {mark.name: mark.args for mark in getattr(test, "pytestmark", ())}
    names = tuple(name for name in inspect.signature(test).parameters if name != "reference")
    layouts = marks.get("either_layout", ())
    expect(where, "mark", marks, ("points", "either_layout"))
    expect(f"{where}, either_layout", "parameter", layouts, names)
    match marks.get("points", (0,)):
        case (int() | float() as points,) if points >= 0:
            titles = in_languages(test.__doc__, where)
            return Check(question, test.__name__, float(points), names, layouts, titles, test)
        case other:
            raise CourseError(f"{where}: points are a number from 0, not {', '.join(map(repr, other)) or 'nothing'}")


def _bound(path: Path) -> dict[str, Any]:
    """What a file with hidden checks binds. Raises `CourseError`."""
    try:
        return runpy.run_path(str(path))
    except Exception as error:
        raise CourseError(f"tests/hidden/{path.name}: {type(error).__name__}: {error}") from error


def in_languages(docstring: str | None, where: str) -> dict[Language, str]:
    """What a docstring says behind `ko: ` and behind `en: `. Raises `CourseError` if one is missing."""
    found: dict[Language, str] = {}
    end = rf"(?=^\s*(?:{'|'.join(LANGUAGES)}): |\Z)"
    for lang in LANGUAGES:
        match = re.search(rf"^\s*{lang}: (\S.*?){end}", docstring or "", re.MULTILINE | re.DOTALL)
        if match is None:
            raise CourseError(f"{where}: the docstring has no line that starts with '{lang}: '")
        found[lang] = " ".join(match[1].split())
    return found
