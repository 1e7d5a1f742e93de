"""Everything that is written for people into the output folder, after each run.

Tables and report are made anew each time, a person's page and results only where they would differ.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec
from tqdm import tqdm

from autograder.course import Question
from autograder.grade import Person, Row
from autograder.language import LANGUAGES, Language, speaking
from autograder.report.class_report import report_page
from autograder.report.feedback import feedback_page, titles
from autograder.report.files import file_names, write
from autograder.report.gradescope import results_json
from autograder.report.table import Aside, grades_csv, set_aside_csv

__all__ = ["pages", "write_output"]

_GRADES = "grades.csv"


def pages(rows: Iterable[Row]) -> dict[tuple[str, Person], str]:
    """What the files of each row with a submission are called, without folder and suffix; *rows* is read twice."""
    members = Counter(row.submission for row in rows)
    called = {
        (row.submission, row.person): row.submission if members[row.submission] == 1 else _of_member(row)
        for row in rows
        if row.submission
    }
    safe = file_names(called.values())
    return {whose: safe[name] for whose, name in called.items()}


def write_output(
    folder: Path,
    rows: Iterable[Row],
    set_aside: Sequence[Aside],
    questions: Sequence[Question],
    lang: Language | None,
    before: Mapping[str, str],
) -> tuple[dict[str, str], Path | None]:
    """Write everything; *rows* can be read more than once, and *lang* None means each student's own language.

    *before* tells what stands in files that an earlier run wrote, as digests by their paths. Those that are no longer
    anybody's are removed. Returns the same of this run, and where a table that was edited by hand is now.
    """
    names = pages(rows)
    written: dict[str, str] = {}
    version = _version(questions)

    def link(row: Row) -> str:
        name = names.get((row.submission, row.person))
        return quote(f"feedback/{name}.html") if name else ""

    for row in tqdm(rows, total=len(names), desc="writing pages", unit="page", delay=1.0, leave=False):
        name = names.get((row.submission, row.person))
        if name is None:
            continue
        page, results = f"feedback/{name}.html", f"results/{name}.json"
        spoken = replace(row, grade=replace(row.grade, lang=lang)) if lang else row
        standing = hashlib.sha256(version + msgspec.json.encode(spoken)).hexdigest()[:16]
        if before.get(page) != standing or not ((folder / page).exists() and (folder / results).exists()):
            write(folder / page, feedback_page(spoken, questions))
            write(folder / results, results_json(spoken, questions))
        written |= {page: standing, results: standing}
    reasons = {one.name: one.reason for one in set_aside}
    with speaking(lang or "en"):
        write(folder / "report.html", report_page(rows, reasons, link, lang or "en"))
        write(folder / "set-aside.csv", set_aside_csv(set_aside))
        edited, written[_GRADES] = _write_grades(folder / _GRADES, grades_csv(rows, [q.id for q in questions]), before)
    for path in before.keys() - written.keys():
        with contextlib.suppress(OSError):
            (folder / path).unlink()
    return written, edited


def _of_member(row: Row) -> str:
    who = f"{row.person.name} {row.person.id}".strip().replace("/", "_")
    return f"{row.submission} ({who})"


def _write_grades(path: Path, content: bytes, before: Mapping[str, str]) -> tuple[Path | None, str]:
    """Write the table; one that is not as we left it is kept aside. Where that is, and the new digest."""
    edited = None
    if path.exists() and (standing := path.read_bytes()) != content and _digest(standing) != before.get(_GRADES):
        edited = path.with_name(f"grades.edited-{datetime.now():%Y%m%d-%H%M%S}.csv")
        path.rename(edited)
    write(path, content)
    return edited, _digest(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _version(questions: Sequence[Question]) -> bytes:
    """Of all that pages say beside grades: with another, all are written anew."""
    digest = hashlib.sha256(repr([titles(questions, lang) for lang in LANGUAGES]).encode())
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    return digest.digest()
