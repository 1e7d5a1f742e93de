"""Which platform an export came from: one table, decided once for all files of a path; and what it wrote beside them.

A file's path tells its owner at the place where the platform writes it; whatever students call their own files and
folders, it stands behind that.
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from autograder.grade import Origin, Person
from autograder.intake import limits
from autograder.intake.archives import File, Refused
from autograder.intake.files import Kind, bounded, kind_of, within
from autograder.intake.people import PARTS, Naming
from autograder.intake.roster import fold

__all__ = ["Place", "Record", "extends", "iso_time", "person", "records", "settle"]


@dataclass(frozen=True)
class Layout:
    """How one platform names files; paths begin with the folder or archive that holds them all."""

    platform: str
    pattern: str
    """Its groups tell `name` and `id`, or a `stem` in which `Naming` finds both; `key` (what else tells people apart),
    `time`, `attempt`, `late`, `label` and `order` (as in `Origin`), and `written` (by the platform, for this person).
    What is matched without either name or id is the platform's own."""
    sharing: int = 1
    """How many people, at least, there are to a title."""
    sign: str = "sign"
    """What must be told, if anything tells it, where all else is as people would name their own folders."""

    def match(self, path: str, naming: Naming) -> dict[str, str]:
        """What *path* tells; nothing if it is nobody's."""
        match = re.fullmatch(f"(?:{self.pattern})", path, re.DOTALL)
        told = match.groupdict(default="") if match else {}
        if "stem" in told:
            told |= naming.read(told["stem"])
            told["key"] = "" if told["id"] else told.get("key", "")  # of a name in two sections there are two people
        return {} if told.get("other") and not told["certain"] else told

    def naming(self, paths: Sequence[str]) -> Naming:
        """How people call what lies at *paths*."""
        told = (self.match(path, Naming()) for path in paths)
        return Naming.of({each["stem"] for each in told if "stem" in each})

    def signed(self, paths: Sequence[str]) -> set[str]:
        """What lies at the top and is named so, if that is more than half of it, which one student's files never are.

        Where titles are told there are no more of them than people: `rnn - Kim`, not `Kim - rnn`; and two people.
        """
        naming = self.naming(paths)
        told = [(_top(path), each) for path in paths if (each := self.match(path, naming))]
        people = [(top, each) for top, each in told if each.get("id") or each.get("name")]
        own = {top for top, each in told if not (each.get("id") or each.get("name"))}
        signed = own | {top for top, each in people if each.get(self.sign, "not needed")}
        titles = {fold(each["title"]) for _, each in people if each.get("title")}
        names = {each.get("id") or each["name"] for _, each in people}
        enough = len(names) >= max(len(titles) * self.sharing, 1 + bool(titles))
        return signed if enough and 2 * len(signed) > len({*map(_top, paths)}) else set()


