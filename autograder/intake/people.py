"""Who somebody is by how people call files and folders: `과제3_20231234_김하늘 (1)`.

Such a name is taken apart into small parts. A title is what more than half of a class has in common; what else stands
there is the person's name.
"""

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from autograder.intake.roster import LINE, fold

__all__ = ["PART", "PARTS", "Naming"]

PARTS = {
    "address": (r"[\w.+-]+@[A-Za-z\d-]+(?:\.[A-Za-z\d-]+)+", "20231234@univ.example", "20231234@univ.example"),
    "line": (rf"{LINE}(?=[([]?\d{{7}})", "3. 20231234_김하늘", "3. "),
    "copy": (r"(?:^|(?<= - ))Copy of | - (?:복사본|Copy)\b(?! of)|-Copy\d*\b", "20231234_김하늘 - 복사본", " - 복사본"),
    "again": (r"[ _]?\(\d\)$", "20231234_김하늘 (1)", " (1)"),
    "date": (
        r"(?<!\d)20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?:[ _T-]?(?:\d\d[-:.]?){2,3})?(?!\d)",
        "20231234_김하늘_20261120_235900",
        "20261120_235900",
    ),
    "number": (
        r"(?<!\d)\d{7,12}(?!\d)|(?<![A-Za-z0-9])(?:[A-Za-z]\d{5,11}|\d\d[A-Z]{1,3}\d{4,8}"
        r"|(?<![^[(])(?:\d{5,6}|\d{2,4}-\d{4,8}))(?![A-Za-z0-9])",
        "김하늘20231234",
        "20231234",
    ),
    "bracketed": (r"\[(?![^]]*\d{5})[^][]+\]|\([^()\d]+\)", "[과제 3] 김하늘", "[과제 3]"),
}
"""The parts that a name has beside plain words: what each looks like, and an example with what is found there."""
_PATTERNS = {kind: pattern for kind, (pattern, _, _) in PARTS.items()}
_PATTERNS["word"] = "(?:(?!{date}|{number}|{copy})[^][\\s_.,()+-])+".format_map(_PATTERNS)
PART = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()))
_HANDED_OUT = re.compile("(?<![a-z])rnn(?![a-z])")  # what the notebook is called that everybody gets
_Part = re.Match[str]
_Slot = tuple[str, str]
"""The title or number that stands before, and that which stands behind."""


@dataclass(frozen=True)
class Naming:
    """How a class calls its files and folders."""

    common: frozenset[str] = frozenset()
    """The words that more than half of its people have. `1차` and `2차` are one; if only such a word could tell people
    apart, since they have no numbers, each belongs to two at least."""
    variety: Mapping[_Slot, int] = field(default_factory=dict)
    """How many different things are said between a title or number and the next: where names stand, most."""

    @classmethod
    def of(cls, stems: Collection[str]) -> "Naming":
        """The naming of files and folders; *stems* are what they are called, without suffixes."""
        owners, words = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        people, numbered = set[str](), set[str]()
        for stem in stems:
            parts = _parts(stem)
            numbers = [part[0] for part in parts if part.lastgroup == "number"]
            owner = numbers[0] if numbers else stem
            people.add(owner)
            numbered.update(numbers[:1])
            for part in parts:
                owners[_key(part)].add(owner)
                words[_key(part)].add(fold(part[0]))
        many = {key: those for key, those in owners.items() if 1 < len(those) > len(people) / 2}
        repeated = {key for key, those in many.items() if 2 * len(words[key]) <= len(those)}
        naming = cls(frozenset(repeated | {key for key, those in many.items() if "0" in key and those <= numbered}))
        said = {(slot, fold(_text(parts))) for stem in stems for slot, parts in naming._apart(stem)[1]}
        return cls(naming.common, Counter(slot for slot, _ in said))

    def read(self, stem: str) -> dict[str, str]:
        """The `name` and the `id` of its owner.

        Where nothing but titles stands there, it is `unnamed`. It is `marked` by a long number or a title that several
        have, as what is one person's own seldom is. If there is a `certain` number, long and no date, any file that is
        called so is somebody's, were it a PDF.
        """
        number, said, titled = self._apart(stem)
        ranks = [
            (any(_key(part) not in self.common for part in parts), self.variety.get(slot, 0), "number" in slot)
            for slot, parts in said
        ]
        parts = [part for rank, (_, parts) in zip(ranks, said, strict=True) if rank == max(ranks) for part in parts]
        # A second file without a number might be a namesake's.
        again = "" if number else "".join(re.findall(_PATTERNS["again"], stem))
        name = re.sub(r"^[\[(]([^][()]*)[])]$", r"\1", _text(parts)) + again if parts else number or stem
        date = re.fullmatch(_PATTERNS["date"], number)
        certain = number if re.search(r"\d{7}", number) and not date else ""
        unnamed = "" if parts or number else stem
        return {"name": name, "id": number, "marked": titled or number[6:], "certain": certain, "unnamed": unnamed}

    def _apart(self, stem: str) -> tuple[str, list[tuple[_Slot, list[_Part]]], str]:
        """The number in *stem*, what is said between titles and numbers, and the titles that are common."""
        parts = [part for part in _parts(stem) if part.lastgroup not in ("line", "copy", "again")]
        numbers = [part for part in parts if part.lastgroup == "number"]
        if not numbers:  # those of some people look like dates
            dates = [part for part in parts if re.fullmatch(r"\d{4}-?\d{4}", part[0])]
            numbers = [part for part in dates if _key(part) not in self.common]
        last = parts[-1:] if numbers and parts[-2:-1] != numbers[-1:] else []
        titles = [part for part in parts if _key(part) in self.common and (part in last or _is_no_surname(part))]
        marks = ["start"]
        for part in parts:
            kind = "number" if part in numbers else part.lastgroup
            title = part in titles or _HANDED_OUT.search(_key(part))
            marks.append(kind if kind in ("number", "date") else _key(part) if title else "")
        marks.append("end")
        at = [place for place, mark in enumerate(marks) if mark]
        said = [((marks[i], marks[j]), parts[i : j - 1]) for i, j in pairwise(at) if j - i > 1]
        return numbers[0][0] if numbers else "", said, _text(titles)


@functools.lru_cache(1 << 14)
def _parts(stem: str) -> tuple[_Part, ...]:
    """The parts of a name, which is read anew for each layout that is tried."""
    return tuple(PART.finditer(stem))


def _text(parts: Sequence[_Part]) -> str:
    """What is written from the first to the last of *parts*."""
    return parts[0].string[parts[0].start() : parts[-1].end()] if parts else ""


def _key(part: _Part) -> str:
    return fold(part[0]) if part.lastgroup in ("date", "number") else re.sub(r"\d+", "0", fold(part[0]))


def _is_no_surname(part: _Part) -> bool:
    """Whether a word that many have is a title by its look: `과제3`, `[RNN]`, `Kim - essay`."""
    return re.search(r"^[\[(]|\d", part[0]) is not None or part.string[: part.start()].endswith((" - ", " - Copy of "))
