"""Tables of grades: a downloaded one is filled, or a new one is made where a platform takes that."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.grade import Person, Row
from autograder.intake.roster import FIELDS, Listed, join
from autograder.report.returns.graded import PLATFORMS, Graded, Platform, Returned, ReturnError, equal, handle, listed
from autograder.report.tables import Sheet, table
from autograder.report.words import points

__all__ = ["returned"]

_FIELDS = {
    **FIELDS,
    **dict.fromkeys(("group", "모둠"), "name"),
    **dict.fromkeys(("maximum grade", "최대 성적"), "maximum"),
    **dict.fromkeys(("grade can be changed", "성적을 변경할 수 있음"), "changeable"),
}
"""What the columns of a downloaded table hold, by their titles."""


def returned(name: str, graded: Graded) -> Returned:
    """The grades in the table of the platform of that *name*."""
    platform = PLATFORMS[name]
    if graded.file and platform.grade:
        return _filled(platform, graded, graded.file)
    if not platform.columns:
        raise ReturnError(f"{name} needs FILE: {platform.download}")
    called, number = graded.named()
    if re.fullmatch(platform.totals, called):
        raise ReturnError(f"{name} passes over a column that is called {called!r}; give another --title")
    told = [_told(row, graded) for row in graded.scored]
    lines = [about for about in told if any(about[key] for key in platform.keys)]
    if not lines:
        keys = " or ".join(f"{key}s" for key in platform.keys if key != name)
        raise ReturnError(f"{name} needs {keys}: give FILE, {platform.download}, or grade with --roster")
    title, bar = (f"{called} ({number})", f" |{number}") if number else (called, "")
    about = {"title": title, "bar": bar, "called": called, "best": points(graded.best)}
    header = [title.format_map(about) for title in platform.columns]
    cells = [[cell.format_map(about | line) for cell in platform.columns.values()] for line in lines]
    if platform.part:
        cells.insert(0, ["Points Possible", *[""] * (len(header) - 2), about["best"]])
    left = [about["name"] for about in told if about not in lines]
    return Returned(f"{name}.csv", table(header, cells), listed(f"{{}} without {platform.keys[-1]}", left))


def _told(row: Row, graded: Graded) -> dict[str, str]:
    """What a line of a new table can tell of somebody."""
    return {
        "name": row.person.name,
        "id": row.person.id,
        "email": row.person.email,
        "canvas": handle(row, "canvas").get("id", ""),
        "score": points(row.score),
        "late": "yes" if row.late else "",
        "page": str(graded.pages.get((row.submission, row.person), "")),
    }


def _filled(platform: Platform, graded: Graded, file: Path) -> Returned:
    """The downloaded table with the grades in it; all other cells are as they were, byte for byte."""
    sheet = Sheet.of(file.read_bytes())
    titles, *lines = sheet.values()
    column = _grade_column(platform, titles, lines, graded.title)
    _compare_maxima(titles, lines, column, graded.best)
    rows = _rows(graded.rows, titles, lines)
    drop, changed, locked = set(), [], []
    for number, (line, row) in enumerate(zip(lines, rows, strict=True), 1):
        new = (points(row.score) or (platform.excused if row.excused else "")) if row else ""
        old = "".join(line[column : column + 1]).strip()
        if row is None or not new:
            if platform.part and [*_told_in(titles, line, "id"), *_told_in(titles, line, "alias")]:
                drop.add(number)
        elif {"No", "아니오", "아니요"} & {*_told_in(titles, line, "changeable")}:
            locked.append(row.person.name)
        elif not (equal(old, row.score) if row.score is not None else old == new):
            sheet.put(number, column, new)
            changed += [f"{row.person.name}: {old} to {new}"] * (old not in ("", "-"))
    found = {id(row) for row in rows}
    missing = [row.person.name for row in graded.scored if id(row) not in found]
    remarks = [
        *listed("{} grades that stood there are written over", changed),
        *listed("{} are locked there and left as they were", locked),
        *listed("{} with a score are not in the file, or several of the name", missing),
    ]
    return Returned(file.name, sheet.content(without=drop), remarks)


def _told_in(titles: Sequence[str], line: Sequence[str], field: str) -> Iterator[str]:
    """What a line tells below the titles of such a field."""
    for title, value in zip(titles, line, strict=False):
        if _FIELDS.get(title.strip().casefold()) == field and value.strip():
            yield value.strip()


def _grade_column(platform: Platform, titles: Sequence[str], lines: Sequence[Sequence[str]], title: str) -> int:
    read_only = {place for line in lines[:3] for place, value in enumerate(line) if "read only" in value}
    wanted = {
        place: written
        for place, written in enumerate(titles)
        if re.fullmatch(platform.grade, written.strip(), re.IGNORECASE) and title in written and place not in read_only
    }
    if len(wanted) != 1:
        choice = ", ".join(wanted.values()) or "none"
        raise ReturnError(f"which column has the grades? Name it by --title (candidates: {choice})")
    return next(iter(wanted))


def _compare_maxima(titles: Sequence[str], lines: Sequence[Sequence[str]], column: int, best: float) -> None:
    """Refuse a table in which the assignment is worth something else: grades would be out of range, or too low."""
    told = re.findall(r"(?:Total Pts:|MaxPoints:) *([\d.]+)", titles[column])
    told += [value for line in lines for value in _told_in(titles, line, "maximum")]
    told += [line[column] for line in lines[:3] if line[0].strip() == "Points Possible" and len(line) > column]
    for value in filter(str.strip, told):
        if not equal(value, best):
            raise ReturnError(f"there the assignment is out of {value} points, here out of {points(best)}")


def _rows(rows: Sequence[Row], titles: Sequence[str], lines: Sequence[Sequence[str]]) -> list[Row | None]:
    """The row that each line is for, found as on a roster; none where that fits several."""
    roster = [_listed(row) for row in rows]
    uses = Counter(listed.person for listed in roster)
    own = {listed.person: row for listed, row in zip(roster, rows, strict=True) if uses[listed.person] == 1}
    asked = [list(_asked(titles, line)) for line in lines]
    found = join(roster, dict.fromkeys(person for people in asked for person in people)).found
    matches = (next((found[person] for person in people if person in found), None) for people in asked)
    return [own.get(match) if match else None for match in matches]


def _listed(row: Row) -> Listed:
    """A row's person, who is known by the platform's own id before any other."""
    own = handle(row, "canvas").get("id") or handle(row, "moodle").get("id")
    return Listed(Person(row.person.name, own or row.person.id, row.person.email), (row.person.id,) * bool(own))


def _asked(titles: Sequence[str], line: Sequence[str]) -> Iterator[Person]:
    """Whom a line could mean, the surest first. `Participant 123`, `참가자123` and `#123` are 123."""
    told = {field: [*_told_in(titles, line, field)] for field in ("id", "alias", "email", "name", "first", "last")}
    for value in (*told["id"], *told["alias"], *told["email"]):
        key = re.sub(r"^(?:Participant ?|참가자 ?|#)", "", value)
        yield Person("", key, key)
    for name in (*told["name"], " ".join(told["first"] + told["last"])):
        yield Person(name)
