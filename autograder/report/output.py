"""Everything that is written for people into the output folder, after each run.

Tables and report are made anew each time, a person's page and results only where they would differ.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import msgspec
from tqdm import tqdm

from autograder import course
from autograder.grade import Person, Row
from autograder.intake import SetAside
from autograder.language import LANGUAGES, Language, speaking
from autograder.report.files import digest, file_names, write
from autograder.report.gradescope import results_json
from autograder.report.pages import feedback_page, report_page, titles
from autograder.report.tables import grades_csv, set_aside_csv

__all__ = ["pages", "write_output"]

_GRADES = "grades.csv"


def pages(rows: Iterable[Row]) -> dict[tuple[str, Person], str]:
    """What the files of each row with a submission are called, without folder and suffix; *rows* is read twice."""
    members = Counter(row.submission for row in rows)
    called = {}
    for row in rows:
        who = f"{row.person.name} {row.person.id}".strip().replace("/", "_")
        own = f" ({who})" if members[row.submission] > 1 else ""
        if row.submission:
            called[row.submission, row.person] = row.submission + own
    safe = file_names(called.values())
    return {whose: safe[name] for whose, name in called.items()}


def write_output(
    folder: Path, rows: Iterable[Row], set_aside: Sequence[SetAside], lang: Language | None, before: Mapping[str, str]
) -> tuple[dict[str, str], Path | None]:
    """Write everything; *rows* can be read more than once, and *lang* None means each student's own language.

    *before* tells what stands in files that an earlier run wrote, as digests by their paths. Those that are no longer
    anybody's are removed. Returns the same of this run, and where a table that was edited by hand is now.
    """
    names, version = pages(rows), _version()
    written: dict[str, str] = {}

    def link(row: Row) -> str:
        return quote(f"feedback/{names[row.submission, row.person]}.html") if row.submission else ""

    for row in tqdm(rows, total=len(names), desc="writing pages", unit="page", delay=1.0, leave=False):
        if not row.submission:
            continue
        name = names[row.submission, row.person]
        page, results = f"feedback/{name}.html", f"results/{name}.json"
        spoken = replace(row, grade=replace(row.grade, lang=lang)) if lang else row
        standing = digest(version + msgspec.json.encode(spoken))
        if before.get(page) != standing or not ((folder / page).exists() and (folder / results).exists()):
            write(folder / page, feedback_page(spoken, "../" * page.count("/") + "report.html"))
            write(folder / results, results_json(spoken))
        written |= {page: standing, results: standing}
    with speaking(lang or "en"):
        write(folder / "report.html", report_page(rows, set_aside, link, lang or "en"))
        write(folder / "set-aside.csv", set_aside_csv(set_aside))
        grades = grades_csv(rows, [question.id for question in course.questions()])
    edited = _put_aside(folder / _GRADES, {digest(grades), before.get(_GRADES)})
    write(folder / _GRADES, grades)
    for path in before.keys() - {_GRADES, *written}:
        with contextlib.suppress(OSError):
            (folder / path).unlink()
    return {**written, _GRADES: digest(grades)}, edited


def _put_aside(path: Path, ours: set[str | None]) -> Path | None:
    """Keep a table that is not as we left it under another name, and say which."""
    if not path.exists() or digest(path.read_bytes()) in ours:
        return None
    return path.rename(path.with_name(f"grades.edited-{datetime.now():%Y%m%d-%H%M%S}.csv"))


def _version() -> bytes:
    """Of all that pages say beside grades: with another, all are written anew."""
    files = sorted(path for path in Path(__file__).parent.rglob("*") if path.is_file() and path.suffix != ".pyc")
    said = [repr([titles(lang) for lang in LANGUAGES]).encode(), *(path.read_bytes() for path in files)]
    return digest(b"".join(said)).encode()
