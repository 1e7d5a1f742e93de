"""Where the course's files lie, and a digest of all that decides a grade."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

__all__ = ["ASSIGNMENT", "HIDDEN", "PUBLIC", "REFERENCE", "ROOT", "SHOWN", "digest", "fingerprint", "reference_cells"]

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = ROOT / "assignment"
HIDDEN = ROOT / "tests" / "hidden"
PUBLIC = ROOT / "tests" / "public"
SHOWN = ROOT / "tests" / "shown" / "examples.toml"
REFERENCE = ROOT / "solutions" / "rnn.ipynb"

_ENGINE = ("course", "grading", "sandbox", "student", "wire")
"""The folders of the engine that decide a grade; how submissions are found, and all that people read, do not."""


@functools.cache
def reference_cells() -> tuple[str, ...]:
    """The code cells of the solution notebook."""
    cells = json.loads(REFERENCE.read_text(encoding="utf-8"))["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@functools.cache
def fingerprint() -> str:
    """A digest of all that decides a grade: limits and policy, child, wire, grading, course, reference and corpus."""
    from autograder.course.corpus import decisive

    return digest(_deciding(), version("torch"), decisive())


def _deciding() -> Iterator[Path]:
    engine = ROOT / "autograder"
    for folder in _ENGINE:
        yield from engine.joinpath(folder).rglob("*.py")
    yield from (engine / "intake" / name for name in ("evidence.py", "limits.py", "notebook.py"))
    yield from (path for path in HIDDEN.iterdir() if path.is_file())
    yield from ASSIGNMENT.glob("*/rnn.ipynb")
    yield SHOWN
    yield REFERENCE


def digest(paths: Iterator[Path], *more: str) -> str:
    """A digest of files, with their names below the project's folder, and of other text."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
