"""What notes, errors, statuses and adjustments say, in the language being spoken: `words.toml` has the sentences.

Until here findings are data. Text from students' files gets into a sentence without control, escape or
direction-changing characters, so that it can fool no reader.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli

from autograder.grade import Adjustment, Note, StatementError, Status
from autograder.language import text

__all__ = [
    "KINDS",
    "WHERE",
    "WHY",
    "adjustment_sentence",
    "error_said",
    "error_sentence",
    "listed",
    "one_line",
    "plain",
    "points",
    "sentence",
    "sized",
    "status_sentence",
    "status_word",
]

_LISTED, _LONGEST = 8, 160
"""How many things a sentence lists, and how many characters of each."""

_Words = dict[str, Mapping[str, str]]
_WORDS: Mapping[str, _Words] = tomli.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_HIDDEN = {f"hidden-{kind}": said for kind, said in (_WORDS["difference"] | _WORDS["hidden"]).items()}
KINDS: _Words = _WORDS["difference"] | _HIDDEN | _WORDS["note"]
"""The sentences by kind of note."""
WHERE, WHY = _WORDS["where"], _WORDS["why"]
"""Where values differ, and why another file counted: what notes say under these names."""

# ECMA-48: control sequences, strings (window titles, links) and two-character escapes.
_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
# Control characters but tab and newline; characters that change the direction of what follows (Unicode TR 36);
# other line ends; what is not seen, Hangul's fillers included, so that names which look alike are alike; halves of
# surrogate pairs, which no encoding takes; invisible tags; non-characters.
_HARMFUL = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ud800-\udfff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    """*text* with tabs and newlines, each harmful character replaced by U+FFFD."""
    return _HARMFUL.sub("\ufffd", text.replace("\r\n", "\n"))


@functools.lru_cache(512)
def one_line(text: str) -> str:
    """*text* on one line, escape sequences left out."""
    return plain(" ".join(_ESCAPE.sub("", text).split()))


def listed(remark: str, names: Iterable[str]) -> list[str]:
    """A line with *remark*, how many *names* there are, and the first of them; no line if there are none."""
    known = [one_line(name) for name in names]
    more = ["…"] * (len(known) > 20)
    return [f"{remark} ({len(known)}): {', '.join(known[:20] + more)}"] if known else []


class _Counted(str):
    """A value in a sentence. A number can be given with what it counts: `{files:file}` is `1 file` or `2 files`."""

    def __format__(self, unit: str) -> str:
        return f"{self!s} {unit}{'s' * (self != '1')}" if unit else str(self)


def _said(words: _Words, key: str, about: Mapping[str, str]) -> str:
    """The sentence for *key*, with `…` for what is unknown: a note of an earlier version must not cost a page."""
    template = text(**words[key]) if key in words else "…"
    return template.format_map(defaultdict(lambda: _Counted("…"), about))


def sentence(note: Note, cells: Mapping[int, str] | None = None) -> str:
    """What *note* says. *cells* tells which question's answer a code cell is."""
    about: dict[str, str] = {key: _Counted(_shown(value)) for key, value in note.about.items()}
    if isinstance(note.about.get("received"), (list, tuple)):  # a shape; each that was expected has its order of axes
        expected, orders = note.about["expected"], note.about.get("orders")
        shapes = zip(expected, orders, strict=False) if orders else [(expected, note.about.get("symbols", ""))]
        about["expected"] = text(ko="` 또는 `", en="` or `").join(sized(*shape) for shape in shapes)
        about["received"] = sized(note.about["received"])
    if "why" in about:
        about["why"] = _said(WHY, note.about["why"], about)
    if "line" in about:
        about["place"] = _place(note.about["cell"], note.about["line"], cells or {})
    where = [_said(WHERE, note.about["where"], about)] if "where" in about else []
    return " ".join([_said(KINDS, note.kind, about), *where])


def _shown(value: Any) -> str:
    if isinstance(value, Note):
        return sentence(value)
    if isinstance(value, (list, tuple)):
        more = len(value) - _LISTED
        listed = ", ".join(map(_shown, value[:_LISTED]))
        return listed + (text(ko=f" 외 {more}개", en=f" and {more} more") if more > 0 else "")
    written = one_line(str(value)).replace("`", "'")
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…"


def sized(shape: Sequence[int], symbols: str = "") -> str:
    """`sized((5, 3, 4), "L B d_h")` is `(L=5, B=3, d_h=4)`; a symbol that is a number stands for itself."""
    names = symbols.split() if len(symbols.split()) == len(shape) else ["1"] * len(shape)
    sizes = [f"{size}" if name.isdigit() else f"{name}={size}" for name, size in zip(names, shape, strict=True)]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _place(cell: int, line: int, cells: Mapping[int, str]) -> str:
    """Where a line stands, as the notebook shows it: within the answer to a question, or in another code cell."""
    if cell in cells:
        return text(ko=f"{cells[cell]} 답 셀의 {line}번째 줄", en=f"Answer to {cells[cell]}, line {line}")
    return text(ko=f"{cell}번째 코드 셀의 {line}번째 줄", en=f"Code cell {cell}, line {line}")


def error_sentence(error: StatementError, cells: Mapping[int, str]) -> str:
    """Where which error was raised."""
    if error.kind == "Stopped":
        return sentence(Note("stopped", {"cell": error.cell, "line": error.line}), cells)
    return f"{_place(error.cell, error.line, cells)}: {error_said(error)}"


def error_said(error: StatementError) -> str:
    """What an error says, wherever it was raised."""
    if error.kind == "Stopped":
        return status_word("stopped").capitalize()
    return f"{_shown(error.kind)}: {_shown(error.message)}".rstrip(": ")


def adjustment_sentence(adjustment: Adjustment) -> str:
    """What was changed by hand, and why."""
    if adjustment.kind == "excuse":
        change = text(ko="면제", en="excused")
    else:
        of = adjustment.question or text(ko="총점", en="total")
        amount = ("+" if adjustment.relative and adjustment.points >= 0 else "") + points(adjustment.points)
        change = text(ko=f"{of}: {amount}점", en=f"{of}: {amount} points")
    return f"{change} ({_shown(adjustment.reason)})" if adjustment.reason else change


@functools.lru_cache
def points(value: float | None) -> str:
    """*value* with at most two decimals and without trailing zeros; nothing for None."""
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def status_word(status: Status) -> str:
    """A label of a word or two."""
    return text(**_WORDS["status-word"][status])


def status_sentence(status: Status) -> str:
    """What the status means for the student; nothing where all went well."""
    return text(**_WORDS["status-sentence"][status])
