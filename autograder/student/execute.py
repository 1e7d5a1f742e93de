"""Run a submission statement by statement under a scenario, and send what it leaves behind."""

import asyncio
import contextlib
import copy
import functools
import inspect
import itertools
import linecache
import os
import random
import re
import resource
import signal
import traceback
from collections import defaultdict
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from autograder.student import layers, standins
from autograder.student.follow import FollowThrough
from autograder.student.handout import given, unneeded
from autograder.student.program import TOLD, Statement, of_cell
from autograder.wire.job import Job, decode_job
from autograder.wire.messages import Cell, Failure, Finished, Message, Outline, Recorded, Started, encode
from autograder.wire.values import described, save_tensors

__all__ = ["Execution", "main"]

CALLS = 16
"""Most calls of one question's check that are taken down."""
TEXT_CHARACTERS = 2000
"""Longest error text."""
ROOM = 64 << 20
"""Bytes that a run may need at once: if fewer are left, memory has run out."""

_BINDERS = {"exec", "globals", "setattr"}
"""Functions that bind names which no assignment shows."""

Send = Callable[[bytes], None]
reset_default_dtype = functools.partial(torch.set_default_dtype, torch.float32)
_without_numbers = functools.partial(re.sub, r"\d+", "#")
"""Taken before student code can put something else in their places."""


