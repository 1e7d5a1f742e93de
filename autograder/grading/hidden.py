"""The hidden checks, collected and run by pytest: what each finds comes back as data.

Tests are collected once a process. `collected` then hands out a function that runs the checks of one question on one
record, as often as wanted, inside pytest's own run loop.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from autograder.course import HIDDEN, ROOT, Scenario
from autograder.course.compare import Mismatch
from autograder.course.questions import FIXTURES, MARKERS
from autograder.grade import Note

__all__ = ["GraderFault", "Look", "Looking", "asked", "collected"]


class GraderFault(Exception):
    """The graders themselves are at fault: nothing that a student did."""


class Values(Protocol):
    """Names to values; a missing name is None."""

    def __getitem__(self, name: str) -> object: ...


@dataclass(frozen=True)
class Look:
    """One question's values under one scenario, with the reference's beside them."""

    question: str
    values: Values
    reference: object
    scenario: Scenario

    def argument(self, name: str) -> object:
        """What a check gets for the parameter *name*: the student's value, or one of `FIXTURES`."""
        return getattr(self, name) if name in FIXTURES else self.values[name]


Looking = Callable[[Look], Mapping[str, "Note | None"]]
"""What each check of the question finds wrong, by the check's name: None where it passes. Raises `GraderFault`."""


def asked(test: Callable[..., None], look: Look) -> Note | None:
    """What a check finds, if its function is called as pytest would call it."""
    arguments = {name: look.argument(name) for name in inspect.signature(test).parameters}
    return _found(test.__name__, functools.partial(test, **arguments))


def _run(item: pytest.Function, look: Look) -> Note | None:
    """What a check finds, run by pytest: its arguments are put where fixtures would put them."""
    item.funcargs = {name: look.argument(name) for name in item.fixturenames}
    return _found(item.name, item.runtest)


def _found(name: str, run: Callable[[], None]) -> Note | None:
    try:
        run()
    except Mismatch as mismatch:
        return mismatch.note
    except AssertionError:
        return Note("assertion", {"name": name})
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as failure:
        raise GraderFault(f"{name}: {type(failure).__name__}: {failure}") from failure
    return None


class _Serving:
    """Does the work in the place of one run of all checks."""

    def __init__(self, work: Callable[[Looking], None]) -> None:
        self._work = work

    def pytest_configure(self, config: pytest.Config) -> None:
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the hidden checks could not be collected")
        items: dict[str, list[Any]] = {}
        for item in session.items:
            items.setdefault(item.path.stem.removeprefix("test_"), []).append(item)
        self._work(lambda look: {item.name: _run(item, look) for item in items[look.question]})
        return True


def collected(work: Callable[[Looking], None]) -> None:
    """Collect the hidden checks and call *work* with the function that runs them; returns when *work* does."""
    plugins = ("terminal", "cacheprovider", "doctest", "junitxml", "logging", "faulthandler")
    quiet = [argument for name in plugins for argument in ("-p", f"no:{name}")]
    options = ["--import-mode=importlib", "--assert=plain", "--capture=no", "-c", "/dev/null", f"--rootdir={ROOT}"]
    tests = map(str, sorted(HIDDEN.glob("test_*.py")))
    status = pytest.main([*quiet, *options, "--noconftest", *tests], plugins=[_Serving(work)])
    if status != pytest.ExitCode.OK:
        raise GraderFault(f"pytest could not run the hidden checks ({status!r})")