_MOMENT = re.compile(r"(\d{4})\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)(?:\D?(\d\d))?")
_NAME_IS_ID = "(?P<name>(?P<id>[^/]+))"
_MOODLE = r"_assignsubmission_[a-z]+(?:_?/|_|(?=\.)).+"
_CANVAS = r"(?:(?P<order>\d{3,})_.+|(?P<written>(?:text|link)\.html))"
_ATTEMPT = r"_[^\W\d_]+_(?=\d{4}(?:-\d\d){5})"  # `_attempt_`, or the language's word for it
_BLACKBOARD = rf"(?P<key>(?:(?:(?!{_ATTEMPT})[^/])*_)?(?P<id>(?:(?!{_ATTEMPT})[^/_])+)){_ATTEMPT}"
_SECTION = r"(?i:(?:section|sec|class|lab|tutorial|recitation)[ _-]*(?:\d{1,3}|[a-z])|\w{1,3} *분?반|분반 *\w{1,3})"
_ARCHIVE = r"(?i:\.(?:zip|tar|tar\.gz|tgz|gz|bz2|xz|7z|rar|alz|egg))"
# A folder or a file each. Under a number that surely is somebody's, any `other` file is that person's.
_BELOW = rf"(?:{_ARCHIVE}?/.+|(?P<loose>{_ARCHIVE}|(?i:\.(?:ipynb(?:\.txt|\.json|의 사본)?|py))|(?P<other>\.\w+)))"
_PEOPLES = rf"(?P<stem>[^/]+?){_BELOW}"
_FOLDERS = Layout("folders", f"(?:(?P<key>{_SECTION})|[^/]*)/{_PEOPLES}")
_SECTIONS = Layout("sections", f"[^/]*/(?P<key>{_SECTION})/{_PEOPLES}")
# `on time/…`, `late/…`
_ANY_SECTIONS = Layout("sections", f"[^/]*/(?P<title>[^/]+)/{_PEOPLES}", sharing=2, sign="marked")
_NAMED_BY_PEOPLE = ("folders", "sections")
_LAYOUTS = (
    Layout(
        "nbgrader",
        rf"(?:[^/]*/)?submitted/(?:{_NAME_IS_ID}/[^/]+/(?!timestamp\.txt$).+|(?P<about>[^/]+/[^/]+)/timestamp\.txt)"
        r"|[^/]*/(?:(?:source|release|autograded|feedback|solution|downloaded|logs)/.+|nbgrader_config\.py)",
    ),
    Layout("GitHub", rf"(?P<slug>[^/]+)-submissions/(?P=slug)-(?!submissions/){_NAME_IS_ID}/.+"),
    Layout("GitHub", rf"(?P<title>[^/]+)/(?P=title)-(?!submissions/){_NAME_IS_ID}/.+"),
    Layout("Gradescope", r"[^/]*/(?:(?P<name>submission_(?P<id>\d+))/.+|submission_metadata\.yml)"),
    Layout("Moodle", rf"[^/]*/(?P<label>(?P<name>(?:Participant|참가자)[ _]?(?P<id>\d+))){_MOODLE}"),
    Layout("Moodle", rf"[^/]*/(?P<label>(?P<name>[^/]+?)(?:_(?P<id>\d+))?){_MOODLE}"),
    Layout("Blackboard", rf"[^/]*/{_BLACKBOARD}(?P<time>\d{{4}}(?:-\d\d){{5}})(?:_.+|(?P<written>\.txt))"),
    Layout(
        "Brightspace",
        r"[^/]*/(?:index\.html|(?P<key>\d+-\d+) - (?P<name>[^/]+?) - (?P<time>[^-/]*\d{4}[^-/]*)(?:/| - ).+)",
    ),
    Layout(
        "Sakai",
        r"[^/]*/(?:[^/]+/(?:Feedback Attachment\(s\)/.+|(?:timestamp|comments)\.txt)|grades\.\w+"
        r"|(?P<name>[^/]+)\((?P<id>[^/()]+)\)/(?P<sign>Submission attachment\(s\)/)?.+)",
    ),
    Layout(
        "Teams",
        r"[^/]*/(?:Working files/.+"
        r"|(?:Submitted files/)?(?P<name>[^/]+)/(?:(?:[^/]+/)?(?P<sign>Version|버전) (?P<attempt>\d{1,6})/)?.+)",
    ),
    Layout(
        "Canvas", rf"[^/]*/(?P<late>LATE_)?(?P<label>(?P<name>anon_(?P<id>[1-9A-HJ-NP-Za-km-z]{{5}}|\d+)))_{_CANVAS}"
    ),
    # Where users' numbers all look like dates, other systems wrote them.
    Layout(
        "Canvas",
        r"[^/]*/(?P<label>(?P<name>[^/]+?)(?P<late>_LATE)?_(?:(?!20\d\d[01]\d[0-3]\d_)(?=(?P<sign>\d)))?(?P<id>\d+))_"
        + _CANVAS,
    ),
    Layout("folders", f"(?P<title>[^/]*)/(?:(?P<key>{_SECTION})/)?{_PEOPLES}", sharing=2, sign="marked"),
    Layout("Google Forms", r"[^/]*/(?P<title>[^/]+) - (?P<name>[^/]+?)\.\w+"),
    _SECTIONS,
)


