"""What the course says: questions with their points and names, scenarios, and where the graders and the reference lie.

All of it is read from the files that instructors edit, once a process; torch is not needed for it.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli

from autograder.text import LANGUAGES, Language

__all__ = [
    "HIDDEN",
    "PUBLIC",
    "REFERENCE",
    "ROOT",
    "Check",
    "Question",
    "Scenario",
    "as_released",
    "checks",
    "fingerprint",
    "hidden_checks",
    "in_languages",
    "maximum",
    "public_checks",
    "questions",
    "reference_cells",
    "scenarios",
]

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = ROOT / "tests" / "public"
HIDDEN = ROOT / "tests" / "hidden"
REFERENCE = ROOT / "solutions" / "rnn.ipynb"

# Parameters of checks that are not the student's names.
_FIXTURES = {"reference", "scenario"}


@dataclass(frozen=True)
class Check:
    """One test function of a question."""

    question: str
    name: str
    public: bool
    points: float
    names: tuple[str, ...]
    """The student's names that it asks for."""
    either_layout: tuple[str, ...]
    """Those that it takes with the batch or the steps first."""
    titles: Mapping[Language, str]


@dataclass(frozen=True)
class Question:
    id: str
    points: float
    titles: Mapping[Language, str]
    names: tuple[str, ...]
    """What it must leave behind: the names that its hidden checks ask for."""
    asked: tuple[str, ...]
    """What is taken down at its check: the names that any of its checks asks for."""
    either_layout: tuple[str, ...] = ()
    """The names that are right with the batch or the steps first."""

    def title(self, lang: Language) -> str:
        return self.titles[lang]


@dataclass(frozen=True)
class Scenario:
    """One setting under which a submission is run."""

    id: str
    titles: Mapping[Language, str] = field(compare=False)
    values: Mapping[str, Any] = field(compare=False)
    """Values by name, each in the place of the released one that stands last in the notebook."""


def in_languages(docstring: str | None, where: str) -> dict[Language, str]:
    """The lines `ko: …` and `en: …` of a docstring."""
    found: dict[Language, str] = {}
    for lang in LANGUAGES:
        match = re.search(rf"^\s*{lang}: (.+)$", docstring or "", re.MULTILINE)
        if match is None:
            raise ValueError(f"{where}: the docstring has no line that starts with '{lang}: '")
        found[lang] = match[1].strip()
    return found


@functools.cache
def checks() -> tuple[Check, ...]:
    """All checks, the public ones first, question by question in the order of the files."""
    public = [check for path in sorted(PUBLIC.glob("q*.py")) for check in _checks(path, path.stem, public=True)]
    hidden = [
        check
        for path in sorted(HIDDEN.glob("test_*.py"))
        for check in _checks(path, path.stem.removeprefix("test_"), public=False)
    ]
    return (*public, *hidden)


def _checks(path: Path, question: str, *, public: bool) -> Iterator[Check]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = tuple(argument.arg for argument in node.args.args if argument.arg not in _FIXTURES)
            titles = in_languages(ast.get_docstring(node), f"{path.name}: {node.name}")
            yield Check(question, node.name, public, 0.0 if public else _points(node), names, _free(node), titles)


def _points(node: ast.FunctionDef) -> float:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="points"), args=[ast.Constant(value=int() | float() as points)]):
                return float(points)
    return 0.0


def _free(check: ast.FunctionDef) -> tuple[str, ...]:
    """The names that `same(name, …, either_layout=True)` is called with."""
    found = []
    for node in ast.walk(check):
        match node:
            case ast.Call(args=[ast.Name(id=name), *_], keywords=keywords):
                if any(keyword.arg == "either_layout" for keyword in keywords):
                    found.append(name)
    return tuple(found)


def hidden_checks(question: Question) -> list[Check]:
    """Those that carry the question's points."""
    return [check for check in checks() if check.question == question.id and not check.public]


def public_checks(question: Question) -> list[Check]:
    """Those that students have."""
    return [check for check in checks() if check.question == question.id and check.public]


@functools.cache
def questions() -> tuple[Question, ...]:
    """The questions in order. The first, `data`, stands for the given cells: it has no points."""
    found = []
    for question in sorted({check.question for check in checks()}, key=lambda q: (q != "data", len(q), q)):
        own = [check for check in checks() if check.question == question]
        hidden = [check for check in own if not check.public]
        source = (HIDDEN / f"test_{question}.py").read_text(encoding="utf-8")
        titles = in_languages(ast.get_docstring(ast.parse(source)), f"test_{question}.py")
        points = sum(check.points for check in hidden)
        free = _each_once(name for check in hidden for name in check.either_layout)
        names, asked = (_each_once(name for check in some for name in check.names) for some in (hidden, own))
        found.append(Question(question, points, titles, names, asked, free))
    return tuple(found)


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def maximum() -> float:
    """The points of all questions."""
    return sum(question.points for question in questions())


@functools.cache
def scenarios() -> tuple[Scenario, ...]:
    """The hidden scenarios."""
    entries = tomli.loads((HIDDEN / "scenarios.toml").read_text(encoding="utf-8"))["scenario"]
    return tuple(
        Scenario(entry.pop("id"), {lang: entry.pop(lang) for lang in LANGUAGES}, {"dropout": 0.0, **entry})
        for entry in entries
    )


def as_released() -> Scenario:
    """The scenario that changes nothing but the dropout, so that grading is deterministic."""
    titles: dict[Language, str] = {"ko": "배포된 그대로의 데이터와 크기", "en": "the data and sizes as released"}
    return Scenario("as-released", titles, {"dropout": 0.0})


@functools.cache
def reference_cells() -> tuple[str, ...]:
    """The code cells of the solution notebook."""
    cells = json.loads(REFERENCE.read_text(encoding="utf-8"))["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@functools.cache
def released_values() -> Mapping[str, Any]:
    """The constants that the solution notebook binds, by name; of several, the last."""
    values: dict[str, Any] = {}
    for cell in reference_cells():
        for node in ast.parse(cell).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    try:
                        values[name] = ast.literal_eval(value)
                    except ValueError:
                        continue
    return values


@functools.cache
def fingerprint() -> str:
    """A digest of all that decides a grade: the graders, the reference, what was handed out and the engine."""
    digest = hashlib.sha256()
    engine = [*(ROOT / "autograder").glob("*.py"), *(ROOT / "autograder" / "child").glob("*.py")]
    files = [*HIDDEN.glob("*"), *PUBLIC.glob("*.py"), *engine, REFERENCE, *(ROOT / "assignment").glob("*/rnn.ipynb")]
    files += (ROOT / "tests" / "misconceptions").glob("*.toml")
    for path in sorted(path for path in files if path.is_file()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
