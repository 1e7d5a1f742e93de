"""Run a submission statement by statement under a scenario, and send what it leaves behind."""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import io
import linecache
import random
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import torch
from torch import Tensor, nn
from tqdm import tqdm

from autograder import pins
from autograder.child import practice, recorder
from autograder.child.statements import Statement, given, of_cell
from autograder.job import NEXT, Job
from autograder.observation import Tree, describe, pack, restore

__all__ = ["main", "warm"]

CALLS = 16
"""Most calls of one question's check that are taken down."""
MESSAGE_CHARACTERS = 2000

Send = Callable[[bytes], None]


class _Overtime(BaseException):
    """A statement outran its time. Not an `Exception`, so that `except Exception` does not swallow it."""


class _Run:
    def __init__(self, job: Job, tensors: dict[str, Tensor], send: Send, program: Sequence[Statement] = ()) -> None:
        self.job = job
        self.tensors = tensors
        self.send = send
        self.calls: dict[str, int] = {}
        self.rebound: set[str] = set()
        self.failed: dict[str, Tree] = {}
        self.right = {
            name: (rebinding.question, tree) for rebinding in job.rebindings for name, tree in rebinding.values.items()
        }
        self.turned = {name for rebinding in job.rebindings for name in rebinding.either_layout if job.batch_first}
        self.late = False
        self.stalled = False
        self.namespace = recorder.install(self.check)
        self.program = list(program)

    def everything(self) -> None:
        if not self.program:
            self.take_all_apart()
        bound_somewhere = frozenset[str]().union(*(statement.names for statement in self.program))
        for name in self.right.keys() - bound_somewhere:
            self.rebind(name)
        for index, statement in enumerate(self.program):
            if index not in self.job.skip:
                self.one(index, statement, functools.partial(self.execute, statement))
            for name in statement.names:
                self.replace(name)
                if name in self.right:
                    self.rebind(name)
        # Values may not let themselves be described, so each of the last checks is like a statement, too.
        for index, question in enumerate(self.job.names, len(self.program)):
            if question not in self.calls and index not in self.job.skip:
                self.one(index, Statement(len(self.job.cells), 1, None), functools.partial(self.check, question))
        self.send(pack({"kind": "finished"}))

    def take_all_apart(self) -> None:
        # Source may be made so that taking it apart does not end: each cell has its time, and a number below zero.
        for number, cell in enumerate(self.job.cells, 1):
            if cell in given():
                self.take_apart(number, cell)
            elif -number not in self.job.skip:
                self.one(-number, Statement(number, 1, None), functools.partial(self.take_apart, number, cell))

    def one(self, index: int, statement: Statement, act: Callable[[], None]) -> None:
        """Do what a statement says, in its time; an error in it is reported, and stays its own."""
        self.send(_started(index, statement.cell, statement.line))
        self.late = False
        try:
            _alarm(self.job.statement_seconds)
            try:
                act()
            finally:
                _alarm(0)
            if self.late:
                raise _Overtime
        except BaseException as problem:  # SystemExit and KeyboardInterrupt too: the next statement is another one
            _alarm(0)
            self.report(statement, problem)

    def take_apart(self, number: int, cell: str) -> None:
        self.program += list(of_cell(number, cell))

    def execute(self, statement: Statement) -> None:
        code = statement.code
        # What a statement draws depends on nothing before it: seeds set elsewhere and other draws change no grade.
        random.seed(self.job.seed)
        torch.default_generator.manual_seed(self.job.seed)
        exec(code, self.namespace)

    def overtime(self, signum: int, frame: FrameType | None) -> None:
        self.late = True  # the exception may be lost in a destructor, or with whoever looks at a value
        raise _Overtime

    def report(self, statement: Statement, problem: BaseException) -> None:
        overtime = self.late or isinstance(problem, _Overtime)
        self.stalled |= overtime
        line = statement.line
        trace = problem.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == f"<cell {statement.cell}>":
                line = trace.tb_lineno
            trace = trace.tb_next
        words = _words(problem)
        error = {"type": type(problem).__name__, "message": words if self.job.verbose else ""}
        kind = "overtime" if overtime else "error"
        self.send(pack({"kind": kind, "cell": statement.cell, "line": line, **error, "names": sorted(statement.names)}))
        missing: Tree = {"is": "missing", "error": _digest(error["type"], words)}
        self.failed.update((name, missing) for name in statement.names)

    def check(self, question: str) -> None:
        """Take down the names of *question*, as `grader.check` is reached."""
        names = self.job.names.get(question) if isinstance(question, str) else None
        if names is None:
            return
        self.calls[question] = self.calls.get(question, 0) + 1
        if self.calls[question] <= CALLS:
            tensors: dict[str, Tensor] = {}
            values: dict[str, Tree] = {}
            for name in names:
                try:
                    value = self.namespace.get(name)
                    missing = value is None and name in self.failed
                    values[name] = self.failed[name] if missing else describe(value, tensors, values=self.job.values)
                except BaseException as problem:  # an object that fights back, or exits, is no value
                    values[name] = {"is": "other", "type": type(problem).__name__}
            self.send(pack({"kind": "record", "question": question, "values": values}, tensors))
        for name, (of, _) in self.right.items():
            if of == question and name not in self.rebound:
                self.rebind(name)

    def replace(self, name: str) -> None:
        """Put the scenario's value in the released one's place."""
        for released, other in self.job.replacements.get(name, ()):
            value = self.namespace.get(name)
            if type(value) is type(released) and value == released:
                self.namespace[name] = copy.deepcopy(other)
                return

    def rebind(self, name: str) -> None:
        """Put the reference's value in the place of a wrong one."""
        self.rebound.add(name)
        tree = self.right[name][1]
        if tree["is"] == "module":
            self.namespace[name] = self._layer(tree, self.namespace.get(name))
        else:
            value = restore(tree, self.tensors)
            if isinstance(value, Tensor):
                value = value.transpose(0, 1).contiguous() if name in self.turned else value.clone()
            self.namespace[name] = value

    def _layer(self, tree: Tree, own: object) -> nn.Module:
        config = dict(tree["config"])
        if "batch_first" in config:
            # Either layout is right: keep the one that the student's next lines were written for.
            config["batch_first"] = bool(own.batch_first) if isinstance(own, nn.RNNBase) else self.job.batch_first
        layer: nn.Module = getattr(nn, tree["class"])(**config)
        return layer