class Execution:
    """One run: the cells of one submission under one scenario."""

    def __init__(self, job: Job, tensors: dict[str, Tensor], send: Send) -> None:
        self.job = job
        self._send = send
        self.numbered = frozenset(job.numbered)
        self.own = {number for number, cell in enumerate(job.cells, 1) if cell not in given()}
        self.namespace = standins.install(self.check)
        self.namespace[TOLD] = self.replaced
        self.loop = asyncio.new_event_loop()
        """What the notebook awaits, whatever statement began it, is done in one loop."""
        asyncio.set_event_loop(self.loop)
        self.follow = FollowThrough(job, tensors, self.namespace)
        self.failures: dict[str, Failure] = {}
        """By name, the error that kept it from being what it was to be, if one did."""
        self.recorded: dict[str, tuple[object, ...]] = {}
        """What was taken down of each question last."""
        self.ended: set[str] = set()
        self.program: list[Statement] = []
        self.binds = defaultdict[int, dict[str, tuple[int, int]]](dict)
        """What each cell binds of what is asked for or given, from which line to which."""
        self.cell = 0
        """The cell that was last begun."""
        self.left: dict[str, tuple[str, ...]] = {}
        """What was changed of other names, by the question whose cells were left then."""
        self.spoken: set[str] = set()
        """What the cells of the student's own speak of."""

    def everything(self) -> None:
        self.take_apart()
        self.send(Outline(tuple(self.outline())))
        bound = {name for statement in self.program for name in statement.names}
        self.follow.correct(self.follow.by_name.keys() - bound)  # what is never bound is right from the start
        passed_over = unneeded(self.job.cells, self.spoken)
        for index, statement in enumerate(self.program):
            if statement.cell in passed_over:
                continue
            if index and self.program[index - 1].cell != statement.cell:
                reset_default_dtype()  # what one cell sets is not the mistake of others
            self.statement(index, statement)
        for question in self.job.names:
            self.end(question)
        self.send(Finished())

    def send(self, message: Message, blob: bytes = b"") -> None:
        self._send(encode(message, blob))

    def take_apart(self) -> None:
        """Make the program. Taking a cell apart might not end, either: it is limited as statements are."""
        for number, cell in enumerate(self.job.cells, 1):
            if number in self.own:
                self.one(-number, Statement(number, 1, None), functools.partial(self.add, number, cell))
            else:
                self.program += [statement.within(number) for statement in given()[cell].statements]
        bound = []
        for statement in self.program:
            names, binds = statement.names, self.binds[statement.cell]
            if statement.cell in self.own and not _BINDERS.isdisjoint(statement.spoken):
                names |= statement.spoken  # it may bind whatever it speaks of
            bound.append((statement.cell, names if statement.cell in self.own else frozenset()))
            last = getattr(statement.node, "end_lineno", statement.line)
            for name in sorted(names & self.follow.protected):
                binds[name] = binds.get(name, (statement.line, 0))[0], last
        self.follow.plan(bound)

    def add(self, number: int, cell: str) -> None:
        statements = list(of_cell(number, cell))
        for statement in statements:
            statement.tell(self.job.replacements)
        constants = itertools.chain.from_iterable(statement.numbers(self.job.numbers) for statement in statements)
        for place, constant in enumerate(constants if self.numbered else ()):
            if (number, place) in self.numbered:
                constant.value = self.job.numbers[constant.value]
        self.spoken.update(*(statement.spoken for statement in statements))
        self.program += statements

    def outline(self) -> list[Cell]:
        """What the cells of the student's own bind of what is asked for or given."""
        numbers = defaultdict[int, list[tuple[int, int]]](list)
        for statement in self.program:
            numbers[statement.cell] += ((one.value, one.lineno) for one in statement.numbers(self.job.numbers))
        return [Cell(number, self.binds[number], tuple(numbers[number])) for number in sorted(self.own)]

    def statement(self, index: int, statement: Statement) -> None:
        """Execute one statement. Then released values that it bound become the scenario's, and wrong answers right."""
        if statement.cell not in self.own:
            for question in self.follow.calls:
                if not statement.names.isdisjoint(self.job.names[question]):
                    self.end(question)  # the given cell uses the name again: what it then holds is no answer
        self.one(index, statement, functools.partial(self.execute, index, statement))
        if statement.cell in self.own:
            layers.restore()
        self.replace()
        self.follow.correct(statement.names)

    def one(self, index: int, statement: Statement, act: Callable[[], None]) -> None:
        """Do what a statement says, within its processor time; an error in it is reported, and stays its own."""
        if index in self.job.skip:
            self.fail(statement, Failure("Stopped", statement.cell, statement.line))
            return
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.send(Started(index, statement.cell, statement.line, resident))
        # The signal ends the process, at once and whatever it is doing: the run is repeated without the statement.
        signal.setitimer(signal.ITIMER_PROF, self.job.statement_seconds)
        try:
            act()
            if self.failures:
                self.spoil(statement, self.earlier(statement))
        except BaseException as problem:  # SystemExit and KeyboardInterrupt too: the next statement is another one
            if _memory_ran_out(problem):
                os._exit(1)
            self.fail(statement, self.failure(statement, problem))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def execute(self, index: int, statement: Statement) -> None:
        self.come_to(index, statement.cell)
        # What a statement draws depends on nothing before it: seeds set elsewhere and other draws change no grade.
        torch.default_generator.manual_seed(self.job.seed)
        if statement.cell in self.own:
            random.seed(self.job.seed)
        with contextlib.nullcontext() if self.spoken.isdisjoint(standins.DEVICES) else standins.Devices():
            if statement.code.co_flags & inspect.CO_COROUTINE:  # it holds a top-level `await`
                self.loop.run_until_complete(eval(statement.code, self.namespace))
            else:
                exec(statement.code, self.namespace)

    def come_to(self, index: int, cell: int) -> None:
        """Before a statement. Where another answer begins, other names are to be what they are to be for it."""
        left = self.follow.question
        self.follow.come_to(index)
        if left != self.follow.question:
            self.left[left] = self.follow.changed(left)
        if self.job.put_back and (cell != self.cell or left != self.follow.question or not self.follow.answers(cell)):
            self.put_back(left)
        self.cell = cell

    def put_back(self, left: str = "") -> None:
        """Let other names be what they are to be. What a new answer to the question that is *left* gave is its end."""
        strayed = self.follow.strayed()
        if left not in self.ended and not strayed.isdisjoint(self.job.names.get(left, ())):
            self.ended.add(left)
            self.record(left, "end")
        self.follow.put_back(strayed)

    def failure(self, statement: Statement, problem: BaseException) -> Failure:
        """What kept a statement from its end. If it lacks a name, that is what kept the name from being bound."""
        if type(problem) is NameError and type(problem.name) is str and problem.name in self.failures:
            return self.failures[problem.name]
        files = (f"<cell {statement.cell}>", "<cell 0>")  # its own, or a given one
        steps = traceback.walk_tb(problem.__traceback__)
        lines = [line for frame, line in steps if frame.f_code.co_filename in files]
        line = lines[-1] if lines else statement.line
        text = _words(problem) if self.job.public else ""
        return self.earlier(statement) or Failure(_words(type(problem).__name__), statement.cell, line, text)

    def earlier(self, statement: Statement) -> Failure | None:
        """The first error in its cell that kept a name which it reads from being what it was to be.

        A notebook would have stopped there: what the statement does, or raises, comes of it.
        """
        spoiled = (self.failures[name] for name in statement.read & self.failures.keys())
        return min((one for one in spoiled if one.cell == statement.cell), key=lambda one: one.line, default=None)

    def spoil(self, statement: Statement, failure: Failure | None) -> None:
        """What *statement* binds and fills is not what it was to be because of a *failure*, or is if there is none."""
        for name in statement.touched:
            self.failures.pop(name, None)
        if failure is not None:
            self.failures |= dict.fromkeys(statement.touched, failure)

    def fail(self, statement: Statement, failure: Failure) -> None:
        self.spoil(statement, failure)
        self.send(failure)

    def check(self, question: str) -> None:
        """Take down the names of *question*, as `grader.check` is reached."""
        names = self.job.names.get(question, ()) if isinstance(question, str) else ()
        if not any(name in self.namespace or name in self.failures for name in names):
            return  # nothing was done yet that it could look at
        if self.follow.calls.get(question, 0) < CALLS:
            self.record(question, "check")
        self.follow.settle(question)
        if self.job.put_back:
            self.put_back()

    def end(self, question: str) -> None:
        """Take down how a question ends. Describing values may not end, either: it is limited as a statement is."""
        if question not in self.ended:
            self.ended.add(question)
            index = len(self.program) + list(self.job.names).index(question)
            self.one(index, Statement(len(self.job.cells), 1, None), functools.partial(self.record, question, "end"))

    def record(self, question: str, when: Literal["check", "end"]) -> None:
        tensors: dict[str, Tensor] = {}
        names = self.job.names[question]
        values = {name: described(self.namespace.get(name), tensors) for name in names}
        failures = {name: self.failures[name] for name in names if name in self.failures}
        changed = self.left.get(question, self.follow.changed(question) if when == "check" else ())
        recorded = values, failures, save_tensors(tensors)
        if when == "check" or self.recorded.get(question) != recorded:
            self.send(Recorded(question, when, values, failures, changed), recorded[2])
        self.recorded[question] = recorded

    def replace(self) -> None:
        """Put the scenario's values in the place of released ones, whatever bound these, be it `exec`."""
        for name in self.job.replacements.keys() & self.namespace.keys():
            self.namespace[name] = self.replaced(name, self.namespace[name])

    def replaced(self, name: str, value: object) -> object:
        """The scenario's value, if *value* is the one that was released under *name*."""
        released, other = self.job.replacements[name]
        return copy.deepcopy(other) if type(value) is type(released) and value == released else value


