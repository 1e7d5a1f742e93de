"""Who somebody is by how people call files and folders: `과제3_20231234_김하늘 (1)`.

Such a name is taken apart into small parts. A title is what more than half of a class has in common; what else stands
there is the person's name.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from autograder.intake.roster import fold

__all__ = ["PART", "PARTS", "Naming"]

PARTS = {
    "address": (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "20231234@univ.example", "20231234@univ.example"),
    "line": (r"^\[?\d{1,3}[]) _.-]+(?=[([]?\d{7})", "3. 20231234_김하늘", "3. "),
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


@dataclass(frozen=True)
class Naming:
    """How a class calls its files and folders."""

    common: frozenset[str] = frozenset()
    """The words that more than half of it has, each by two at least; `1조` and `2조` are one word."""
    side: int | None = None
    """Where names stand if something is said before the number (0) and behind (1): there more differ."""

    @classmethod
    def of(cls, stems: Collection[str]) -> "Naming":
        """The naming of files and folders that are called so, without suffixes."""
        uses = defaultdict[str, list[str]](list)
        for stem in stems:
            for part in PART.finditer(stem):
                uses[_key(part)].append(fold(part[0]))
        common = {key for key, words in uses.items() if 2 * len({*words}) <= len(words) > len(stems) / 2}
        naming = cls(frozenset(common))
        said = [[fold("".join(part[0] for part in side)) for side in naming._apart(stem)[1]] for stem in stems]
        before, behind = (len({sides[place] for sides in said} - {""}) for place in (0, 1))
        return cls(naming.common, None if before == behind else int(before < behind))

    def read(self, stem: str) -> dict[str, str]:
        """The `name`, which reaches from the first to the last part that is no title's, and the `id` of its owner.

        It is `marked` by a long number or a title that several have, as what is one person's own seldom is. If there is
        a `certain` number, long and no date, any file that is called so is somebody's, were it a PDF.
        """
        number, sides, titled = self._apart(stem)
        parts = [*sides[0], *sides[1]] if self.side is None else sides[self.side] or sides[1 - self.side]
        # A second file without a number might be a namesake's.
        again = "" if number else "".join(re.findall(_PATTERNS["again"], stem))
        name = stem[parts[0].start() : parts[-1].end()] + again if parts else number or stem
        name = re.sub(r"^[\[(]([^][()]*)[])]$", r"\1", name)
        date = re.fullmatch(_PATTERNS["date"], number)
        certain = number if re.search(r"\d{7}", number) and not date else ""
        return {"name": name, "id": number, "marked": titled or number[6:], "certain": certain}

    def _apart(self, stem: str) -> tuple[str, tuple[list[_Part], list[_Part]], str]:
        """The number in *stem*, what stands before and behind it but for titles, and the titles that are common."""
        parts = [part for part in PART.finditer(stem) if part.lastgroup not in ("line", "copy", "again")]
        dates = [part for part in parts if part.lastgroup == "date"]
        numbers = [part for part in parts if part.lastgroup == "number"]
        # Some universities' numbers look like dates.
        numbers += [part for part in dates if len(fold(part[0])) == 8 and _key(part) not in self.common]
        at = numbers[0].start() if numbers else len(stem)
        words = [part for part in parts if part.lastgroup != "number" and part.start() != at]
        before = [part for part in words if part.start() < at]
        behind = words[len(before) :]
        last = behind[-1:] if len(behind) > 1 else []
        shared = [part for part in words if _key(part) in self.common and (part in last or _is_no_surname(part))]
        titles = [part for part in words if part in [*shared, *dates] or _HANDED_OUT.search(_key(part))]
        return (
            numbers[0][0] if numbers else "",
            (_without(titles, before), _without(titles, behind)),
            " ".join(part[0] for part in shared),
        )


def _without(titles: Sequence[_Part], parts: list[_Part]) -> list[_Part]:
    """Those *parts* that stand before the first title or else, where it is the first, behind the last."""
    at = [place for place, part in enumerate(parts) if part in titles]
    return (parts[: at[0]] or parts[at[-1] + 1 :]) if at else parts


def _key(part: _Part) -> str:
    return fold(part[0]) if part.lastgroup in ("date", "number") else re.sub(r"\d+", "0", fold(part[0]))


def _is_no_surname(part: _Part) -> bool:
    """Whether a word that many have is a title by its look: `과제3`, `[RNN]`, `Kim - essay`."""
    return re.search(r"^[\[(]|\d", part[0]) is not None or part.string[: part.start()].endswith((" - ", " - Copy of "))
