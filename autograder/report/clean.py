"""Text from students' files, made harmless for the eye: no control, escape or direction-changing characters."""

from __future__ import annotations

import functools
import re

__all__ = ["one_line", "plain"]

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
