"""Where the course's files lie, and digests of them."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

__all__ = ["ASSIGNMENT", "HIDDEN", "PUBLIC", "REFERENCE", "ROOT", "SHOWN", "digest", "reference_cells"]

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = ROOT / "assignment"
HIDDEN = ROOT / "tests" / "hidden"
PUBLIC = ROOT / "tests" / "public"
SHOWN = ROOT / "tests" / "shown" / "examples.toml"
REFERENCE = ROOT / "solutions" / "rnn.ipynb"


@functools.cache
def reference_cells() -> tuple[str, ...]:
    """The code cells of the solution notebook."""
    cells = json.loads(REFERENCE.read_text(encoding="utf-8"))["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def digest(paths: Iterable[Path], *more: str) -> str:
    """A digest of files, with their names below the project's folder, and of other text."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
