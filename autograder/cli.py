"""The command line: `autograder grade`, `autograder regrade`, `autograder export`."""

import argparse
import contextlib
import functools
import io
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder.classroom import pool
from autograder.classroom.adjustments import AdjustmentError
from autograder.classroom.gradebook import FILE_NAME, GradebookError
from autograder.classroom.run import Engine, How, Outcome, export, grade, regrade
from autograder.course import CourseError, assignment
from autograder.intake import Refused, collect, read_roster
from autograder.intake.sheet import SheetError
from autograder.language import LANGUAGES, speaking
from autograder.report.files import write
from autograder.report.returns import WAYS, ReturnError
from autograder.report.words import one_line, sentence
from autograder.sandbox import SandboxFault

__all__ = ["main", "script"]

GRADER_FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit statuses; the last as shells report a process that Ctrl-C ended."""
DOUBTS = ("nothing-found", "path-not-read", "same-name")
"""Notes of intake at which somebody should look: with one of them the exit status is not 0."""

_EXAMPLES = """
examples:
  autograder grade submissions/ --out graded
      a folder: a file or a folder for each student
  autograder grade export.zip --out graded
      what Canvas, Moodle, Gradescope and others give
  autograder grade late.zip --out graded
      later: completes the class, newer files replace older
  autograder grade export.zip --out graded --roster students.csv
      with ids and emails, and who handed in nothing
  autograder regrade graded --preview
      after a check was changed: who would move, and why
  autograder export graded --to canvas grades.csv
      fills the gradebook that Canvas gave

Open graded/report.html first. docs/platforms.md has three steps for each
platform.
"""
_OUTPUT = """
--out DIR holds afterwards:
  grades.csv         a row a student, for spreadsheets
  report.html        the class: distribution, questions, misconceptions
  feedback/          a page for every student
  results/           the same for Gradescope
  set-aside.csv      files that are nobody's submission, and why
  gradebook.sqlite   what was graded; keep it, and nothing is graded twice
You may add:
  adjustments.csv    student,question,points,reason: points changed by hand,
                     read at every run

exit status: 0 all were graded, however badly they did; 1 the grader itself
failed on some, or something could not be read; 2 usage
"""
_REGRADE = """
Everything in DIR is graded again from what its runs left behind; student code
is run only where that does not tell. All grades change together, or none: if
a score would drop, none does without --accept.
"""
_EXPORT = """
  canvas       FILE, the exported gradebook, is filled; or a new table
  moodle       FILE, the grading worksheet, is filled
  blackboard   FILE, the downloaded column, is filled; or a new table
  brightspace  FILE, the exported grade item, is filled; or a new table
  nbgrader     FILE is the gradebook.db that the grades go into
  gradescope   a zip for Configure Autograder with each submission's result
  classroom50  a zip of result.json; needs --title CLASSROOM/ASSIGNMENT
  email        a table for mail merge
  feedback     a zip of the pages, as Canvas and Moodle take it back

The new file is in DIR/export; FILE itself is changed for nbgrader only.
Students without a score are left out. Grades in FILE that differ are listed
before they are written over.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in *argv*, the process's own by default, and give the exit status."""
    args = _parser().parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):  # from a batch system, or a terminal that is closed: as Ctrl-C
        if signal.getsignal(number) != signal.SIG_IGN:  # as it is under nohup
            signal.signal(number, signal.default_int_handler)
    with speaking("en"):
        try:  # an error that is known to happen is told in one line
            return int(args.do(args))
        except KeyboardInterrupt:
            return _fail("interrupted before its end; the same command goes on from there", INTERRUPTED)
        except Refused as error:
            return _fail(sentence(error.note), USAGE)
        except (GradebookError, AdjustmentError, ReturnError, SheetError) as error:
            return _fail(str(error), USAGE)
        except CourseError as error:
            return _fail(str(error), GRADER_FAILED)
        except OSError as error:
            return _fail(f"{error.filename or args.out}: {error.strerror or error}", GRADER_FAILED)
        except sqlite3.Error as error:
            return _fail(f"{args.out}: {error}", GRADER_FAILED)


class _Said(io.FileIO):
    """A standard stream. That a pipe was closed or a disk is full ends no grading: the grades are in files."""

    def write(self, words: Any) -> int:
        with contextlib.suppress(OSError):
            return super().write(words)
        return len(words)


