"""What does not end: stopped by the same rule whichever limit was hit, on a quiet machine and on a busy one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import corpus
from autograder.grade import Note, Person, Submission
from autograder.grading import Grader
from autograder.grading.reference import Reference
from autograder.grading.runs import Runs
from autograder.grading.verdicts import verdicts
from autograder.intake.notebook import read
from autograder.sandbox import ALLOWANCE, Allowance, Limits

from .submissions import MAXIMUM, POINTS, after, lost_by, notebook, solution, solved

QUICK = Allowance(60, statement_seconds=0.5, run=Limits(cpu_seconds=10, memory_bytes=256 << 20))
LOOP = corpus.answer("q6")


@pytest.fixture(scope="module")
def quick(sandbox):
    """Grade with limits that are soon reached."""
    grader = Grader(sandbox, QUICK)
    return lambda content: grader.grade(Submission("rnn.ipynb", (Person("x"),), content), b"secret").grade


DEEDS = {
    "a loop without end": "while True: pass",
    "a loop that catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "a list without end": "found = []\nwhile True: found.append(bytes(1 << 20))",
    "a huge tensor": "found = torch.ones(1 << 40)",
    "os._exit": "import os\nos._exit(3)",
    "a crash": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_statement_that_does_not_end_costs_its_question_alone(deed, quick):
    """One status, one place, one kind of error, whichever limit was hit; the questions after it are graded."""
    lines = f"hidden_states = h_n = None\n{DEEDS[deed]}"
    result = quick(solved(q3=lines))
    assert lost_by(result) == {"q3"}
    assert (result.status, result.detail.kind) == ("stopped", "stopped")
    assert result.detail.about["cell"] == solution(q3=lines).index(lines) + 1
    assert result.detail.about["line"] in (2, 3)  # the statement's: after its import, if it has one
    assert result.questions[2].misconception == ""


@pytest.mark.parametrize("deed", ["raise SystemExit", "raise KeyboardInterrupt", "import sys\nsys.exit('done')"])
def test_statement_that_leaves_politely_is_an_error_of_its_own(deed, quick):
    """Nothing is stopped, and nothing is run again."""
    result = quick(solved(q3=deed))
    assert (lost_by(result), result.status) == ({"q3"}, "graded")


def test_error_of_a_stopped_statement_is_told_with_its_place(quick):
    """Cell and line, as of any other error."""
    result = quick(solved(q6=LOOP.replace("    decoded_ids.append(input_id)", "    while True: pass")))
    error = result.questions[5].example.error
    assert (error.kind, error.cell, error.line) == ("Stopped", result.detail.about["cell"], 5)


def test_memory_that_an_extra_cell_takes_is_its_own_fault(sandbox):
    """Where memory runs out in a small statement, the one that took most is left out."""
    grader = Grader(sandbox)
    content = after("q2", "hog = torch.ones(180_000_000)", q3="big = torch.ones(100_000_000)\n" + corpus.answer("q3"))
    result = grader.grade(Submission("rnn.ipynb", (Person("x"),), content), b"secret").grade
    assert (result.score, result.status) == (MAXIMUM, "stopped")
    place = solution().index('grader.check("q2")') + 2
    assert result.detail == Note("stopped", {"cell": place, "line": 1})


def test_many_statements_that_do_not_end_are_too_many(quick):
    """After a few of them the notebook is run no further; what was left behind until then counts."""
    cells = solution()
    place = cells.index('grader.check("q3")') + 1
    result = quick(notebook([*cells[:place], *["import os\nos._exit(1)"] * (QUICK.stopped + 2), *cells[place:]]))
    assert lost_by(result) == POINTS.keys() - {"q1", "q2", "q3"}
    assert result.status == "stopped"


def test_time_of_all_runs_together_is_bounded(sandbox):
    """A submission whose every run takes long is given up, and it is said so."""
    short = replace(QUICK, cpu_seconds=0.5, statement_seconds=1.0)
    grader = Grader(sandbox, short)
    slow = "import time\nbegun = time.process_time()\nwhile time.process_time() < begun + 0.7: pass"
    result = grader.grade(Submission("rnn.ipynb", (Person("x"),), after(list(POINTS)[-1], slow)), b"secret").grade
    assert (result.status, result.detail) == ("stopped", Note("exhausted"))
    assert result.score < MAXIMUM


def test_frames_of_all_runs_together_are_bounded(sandbox):
    """What each run may send, many may not: a submission is kept in memory until it is graded."""
    short = replace(QUICK, frames_bytes=5 << 20)
    grader = Grader(sandbox, short)
    flood = "import os\nfor _ in range(3):\n    os.write(3, (1 << 20).to_bytes(4, 'big') + bytes(1 << 20))"
    result = grader.grade(Submission("rnn.ipynb", (Person("x"),), after(list(POINTS)[-1], flood)), b"secret").grade
    assert (result.status, result.detail) == ("stopped", Note("exhausted"))


def test_what_explaining_takes_stops_no_grade(sandbox, run):
    """Once the points are known, running out of what all runs may take costs the explanation alone."""
    content, taken = solved(q2="rnn = nn.RNN(256, 512, num_layers)"), list[int]()

    def counted(job, tensors):
        log = run(job, tensors)
        taken.append(sum(map(len, log.frames)))
        return log

    verdicts(Runs(read(content, "rnn.ipynb").cells, b"", counted, Reference(run), ALLOWANCE))
    grader = Grader(sandbox, replace(ALLOWANCE, frames_bytes=sum(taken) + 1000))
    result = grader.grade(Submission("rnn.ipynb", (Person("x"),), content), b"secret").grade
    assert (lost_by(result), result.status, result.detail) == ({"q2"}, "graded", None)
    assert (result.questions[1].misconception, result.questions[1].example) == ("", None)


# Beside others.

FORGOTTEN_STEP = LOOP.replace("for t in range(max_len):", "t = 0\nwhile t < max_len:")


@contextmanager
def busy() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_loop_without_end_is_graded_alike_beside_busy_neighbours(quick):
    """Memory and time run out in it almost at once: score, status and place are the same every time."""
    found = [quick(solved(q6=FORGOTTEN_STEP)) for _ in range(2)]
    with busy():
        found += [quick(solved(q6=FORGOTTEN_STEP)) for _ in range(2)]
    assert {(grade.score, grade.status, str(grade.detail)) for grade in found} == {
        (MAXIMUM - POINTS["q6"], "stopped", str(found[0].detail))
    }


def descendants(process: int) -> list[int]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:
        return []
    children = [int(child) for text in lists for child in text.split()]
    return children + [other for child in children for other in descendants(child)]


def pause(seconds: float) -> None:
    stopped = descendants(os.getpid())
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for process in stopped:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue
        time.sleep(seconds)


def test_pause_of_the_machine_costs_nothing(quick):
    """All processes are stopped for longer than a statement may take."""
    content = solved(q3="hidden_states = h_n = None")
    alone = quick(content)
    pauses = threading.Thread(target=lambda: [pause(QUICK.statement_seconds * 1.2) for _ in range(2)])
    pauses.start()
    started = time.monotonic()
    among = quick(content)
    assert time.monotonic() - started > QUICK.statement_seconds
    pauses.join()
    assert among == alone
