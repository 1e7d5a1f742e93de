"""What the build writes, and where."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tqdm import tqdm

from autograder.build.asides import check_asides
from autograder.build.checks import student_checks
from autograder.build.master import Cell, cells
from autograder.build.notebook import executed, setup_cell, solution, student, written
from autograder.text import LANGUAGES, Language

__all__ = ["ROOT", "build"]

ROOT = Path(__file__).resolve().parents[2]

_MASTER = ROOT / "solutions" / "rnn.py"
_CHECKS = ROOT / "tests" / "public"
_TEMPLATES = Path(__file__).parent / "templates"


def build(out: Path, *, progress: bool = False) -> None:
    """Write assignment/ and solutions/rnn.ipynb below *out*, byte for byte the same where nothing changed."""
    files: dict[str, str] = {}
    parts: list[Callable[[], dict[str, str]]] = [*(partial(_edition, lang) for lang in LANGUAGES), _solution]
    for make in tqdm(parts, desc="build", disable=not progress):
        files |= make()
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")


def _edition(lang: Language) -> dict[str, str]:
    """Name and content of every file of assignment/ in *lang*."""
    checks = student_checks(_CHECKS, lang)
    folder = f"assignment/{lang}"
    edition = cells(_MASTER, prose=[lang], code=lang)
    check_asides(edition)
    return {
        f"{folder}/rnn.ipynb": written(student(edition, _setup(checks, lang), lang)),
        f"{folder}/requirements.txt": _template("requirements.txt"),
        f"{folder}/README.md": _template(f"README.{lang}.md"),
        **{f"{folder}/tests/{name}": source for name, source in checks.items()},
    }


def _solution() -> dict[str, str]:
    """The solution notebook, executed: text in both languages, all else in Korean."""
    setup = _setup(student_checks(_CHECKS, "ko"), "ko")
    with tempfile.TemporaryDirectory() as folder:
        solved = executed(solution(cells(_MASTER, prose=LANGUAGES, code="ko"), setup, "ko"), Path(folder))
    return {"solutions/rnn.ipynb": written(solved)}


def _setup(checks: dict[str, str], lang: Language) -> Cell:
    otter = next(line for line in _template("requirements.txt").splitlines() if line.startswith("otter-grader"))
    return setup_cell(_template("setup_cell.txt"), checks, otter, lang)


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
