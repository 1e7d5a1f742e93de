"""Run a submission statement by statement under a scenario, and send what it leaves behind."""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import io
import linecache
import random
import re
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from tqdm import tqdm

from autograder import pins
from autograder.child import practice, recorder
from autograder.child.handout import given, taken_apart, unneeded
from autograder.child.statements import TOLD, Statement
from autograder.job import NEXT, Job, Rebinding
from autograder.observation import Tree, describe, pack, restore

__all__ = ["main", "warm"]

CALLS = 16
"""Most calls of one question's check that are taken down."""
MESSAGE_CHARACTERS = 2000
GROWN = 1000
"""More items than an answer's list ever has."""
ROOM = 64 << 20
"""Bytes that a run at the released sizes may need at once."""

Send = Callable[[bytes], None]

_TOUCHING = re.compile(r"_\(|\.data\b|step\(|weight|bias|param")
"""What stands in code that may change a layer's parameters in place; comparing them all takes as long as a question."""
_HEAVY = (Tensor, nn.Module, PackedSequence)
"""What answers are; numbers are bound to the same names again and again."""


_done: list[_Run] = []
"""This process's runs. None is dropped: its destructors may not end, what it patched may need its names."""


class _Overtime(BaseException):
    """A statement outran its time. Not an `Exception`, so that `except Exception` does not swallow it."""


class _Run:
    def __init__(self, job: Job, tensors: dict[str, Tensor], send: Send, program: Sequence[Statement] = ()) -> None:
        self.job = job
        self.tensors = tensors
        self.send = send
        self.calls: dict[str, int] = {}
        self.failed: dict[str, Tree] = {}
        self.right = {name: rebinding for rebinding in job.rebindings for name in rebinding.values}
        self.turned = {name for rebinding in job.rebindings for name in rebinding.either_layout if job.batch_first}
        self.late = False
        self.stalled = False
        self.cell = 0
        self.untouched = True
        self.changed: set[str] = set()
        self.own = {number: cell not in given() for number, cell in enumerate(job.cells, 1)}
        self.draws = any("random" in cell for cell in job.cells)
        self.namespace = recorder.install(self.check)
        self.namespace[TOLD] = self.replace
        # Asides are for those who see what a run prints.
        self.passed_over = unneeded(tuple(job.cells)) if job.values else frozenset[int]()
        self.program = list(program)

    def everything(self) -> None:
        pins.forget()  # the layers of the run before
        if not self.program:
            self.take_all_apart()
        bound_somewhere = frozenset[str]().union(*(statement.names for statement in self.program))
        for name in self.right.keys() - bound_somewhere:
            self.rebind(name)
        for index, statement in enumerate(self.program):
            if statement.cell in self.passed_over:
                continue
            if statement.cell != self.cell:
                self.begin_cell(statement.cell)
            if index not in self.job.skip:
                self.one(index, statement, functools.partial(self.execute, statement))
            for name in statement.names:
                self.replace(name)
                if name in self.right and self.is_open(self.right[name]):
                    self.rebind(name)
            if self.job.late and self.own[statement.cell]:
                self.changed |= {q for q in self.calls if not statement.names.isdisjoint(self.job.names[q])}
        self.begin_cell(0)
        for question in self.job.names:
            if question not in self.calls:
                self.record_apart(question, "end")
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
            if self.late or _memory_is_short():
                self.give_back()  # before anything else: there may be none left to report with
            self.report(statement, problem)

    def give_back(self) -> None:
        """Empty what a loop without an end has filled: it may be all the memory that the next statements have."""
        for value in self.namespace.values():
            if type(value) in (list, dict, set) and len(value) > GROWN:
                value.clear()

    def take_apart(self, number: int, cell: str) -> None:
        self.program += [statement.telling(self.job.replacements) for statement in taken_apart(number, cell)]

    def execute(self, statement: Statement) -> None:
        code = statement.code
        if self.job.values and not self.untouched:
            self.untouched = True
            pins.restore()
        # What a statement draws depends on nothing before it: seeds set elsewhere and other draws change no grade.
        if self.draws:  # by Python's own generator, whose seeding takes longest
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
        if self.calls.get(question, 0) < CALLS:
            self.record(question, "check")
        for name, rebinding in self.right.items():
            if rebinding.question == question and self.is_open(rebinding):
                self.rebind(name)
        self.calls[question] = self.calls.get(question, 0) + 1
        self.changed.discard(question)

    def begin_cell(self, number: int) -> None:
        """Between cells: take down answers that were changed after their check; let layers be what they were."""
        for question in sorted(self.changed):
            self.record_apart(question, "late")
        self.changed.clear()
        self.untouched = not (self.own.get(self.cell) and _TOUCHING.search(self.job.cells[self.cell - 1]))
        self.cell = number

    def record_apart(self, question: str, when: str) -> None:
        # Values may not let themselves be described, so this is like a statement, too.
        index = len(self.program) + list(self.job.names).index(question)
        if index not in self.job.skip:
            self.one(index, Statement(len(self.job.cells), 1, None), functools.partial(self.record, question, when))

    def record(self, question: str, when: str) -> None:
        tensors: dict[str, Tensor] = {}
        values: dict[str, Tree] = {}
        for name in self.job.names[question]:
            try:
                value = self.namespace.get(name)
                missing = value is None and name in self.failed
                values[name] = self.failed[name] if missing else describe(value, tensors, values=self.job.values)
            except BaseException as problem:  # an object that fights back, or exits, is no value
                values[name] = {"is": "other", "type": type(problem).__name__}
        self.send(pack({"kind": "record", "question": question, "when": when, "values": values}, tensors))

    def is_open(self, rebinding: Rebinding) -> bool:
        """Whether what the submission binds is still the wrong answer, and not the same name used again."""
        return not rebinding.calls or self.calls.get(rebinding.question, 0) < rebinding.calls

    def replace(self, name: str) -> None:
        """Put the scenario's value in the released one's place."""
        for released, other in self.job.replacements.get(name, ()):
            value = self.namespace.get(name)
            if type(value) is type(released) and value == released:
                self.namespace[name] = copy.deepcopy(other)
                return

    def rebind(self, name: str) -> None:
        """Put the reference's value in the place of a wrong one."""
        tree = self.right[name].values[name]
        own = self.namespace.get(name)
        value: object
        if tree["is"] == "module":
            value = self._layer(tree, own)
        else:
            value = restore(tree, self.tensors)
            if isinstance(value, Tensor):
                value = value.transpose(0, 1).contiguous() if name in self.turned else value.clone()
        if isinstance(own, _HEAVY):
            # The answer may go by another name, too, or be part of a larger module.
            self.namespace.update({alias: value for alias, other in self.namespace.items() if other is own})
            wholes = [whole for whole in self.namespace.values() if isinstance(whole, nn.Module)]
            for parts in (part._modules for whole in wholes for part in whole.modules()):
                parts.update({key: value for key, part in parts.items() if part is own})  # type: ignore[misc]
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


