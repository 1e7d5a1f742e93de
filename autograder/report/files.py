"""The files that are written for people: their names, their contents, and all those of the output folder.

After each run tables and report are made anew, a person's page and results only where they would differ.
"""

import contextlib
import hashlib
import io
import os
import re
import unicodedata
import zipfile
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
from autograder.report.gradescope import results_json
from autograder.report.pages import feedback_page, report_page, titles
from autograder.report.tables import grades_csv, set_aside_csv
from autograder.report.words import plain

__all__ = ["digest", "file_names", "pages", "write", "write_output", "zipped"]

_GRADES = "grades.csv"
_MAX_PART_BYTES, _MAX_BYTES = 180, 800
_FORBIDDEN = re.compile(r'[<>:"\\|?*\t\n\ufffd]|^\.|[ .]$')  # by Windows, or not shown
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


def file_names(submissions: Iterable[str]) -> dict[str, str]:
    """For each submission's name a relative path (with `/`, without a suffix), the name itself wherever possible.

    The paths stay below their folder, fit every common file system, and differ even where case does not count.
    """
    paths: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(submissions):
        *folders, last = [_safe(part) for part in name.split("/") if part] or ["_"]
        # A folder must not be in the way of a page: `a.ipynb` has the page `a.ipynb.html`.
        path = "/".join([*(re.sub(r"(?i)(\.(?:html|json))$", r"\1_", part) for part in folders), last])
        path = path if len(path.encode()) <= _MAX_BYTES else last
        folded = unicodedata.normalize("NFC", path).casefold()
        if path != name or folded in taken:
            path += f"~{digest(name.encode(errors='surrogatepass'))}"
        taken.add(folded)
        paths[name] = path
    return paths


def _safe(part: str) -> str:
    safe = _FORBIDDEN.sub("_", plain(part))
    named = f"_{safe}" if _DEVICE.fullmatch(safe) else safe
    return named.encode()[:_MAX_PART_BYTES].decode(errors="ignore")


def digest(content: bytes) -> str:
    """Short enough for names of files, long enough that no two contents share one."""
    return hashlib.sha256(content).hexdigest()[:16]


def write(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Put *content*, or its pieces, at *path* in one step: a reader, or a run cut short, never finds half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(".partial")
    pieces = [content] if isinstance(content, (str, bytes)) else content
    with partial.open("wb") as file:
        file.writelines(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
    os.replace(partial, path)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of *files*, the same bytes for the same files; those that name what runs them (`#!`) can be run."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name)  # of 1980: it says no time
            info.external_attr = (0o100755 if content.startswith(b"#!") else 0o100644) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


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
    path, edited = folder / _GRADES, None
    if path.exists() and digest(path.read_bytes()) not in (digest(grades), before.get(_GRADES)):
        edited = path.rename(path.with_name(f"grades.edited-{datetime.now():%Y%m%d-%H%M%S}.csv"))
    write(path, grades)
    for stale in before.keys() - {_GRADES, *written}:
        with contextlib.suppress(OSError):
            (folder / stale).unlink()
    return {**written, _GRADES: digest(grades)}, edited


def _version() -> bytes:
    """A digest of all that pages say beside grades: when it changes, all are written anew."""
    files = sorted(path for path in Path(__file__).parent.rglob("*") if path.is_file() and path.suffix != ".pyc")
    said = [repr([titles(lang) for lang in LANGUAGES]).encode(), *(path.read_bytes() for path in files)]
    return digest(b"".join(said)).encode()