@dataclass(frozen=True)
class Place:
    """Where the submissions of one path lie, once folders and archives around them are taken off."""

    layout: Layout
    files: list[tuple[str, File]]
    """With their paths from the place's own folder on; no path for those that lie outside."""
    people: Sequence[str]
    """The files and folders that seem to be a person's each; in plain folders some may be one person's."""
    naming: Naming

    def told(self, path: str) -> Mapping[str, str]:
        """What *path* tells; nothing if it is nobody's."""
        return self.layout.match(path, self.naming)

    def origin(self, told: Mapping[str, str]) -> Origin:
        """How the platform knows the owner of a path that tells this."""
        name = told.get("name", "")
        return Origin(self.layout.platform, told.get("id", ""), told.get("label", name), int(told.get("order") or 0))

    @property
    def plain(self) -> bool:
        return self.layout is _FOLDERS

    @property
    def numbered(self) -> bool:
        """Whether each file or folder has a number that surely is somebody's."""
        return bool(self.people) and all(self.naming.read(each)["certain"] for each in self.people)

    @property
    def several(self) -> bool:
        return not self.plain or len(self.people) > 1 or self.numbered


def settle(files: list[File], base: str, prefix: str = "", archives: int = limits.ARCHIVES) -> list[Place]:
    """Where submissions lie among *files* below *prefix*, whose outer folder or archive is called *base*.

    That is one place, unless each folder or archive in there surely is a class's own, as sections' are. Beside people
    who are named as one, `late/` is a place, too, where all are named so or have people's numbers.
    """
    inside = [(f"{base}/{each.name[len(prefix) :]}" if each.name.startswith(prefix) else "", each) for each in files]
    code = _code(inside)
    tops = sorted({_top(path) for path in code}) if prefix.count("/") < limits.FOLDERS else []
    known = ((each, signed) for each in _LAYOUTS if (signed := each.signed(code)))
    layout, signed = next(known, (_FOLDERS, {*tops}))
    archive = {file.name[len(prefix) :]: file for file in files if archives and file.name.startswith(prefix)}
    alone = len(tops) == 1 and tops[0] not in archive
    sections = all(top in archive and re.fullmatch(f"{_SECTION}{_ARCHIVE}", top) for top in tops)

    def below(top: str) -> list[Place]:
        start, packed = f"{prefix}{top}/", archive.get(top)
        own = [file for file in files if file.name.startswith(start)]
        own += within(packed if len(tops) == 1 else replace(packed, path=None)) if packed else []
        return settle(own, re.sub(f"{_ARCHIVE}$", "", top), start, archives - bool(packed)) if own else []

    def sure(found: list[Place]) -> bool:
        """Whether these are a class's: plain folders in an archive, or beside others, could be one student's."""
        return any(
            each.several if alone or sections else not each.plain and each.layout is not _SECTIONS
            for each in found[-1:]
        )

    def alike(each: Place) -> bool:
        return each.numbered if each.layout.platform in _NAMED_BY_PEOPLE else each.layout is layout

    every = [*itertools.takewhile(sure, map(below, tops if layout.platform in _NAMED_BY_PEOPLE else ()))]
    if every and len(every) == len(tops):
        first, *others = itertools.chain(*every)
        outside = [("", file) for path, file in inside if not path or _top(path) not in tops]
        return [replace(first, files=first.files + outside), *others]
    late = {top: places for top in tops if top not in signed and (places := below(top)) and all(map(alike, places))}
    inside = [(path, file) for path, file in inside if not path or _top(path) not in late]
    code = _code(inside)
    if layout is _FOLDERS and _ANY_SECTIONS.signed(code):
        layout = _ANY_SECTIONS
    # Each file or folder with the likeliest kind of code could be somebody's.
    people = {_top(path) for path in code if kind_of(path) <= Kind.ARCHIVE} or {*map(_top, code)}
    stems = {posixpath.splitext(each)[0] for each in people}
    few = stems if len(stems) <= limits.READ else ()  # of whom one could have copies: `rnn-Copy1`, `rnn_answer`
    names = sorted(name for name in stems if not any(extends(name, each) and name != each for each in few))
    return [*itertools.chain(*late.values()), Place(layout, inside, names, layout.naming(code))]


def _code(inside: Sequence[tuple[str, File]]) -> list[str]:
    """The paths of what is likely code; of all if nothing is."""
    paths = [path for path, _ in inside if path]
    return [path for path in paths if kind_of(path) <= Kind.SCRIPT] or paths


