"""Points as people write them."""

from __future__ import annotations

__all__ = ["points"]


def points(value: float | None) -> str:
    """At most two decimals, none that are zero; nothing for a score that there is not."""
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
