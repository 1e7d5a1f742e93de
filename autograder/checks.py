"""Run the pytest graders on observations: student variables come as fixtures, verdicts come back as data.

Tests are collected once a process. `serving` then hands out a function that runs the checks of one question on one
observation, as often as wanted, inside pytest's own run loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, TypeGuard

import pytest

from autograder import course

__all__ = ["Finding", "Findings", "GraderFault", "Look", "serve"]

Findings = dict[str, "Finding"]


class GraderFault(Exception):
    """The graders themselves are at fault: nothing that a student did."""


@dataclass(frozen=True)
class Finding:
    """What one check said of one observation."""

    passed: bool
    message: str = ""
    kind: str = ""
    """The kind of `Mismatch`, if it was one."""


class Values(Protocol):
    """Names to values; a missing name is None."""

    def __getitem__(self, name: str) -> object: ...


@dataclass(frozen=True)
class Look:
    """One question's values under one scenario, with the reference's beside them."""

    question: str
    public: bool
    values: Values
    reference: object = None
    scenario: course.Scenario | None = None


class _Plugin:
    def __init__(self, job: Callable[[Callable[[Look], Findings]], None]) -> None:
        self.job = job
        self.items: dict[tuple[str, bool], list[pytest.Item]] = {}
        names = {name for check in course.checks() for name in check.names}
        self.values: dict[str, Callable[[Look], object]] = {
            **{name: functools.partial(_value, name=name) for name in names},
            **{"reference": lambda look: look.reference, "scenario": lambda look: look.scenario},
        }
        self.look: Look | None = None
        self.failure: BaseException | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "points(n): what the check is worth")
        config.pluginmanager.register(_student_variables(self), "student-variables")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            public = item.path.parent == course.PUBLIC
            self.items.setdefault((item.path.stem.removeprefix("test_"), public), []).append(item)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("the graders could not be collected")
        self.job(self.run)
        return True

    def run(self, look: Look) -> Findings:
        """The findings of all checks of a question, by name. Raises `GraderFault` if a check itself breaks."""
        self.look = look
        findings = {}
        for item in self.items.get((look.question, look.public), []):
            self.failure = None
            if self.asks_for_values_only(item):
                self.call(item, look)
            else:
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            findings[item.name] = self.finding(item)
        return findings

    def asks_for_values_only(self, item: pytest.Item) -> TypeGuard[pytest.Function]:
        """Whether *item* needs nothing of pytest's own: its run loop costs more than most checks."""
        return (
            isinstance(item, pytest.Function)
            and self.values.keys() >= set(item.fixturenames)
            and all(mark.name == "points" for mark in item.iter_markers())
        )

    def call(self, item: pytest.Function, look: Look) -> None:
        try:
            item.obj(**{name: self.values[name](look) for name in item.fixturenames})
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as failure:
            self.failure = failure

    def finding(self, item: pytest.Item) -> Finding:
        if self.failure is None:
            return Finding(True)
        if isinstance(self.failure, AssertionError):
            return Finding(False, str(self.failure), getattr(self.failure, "kind", ""))
        raise GraderFault(f"{item.name}: {type(self.failure).__name__}: {self.failure}") from self.failure

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> pytest.TestReport:
        """Keep the exception itself; a written-out traceback, which nobody reads, would cost milliseconds."""
        if call.excinfo is not None:
            self.failure = call.excinfo.value
        outcome: Any = "passed" if call.excinfo is None else "failed"
        when: Any = call.when
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when)


def _student_variables(plugin: _Plugin) -> ModuleType:
    """A plugin that holds a fixture for every name that a check asks for."""
    fixtures = ModuleType("student_variables")

    def fixture(name: str, value: Callable[[Look], object]) -> None:
        @pytest.fixture(name=name)
        def get() -> object:
            assert plugin.look is not None
            return value(plugin.look)

        setattr(fixtures, f"fixture_{name}", get)

    for name, value in plugin.values.items():
        fixture(name, value)
    return fixtures


def _value(look: Look, name: str) -> object:
    return look.values[name]


def serve(job: Callable[[Callable[[Look], Findings]], None]) -> None:
    """Collect the graders and call *job* with the function that runs them; returns when *job* does."""
    plugin = _Plugin(job)
    tests = [str(path) for path in (*sorted(course.PUBLIC.glob("q*.py")), *sorted(course.HIDDEN.glob("test_*.py")))]
    quiet = [
        arg
        for name in ("terminal", "cacheprovider", "doctest", "junitxml", "logging", "faulthandler")
        for arg in ("-p", f"no:{name}")
    ]
    options = [
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        "-c",
        "/dev/null",
        f"--rootdir={course.ROOT}",
    ]
    status = pytest.main([*quiet, *options, *tests], plugins=[plugin])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # failed checks are verdicts, no fault
        raise GraderFault(f"pytest could not run the graders ({status!r})")
