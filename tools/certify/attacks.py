"""Hostile submissions, kept as data: what the sandbox and everything around it are proven with.

`tests/attacks/*.toml` holds code that is laid over one submission, partly right, that earns `BASE_SCORE` points by
itself: an attack that gains anything shows. Whole files that attack the reader are made by `hostile_files`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from autograder import corpus, course

__all__ = ["BASE_SCORE", "Attack", "attacks", "base"]

ATTACKS = course.ROOT / "tests" / "attacks"
BASE_SCORE = 80.0
"""q1 to q6 are right, q7 and q8 are blank."""

_RIGHT = ("q1", "q2", "q3", "q4", "q5", "q6")


@dataclass(frozen=True)
class Attack:
    family: str
    id: str
    content: bytes
    """The notebook."""
    statuses: frozenset[str]
    """The statuses that it may get: mostly one, several where it depends on the machine."""
    score: float
    """The points that it must get: what the submission would earn without the attack, or less."""
    absent: tuple[str, ...]
    """What may stand in no output."""
    unconfined: bool
    """Whether it is harmless enough to be run without a sandbox."""

    @property
    def file_name(self) -> str:
        return f"{self.family}-{self.id}.ipynb"


def base() -> bytes:
    """The submission under all attacks, without one."""
    return _laid_over({})


@functools.cache
def attacks() -> tuple[Attack, ...]:
    """All of `tests/attacks`, family by family."""
    found = []
    for path in sorted(ATTACKS.glob("*.toml")):
        for entry in tomli.loads(path.read_text(encoding="utf-8"))["attack"]:
            statuses, score = entry["verdict"].split()
            found.append(
                Attack(
                    path.stem,
                    entry["id"],
                    _laid_over(entry),
                    frozenset(statuses.split("|")),
                    float(score),
                    tuple(entry.get("absent", ())),
                    entry.get("unconfined", False),
                )
            )
    return tuple(found)


def _laid_over(entry: Mapping[str, Any]) -> bytes:
    """The submission with the code of one attack in it."""
    notebook = json.loads((course.ROOT / "assignment" / "en" / "rnn.ipynb").read_text(encoding="utf-8"))
    answers = {question: corpus.answer(question) for question in _RIGHT}
    answers |= {name: code for name, code in entry.items() if name.startswith("q")}
    for cell in notebook["cells"]:
        question = cell["metadata"].get("question")
        if question in answers:
            cell["source"] = answers[question]
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    imports = next(
        cell for cell in codes if "import otter" in "".join(cell["source"]) and "grader =" in "".join(cell["source"])
    )
    start = entry.get("start", "")
    if "start_times" in entry:
        piece, times = entry["start_times"]
        start = piece * times
    place = notebook["cells"].index(imports) + 1
    notebook["cells"][place:place] = [_cell(start)] * bool(start)
    notebook["cells"] += [_cell(entry["end"])] if "end" in entry else []
    return json.dumps(notebook).encode()


def _cell(source: str) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
