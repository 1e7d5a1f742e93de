"""How long pages take to make: in the language of the edition, and in both, as where the edition is not known."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from autograder.classroom.gradebook import Gradebook
from autograder.grade import Row
from autograder.report.pages import feedback_page
from tools.commands import Failed

__all__ = ["page_seconds"]

TRIES = 3
"""The quickest counts."""


def page_seconds(folder: Path) -> dict[str, list[float]]:
    """The processor time of each page of the class that `by_us` left in *folder*."""

    def missing(seat: object) -> NoReturn:
        raise Failed(["autograder grade"], 0, f"no grade for {seat}")

    with Gradebook(folder / "out") as book:
        rows = list(book.rows(missing))
    both = [replace(row, grade=replace(row.grade, lang=None)) for row in rows]
    return {"in one language": _each(rows), "in both": _each(both)}


def _each(rows: Iterable[Row]) -> list[float]:
    return [min(_seconds(row) for _ in range(TRIES)) for row in rows]


def _seconds(row: Row) -> float:
    before = time.process_time()
    feedback_page(row, "../report.html")
    return time.process_time() - before
