"""What was tried and what did not hold, for the table at the end."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

__all__ = ["Found", "Proof"]


@dataclass(frozen=True)
class Found:
    """What a part of the proof found."""

    what: str
    wrong: Sequence[str]
    """Those that are not as they must be."""
    total: int
    """How many were tried."""


@dataclass
class Proof:
    """It holds if something was tried, and all that was holds."""

    lines: list[str] = field(default_factory=list)
    holds: bool = True

    def add(self, found: Found, *, least: float = 1.0, more: str = "") -> None:
        """Of what was tried, a share of at least *least* must be as it must."""
        right = found.total - len(found.wrong)
        holds = found.total > 0 and right >= least * found.total
        for one in found.wrong:
            tqdm.write(f"{'missed' if holds else 'FAIL'} {found.what}: {one}", file=sys.stdout)
        self.holds &= holds
        self.lines.append(
            f"{'ok  ' if holds else 'FAIL'} {found.what:44} {right:5} of {found.total:5}  {more}".rstrip()
        )
