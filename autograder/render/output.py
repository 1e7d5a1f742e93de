"""Everything that is written for people into the output folder, from the gradebook, after each run.

Table and report are made anew each time, a submission's page and results only where they would differ.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from autograder.course import Question
from autograder.gradebook import Row
from autograder.render.feedback import feedback_page
from autograder.render.files import file_names, write
from autograder.render.gradescope import results_json
from autograder.render.report import Summary, report_page, summarise
from autograder.render.table import grades_csv

__all__ = ["remove_output", "write_output", "write_pages"]


def write_pages(
    folder: Path,
    students: Mapping[str, str],
    row: Callable[[str], Row],
    questions: Sequence[Question],
    shown: Mapping[str, str],
) -> dict[str, str]:
    """Write results and page of each submission where *shown*, by name, does not tell that they stand there already.

    *students* holds the student of each submission, by name, and *row* gives its grade. Returns what *shown* is to be
    for those that were written.
    """
    files = file_names(students)
    written = {}
    for name, student in tqdm(students.items(), desc="writing pages", unit="file", delay=1.0, leave=False):
        results, page = _places(folder, files[name])
        standing = hashlib.sha256(f"{_version()}\0{files[name]}\0{student}".encode()).hexdigest()[:16]
        if shown.get(name) != standing or not (results.exists() and page.exists()):
            written[name] = standing
            graded = row(name)
            write(results, results_json(graded))
            write(page, feedback_page(graded, questions))
    return written


def write_output(folder: Path, names: Iterable[str], rows: Iterable[Row], questions: Sequence[Question]) -> Summary:
    """Write the table and the report, which links the pages of all *names*; *rows* can be read more than once."""
    pages = {name: f"feedback/{file}.html" for name, file in file_names(names).items()}
    summary = summarise(rows, questions)
    write(folder / "report.html", report_page(summary, rows, questions, pages))
    write(folder / "grades.csv", grades_csv(rows, [question.id for question in questions]))
    return summary


def remove_output(folder: Path, former: Iterable[str], current: Iterable[str]) -> None:
    """Remove results and pages of *former* submissions, by name, where they are not those of *current* ones."""
    standing = {path for file in file_names(current).values() for path in _places(folder, file)}
    for file in file_names(former).values():
        for path in _places(folder, file):
            if path not in standing:
                with contextlib.suppress(OSError):
                    path.unlink()


def _places(folder: Path, file: str) -> tuple[Path, Path]:
    return folder / "results" / f"{file}.json", folder / "feedback" / f"{file}.html"


@functools.cache
def _version() -> str:
    """Of what makes pages: with another, all are written anew."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.iterdir()):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()
