"""`python -m autograder.build [--out DIR]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.build.tree import ROOT, build

__all__: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m autograder.build",
        description="Make assignment/ and solutions/rnn.ipynb from solutions/rnn.py and tests/public.",
    )
    parser.add_argument("--out", type=Path, default=ROOT, help="folder to write into (default: the repository)")
    build(parser.parse_args().out, progress=True)


if __name__ == "__main__":
    main()
