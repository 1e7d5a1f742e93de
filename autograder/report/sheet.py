"""A table in CSV that others made: read whatever its dialect, changed in single cells, all other bytes as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Sheet", "SheetError"]

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class SheetError(Exception):
    """Why a table cannot be read, in one line."""


@dataclass
class Sheet:
    """Lines of cells, each cell as it is written, quotes included."""

    lines: list[list[str]]
    ends: list[str]
    """What ends each line."""
    delimiter: str
    encoding: str
    mark: bytes
    """The byte order mark, or nothing."""

    @classmethod
    def of(cls, content: bytes) -> Sheet:
        """The table in *content*. Raises `SheetError` where it is no text in UTF-8, UTF-16 or Korean Windows's code."""
        mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
        for encoding in [_MARKS[mark]] if mark else ["utf-8", "cp949"]:
            try:
                text = content[len(mark) :].decode(encoding)
                break
            except UnicodeDecodeError:
                continue
        else:
            raise SheetError("is no table in CSV that can be read; save it as CSV in UTF-8")
        first = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
        delimiter = max(",;\t", key=first.count)
        sheet = cls([[]], [], delimiter, encoding, mark)
        for cell in re.finditer(rf'("(?:[^"]|"")*"|[^{delimiter}\r\n]*)({delimiter}|\r\n|\r|\n|\Z)', text):
            sheet.lines[-1].append(cell[1])
            if cell[2] != delimiter:
                sheet.ends.append(cell[2])
                if cell.end() == len(text):
                    break
                sheet.lines.append([])
        return sheet

    def values(self) -> list[list[str]]:
        """The lines as they are meant."""
        return [[_value(cell) for cell in line] for line in self.lines]

    def put(self, line: int, column: int, value: str) -> None:
        """Let *value*, which needs no quotes, stand in a cell, in quotes if it had them."""
        cells = self.lines[line]
        cells += [""] * (column + 1 - len(cells))
        cells[column] = f'"{value}"' if cells[column].startswith('"') else value

    def drop(self, lines: set[int]) -> None:
        """Leave out *lines*, by number."""
        kept = [place for place in range(len(self.lines)) if place not in lines]
        self.lines, self.ends = [self.lines[place] for place in kept], [self.ends[place] for place in kept]

    def content(self) -> bytes:
        """The table as bytes, as it came but for what was changed."""
        return self.mark + "".join(self._pieces()).encode(self.encoding)

    def _pieces(self) -> Iterator[str]:
        for line, end in zip(self.lines, self.ends, strict=True):
            yield self.delimiter.join(line) + end


def _value(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') and cell.endswith('"') and len(cell) > 1 else cell
