"""Tables of grades: a downloaded one is filled, or a new one is made where a platform takes that."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.grade import Person, Row
from autograder.report.points import points
from autograder.report.returns.graded import Graded, Returned, ReturnError, handle, listed, same
from autograder.report.sheet import Sheet
from autograder.report.table import table

__all__ = ["blackboard", "brightspace", "canvas", "email", "moodle"]

_TITLES = {
    "id": "id,sis user id,identifier,식별자,id number,학번,student id,orgdefinedid",
    "login": "sis login id,username,사용자명",
    "email": "email,email address,이메일,이메일 주소",
    "name": "student,full name,성명,이름,group,모둠",
    "first": "first name,firstname",
    "last": "last name,lastname",
    "maximum": "maximum grade,최대 성적",
    "changeable": "grade can be changed,성적을 변경할 수 있음",
}
_KINDS = {title: kind for kind, titles in _TITLES.items() for title in titles.split(",")}


@dataclass(frozen=True)
class _Format:
    """How a platform's table looks."""

    grade: str
    """What the title of a column of grades looks like."""
    excused: str = ""
    """What stands there for somebody who is excused; nothing where the platform has no word for it."""
    whole: bool = True
    """Whether all lines go back, rather than those only that get a grade."""


def canvas(graded: Graded) -> Returned:
    """Canvas's gradebook. A blank cell would clear a score, so only students with a grade are in it."""
    if graded.file:
        return _filled(graded, _Format(r".+ \(\d+\)", excused="EX", whole=False))
    title, number = graded.named()
    if re.search(r"(?:Current|Final|Override) (?:Score|Points|Grade|Status)", title):
        raise ReturnError(f"Canvas passes over a column that is called {title!r}; give another --title")
    ids = [(handle(row, "canvas") or {"id": ""})["id"] for row in graded.scored]
    more = [] if all(ids) else ["SIS User ID", "SIS Login ID"]
    header = ["Student", "ID", *more, "Section", f"{title} ({number})" if number else title]
    blank = ["", *more, ""]
    lines = [["    Points Possible", *[""] * (len(blank)), points(graded.best)]]
    for row, number in zip(graded.scored, ids, strict=True):
        known = [row.person.id, row.person.email][: len(more)]
        lines.append([row.person.name, number, *known, "", points(row.score)])
    return Returned("canvas.csv", table(header, lines), _unnamed(graded.scored, "id"))


def moodle(graded: Graded) -> Returned:
    """Moodle's grading worksheet: a downloaded one, since the importer knows columns by their translated names."""
    if not graded.file:
        raise ReturnError("moodle needs FILE: View all submissions > Grading action > Download grading worksheet")
    return _filled(graded, _Format("grade|성적"))


def blackboard(graded: Graded) -> Returned:
    """A column of Blackboard's grade centre."""
    if graded.file:
        return _filled(graded, _Format(r".+\|\s*\d+"))
    title, number = graded.named()
    column = f"{title} [Total Pts: {points(graded.best)} Score]" + (f" |{number}" if number else "")
    lines = [[row.person.name, "", row.person.id, points(row.score)] for row in graded.scored if row.person.id]
    header = ("Last Name", "First Name", "Username", column)
    return Returned("blackboard.csv", table(header, lines), _unnamed(graded.scored, "id"))


def brightspace(graded: Graded) -> Returned:
    """A grade item of Brightspace, which needs ids from a roster, since its downloads tell none."""
    if graded.file:
        return _filled(graded, _Format(r".+ points grade.*"))
    lines = [[f"#{row.person.id}", points(row.score), "#"] for row in graded.scored if row.person.id]
    if not lines:
        raise ReturnError("Brightspace needs ids: give FILE, its exported grade item, or grade with --roster")
    header = ("OrgDefinedId", f"{graded.named()[0]} Points Grade", "End-of-Line Indicator")
    return Returned("brightspace.csv", table(header, lines), _unnamed(graded.scored, "id"))


def email(graded: Graded) -> Returned:
    """A table for mail merge."""
    header = ("email", "name", "id", "score", "max_score", "late", "page")
    lines = [
        (
            *(row.person.email, row.person.name, row.person.id, points(row.score), points(row.grade.max_score)),
            *("yes" if row.late else "", str(graded.page(row) or "")),
        )
        for row in graded.scored
        if row.person.email
    ]
    return Returned("email.csv", table(header, lines), _unnamed(graded.scored, "email"))


def _unnamed(rows: Sequence[Row], what: str) -> list[str]:
    lacking = [row.person.name for row in rows if not getattr(row.person, what)]
    return listed(f"{{}} without {what}", lacking)


