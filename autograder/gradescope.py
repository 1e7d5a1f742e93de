"""Grade the one submission in Gradescope's container; `run_autograder` of the bundle calls it.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from autograder.gradebook import Row
from autograder.intake import Entry, collect
from autograder.pool import Pool
from autograder.records import Grade, Submission
from autograder.render.files import write
from autograder.render.gradescope import results_json
from autograder.sandbox import SandboxFault
from autograder.text import speaking, text

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the results of what was handed in, and give the exit status.

    Where the grader itself failed nothing is written: Gradescope then tells the instructor, and no student gets a zero.
    """
    parser = argparse.ArgumentParser(prog="python -m autograder.gradescope", description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=Path("/autograder"), help="Gradescope's folder (default: %(default)s)"
    )
    parser.add_argument("--isolation", choices=("full", "process"), default="full", help="as for `autograder grade`")
    arguments = parser.parse_args(argv)
    entries = collect([arguments.root / "submission"])
    submission = _chosen(entries)
    try:
        with Pool(workers=1, isolation=arguments.isolation) as pool:
            ((_, result),) = pool.grade([submission])
    except SandboxFault as fault:
        return _failed(str(fault))
    if result.grade.status == "could-not-grade":
        return _failed(result.grade.detail)
    grade = _with_choice(result.grade, submission, entries)
    write(arguments.root / "results" / "results.json", results_json(Row(submission.name, submission.student, grade)))
    return 0


def _chosen(entries: Sequence[Entry]) -> Submission:
    """Of several files the one that is graded: a notebook before all else, then the one nearest the top."""
    if not entries:
        return Submission("submission", "", b"")

    def order(entry: Entry) -> tuple[bool, int, str]:
        path = PurePosixPath(entry.name)
        return path.suffix.lower() != ".ipynb", len(path.parts), entry.name

    return min(entries, key=order).read()


def _with_choice(grade: Grade, submission: Submission, entries: Sequence[Entry]) -> Grade:
    if len(entries) < 2:
        return grade
    with speaking(grade.lang):
        remark = text(
            ko=f"제출한 파일 {len(entries)}개 가운데 {submission.name} 하나만 채점했습니다.",
            en=f"Of the {len(entries)} files handed in, only {submission.name} was graded.",
        )
    return replace(grade, remarks=(remark, *grade.remarks))


def _failed(reason: str) -> int:
    print(f"autograder: could not grade: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
