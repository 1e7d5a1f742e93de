"""What the build writes, and where."""

from __future__ import annotations

import base64
import bz2
import json
import tempfile
from pathlib import Path

from tqdm import tqdm

from autograder.build.asides import check_asides
from autograder.build.checks import student_checks
from autograder.build.master import cells, filled
from autograder.build.notebook import executed, solution, student, written
from autograder.build.questions import check_headings, names_to_leave, table
from autograder.language import LANGUAGES, Language

__all__ = ["ROOT", "build"]

ROOT = Path(__file__).resolve().parents[2]

_MASTER = ROOT / "solutions" / "rnn.py"
_CHECKS = ROOT / "tests" / "public"
_HANDOUT = ROOT / "solutions" / "handout"


def build(out: Path, *, progress: bool = False) -> None:
    """Write assignment/ and solutions/rnn.ipynb below *out*, byte for byte the same where nothing changed."""
    files = _solution()
    for lang in tqdm(LANGUAGES, desc="build", disable=not progress):
        files |= _edition(lang)
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")


def _edition(lang: Language) -> dict[str, str]:
    """Name and content of every file of assignment/ in *lang*."""
    folder = f"assignment/{lang}"
    values = _values(lang)
    edition = cells(_MASTER, prose=[lang], code=lang, values={lang: values})
    check_asides(edition)
    check_headings(edition, lang)
    return {
        f"{folder}/rnn.ipynb": written(student(edition, lang)),
        f"{folder}/requirements.txt": _handed_out("requirements.txt"),
        f"{folder}/README.md": filled(_handed_out(f"README.{lang}.md"), values),
        **{f"{folder}/tests/{name}": source for name, source in student_checks(_CHECKS, lang).items()},
    }


def _solution() -> dict[str, str]:
    """The solution notebook, executed: text in both languages, all else in Korean."""
    both = cells(_MASTER, prose=LANGUAGES, code="ko", values={lang: _values(lang) for lang in LANGUAGES})
    with tempfile.TemporaryDirectory() as folder:
        return {"solutions/rnn.ipynb": written(executed(solution(both, "ko"), Path(folder)))}


def _values(lang: Language) -> dict[str, str]:
    """What is filled in for `{{name}}` in the edition in *lang*."""
    requirements = _handed_out("requirements.txt").splitlines()
    checks = json.dumps(dict(student_checks(_CHECKS, lang)), sort_keys=True).encode()
    return {
        "otter": next(line for line in requirements if line.startswith("otter-grader")),
        # bz2, since its output has not changed from one version to the next as zlib's has.
        "checks": base64.b64encode(bz2.compress(checks)).decode(),
        "names": json.dumps(names_to_leave()),
        "questions": table(lang),
    }


def _handed_out(name: str) -> str:
    return (_HANDOUT / name).read_text(encoding="utf-8")
