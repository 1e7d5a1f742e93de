"""Grade the one submission in Gradescope's container; `run_autograder` of the bundle calls it.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.classroom.pool import Pool
from autograder.classroom.task import Task
from autograder.course import assignment
from autograder.grade import Note, Person, Row, Submission
from autograder.intake import one
from autograder.report.clean import one_line
from autograder.report.files import write
from autograder.report.gradescope import VISIBILITIES, results_json
from autograder.report.words import sentence
from autograder.sandbox import SandboxFault

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the results of what was handed in, and give the exit status.

    Where the grader itself failed nothing is written: Gradescope then tells the instructor, and no student gets a zero.
    The reason is the last line of the log.
    """
    parser = argparse.ArgumentParser(prog="python -m autograder.classroom.gradescope", description=main.__doc__)
    parser.add_argument("--root", type=Path, default=Path("/autograder"), help="Gradescope's folder (%(default)s)")
    parser.add_argument("--visibility", choices=VISIBILITIES, default="visible", help="when students see results")
    arguments = parser.parse_args(argv)
    try:
        with Pool(workers=1) as pool:  # starts while the file is found
            entries = one(arguments.root / "submission", assignment()).entries
            submission = entries[0].read() if entries else _nothing()
            ((_, result),) = pool.grade([Task(submission, secrets.token_bytes(16))])
    except (SandboxFault, OSError) as fault:
        return _failed(str(fault))
    grade = result.grade
    if grade.status == "could-not-grade":
        return _failed(sentence(grade.detail) if grade.detail else grade.status)
    row = Row(submission.name, Person(""), grade)
    results = results_json(row, arguments.visibility)
    write(arguments.root / "results" / "results.json", results)
    return 0


def _nothing() -> Submission:
    return Submission("submission", (), b"", problem=Note("nothing-found"))


def _failed(reason: str) -> int:
    print(f"autograder: could not grade: {one_line(reason)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
