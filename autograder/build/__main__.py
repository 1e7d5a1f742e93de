"""`python -m autograder.build [--out DIR] [--visibility WHEN]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.build.bundle import bundle
from autograder.build.tree import ROOT, build
from autograder.report.gradescope import VISIBILITIES

__all__: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m autograder.build",
        description="Make assignment/ and solutions/rnn.ipynb from solutions/rnn.py and tests/public, and from all of "
        "it build/gradescope.zip, the autograder for Gradescope.",
    )
    parser.add_argument("--out", type=Path, default=ROOT, help="folder to write into (default: the repository)")
    parser.add_argument(
        "--visibility", choices=VISIBILITIES, default="visible", help="when Gradescope shows results (default: visible)"
    )
    arguments = parser.parse_args()
    out = arguments.out
    build(out, progress=True)
    zipped = out / "build" / "gradescope.zip"
    zipped.parent.mkdir(exist_ok=True)
    zipped.write_bytes(bundle(ROOT, visibility=arguments.visibility))


if __name__ == "__main__":
    main()
