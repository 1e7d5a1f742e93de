"""The command line: `autograder grade`, `autograder regrade`, `autograder check`."""

from __future__ import annotations

import argparse
import functools
import math
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import __version__
from autograder.text import LANGUAGES, speaking

if TYPE_CHECKING:
    from autograder.cluster import Cluster
    from autograder.pool import Pool
    from autograder.run import Report

__all__ = ["main", "script"]

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
    for name in ("SIGTERM", "SIGHUP"):  # from a batch system, or a terminal that is closed: as Ctrl-C
        if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
            signal.signal(getattr(signal, name), _interrupted)
    try:
        with speaking(args.lang or "ko"):
            return {"grade": _grade, "regrade": _regrade, "check": _check}[args.command](args)
    except KeyboardInterrupt:
        return INTERRUPTED


def script() -> None:
    """The console script: `main`, in UTF-8 whatever the locale, since names of files are Korean."""
    if sys.getfilesystemencoding().lower() != "utf-8":
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONUTF8": "1"})
    sys.exit(main())


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="autograder",
        description="Grade notebooks of the RNN, LSTM and GRU assignment.",
        epilog=_EXAMPLES,
        formatter_class=style,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    grade = commands.add_parser(
        "grade",
        help="grade submissions into a folder",
        description="Grade files, folders and zips of submissions.",
        epilog=_OUTPUT,
        formatter_class=style,
    )
    grade.add_argument("paths", metavar="PATH", nargs="+", type=_path, help="a file, a folder, or a platform's zip")
    grade.add_argument("--out", metavar="DIR", required=True, type=_path, help="where grades and pages go")
    _add_run_options(grade)

    regrade = commands.add_parser(
        "regrade",
        help="grade again from what was kept, after a check was changed",
        description="Grade everything in DIR again from what its runs left behind.\n\n"
        "Student code is run only where that does not tell: where a question fails that\n"
        "did not before, what follows was never run as if it were right.",
        formatter_class=style,
    )
    regrade.add_argument("out", metavar="DIR", type=_path, help="the --out of an earlier `autograder grade`")
    _add_run_options(regrade)

    check = commands.add_parser(
        "check",
        help="a student's own check: the public checks only",
        description="Run a notebook and say what the public checks say: shapes and types.",
        epilog="exit status: 0 all passed; 1 some failed; 2 the file cannot be read",
        formatter_class=style,
    )
    check.add_argument("file", metavar="FILE", type=_path, help="a notebook or Python file")
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


def _path(name: str) -> Path:
    if not name:  # it would stand for the current folder
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(name)


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

    if not os.path.isfile(args.out / FILE_NAME) or not os.path.getsize(args.out / FILE_NAME):
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
    if report.former:
        remarks.append(f"{report.former} of an earlier run were not given again: their rows and pages are gone")
    if len(report.rows) < report.summary.submissions:
        remarks.append("--rows shows a row for every submission")
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
    if not os.path.isfile(args.file):
        return _fail(f"{args.file}: {'not a file' if os.path.exists(args.file) else 'no such file'}", USAGE)
    from autograder.selfcheck import check

    return check(args.file, args.lang)


def _fail(reason: str, status: int) -> int:
    print(f"autograder: {reason}", file=sys.stderr)
    return status
