"""Where the course's files lie, and the code that its notebooks hold."""

import functools
import json
from pathlib import Path

__all__ = ["ASSIGNMENT", "HIDDEN", "PUBLIC", "REFERENCE", "ROOT", "SHOWN", "code_cells", "reference_cells"]

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = ROOT / "assignment"
HIDDEN = ROOT / "tests" / "hidden"
PUBLIC = ROOT / "tests" / "public"
SHOWN = ROOT / "tests" / "shown" / "examples.toml"
REFERENCE = ROOT / "solutions" / "rnn.ipynb"


@functools.cache
def reference_cells() -> tuple[str, ...]:
    """The code cells of the solution notebook."""
    return code_cells(REFERENCE)


def code_cells(path: Path) -> tuple[str, ...]:
    """The code cells of one of our notebooks."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return tuple("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
