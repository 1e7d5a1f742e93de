"""Everything that is written for people into the output folder, made anew from the gradebook after each run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from autograder.course import Question
from autograder.gradebook import Row
from autograder.render.feedback import feedback_page
from autograder.render.files import file_names, write
from autograder.render.gradescope import results_json
from autograder.render.report import report_page
from autograder.render.table import grades_csv

__all__ = ["write_output"]


def write_output(folder: Path, rows: Sequence[Row], questions: Sequence[Question], former: Iterable[str] = ()) -> None:
    """Write the table, the results, the pages and the report; remove those of *former* submissions."""
    names = file_names(row.name for row in rows)
    pages = {name: f"feedback/{file}.html" for name, file in names.items()}
    results = {name: f"results/{file}.json" for name, file in names.items()}
    current = {*pages.values(), *results.values()}
    for file in file_names(former).values():
        for stale in {f"feedback/{file}.html", f"results/{file}.json"} - current:
            with contextlib.suppress(OSError):
                (folder / stale).unlink()
    for row in tqdm(rows, desc="writing pages", unit="file", delay=1.0, leave=False):
        write(folder / results[row.name], results_json(row))
        write(folder / pages[row.name], feedback_page(row, questions))
    write(folder / "report.html", report_page(rows, questions, pages))
    write(folder / "grades.csv", grades_csv(rows, [question.id for question in questions]))