def _filled(graded: Graded, form: _Format) -> Returned:
    """The downloaded table with the grades in it; all other cells are as they were, byte for byte."""
    assert graded.file
    sheet = Sheet.of(graded.file.read_bytes())
    titles, *lines = sheet.values()
    column = _grade_column(titles, lines, graded, form)
    _compare_maxima(titles, lines, column, graded.best)
    kinds = [_KINDS.get(title.strip().casefold(), "") for title in titles]
    find, found, changed, locked = _Finder(graded.rows), set(), [], []
    drop: set[int] = set()
    for number, line in enumerate(lines, 1):
        cells = {kind: value for kind, value in zip(kinds, line, strict=False) if kind and value.strip()}
        row = find(kinds, line)
        if row is None or (row.score is None and not (row.excused and form.excused)):
            if not form.whole and {"id", "login"} & cells.keys():
                drop.add(number)
            continue
        found.add(row.person)
        old, new = line[column].strip() if column < len(line) else "", points(row.score) or form.excused
        if cells.get("changeable", "").casefold() in ("no", "아니오", "아니요"):
            locked.append(row.person.name)
        elif not (same(old, row.score) if row.score is not None else old == new):
            sheet.put(number, column, new)
            changed += [f"{row.person.name}: {old} to {new}"] * (old not in ("", "-"))
    sheet.drop(drop)
    missing = [row.person.name for row in graded.scored if row.person not in found]
    remarks = [
        *listed("{} grades that stood there are written over", changed),
        *listed("{} are locked there and left as they were", locked),
        *listed("{} with a score are not in the file, or several of the name", missing),
    ]
    return Returned(graded.file.name, sheet.content(), remarks)


def _grade_column(titles: Sequence[str], lines: Sequence[Sequence[str]], graded: Graded, form: _Format) -> int:
    read_only = {place for line in lines[:3] for place, value in enumerate(line) if "read only" in value}
    wanted = [place for place, title in enumerate(titles) if re.fullmatch(form.grade, title.strip(), re.IGNORECASE)]
    wanted = [place for place in wanted if place not in read_only and graded.title in titles[place]]
    if len(wanted) != 1:
        choice = ", ".join(titles[place] for place in wanted) or "none"
        raise ReturnError(f"which column has the grades? Name it by --title (candidates: {choice})")
    return wanted[0]


def _compare_maxima(titles: Sequence[str], lines: Sequence[Sequence[str]], column: int, best: float) -> None:
    """Refuse a table in which the assignment is worth something else: grades would be out of range, or too low."""
    told = re.findall(r"(?:Total Pts:|MaxPoints:) *([\d.]+)", titles[column])
    kinds = [_KINDS.get(title.strip().casefold(), "") for title in titles]
    if "maximum" in kinds:
        told += [line[kinds.index("maximum")] for line in lines if len(line) > kinds.index("maximum")]
    told += [line[column] for line in lines[:3] if line[0].strip().startswith("Points Possible") and len(line) > column]
    wrong = [value for value in told if value.strip() and not same(value.strip(), best)]
    if wrong:
        raise ReturnError(f"there the assignment is out of {wrong[0]} points, here out of {points(best)}")


class _Finder:
    """Finds the row that a line of a table is for: by id, login, email, then name, if that is unique."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows: defaultdict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
        for number, row in enumerate(rows):
            for key in _keys(row):
                self._rows[key][number] = row

    def __call__(self, kinds: Sequence[str], line: Sequence[str]) -> Row | None:
        for key in _asked(kinds, line):
            found = self._rows.get(key, {})
            if len(found) == 1:
                return next(iter(found.values()))
        return None


def _keys(row: Row) -> Iterator[tuple[str, str]]:
    person: Person = row.person
    matches = [handle(row, platform) for platform in ("canvas", "moodle")]
    ids = {match["id"] for match in matches if match} | {person.id}
    yield from (("id", one.casefold()) for one in ids if one)
    email = person.email.casefold()
    yield from (("login", login) for login in {*map(str.casefold, ids), email, email.partition("@")[0]} if login)
    if email:
        yield "email", email
    words = [word for word in re.split(r"[\s,]+", person.name) if word]
    yield from {("name", _plain("".join(words[turn:] + words[:turn]))) for turn in range(len(words))}


def _asked(kinds: Sequence[str], line: Sequence[str]) -> Iterator[tuple[str, str]]:
    cells: Mapping[str, str] = {}
    for wanted in ("id", "login", "email", "name"):
        for kind, value in zip(kinds, line, strict=False):
            if kind == wanted == "name":
                yield "name", _plain(value)
            elif kind == wanted and value.strip():
                # `Participant 123`, `참가자123` and `#123` are 123
                yield wanted, re.sub(r"^(?:Participant ?|참가자 ?|#)", "", value.strip()).casefold()
    cells = dict(zip(kinds, line, strict=False))
    if "last" in cells:
        yield "name", _plain(cells.get("first", "") + cells["last"])


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))
