"""Which platform an export came from: one table, decided once for all files of a path.

A file's path tells its owner at the place where the platform writes it; whatever students call their own files and
folders, it stands behind that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.intake.archives import File, Refused, unpack
from autograder.intake.files import Kind, kind_of, sift

__all__ = ["Layout", "Place", "settle"]


@dataclass(frozen=True)
class Layout:
    """How one platform names files."""

    platform: str
    pattern: str
    """Its groups tell `name`, `id`, `key` (what else tells people apart), `time`, `attempt`, `late`, `order` (the
    platform's number for the file), and `own`: what the person handed in, rather than the platform wrote."""
    sign: str = ""
    """What only this platform's paths match, where other folders would match `pattern`."""
    beside: str = r"(?!)"
    """What the platform writes beside submissions."""

    def match(self, name: str) -> dict[str, str | None] | None:
        """What *name* tells, or None if it is nobody's."""
        match = re.fullmatch(self.pattern, name, re.DOTALL)
        return match.groupdict() if match else None

    def is_beside(self, name: str) -> bool:
        return re.fullmatch(self.beside, name, re.DOTALL) is not None

    def recognises(self, names: Sequence[str]) -> bool:
        """Whether more than half of what lies at the top is named so, which one student's files never are."""
        counted = {_top(name) for name in names if not self.is_beside(name)}
        signed = [name for name in names if re.fullmatch(self.sign or self.pattern, name, re.DOTALL)]
        told = [told for name in signed if (told := self.match(name))]
        titled = {(told["title"], told["name"]) for told in told if "title" in told}
        return 2 * len(counted & {_top(name) for name in signed}) > len(counted) and _titles_vary_less(titled)


def _titles_vary_less(pairs: set[tuple[str | None, str | None]]) -> bool:
    """Whether people share titles, rather than titles people: `rnn - Kim`, not `Kim - rnn`."""
    titles, people = Counter(title for title, _ in pairs), Counter(person for _, person in pairs)
    sharing = {person for title, person in pairs if titles[title] > 1}
    return len(sharing) >= sum(count > 1 for count in people.values())


_MOODLE = r"_assignsubmission_[a-z]+(?:_?/|_|(?=\.))(?P<own>.+)"
_CANVAS = r"(?:(?P<order>\d{3,})_(?P<own>[^/]+)|(?:text|link)\.html)"
_CANVAS_ANONYMOUS = r"(?P<name>anon_(?P<id>[1-9A-HJ-NP-Za-km-z]{5}|\d+))"
_BLACKBOARD = r"(?P<key>(?:(?:(?!_attempt_\d)[^/])*_)?(?P<id>(?:(?!_attempt_\d)[^/_])+))_attempt_"
_SAKAI = r"(?P<name>[^/]+)\((?P<id>[^/()]+)\)/"
_SECTION = r"(?i:(?:section|sec|class|lab|tutorial|recitation)[ _-]*(?:\d{1,3}|[a-z])|\w{1,3} *분?반|분반 *\w{1,3})/"
_PEOPLES = (  # a folder or a file each: `20231234_김하늘/…`, `김하늘(20231234).ipynb`
    r"(?:(?P<id>\d[\d-]{4,11})[ _.-]+(?=\D))?(?P<name>[^/]+?)(?: ?\((?P<id_behind>\d{5,12})\))?"
    r"(?:/(?P<own>.+)|(?P<loose>(?i:\.(?:ipynb(?:\.txt|\.json)?|py|zip|tar|tar\.gz|tgz|gz|bz2|xz|7z|rar|alz|egg))))"
)
_FOLDERS = Layout("folders", _PEOPLES)
_LAYOUTS = (
    Layout("Gradescope", r"(?P<name>submission_(?P<id>\d+))/(?P<own>.+)", beside=r"submission_metadata\.yml"),
    Layout("Moodle", rf"(?P<name>(?:Participant|참가자)[ _]?(?P<id>\d+)){_MOODLE}"),
    Layout("Moodle", rf"(?P<name>[^/]+?)(?:_(?P<id>\d+))?{_MOODLE}"),
    Layout("Blackboard", rf"{_BLACKBOARD}(?P<time>\d{{4}}(?:-\d\d){{5}})(?:_(?P<own>[^/]+)|\.txt)"),
    Layout(
        "Brightspace",
        r"(?P<key>\d+-\d+) - (?P<name>[^/]+?) - (?P<time>[^/]*\d{4}[^/]*)/(?P<own>.+)",
        beside=r"index\.html",
    ),
    Layout(
        "Sakai",
        rf"{_SAKAI}(?P<own>.+)",
        sign=rf"{_SAKAI}Submission attachment\(s\)/.+",
        beside=r"[^/]+/(?:Feedback Attachment\(s\)/.+|(?:timestamp|comments)\.txt)|grades\.\w+",
    ),
    Layout(
        "Teams",
        r"(?:Submitted files/)?(?P<name>[^/]+)/(?:(?:[^/]+/)?(?:Version|버전) (?P<attempt>\d{1,6})/)?(?P<own>.+)",
        sign=r"(?:[^/]+/){1,3}(?:Version|버전) \d+/.+",
        beside=r"Working files/.+",
    ),
    Layout("Canvas", rf"(?P<late>LATE_)?{_CANVAS_ANONYMOUS}_{_CANVAS}"),
    # The numbers are no date's, as in the names of Otter's exports.
    Layout("Canvas", rf"(?P<name>[^/]+?)(?P<late>_LATE)?_(?!20\d\d_\d\d?_)(?P<id>\d+)_{_CANVAS}"),
    Layout("Google Forms", r"(?P<own>(?P<title>[^/]+) - (?P<name>[^/]+?)\.\w+)"),
    Layout("sections", _SECTION + _PEOPLES),
)


def _named_after(base: str) -> Iterator[Layout]:
    """The layouts in which the outer folder's name matters."""
    above = "" if base == "submitted" else "submitted/"
    others = r"(?:source|release|autograded|feedback|solution|logs)/.+|nbgrader_config\.py"
    own = rf"{above}(?P<name>(?P<id>[^/]+))/(?P<own>[^/]+/.+)"
    yield Layout("nbgrader", own, beside=rf"{others}|{above}[^/]+/[^/]+/timestamp\.txt")
    if base.endswith("-submissions"):
        slug = re.escape(base.removesuffix("-submissions"))
        yield Layout("GitHub", rf"{slug}-(?P<name>(?P<id>[^/]+))/(?P<own>.+)")


@dataclass(frozen=True)
class Place:
    """Where the submissions of one path lie, once folders and archives around them are taken off."""

    layout: Layout
    files: list[File]
    prefix: str
    several: bool
    """Whether they surely are several people's."""

    def inside(self) -> Iterator[tuple[str, File]]:
        """The files with their paths below the prefix; nothing for those that lie outside."""
        for file in self.files:
            yield file.name[len(self.prefix) :] if file.name.startswith(self.prefix) else "", file


def settle(files: list[File], base: str, prefix: str = "", archives: int = 2) -> Place:
    """The place of submissions among *files* below *prefix*, whose outer folder or archive is called *base*."""
    names = [file.name[len(prefix) :] for file in files if file.name.startswith(prefix)]
    code = [name for name in names if kind_of(name) <= Kind.SCRIPT] or names
    for layout in (*_named_after(base), *_LAYOUTS):
        if layout.recognises(code):
            return Place(layout, files, prefix, several=True)
    tops = {_top(name) for name in code}
    if len(tops) == 1:
        (top,) = tops
        if top not in code:
            inner = settle(files, top, f"{prefix}{top}/", archives)
            if inner.several:
                return inner
        elif kind_of(top) == Kind.ARCHIVE and archives:
            packed = _inside(next(file for file in files if file.name == prefix + top))
            inner = settle(packed, PurePosixPath(top).stem, f"{prefix}{top}/", archives - 1)
            if inner.several and not inner.layout.pattern.endswith(_PEOPLES):
                return inner
    # Each file or folder with the likeliest kind of code could be somebody's.
    people = {_top(name) for name in code if kind_of(name) <= Kind.ARCHIVE} or tops
    return Place(_FOLDERS, files, prefix, several=len(people) > 1)


def _top(name: str) -> str:
    return name.partition("/")[0]


def _inside(archive: File) -> list[File]:
    """What the archive holds, if it can be read."""
    try:
        files = sift(unpack(archive.path or archive.load()))
    except Refused:
        return []
    return [File(f"{archive.name}/{file.name}", file.load) for file in files]
