"""The benchmark runs; how fast anything is, it does not say here."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tools.bench import __main__ as bench
from tools.bench import rivals
from tools.bench.pages import BROWSERS
from tools.cases import made_up_class
from tools.commands import Cost


def test_class_is_made_up_alike_and_all_different() -> None:
    """A larger class begins with the smaller one, and no two submissions are the same."""
    small, large = list(made_up_class(5)), list(made_up_class(30))
    assert large[:5] == small
    assert len({submission.content for submission in large}) == 30


def test_quick_form_prints_every_figure(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    autograder: Callable[..., tuple[int, str, str]],
) -> None:
    """One small round gives the class, one notebook, the others, the limit, regrading and the ratios."""

    def command(argv: list[object], **_: object) -> tuple[Cost, str]:
        """Our own commands in this process, since the figures are not looked at."""
        status, said, errors = autograder(*argv[1:])
        assert status == 0, errors
        return Cost(1.0, 1.0), said

    monkeypatch.setattr(rivals, "command", command)
    monkeypatch.setattr(bench, "by_nbgrader", lambda submissions, folder: Cost(1.0, 1.0))  # half a minute of notebooks
    monkeypatch.setattr(bench, "by_otter", lambda submissions, folder: [Cost(1.0, 1.0)])  # a test of attacks runs it
    bench.main(["--size", "2", "--sample", "1", "--rounds", "1"])
    shown = capsys.readouterr().out
    for row in (bench.CLASS, bench.REGRADED, bench.ONE, bench.OTTER, bench.OTHER, bench.GRADING, bench.LIMIT):
        assert f"| {row} | " in shown
    for wanted in ("| in one language | ", "| in both | ", "at least 65", "at most 0.5", "at most 1.5", "at least 5"):
        assert wanted in shown
    assert ("The report on the class opens in " in shown) == any(map(shutil.which, BROWSERS))
