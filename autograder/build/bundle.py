"""The zip that an instructor uploads to Gradescope: the grader, what it grades with, and how to set it up."""

from pathlib import Path

from autograder.course import ROOT
from autograder.report.files import zipped

__all__ = ["bundle"]

_PROGRAMS = Path(__file__).parent / "gradescope"
_PARTS = (
    *("pyproject.toml", "constraints.txt", "solutions/rnn.ipynb", "assignment/**/*", "autograder/**/*"),
    *("tests/hidden/*", "tests/shown/*", "tests/misconceptions/*.toml"),
)


def bundle(visibility: str = "visible") -> bytes:
    """The zip; the same bytes where nothing changed. *visibility* is when students see results."""
    found = [path for part in _PARTS for path in ROOT.glob(part) if path.is_file() and "__pycache__" not in path.parts]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}
    for program in _PROGRAMS.iterdir():
        files[program.name] = program.read_text("utf-8").replace("{{visibility}}", visibility).encode()
    return zipped(files)