@functools.lru_cache(maxsize=1024)
def _started(index: int, cell: int, line: int) -> bytes:
    """Told of every statement, and the same in each of a submission's runs."""
    return pack({"kind": "started", "statement": index, "cell": cell, "line": line})


def _alarm(seconds: float) -> None:
    """Let a statement be stopped after *seconds*, and again shortly after; 0 lets it be. Windows has no such alarm."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)


def _words(problem: BaseException) -> str:
    try:
        return str(problem)[:MESSAGE_CHARACTERS]
    except BaseException:
        return ""


def _digest(kind: str, words: str) -> str:
    """Tells equal errors from different ones, and says nothing of their text."""
    return hashlib.sha256(f"{kind}: {words}".encode(errors="replace")).hexdigest()


def main(payload: bytes, send: Send) -> None:
    """Run the jobs in *payload*, which are of one submission, one after another; called in a confined process.

    After a statement that does not end, the jobs that follow are left: they would wait for it again.
    """
    program: Sequence[Statement] = ()
    done = []  # nothing of a run is dropped: its destructors may not end, what it patched may need its names
    for index, (job, tensors) in enumerate(Job.decode(payload)):
        if index:
            send(pack(NEXT))
        for number, cell in enumerate(job.cells, 1):
            linecache.cache[f"<cell {number}>"] = (len(cell), None, cell.splitlines(keepends=True), f"<cell {number}>")
        run = _Run(job, tensors, send, program)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, run.overtime)
        run.everything()
        if run.stalled:
            return
        program = run.program
        done.append(run)


def warm() -> None:
    """Do once, before any submission, what every run would have to do: imports, first calls of the operations."""
    pins.pin_all_layers()
    given()
    tqdm.set_lock(threading.RLock())  # its own is in shared memory, through which one child could reach another
    tqdm.monitor_interval = 0  # else every child that shows progress starts a thread that watches it
    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        for values in (True, False):
            job = Job(practice.CELLS, practice.NAMES, statement_seconds=60.0, values=values, verbose=True)
            _Run(job, {}, lambda frame: None).everything()
