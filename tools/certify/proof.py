"""What was tried and what did not hold, for the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

__all__ = ["Proof"]


@dataclass(frozen=True)
class _Line:
    what: str
    right: int
    total: int
    holds: bool
    more: str

    def __str__(self) -> str:
        return (
            f"{'ok  ' if self.holds else 'FAIL'} {self.what:40} {self.right:5} of {self.total:5}   {self.more}".rstrip()
        )


@dataclass
class Proof:
    """It holds if something was tried, and all that was holds."""

    lines: list[_Line] = field(default_factory=list)

    def add(self, what: str, wrong: Sequence[str], total: int, *, least: float = 1.0, more: str = "") -> None:
        """Of *total* that were tried, *wrong* are not as they must be; a share of at least *least* must be."""
        for one in wrong:
            tqdm.write(f"FAIL {what}: {one}", file=sys.stdout)
        right = total - len(wrong)
        self.lines += [_Line(what, right, total, right >= least * total, more)] if total else []

    @property
    def holds(self) -> bool:
        return bool(self.lines) and all(line.holds for line in self.lines)

    def table(self) -> str:
        return "\n".join(map(str, self.lines))
