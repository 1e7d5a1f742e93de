"""Grade the one submission in Gradescope's container; `run_autograder` of the bundle calls it.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

import argparse
import secrets
import sys
from pathlib import Path

from autograder.classroom.pool import Pool
from autograder.classroom.worker import Task
from autograder.course import CourseError, assignment
from autograder.grade import Note, Person, Row, Submission
from autograder.intake import one
from autograder.report.files import write
from autograder.report.gradescope import VISIBILITIES, results_json
from autograder.report.words import one_line, sentence
from autograder.sandbox import SandboxFault

__all__ = ["main"]

_NOTHING = Submission("submission", (), b"", problem=Note("nothing-found"))


def main() -> int:
    """Write the results of what was handed in, and give the exit status.

    Where the grader itself failed nothing is written: Gradescope then tells the instructor, and no student gets a zero.
    The reason is the last line of the log.
    """
    parser = argparse.ArgumentParser(prog="python -m autograder.classroom.gradescope", description=main.__doc__)
    parser.add_argument("--root", type=Path, default=Path("/autograder"), help="Gradescope's folder (%(default)s)")
    parser.add_argument("--visibility", choices=VISIBILITIES, default="visible", help="when students see results")
    arguments = parser.parse_args()
    try:
        with Pool(workers=1) as pool:  # starts while the file is found
            entries = one(arguments.root / "submission", assignment()).entries
            submission = entries[0].read() if entries else _NOTHING
            grade = pool.grade_one(Task(submission, secrets.token_bytes(16))).grade
    except (SandboxFault, CourseError, OSError) as fault:
        reason = str(fault)
    else:
        if grade.status != "could-not-grade":
            results = results_json(Row(submission.name, Person(""), grade), arguments.visibility)
            write(arguments.root / "results" / "results.json", results)
            return 0
        reason = sentence(grade.detail) if grade.detail else grade.status
    print(f"autograder: could not grade: {one_line(reason)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
