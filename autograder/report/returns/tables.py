"""Tables of grades: a downloaded one is filled, or a new one is made where a platform takes that."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder import course
from autograder.grade import Row
from autograder.intake.roster import Told, fields, fold, join, people_in, told
from autograder.intake.sheet import TITLES_WITHIN, Sheet
from autograder.report.returns.graded import PLATFORMS, Graded, Platform, Returned, ReturnError, equal, origin
from autograder.report.tables import table
from autograder.report.words import listed, points

__all__ = ["returned"]


def returned(name: str, graded: Graded) -> Returned:
    """The grades in the table of the platform of that *name*."""
    platform = PLATFORMS[name]
    if graded.file and platform.grade:
        return _filled(name, graded, graded.file)
    if not platform.columns:
        raise ReturnError(f"{name} needs FILE: {platform.download}")
    called, number = graded.named()
    if re.fullmatch(platform.totals, called):
        raise ReturnError(f"{name} passes over a column that is called {called!r}; give another --title")
    about = {
        "title": f"{called} ({number})" if number else called,
        "bar": f" |{number}" if number else "",
        "called": called,
        "best": points(course.maximum()),
    }
    told = [about | _about(row, graded) for row in graded.scored]
    lines = [line for line in told if any(line[key] for key in platform.keys)]
    if not lines:
        keys = " or ".join(f"{key}s" for key in platform.keys if key in ("id", "email"))
        instead = f"give FILE, {platform.download}, or " if platform.grade else ""
        raise ReturnError(f"{name} needs {keys}: {instead}grade with --roster")
    header = [title.format_map(about) for title in platform.columns]
    cells = [[cell.format_map(line) for cell in platform.columns.values()] for line in lines]
    if platform.part:
        cells.insert(0, ["Points Possible", *[""] * (len(header) - 2), about["best"]])
    left = [line["name"] for line in told if line not in lines]
    return Returned(f"{name}.csv", table(header, cells), listed(f"without {platform.keys[-1]}", left))


def _about(row: Row, graded: Graded) -> dict[str, str]:
    """What a line of a new table can tell of somebody."""
    return {
        **vars(row.person),
        "canvas": origin(row, "canvas").id,
        "score": points(row.score),
        "late": "yes" if row.late else "",
        "page": str(graded.pages.get((row.submission, row.person), "")),
    }


def _filled(name: str, graded: Graded, file: Path) -> Returned:
    """The downloaded table with the grades in it; all other cells are as they were, byte for byte."""
    platform, sheet = PLATFORMS[name], Sheet(file.read_bytes(), file.name)
    values = sheet.values()
    tops = enumerate(values[:TITLES_WITHIN])
    above = next((number for number, titles in tops if _grade_columns(platform, titles, graded.title)), 0)
    titles, *lines = values[above:]
    column = _grade_column(platform, titles, lines, graded.title)
    held = fields(titles)
    tells = [told(held, line) for line in lines]
    best = points(course.maximum())
    for worth in _maxima(titles, lines, tells, column):
        if not equal(worth, best):
            raise ReturnError(f"there the assignment is out of {worth} points, here out of {best}")
    rows = _rows(name, graded.rows, tells)
    drop, changed, locked = set(), [], []
    for number, (line, about, row) in enumerate(zip(lines, tells, rows, strict=True), above + 1):
        new = (points(row.score) or (platform.excused if row.excused else "")) if row else ""
        old = "".join(line[column : column + 1]).strip()
        if row is None or not new:
            if platform.part and (about["id"] or about["alias"]):
                drop.add(number)
        elif {"No", "아니오", "아니요"} & {*about["changeable"]}:
            locked.append(row.person.name)
        elif not equal(old, new):
            sheet.put(number, column, new)
            changed += [f"{row.person.name}: {old} to {new}"] * (old not in ("", "-"))
    found = {id(row) for row in rows}
    missing = [row.person.name for row in graded.scored if id(row) not in found]
    remarks = [
        *listed("written over there", changed),
        *listed("locked there, left as they were", locked),
        *listed("not in the file, or several of the name", missing),
    ]
    return Returned(file.name, sheet.content(without=drop), remarks)


def _grade_columns(platform: Platform, titles: Sequence[str], title: str) -> list[int]:
    """The columns that could hold grades: that of exactly this title, else those for grades whose titles contain it."""
    written = [each.strip() for each in titles]
    named = [place for place, each in enumerate(written) if title and each == title]
    like = [place for place, each in enumerate(written) if re.fullmatch(platform.grade, each, re.IGNORECASE)]
    within = re.compile(rf"(?<!\w){re.escape(title)}(?!\w)", re.IGNORECASE)
    return named or [place for place in like if not title or within.search(titles[place])]


def _grade_column(platform: Platform, titles: Sequence[str], lines: Sequence[Sequence[str]], title: str) -> int:
    read_only = {place for line in lines[:3] for place, value in enumerate(line) if "read only" in value}
    wanted = [place for place in _grade_columns(platform, titles, title) if place not in read_only]
    if len(wanted) != 1:
        choice = ", ".join(titles[place] for place in wanted) or "none"
        raise ReturnError(f"which column has the grades? Name it by --title (candidates: {choice})")
    return wanted[0]


def _maxima(titles: Sequence[str], lines: Sequence[Sequence[str]], tells: Sequence[Told], column: int) -> Iterator[str]:
    """All that the table says the assignment is worth: if that differs, grades would be out of range, or too low."""
    yield from re.findall(r"(?:\[[^][:]*:(?=[^][]*\] *\|)[^][\d]*|MaxPoints: *)([\d.]+)", titles[column])
    for each in tells:
        yield from each["maximum"]
    for line in lines[:3]:
        if line[0].strip() == "Points Possible":
            yield from filter(str.strip, line[column : column + 1])


def _rows(platform: str, rows: Sequence[Row], tells: Sequence[Told]) -> list[Row | None]:
    """The row that each line is for: by the platform's own id, else as people are found on a roster, else the team's.

    If the table has the platform's own ids, people who have one are found by it alone. Teams are left out there: a
    team's id could be some student's.
    """
    groups = [[fold(group) for group in each["group"]] for each in tells]
    called = {*itertools.chain(*groups)}
    teams = {name: row for row in rows if (name := fold(row.person.name)) in called}
    people = [(row, origin(row, platform).id) for row in rows if fold(row.person.name) not in teams]
    own = {fold(number): row for row, number in people if number}
    ids = [fold("".join(each["id"][:1])) for each in tells]
    # `Participant 123` in any language
    found = [own.get(each) or own.get(re.sub(r"^\D*(?=\d+$)", "", each)) for each in ids]
    others = [row for row, number in people if not (number and any(found))]
    lines = [(one, at) for at, each in enumerate(tells) if not found[at] for one in people_in(each)]
    uses, places = Counter(one.person for one, _ in lines), {one.person: at for one, at in lines}
    matches = join([one for one, _ in lines], [row.person for row in others], apart=True)
    for row in others:
        match = matches.get(row.person)
        if match and uses[match] == 1 and (row.score is not None or row.excused):
            found[places[match]] = row
    theirs = [next((teams[group] for group in each if group in teams), None) for each in groups]
    return [row or team for row, team in zip(found, theirs, strict=True)]
