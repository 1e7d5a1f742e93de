"""The structure of the package: what builds on what, and of which type everything is."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import autograder

PACKAGE = Path(autograder.__file__).parent
FLOORS = [
    "cli",
    "build",
    "classroom",
    "report",
    "grading",
    "course",
    "intake",
    "student",
    "sandbox",
    "grade",
    "wire",
    "language",
]
"""From the top: each may import those after it."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    module_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem != "__init__"
}


def imported(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("autograder"):
            module = node.module.partition(".")[2]
            names = [f"{module}.{name.name}".strip(".") for name in node.names]
            yield from (name if name in MODULES else module for name in names if module or name in MODULES)


def test_imports_run_downwards_and_in_no_circle() -> None:
    """No module imports one of a package above it, and none imports itself by way of others."""
    graph = {module: set(imported(path)) - {module} for module, path in MODULES.items()}
    floors = {module: FLOORS.index(module.partition(".")[0]) for module in MODULES}
    assert sum(map(len, graph.values())) > 200
    assert [(one, other) for one in graph for other in graph[one] if floors[one] > floors[other]] == []
    faces = {module for module, path in MODULES.items() if path.stem == "__init__"}  # they only hand names on
    graphlib.TopologicalSorter(
        {module: names - faces for module, names in graph.items() if module not in faces}
    ).prepare()


def test_types_hold() -> None:
    """Mypy, as strict as pyproject.toml says, finds nothing."""
    found = subprocess.run([sys.executable, "-m", "mypy"], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert found.returncode == 0, found.stdout
