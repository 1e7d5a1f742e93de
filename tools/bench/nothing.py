"""What a child does that does nothing: for the cost of having one. It is as large as any other."""

from __future__ import annotations

from collections.abc import Callable

from autograder.child import warm

__all__ = ["main", "warm"]


def main(payload: bytes, send: Callable[[bytes], None]) -> None:
    """Nothing."""
