"""The hidden checks, run by pytest: student variables come as fixtures, what a check found comes back as data.

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

from autograder.course import HIDDEN, ROOT, Scenario, checks
from autograder.course.compare import Mismatch
from autograder.grade import Note

__all__ = ["GraderFault", "Look", "Looking", "Plugin", "asked", "collected"]


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


Looking = Callable[[Look], Mapping[str, "Note | None"]]
"""What each check of the question finds wrong, by the check's name: None where it passes. Raises `GraderFault`."""


class Plugin:
    """Fixtures for the student's names, for `reference` and for `scenario`, as the present look has them."""

    def __init__(self) -> None:
        self.look: Look | None = None
        values: dict[str, Callable[[], object]] = {
            name: functools.partial(self._value, name) for check in checks() for name in check.names
        }
        self.fixtures = values | {"reference": lambda: self._now.reference, "scenario": lambda: self._now.scenario}

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "points(n): what the check is worth")
        config.addinivalue_line("markers", "either_layout(*names): right with the batch or the steps first")
        for name, value in self.fixtures.items():
            setattr(self, f"fixture_{name}", pytest.fixture(name=name)(_fixture(value)))

    @property
    def _now(self) -> Look:
        assert self.look is not None
        return self.look

    def _value(self, name: str) -> object:
        return self._now.values[name]


def _fixture(value: Callable[[], object]) -> Callable[[], object]:
    def get() -> object:
        return value()

    return get


class _Serving(Plugin):
    """Runs the checks whenever it is asked, for as long as the work goes on."""

    def __init__(self, work: Callable[[Looking], None]) -> None:
        super().__init__()
        self.work = work
        self.items: dict[str, list[pytest.Item]] = {}
        self.failure: BaseException | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the hidden checks could not be collected")
        for item in session.items:
            self.items.setdefault(item.path.stem.removeprefix("test_"), []).append(item)
        self.work(self.run)
        return True

    def run(self, look: Look) -> dict[str, Note | None]:
        self.look = look
        found = {}
        for item in self.items[look.question]:
            if isinstance(item, pytest.Function) and self.fixtures.keys() >= set(item.fixturenames):
                found[item.name] = asked(item.obj, look)  # pytest's run loop costs more than most checks
            else:
                self.failure = None
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
                found[item.name] = _note(item.name, self.failure)
        return found

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> pytest.TestReport:
        """Keep the exception itself; a written-out traceback, which nobody reads, would cost milliseconds."""
        if call.excinfo is not None:
            self.failure = call.excinfo.value
        outcome: Any = "passed" if call.excinfo is None else "failed"
        when: Any = call.when
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when)


def asked(test: Callable[..., None], look: Look) -> Note | None:
    """What a check that needs nothing of pytest's own finds wrong, called as pytest would call it."""
    others = {"reference": look.reference, "scenario": look.scenario}
    names = inspect.signature(test).parameters
    try:
        test(**{name: others[name] if name in others else look.values[name] for name in names})
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as failure:
        return _note(test.__name__, failure)
    return None


def _note(test: str, failure: BaseException | None) -> Note | None:
    if failure is None:
        return None
    if isinstance(failure, Mismatch):
        return failure.note
    if isinstance(failure, AssertionError):
        return Note("assertion", {"name": test})
    raise GraderFault(f"{test}: {type(failure).__name__}: {failure}") from failure


def collected(work: Callable[[Looking], None]) -> None:
    """Collect the hidden checks and call *work* with the function that runs them; returns when *work* does."""
    plugins = ("terminal", "cacheprovider", "doctest", "junitxml", "logging", "faulthandler")
    quiet = [argument for name in plugins for argument in ("-p", f"no:{name}")]
    options = ["--import-mode=importlib", "--assert=plain", "--capture=no", "-c", "/dev/null", f"--rootdir={ROOT}"]
    tests = map(str, sorted(HIDDEN.glob("test_*.py")))
    status = pytest.main([*quiet, *options, "--noconftest", *tests], plugins=[_Serving(work)])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # failed checks are verdicts, no fault
        raise GraderFault(f"pytest could not run the hidden checks ({status!r})")
