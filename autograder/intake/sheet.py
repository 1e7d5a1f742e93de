"""Tables in CSV that others made, read in any usual dialect and changed cell by cell."""

import contextlib
import re
from collections.abc import Iterator, Set

__all__ = ["TITLES_WITHIN", "Sheet", "SheetError"]

TITLES_WITHIN = 10  # lines; above the titles some tables say which course it is
_ENCODINGS = (
    *((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")),
    *((b"", "utf-8"), (b"", "cp949"), (b"", "cp1252")),
)
"""Byte order marks, and what they mean; without one, a table is in UTF-8, or as Korean or western Windows writes it."""


class SheetError(Exception):
    """Why a table cannot be read, in one line."""


class Sheet:
    """A table that others made, whatever its dialect: what is not changed stays as it was, byte for byte.

    Raises `SheetError`, which says its *name*, where *content* is no text in a usual encoding.
    """

    def __init__(self, content: bytes, name: str = "") -> None:
        for self._mark, self._encoding in _ENCODINGS:
            with contextlib.suppress(UnicodeDecodeError):
                text = content.removeprefix(self._mark).decode(self._encoding)
                if content.startswith(self._mark) and "\0" not in text:  # which spreadsheets' own files have
                    break
        else:
            raise SheetError(f"{name} is no table in CSV that can be read; save it as CSV in UTF-8")
        unquoted = re.sub(r'"[^"]*"', "", text).splitlines()  # above the titles there may be lines of another kind
        self._delimiter = max(",;\t|", key="".join(unquoted[:TITLES_WITHIN]).count)
        # Cells as they are written, quotes included; behind the last of each line, what ends the line.
        self._lines = [*_lines(text, self._delimiter)]

    def values(self) -> list[list[str]]:
        """The lines as they are meant."""
        return [[_meant(cell) for cell in line[:-1]] for line in self._lines]

    def put(self, line: int, column: int, value: str) -> None:
        """Let *value*, which needs no quotes, stand in a cell, in quotes if it had them."""
        cells = self._lines[line]
        cells[-1:-1] = [""] * (column + 2 - len(cells))
        cells[column] = f'"{value}"' if cells[column].startswith('"') else value

    def content(self, without: Set[int] = frozenset()) -> bytes:
        """The table as bytes, but for some lines."""
        kept = (cells for number, cells in enumerate(self._lines) if number not in without)
        return self._mark + "".join(self._delimiter.join(cells) + end for *cells, end in kept).encode(self._encoding)


def _lines(text: str, delimiter: str) -> Iterator[list[str]]:
    """The cells of each line as they are written, and what ends the line."""
    line: list[str] = []
    for cell in re.finditer(rf'("(?:[^"]|"")*"|[^{delimiter}\r\n]*)([{delimiter}]|\r\n|\r|\n|\Z)', text):
        line.append(cell[1])
        if cell[2] != delimiter:
            yield [*line, cell[2]]
            line = []
            if cell.end() == len(text):
                return


def _meant(cell: str) -> str:
    return re.sub(r'^"(.*)"$', r"\1", cell, flags=re.DOTALL).replace('""', '"') if cell.startswith('"') else cell
