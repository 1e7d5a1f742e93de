"""The documentation does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from autograder import course
from autograder.course.corpus import misconceptions
from tools.attacks import attacks
from tools.cases import alternatives

GUIDE = (course.ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- (insert|file): (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


@pytest.fixture
def copy(tmp_path):
    """A copy of what a course is made of, with the guide's worked example carried out on it, and the new question.

    The question comes after the last one that there is, unless the example was carried out here already.
    """
    for folder in ("autograder", "solutions", "assignment", "tools"):
        shutil.copytree(course.ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("public", "hidden", "shown", "misconceptions", "alternatives", "attacks"):
        shutil.copytree(
            course.ROOT / "tests" / folder, tmp_path / "tests" / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    last = course.questions()[-1].id
    blocks = BLOCK.findall(GUIDE)
    if all((tmp_path / name).exists() and content in (tmp_path / name).read_text() for _, name, content in blocks):
        return tmp_path, "q9"
    new = f"q{int(last[1:]) + 1}"
    for action, name, content in blocks:
        path, content = tmp_path / name.replace("q9", new), content.replace("q9", new)
        if action == "insert":
            master = path.read_text(encoding="utf-8")
            end = master.index('# %% [markdown] lang="ko"', master.index(f'grader.check("{last}")'))
            content = f"{master[:end]}{content}\n{master[end:]}"
        path.write_text(content, encoding="utf-8")
    return tmp_path, new


def test_worked_example_makes_a_ninth_question(copy):
    """Built and certified as the guide says, the assignment has a question more, and the new mistakes are caught."""
    folder, question = copy

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", START, str(folder), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("autograder.build")
    printed = run("tools.certify", "--question", question, "--only", "corpus", "--workers", "1")
    assert re.search(r"^ok   misconception +2 of +2$", printed, re.MULTILINE)
    assert re.search(r"^ok   alternative +([1-9]\d*) of +\1$", printed, re.MULTILINE)
    assert "FAIL" not in printed


# The copy comes before the installed package, in this process and in those that it starts.
START = """
import os, runpy, sys
root, module, *arguments = sys.argv[1:]
os.environ["PYTHONPATH"] = root
sys.path.insert(0, root)
sys.argv = [module, *arguments]
from autograder.build import notebook
notebook.executed = lambda notebook: notebook  # a test of the build looks at outputs; here they would take long
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def test_every_row_about_code_names_entries_of_the_corpus():
    """What docs/grading.md says of a kind of code is proven by submissions that are there."""
    table = GUIDE.split("## What the grader does with the code")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    known = {entry.id for entry in (*alternatives(), *misconceptions(), *attacks())}
    known |= {path.name for path in (course.ROOT / "tests" / "answers").iterdir()}
    proofs = [set(re.findall(r"`([^`]+)`", row.rpartition(" | ")[2])) for row in rows]
    assert len(proofs) > 30
    assert [(row, proof - known) for row, proof in zip(rows, proofs, strict=True) if not proof or proof - known] == []


def test_every_promise_names_tests_that_there_are():
    """Each name of a test, and of a file of tests, in docs/security.md is one; so is each attack."""
    promises = (course.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    files = {
        path.name: path.read_text(encoding="utf-8") for path in (course.ROOT / "tests" / "engine").glob("test_*.py")
    }
    tests = {name for source in files.values() for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}
    assert set(re.findall(r"`(test_\w+)`", promises)) <= tests
    assert set(re.findall(r"`(test_\w+\.py)`", promises)) <= files.keys()
    families = "|".join({attack.family for attack in attacks()})
    told = set(re.findall(rf"`((?:{families})-[\w-]+)`", promises))
    assert told <= {attack.file_name.removesuffix(".ipynb") for attack in attacks()}