def _memory_is_short() -> bool:
    """Whether it is; errors that come of it do not always say so, since their texts take memory, too."""
    try:
        bytes(ROOM)  # which is not touched
    except MemoryError:
        return True
    return False


def _words(problem: BaseException) -> str:
    try:
        return str(problem)[:MESSAGE_CHARACTERS]
    except BaseException:
        return ""


def _digest(kind: str, words: str) -> str:
    """Tells equal errors from different ones, whatever sizes they speak of, and says nothing of their text."""
    return hashlib.sha256(re.sub(r"\d+", "#", f"{kind}: {words}").encode(errors="replace")).hexdigest()


def main(payload: bytes, send: Send) -> None:
    """Run the jobs in *payload*, one after another; called in a confined process, and always for one submission.

    After a statement that does not end, the jobs that follow are left: they would wait for it again.
    """
    for index, (job, tensors) in enumerate(Job.decode(payload)):
        if index:
            send(pack(NEXT))
        for number, cell in enumerate(job.cells, 1):
            linecache.cache[f"<cell {number}>"] = (len(cell), None, cell.splitlines(keepends=True), f"<cell {number}>")
        run = _Run(job, tensors, send, _done[-1].program if _done else ())
        _done.append(run)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, run.overtime)
        run.everything()
        if run.stalled:
            return


def warm() -> None:
    """Do once, before any submission, what every run would have to do: imports, first calls of the operations."""
    pins.pin_all_layers()
    for source, cell in given().items():
        taken_apart(cell.number, source)
    tqdm.set_lock(threading.RLock())  # its own is in shared memory, through which one child could reach another
    tqdm.monitor_interval = 0  # else every child that shows progress starts a thread that watches it
    silence = io.StringIO()
    with pins.practising(), contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        for values, cells in ((True, practice.CELLS), (False, [*given(), *practice.CELLS])):
            job = Job(cells, practice.NAMES, statement_seconds=60.0, values=values, verbose=True)
            _Run(job, {}, lambda frame: None).everything()
