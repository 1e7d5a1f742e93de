"""The benchmark runs; how fast anything is, it does not say here."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.bench import rivals
from autograder.bench.__main__ import main
from autograder.bench.sample import made_up_class


def test_class_is_made_up_alike_and_all_different() -> None:
    """A larger class begins with the smaller one, and no two submissions are the same."""
    small, large = list(made_up_class(5)), list(made_up_class(30))
    assert large[:5] == small
    assert len({submission.content for submission in large}) == 30


def test_quick_form_prints_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One small round gives the comparison, the limit, the parts and the growth, and writes them down."""
    monkeypatch.setattr(rivals, "nbgrader_is_there", lambda: False)  # it needs an environment of its own
    table = tmp_path / "bench.md"
    assert main(["--size", "2", "--sample", "1", "--rounds", "1", "--growth", "2", "--table", str(table)]) == 0
    shown = capsys.readouterr().out
    assert table.read_text(encoding="utf-8") == shown
    for part in (
        *(
            "autograder grade",
            "otter run",
            "nbgrader is not",
            "the limit",
            "ratio",
            "fork",
            "confinement",
            "as-released",
            "hidden",
        ),
        *("checks", "gradebook", "pages", "Confinement", "Evidence", "Sizing", "1,000,000"),
        *("peak MB", "s to run again", "s to regrade"),
    ):
        assert part in shown