def script() -> None:
    """The console script: `main`, with docstrings and in UTF-8 whatever the environment: file names may be Korean."""
    if sys.getfilesystemencoding().lower() != "utf-8" or sys.flags.optimize:
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONUTF8": "1", "PYTHONOPTIMIZE": ""})
    while os.open(os.devnull, os.O_RDWR) <= 2:  # a standard stream is closed: the next file would get its number
        pass
    raw = (io.BufferedWriter(_Said(number, "w")) for number in (1, 2))
    sys.stdout, sys.stderr = (io.TextIOWrapper(each, "utf-8", "replace", line_buffering=True) for each in raw)
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    what = "Grade notebooks of the RNN, LSTM and GRU assignment."
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="autograder", description=what, epilog=_EXAMPLES, formatter_class=style)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = functools.partial(commands.add_parser, formatter_class=style)

    run = argparse.ArgumentParser(add_help=False)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    many = "how many at a time (default: all %(default)s cores)"
    run.add_argument("--workers", metavar="N", type=_positive, default=cores, help=many)
    run.add_argument("--scheduler", metavar="ADDR", help="grade on a Dask cluster, as tcp://host:8786")
    run.add_argument("--lang", choices=LANGUAGES, help="language of all pages (default: of each student's edition)")
    run.add_argument("--rows", action="store_true", help="show a row for every student, however many they are")
    earlier = argparse.ArgumentParser(add_help=False)
    earlier.add_argument("out", metavar="DIR", type=_path, help="the --out of an earlier `autograder grade`")

    one = add("grade", help="grade submissions into a folder", epilog=_OUTPUT, parents=[run])
    one.set_defaults(do=_grade)
    one.add_argument("paths", metavar="PATH", nargs="+", type=_path, help="a file, a folder, or a platform's zip")
    one.add_argument("--out", metavar="DIR", required=True, type=_path, help="where grades and pages go")
    one.add_argument("--roster", metavar="CSV", type=_path, help="the class: ids, names, emails")
    one.add_argument("--only", action="store_true", help="let the class be what is given now, and drop all others")

    one = add("regrade", help="grade again what was kept, with other checks", epilog=_REGRADE, parents=[earlier, run])
    one.set_defaults(do=_regrade)
    one.add_argument("--preview", action="store_true", help="say who would move and why, and change nothing")
    one.add_argument("--accept", action="store_true", help="let scores drop, too")

    usage = "%(prog)s [-h] DIR --to PLATFORM [FILE] [--title TITLE]"
    one = add("export", help="write grades in a platform's own format", usage=usage, epilog=_EXPORT, parents=[earlier])
    one.set_defaults(do=_export)
    one.add_argument("--to", metavar=("PLATFORM", "FILE"), required=True, nargs="+", help="one of those below")
    one.add_argument("--title", default="", help="what the assignment is called there, such as 'RNN (12345)'")
    return parser


def _path(name: str) -> Path:
    if not name:  # it would stand for the current folder
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(name)


def _positive(number: str) -> int:
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{number!r} is not a number from 1")
    return int(number)


def _grade(args: argparse.Namespace) -> int:
    if os.path.lexists(args.out) and not args.out.is_dir():  # nor is a link that leads nowhere
        return _fail(f"--out {args.out}: is not a folder", USAGE)
    if os.path.realpath(args.out) in map(os.path.realpath, args.paths):
        return _fail(f"--out {args.out}: holds the submissions; choose another folder", USAGE)
    roster = read_roster(args.roster) if args.roster else ()
    intake = collect(args.paths, assignment(), without=args.out)
    for note in intake.notes:
        print(one_line(sentence(note)), file=sys.stderr)
    if not intake.entries:
        for one in intake.set_aside[:20]:
            print(one_line(f"{one.name}: {sentence(one.reason)}"), file=sys.stderr)
        return _fail("there is nothing to grade", GRADER_FAILED)
    args.workers = min(args.workers, len(intake.entries))
    outcome = grade(args.out, intake, _how(args), roster=roster, only=args.only)
    return _told(outcome) or (GRADER_FAILED if any(note.kind in DOUBTS for note in intake.notes) else 0)


def _regrade(args: argparse.Namespace) -> int:
    _need_gradebook(args.out)
    return _told(regrade(args.out, _how(args), preview=args.preview, accept=args.accept))


def _export(args: argparse.Namespace) -> int:
    platform, *files = args.to
    if platform not in WAYS or len(files) > 1:
        return _fail(f"--to {' '.join(args.to)}: a platform and at most one file; {', '.join(WAYS)}", USAGE)
    _need_gradebook(args.out)
    returned = export(args.out, platform, Path(files[0]) if files else None, args.title)
    for remark in returned.remarks:  # before anything is written over
        print(remark)
    if returned.put:
        returned.put()
        print(f"{files[0]}  has the grades")
    else:
        write(path := args.out / "export" / returned.name, returned.content)
        print(f"{path}  for {platform}")
    return 0


def _how(args: argparse.Namespace) -> How:
    return How(functools.partial(_engine, args), args.lang, args.rows)


def _engine(args: argparse.Namespace) -> AbstractContextManager[Engine]:
    if not args.scheduler:
        return pool.Pool(args.workers, [args.out / FILE_NAME])
    try:
        from autograder.classroom.cluster import Cluster
    except ImportError as missing:
        raise SandboxFault("grading on a cluster needs Dask: .venv/bin/pip install -e '.[cluster]'") from missing
    return Cluster(args.scheduler)


def _need_gradebook(folder: Path) -> None:
    path = folder / FILE_NAME
    if not path.is_file() or not path.stat().st_size:
        raise GradebookError(f"{folder}: holds no {FILE_NAME}; was anything graded into it?")


def _told(outcome: Outcome) -> int:
    """Print what came of a run, and give the exit status."""
    print("\n".join(outcome.lines))
    if outcome.fault:
        return _fail(outcome.fault, INTERRUPTED if outcome.interrupted else GRADER_FAILED)
    return GRADER_FAILED if outcome.failed else 0


def _fail(reason: str, status: int) -> int:
    print(f"autograder: {one_line(reason)}", file=sys.stderr)
    return status