def _words(thing: object) -> str:
    """What *thing* says, as text that can be sent; of a syntax error without its line, which is that in its block."""
    try:
        said = str(thing.msg if isinstance(thing, SyntaxError) else thing)
        return said[:TEXT_CHARACTERS].encode(errors="replace").decode()
    except BaseException:
        return ""


def _memory_ran_out(problem: BaseException) -> bool:
    """Whether memory ran out. The error does not always say so, since its text takes memory, too."""
    if isinstance(problem, RuntimeError) and _without_numbers(_words(problem)) == _OUT_OF_MEMORY:
        return True
    try:
        bytes(ROOM)  # which is not touched
    except MemoryError:
        return True
    return isinstance(problem, MemoryError)


def _what_torch_says() -> str:
    """What torch says, in an error without a class of its own, where there is not enough memory."""
    try:
        torch.empty(1 << 60, dtype=torch.uint8)
    except RuntimeError as problem:
        return _without_numbers(str(problem))
    raise AssertionError("there is no exbibyte of memory")


_OUT_OF_MEMORY = _what_torch_says()


def main(payload: bytes, send: Send) -> None:
    """Run the job in *payload*; called in a confined process, and only once."""
    job, tensors = decode_job(payload)
    for number, cell in enumerate(job.cells, 1):
        linecache.cache[f"<cell {number}>"] = (len(cell), None, cell.splitlines(keepends=True), f"<cell {number}>")
    layers.salted(job.salt)
    Execution(job, tensors, send).everything()
