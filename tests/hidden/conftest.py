"""The hidden checks by hand: `.venv/bin/pytest tests/hidden --submission FILE`, in the sandbox."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from autograder import course
from autograder.course.questions import FIXTURES, MARKERS
from autograder.grade import Note
from autograder.grading.grader import run_in
from autograder.grading.hidden import Look, asked
from autograder.grading.reference import Reference
from autograder.grading.runs import Runs, later
from autograder.grading.verdicts import Verdict, verdicts
from autograder.intake import notebook
from autograder.sandbox import ALLOWANCE, Sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--submission", metavar="FILE", help="the notebook or script that the hidden checks look at")


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    path = config.getoption("--submission")
    if not path or not Path(path).is_file():
        raise pytest.UsageError("which submission? pytest tests/hidden --submission FILE")
    by_hand = ByHand(Path(path))
    config.pluginmanager.register(by_hand, "by-hand")
    config.pluginmanager.register(by_hand.fixtures(), "student-variables")


class ByHand:
    """Lets each check look at one submission, once under every hidden scenario."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.source = notebook.read(self.content, path.name)
        self.sandbox = Sandbox(secrets=(course.REFERENCE, course.HIDDEN))
        self.look: Look | None = None

    def fixtures(self) -> ModuleType:
        """A plugin that holds a fixture for every name that a check asks for."""
        names = {*FIXTURES, *(name for check in course.checks() for name in check.names)}
        module = ModuleType("student_variables")
        vars(module).update({f"fixture_{name}": pytest.fixture(name=name)(self.value_of(name)) for name in names})
        return module

    def value_of(self, name: str) -> Callable[[], object]:
        def value() -> object:
            assert self.look is not None
            return self.look.argument(name)

        return value

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        scenarios = course.scenarios()
        metafunc.fixturenames.append("under")
        metafunc.parametrize("under", scenarios, ids=[scenario.id for scenario in scenarios], indirect=True)

    @functools.cached_property
    def runs(self) -> Runs:
        run = run_in(self.sandbox)
        return Runs(self.source.cells, self.content, run, Reference(run), ALLOWANCE)

    @functools.cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        return {verdict.question.id: verdict for verdict in verdicts(self.runs, looked)}

    @pytest.fixture(autouse=True)
    def under(self, request: pytest.FixtureRequest) -> None:
        """Let the values be those of the question under one scenario, at the moment that counts."""
        question, scenario = request.path.stem.removeprefix("test_"), request.param
        verdict = self.verdicts[question]
        record = self.runs.under(scenario, verdict.remedy).moments(question, later(question))[verdict.moment]
        self.look = Look(question, record, self.runs.reference(scenario, verdict.remedy).at[question], scenario)

    def pytest_unconfigure(self) -> None:
        self.sandbox.close()


def looked(look: Look) -> dict[str, Note | None]:
    """What the checks find, for grading what comes before."""
    return {check.name: asked(check.test, look) for check in course.question(look.question).checks}
