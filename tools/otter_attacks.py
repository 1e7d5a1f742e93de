"""The same attacks against `otter run`, for a table: what they gain where tests run beside student code.

Only attacks that are harmless without a sandbox are tried. `otter run` gets the public checks of the assignment, one
point each, as its hidden tests.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from autograder import course
from tools import attacks

__all__ = ["main"]

OTTER = str(Path(sys.executable).with_name("otter"))
SECONDS = 60
"""What has no result by then, alone on the machine, has stopped the grading."""
TESTS = course.ASSIGNMENT / "en" / "tests"


@dataclass(frozen=True)
class Outcome:
    """What came of one submission."""

    score: float | None
    """None where there are no results."""
    missing: str
    """Why there are none."""
    shown: str
    """All that was printed and written as results."""


def grade(content: bytes, autograder: Path) -> Outcome:
    """One notebook through `otter run`, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        notebook, results = Path(folder, "rnn.ipynb"), Path(folder, "results")
        notebook.write_bytes(content)
        results.mkdir()
        command = [OTTER, "run", "--no-logo", "-a", str(autograder), "-o", str(results), str(notebook)]
        try:
            run = subprocess.run(
                command,
                cwd=folder,
                env={"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(None, f"no result within {SECONDS} s", "")
        written = results / "results.json"
        shown = run.stdout.decode(errors="replace")
        if not written.exists():
            return Outcome(None, "no results at all", shown)
        text = written.read_text(encoding="utf-8", errors="replace")
        try:
            tests = json.loads(text)["tests"]
        except (ValueError, KeyError):
            return Outcome(None, "no results at all", shown + text)
        return Outcome(sum(test.get("score") or 0.0 for test in tests), "", shown + text)


def gain(attack: attacks.Attack, outcome: Outcome, honest: Outcome) -> str:
    """What an attack gained, or nothing."""
    if outcome.score is None:
        return outcome.missing
    assert honest.score is not None
    if outcome.score > honest.score:
        return f"{outcome.score:g} points instead of {honest.score:g}"
    if any(text in outcome.shown for text in attack.absent if text.isprintable()):
        return "what it was after: " + ", ".join(text for text in attack.absent if text in outcome.shown)
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the attacks and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="make attacks", description=__doc__)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    workers = parser.parse_args(argv).workers
    tried = [attack for attack in attacks.attacks() if attack.unconfined]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        autograder = Path(folder, "autograder.zip")
        generate = [OTTER, "generate", "-t", str(TESTS), "-o", str(autograder), "--no-environment", "--no-requirements"]
        subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
        honest = grade(attacks.base(), autograder)
        if honest.score is None:
            print(f"otter run gives no results:\n{honest.shown}", file=sys.stderr)
            return 1
        outcomes = pool.map(lambda attack: grade(attack.content, autograder), tried)
        found = list(tqdm(outcomes, total=len(tried), unit="attack"))
        # A busy machine must not be taken for an attack that works: what gave no result is tried again, alone.
        again = [outcome.score is None for outcome in found]
        found = [grade(a.content, autograder) if twice else o for a, o, twice in zip(tried, found, again, strict=True)]
    gains = {attack: gain(attack, outcome, honest) for attack, outcome in zip(tried, found, strict=True)}
    print("| attack | gained with `otter run` |\n|---|---|")
    for attack, gained in gains.items():
        if gained:
            print(f"| {attack.family}: {attack.id} | {gained} |")
    print(f"\n{sum(map(bool, gains.values()))} of the {len(tried)} attacks tried gained something.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
