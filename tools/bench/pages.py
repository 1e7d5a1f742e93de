"""How long pages take to make, and the class report to open.

A page is in the language of the edition, or in both, as where the edition is not known.
"""

import re
import shutil
import time
import timeit
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from autograder.classroom.gradebook import Gradebook, Rows
from autograder.grade import Row
from autograder.report.pages import feedback_page
from tools.commands import Failed, command

__all__ = ["opening_seconds", "page_seconds"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TRIES = 3
"""The quickest counts."""


def page_seconds(folder: Path) -> dict[str, list[float]]:
    """The processor time of each page of the class that `by_us` left in *folder*."""
    with Gradebook(folder / "out") as book:
        rows = list(Rows(book))
    if missing := [row.submission for row in rows if row.grade.score is None]:
        raise Failed(["autograder grade"], 0, f"no grade for {missing}")
    both = [replace(row, grade=replace(row.grade, lang=None)) for row in rows]
    return {"in one language": _each(rows), "in both": _each(both)}


def opening_seconds(folder: Path) -> float | None:
    """How long Chromium takes to read the report on that class and lay it out; None where there is no Chromium."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    timed = folder / "report.html"
    report = re.sub(r"<meta http-equiv[^>]*>", "", (folder / "out" / "report.html").read_text(encoding="utf-8"))
    timer = "<script>document.body.offsetHeight; document.title = performance.now()</script></body>"
    timed.write_text(report.replace("</body>", timer), encoding="utf-8")
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom")
    shown = [command([browser, *quiet, timed.as_uri()], cwd=folder)[1] for _ in range(TRIES)]
    return min(float(re.findall(r"<title>([\d.]+)</title>", page)[0]) for page in shown) / 1000


def _each(rows: Iterable[Row]) -> list[float]:
    makings = [partial(feedback_page, row, "../report.html") for row in rows]
    return [min(timeit.repeat(make, timer=time.process_time, repeat=TRIES, number=1)) for make in makings]
