"""What a part of the proof found: a line of the table at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Found"]


@dataclass(frozen=True)
class Found:
    what: str
    wrong: Sequence[str]
    """Those that are not as they must be."""
    total: int
    """How many were tried."""
    least: float = 1.0
    """The share of them that must be as they must."""
    more: str = ""
    """What else there is to say."""

    @property
    def holds(self) -> bool:
        """Whether something was tried, and enough of it is as it must be."""
        return self.total > 0 and self.total - len(self.wrong) >= self.least * self.total

    def __str__(self) -> str:
        right = self.total - len(self.wrong)
        line = f"{'ok  ' if self.holds else 'FAIL'} {self.what:44} {right:5} of {self.total:5}  {self.more}"
        return line.rstrip()
