"""The command line: `autograder grade`, `autograder regrade`, `autograder check`."""

from __future__ import annotations

import argparse
import functools
import math
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.text import LANGUAGES

if TYPE_CHECKING:
    from autograder.cluster import Cluster
    from autograder.pool import Pool
    from autograder.run import Report

__all__ = ["main"]

GRADER_FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""As shells report a process that Ctrl-C ended."""

_EXAMPLES = """
examples:
  autograder grade submissions/ --out graded       a folder: a file or a folder for each student
  autograder grade export.zip --out graded         the zip that Canvas, Moodle or Gradescope make
  autograder grade kim.ipynb lee.py --out graded   single files
  autograder check rnn.ipynb                       a student's own check: shapes and types

The first thing to open afterwards is graded/report.html. Run the same command again after
new files have arrived: only what is new or changed is graded.
"""
_OUTPUT = """
--out DIR holds afterwards:
  grades.csv         one row a submission, for spreadsheets and gradebooks
  report.html        the class: distribution, hardest checks, misconceptions
  feedback/          a page for every student
  results/           the same for Gradescope
  gradebook.sqlite   what was graded and why; keep it, and nothing is graded twice

exit status: 0 all were graded, however badly they did; 1 the grader itself failed on some;
2 usage
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in *argv*, the process's own by default, and give the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks Hangul still gets its table
    args = _parser().parse_args(argv)
    try:
        return {"grade": _grade, "regrade": _regrade, "check": _check}[args.command](args)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="autograder",
        description="Grade notebooks of the RNN, LSTM and GRU assignment.",
        epilog=_EXAMPLES,
        formatter_class=style,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    grade = commands.add_parser(
        "grade",
        help="grade submissions into a folder",
        description="Grade files, folders and zips of submissions.",
        epilog=_OUTPUT,
        formatter_class=style,
    )
    grade.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a file, a folder, or a platform's zip")
    grade.add_argument("--out", metavar="DIR", required=True, type=Path, help="where grades and pages go")
    _add_run_options(grade)

    regrade = commands.add_parser(
        "regrade",
        help="grade again from what was kept, after a check was changed",
        description="Grade everything in DIR again from what its runs left behind. Student code is run only where that "
        "does not tell: where a question fails that did not before, what follows was never run as if it were right.",
        formatter_class=style,
    )
    regrade.add_argument("out", metavar="DIR", type=Path, help="the --out of an earlier `autograder grade`")
    _add_run_options(regrade)

    check = commands.add_parser("check", help="a student's own check: the public checks only", formatter_class=style)
    check.add_argument("file", metavar="FILE", type=Path, help="a notebook or Python file")
    check.add_argument("--lang", choices=LANGUAGES, help="language of the messages (default: of the edition)")
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_positive,
        default=_cores(),
        help="how many at a time (default: all %(default)s cores)",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDR", help="grade on the Dask cluster with this scheduler, as tcp://host:8786"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the pages (default: of the student's edition)")
    parser.add_argument(
        "--isolation",
        choices=("full", "process"),
        default="full",
        help="`process` runs student code without a sandbox: only for files that you trust (default: full)",
    )
    parser.add_argument("--rows", action="store_true", help="show a row for every submission, however many they are")


def _positive(number: str) -> int:
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{number!r} is not a number from 1")
    return int(number)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _grade(args: argparse.Namespace) -> int:
    from autograder.intake import collect
    from autograder.run import grade_into

    if args.out.exists() and not args.out.is_dir():
        return _fail(f"--out {args.out}: is not a folder", USAGE)
    if any(path.resolve() == args.out.resolve() for path in args.paths):
        return _fail(f"--out {args.out}: holds the submissions; choose another folder", USAGE)
    try:
        entries = collect(args.paths, without=args.out)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}", USAGE)
    if not entries:
        return _fail(f"no submissions in {', '.join(map(str, args.paths))}", USAGE)
    args.workers = min(args.workers, len(entries))
    return _run(args, functools.partial(grade_into, args.out, entries))


def _regrade(args: argparse.Namespace) -> int:
    from autograder.gradebook import FILE_NAME
    from autograder.run import regrade

    if not (args.out / FILE_NAME).is_file():
        return _fail(f"{args.out}: holds no {FILE_NAME}; was anything graded into it?", USAGE)
    return _run(args, functools.partial(regrade, args.out))


def _run(args: argparse.Namespace, run: Callable[..., Report]) -> int:
    """Do the *run*, print what came of it, and give the exit status."""
    from autograder import course
    from autograder.gradebook import GradebookError
    from autograder.render.terminal import MAX_ROWS, closing
    from autograder.sandbox import SandboxFault

    questions = [question for question in course.questions() if question.points]
    fingerprint = f"{course.fingerprint()} {args.lang or 'edition'} {args.isolation}"
    open_engine = functools.partial(_engine, args)
    most_rows = math.inf if args.rows else MAX_ROWS
    try:
        report = run(questions, open_engine, fingerprint, faults=(SandboxFault,), most_rows=most_rows)
    except GradebookError as error:
        return _fail(str(error), USAGE)
    except (OSError, sqlite3.Error) as error:
        return _fail(f"{args.out}: {error}", GRADER_FAILED)
    remarks = []
    if report.known:
        remarks.append(f"{report.known} of them known from an earlier run")
    if args.command == "regrade":
        remarks.append(f"{report.graded} graded again; student code was run again for {report.reruns}")
    print("\n".join(closing(args.out, report.summary, report.rows, questions, remarks)))
    if report.fault:
        return _fail(report.fault, INTERRUPTED if report.interrupted else GRADER_FAILED)
    return GRADER_FAILED if report.summary.statuses.get("could-not-grade") else 0


def _engine(args: argparse.Namespace) -> Pool | Cluster:
    from autograder.sandbox import SandboxFault

    if args.scheduler:
        try:
            from autograder.cluster import Cluster
        except ImportError as missing:
            raise SandboxFault(str(missing)) from missing
        return Cluster(args.scheduler, lang=args.lang, isolation=args.isolation)
    from autograder.pool import Pool

    return Pool(workers=args.workers, lang=args.lang, isolation=args.isolation)


def _check(args: argparse.Namespace) -> int:
    if not args.file.is_file():
        return _fail(f"{args.file}: no such file", USAGE)
    from autograder.selfcheck import check

    return check(args.file, args.lang)


def _fail(reason: str, status: int) -> int:
    print(f"autograder: {reason}", file=sys.stderr)
    return status
