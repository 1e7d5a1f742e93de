"""The same attacks against `otter run`, for a table: what they gain where tests run beside student code.

Only attacks that are harmless without a sandbox are tried.
"""

import json
import os
import tempfile
from functools import partial
from pathlib import Path

from tqdm.contrib.concurrent import thread_map

from tools import otter
from tools.attacks import Attack, attacks, base
from tools.commands import Failed

__all__ = ["gained", "main", "points"]

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def points(results: str) -> float | None:
    """The points in results as they were written; None where they cannot be read."""
    try:
        return float(sum(test.get("score") or 0.0 for test in json.loads(results)["tests"]))
    except (ValueError, KeyError):
        return None


def gained(attack: Attack, autograder: Path, honest: float) -> str:
    """What an attack gained over so many *honest* points, or nothing."""
    try:
        _, shown, results = otter.run(attack.content, autograder, ENVIRONMENT)
    except Failed as failed:
        return f"no result within {otter.SECONDS} s" if failed.status == otter.TIMED_OUT else "no results at all"
    score = points(results)
    if score is None:
        return "no results at all"
    if score > honest:
        return f"{score:g} points instead of {honest:g}"
    found = [text for text in attack.absent if text.isprintable() and text in shown + results]
    return "what it was after: " + ", ".join(found) if found else ""


def main() -> None:
    """Run the attacks and print a table in Markdown."""
    tried = [attack for attack in attacks() if attack.unconfined]
    print("| attack | gained with `otter run` |\n|---|---|")
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        autograder = otter.packed(Path(folder))
        honest = points(otter.run(base(), autograder, ENVIRONMENT)[2])
        assert honest is not None
        tell = partial(gained, autograder=autograder, honest=honest)
        gains = thread_map(tell, tried, max_workers=len(os.sched_getaffinity(0)), unit="attack")
        for attack, gain in zip(tried, gains, strict=True):
            if gain.startswith("no result"):  # a busy machine is no attack: once more, alone
                gain = tell(attack)
            if gain:
                count += 1
                print(f"| {attack.family}: {attack.id} | {gain} |")
    print(f"\n{count} of the {len(tried)} attacks tried gained something.")


if __name__ == "__main__":
    main()
