"""The hidden checks by hand: `.venv/bin/pytest tests/hidden --submission FILE`, in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from autograder import course
from autograder.grade import Note
from autograder.grading.grader import run_in
from autograder.grading.hidden import Look, Plugin, asked
from autograder.grading.reference import Reference
from autograder.grading.runs import Runs, later
from autograder.grading.verdicts import Verdict, verdicts
from autograder.intake import notebook
from autograder.sandbox import ALLOWANCE, Sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--submission", metavar="FILE", help="the notebook or script that the hidden checks look at")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--submission")
    if not path or not Path(path).is_file():
        raise pytest.UsageError("which submission? pytest tests/hidden --submission FILE")
    config.pluginmanager.register(ByHand(Path(path)), "by-hand")


class ByHand(Plugin):
    """Lets each check look at one submission, once under every hidden scenario."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.content = path.read_bytes()
        self.source = notebook.read(self.content, path.name)
        self.sandbox = Sandbox(secrets=(course.REFERENCE, *sorted(course.HIDDEN.glob("*.py"))))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        scenarios = course.scenarios()
        metafunc.fixturenames.append("under")
        metafunc.parametrize("under", scenarios, ids=[scenario.id for scenario in scenarios], indirect=True)

    @pytest.fixture(scope="session")
    def found(self) -> dict[str, Verdict]:
        run = run_in(self.sandbox)
        self.runs = Runs(self.source.cells, self.content, run, Reference(run), ALLOWANCE)
        return {verdict.question.id: verdict for verdict in verdicts(self.runs, looked)}

    @pytest.fixture(autouse=True)
    def under(self, request: pytest.FixtureRequest, found: Mapping[str, Verdict]) -> None:
        """Let the values be those of the question under one scenario, at the moment that counts."""
        question, scenario = request.path.stem.removeprefix("test_"), request.param
        verdict = found[question]
        record = self.runs.under(scenario, verdict.remedy).moments(question, later(question))[verdict.moment]
        self.look = Look(question, record, self.runs.reference(scenario, verdict.remedy).at[question], scenario)

    def pytest_unconfigure(self) -> None:
        self.sandbox.close()


def looked(look: Look) -> dict[str, Note | None]:
    """What the checks find, for grading what comes before."""
    return {check.name: asked(check.test, look) for check in course.question(look.question).checks}
