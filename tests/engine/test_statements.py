"""Cells into statements."""

from __future__ import annotations

import ast

import pytest

from autograder.child.statements import Statement, of_cell


def statements(cells: list[str]) -> list[Statement]:
    return [statement for number, cell in enumerate(cells, 1) for statement in of_cell(number, cell)]


def unparsed(*cells: str) -> list[str]:
    return [ast.unparse(statement.node) if statement.node else "!" for statement in statements(list(cells))]


def test_each_top_level_statement_stands_alone():
    """Cell and line are counted from 1."""
    found = statements(["x = 1\nfor i in range(3):\n    x += i\n", "y = 2"])
    assert [(s.cell, s.line, sorted(s.names)) for s in found] == [(1, 1, ["x"]), (1, 2, ["i", "x"]), (2, 1, ["y"])]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a, (b, c) = f()", "abc"),
        ("x: int = 1", "x"),
        ("(y := 3)", "y"),
        ("import torch.nn as n, os.path", ["n", "os"]),
        ("with f() as g:\n    h = [i for i in range(3)]", "gh"),
        ("def f(x):\n    y = 1", "f"),
        ("try:\n    p = 1\nexcept E:\n    q = 2", "pq"),
        ("z = lambda w: (v := w)", "z"),
    ],
)
def test_bound_names_are_those_of_the_top_level(cell, names):
    """Names inside functions, lambdas and comprehensions are not bound at the top level."""
    (statement,) = statements([cell])
    assert statement.names == frozenset(names)


@pytest.mark.parametrize(
    "cell",
    [
        "%time x = f()",
        "%%time\nx = f()",
        "%%capture out\nx = f()",
        "get_ipython().run_line_magic('time', 'x = f()')",
        "get_ipython().run_cell_magic('time', '', 'x = f()\\n')",
    ],
)
def test_timed_code_is_the_code(cell):
    """Magics that run code bind its names, in a notebook as in an exported script."""
    assert unparsed(cell) == ["x = f()"]


def test_other_magics_and_shell_commands_are_python():
    """They become calls of `get_ipython()`, which do nothing."""
    found = unparsed("!pip install torch\n%matplotlib inline\nrnn?\nx = 1")
    assert len(found) == 4
    assert found[-1] == "x = 1"


def test_syntax_error_costs_its_own_block():
    """The other blocks of the cell are run all the same."""
    found = unparsed("x = 1\nrnn = nn.RNN(\n    input_size= ,\n)\nif x:\n    y = 2\nelse:\n    y = 3\n")
    assert found == ["x = 1", "!", "if x:\n    y = 2\nelse:\n    y = 3"]


@pytest.mark.parametrize("cell", ["(" * 100_000, "\0", "x = '\ud800'", "-" * 100_000 + "1", "\\", "%%"])
def test_hostile_cell_is_an_error_of_its_own(cell):
    """Whatever a cell holds, the next one is run."""
    assert unparsed(cell, "y = 1")[-1] == "y = 1"
