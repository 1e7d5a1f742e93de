"""The same attacks against `otter run`, for a table: what they gain where tests run beside student code.

Only attacks that are harmless without a sandbox are tried.
"""

import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

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


def main() -> int:
    """Run the attacks and print a table in Markdown."""
    tried = [attack for attack in attacks() if attack.unconfined]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        autograder = otter.packed(Path(folder))
        honest = points(otter.run(base(), autograder, ENVIRONMENT)[2])
        assert honest is not None
        found = pool.map(lambda attack: gained(attack, autograder, honest), tried)
        gains = dict(
            zip([attack.file_name for attack in tried], tqdm(found, total=len(tried), unit="attack"), strict=True)
        )
        for attack in tried:
            if gains[attack.file_name].startswith("no result"):  # a busy machine is no attack: once more, alone
                gains[attack.file_name] = gained(attack, autograder, honest)
    print("| attack | gained with `otter run` |\n|---|---|")
    for attack in tried:
        if gains[attack.file_name]:
            print(f"| {attack.family}: {attack.id} | {gains[attack.file_name]} |")
    print(f"\n{sum(map(bool, gains.values()))} of the {len(tried)} attacks tried gained something.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