def extends(name: str, other: str) -> bool:
    """Whether *name* is *other*, or begins with it and goes on behind the word, as copies' names do."""
    return re.match(rf"{re.escape(other)}(?:[\W_]|$)", name) is not None


def _top(path: str) -> str:
    return path.split("/", 2)[1]


@dataclass(frozen=True)
class Record:
    """What is written of one submission."""

    people: tuple[Person, ...] = ()
    time: str = ""
    attempts: int = 1


def records(place: Place) -> Mapping[str, Record]:
    """What the platform wrote, by the folder that it is about; of Blackboard, by the key in its files' names."""
    found: dict[str, Record] = {}
    for path, file in place.files:
        told, (folder, name) = place.told(path), posixpath.split(path)
        if told.get("written") and place.layout.platform == "Blackboard":
            found[told["key"]] = _blackboard(_text(file))
        elif told and not told.get("name") and name == "submission_metadata.yml":
            found |= {f"{folder}/{key}": record for key, record in _gradescope(_text(file))}
        elif told and not told.get("name") and name == "timestamp.txt":
            found[folder] = Record(time=iso_time(_text(file)))
    return found


def person(name: str, identifier: str = "", email: str = "") -> Person:
    """Somebody of whom a platform tells this; whoever is called by an address has it."""
    email = email or (name if re.fullmatch(PARTS["address"][0], name) else "")
    return Person(*(bounded(part, limits.PERSON_CHARACTERS) for part in (name, identifier, email)))


def iso_time(text: str) -> str:
    """The time that *text* begins with, or tells as Brightspace does, as ISO 8601; nothing where it tells none."""
    try:
        return datetime.strptime(re.sub(r"\b(\d{3} [AP]M)", r"0\1", text), "%b %d, %Y %I%M %p").isoformat()
    except ValueError:
        match = _MOMENT.match(text)
    zone = "Z" if text.rstrip().endswith(("Z", "UTC")) else ""
    return "{}-{}-{}T{}:{}:{}{}".format(*match.groups(default="00"), zone) if match else ""


def _text(file: File) -> str:
    try:
        return file.load().decode("utf-8-sig", errors="replace")
    except Refused:
        return ""


def _gradescope(roster: str) -> Iterator[tuple[str, Record]]:
    """Gradescope's `submission_metadata.yml`, line by line, at the indentation that Gradescope writes.

    So a name that looks like something else in YAML is a name; and what a student's code printed stands further right.
    """
    _, *submissions = re.split(r"^(submission_\d+):\s*$", roster, flags=re.MULTILINE)
    for key, written in zip(submissions[::2], submissions[1::2], strict=True):
        sections = dict(re.findall(r"^  :(\w+):(.*(?:\n(?:    |  - ).*)*)", written, re.MULTILINE))
        people = []
        for item in re.split(r"^ {2,4}- ", sections.get("submitters", ""), flags=re.MULTILINE)[1:]:
            told = {name: _scalar(value) for name, value in re.findall(r"^ *:(\w+):(.*)", item, re.MULTILINE)}
            name, identifier, email = (told.get(each, "") for each in ("name", "sid", "email"))
            people += [person(name or email or identifier, identifier, email)] if any(told.values()) else []
        attempts = 1 + len(re.findall(r"^ {2,4}- :", sections.get("history", ""), re.MULTILINE))
        yield key, Record(tuple(people), iso_time(_scalar(sections.get("created_at", ""))), attempts)


def _scalar(value: str) -> str:
    """A scalar of YAML as text."""
    value = value.strip()
    if value[:1] == "'" == value[-1:]:
        return value[1:-1].replace("''", "'")
    if value[:1] == '"' == value[-1:]:
        return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else m[2], value[1:-1])
    return value


def _blackboard(text: str) -> Record:
    """The `.txt` that Blackboard writes for an attempt; its first line says `Name: Mia Lee (mlee)`."""
    match = re.match(r"[^\W\d_]+\s*:\s*(.+?)\s*\(([^()\n]+)\)\s*(?:\n|$)", text[:1000])
    return Record((person(match[1], match[2]),) if match else ())
