"""The hidden checks by hand: `.venv/bin/pytest tests/hidden --submission FILE`, in the sandbox."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from autograder import course
from autograder.grading.grader import run_in
from autograder.grading.reference import Reference
from autograder.grading.runs import Runs
from autograder.grading.verdicts import Verdict, verdicts
from autograder.intake import Refused, notebook
from autograder.language import speaking
from autograder.report.words import sentence
from autograder.sandbox import ALLOWANCE, Sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--submission", metavar="FILE", help="the notebook or script that the hidden checks look at")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--submission")
    if not path or not Path(path).is_file():
        raise pytest.UsageError("which submission? pytest tests/hidden --submission FILE")
    try:
        by_hand = ByHand(Path(path))
    except Refused as why:
        with speaking("en"):
            raise pytest.UsageError(f"{path}: {sentence(why.note)}") from why
    config.pluginmanager.register(by_hand, "by-hand")
    config.pluginmanager.register(by_hand.fixtures(), "student-variables")


class ByHand:
    """Lets each check look at one submission, once under every hidden scenario."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.source = notebook.read(self.content, path.name)
        self.sandbox = Sandbox(secrets=(course.REFERENCE, course.HIDDEN))
        self.values: Callable[[str], object] = lambda name: None

    def fixtures(self) -> ModuleType:
        """A plugin that holds a fixture for every name that a check asks for."""
        names = {"reference"}.union(*(check.names for check in course.checks()))
        module = ModuleType("student_variables")
        vars(module).update({f"fixture_{name}": pytest.fixture(name=name)(self.value_of(name)) for name in names})
        return module

    def value_of(self, name: str) -> Callable[[], object]:
        return lambda: self.values(name)

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
        return {verdict.question.id: verdict for verdict in verdicts(self.runs)}

    @pytest.fixture(autouse=True)
    def under(self, request: pytest.FixtureRequest) -> None:
        """Let the values be those of the question under one scenario, at the moment that counts."""
        verdict = self.verdicts[request.path.stem.removeprefix("test_")]
        record, reference = verdict.record(request.param), verdict.reference(request.param)
        self.values = lambda name: reference if name == "reference" else record[name]

    def pytest_unconfigure(self) -> None:
        self.sandbox.close()
