"""What attacks gain with `otter run` is told as it is."""

from __future__ import annotations

from pathlib import Path

from tools import otter
from tools.attacks import attacks
from tools.otter_attacks import gained, points


def test_results_that_cannot_be_read_are_no_points() -> None:
    """Points are the sum over tests; anything else is none at all."""
    assert points('{"tests": [{"score": 1.0}, {"score": null}, {}]}') == 1.0
    assert points("") is points('{"tests') is points("{}") is None


def test_attack_that_patches_the_tests_gains_points(tmp_path: Path) -> None:
    """With `otter run`, a notebook can say of every test that it passed."""
    attack = next(one for one in attacks() if one.id == "otter-call-func")
    assert "points instead of 3" in gained(attack, otter.packed(tmp_path), 3.0)


def test_every_attack_says_what_must_come_of_it() -> None:
    """Statuses, points and names that are well formed."""
    assert {attack.status for attack in attacks()} <= {"graded", "stopped"}
    assert len({attack.file_name for attack in attacks()}) == len(attacks()) > 50
