"""`python -m autograder`: the same as the console script."""

from __future__ import annotations

from autograder.cli import script

if __name__ == "__main__":
    script()
