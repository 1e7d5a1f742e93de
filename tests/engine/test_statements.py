"""Cells into statements."""

from __future__ import annotations

import ast
import time
from types import SimpleNamespace

import pytest

from autograder.student.execute import Execution
from autograder.student.program import Statement, of_cell, spoken


def statements(*cells: str) -> list[Statement]:
    return [statement for number, cell in enumerate(cells, 1) for statement in of_cell(number, cell)]


def unparsed(*cells: str) -> list[str]:
    return [ast.unparse(statement.node) if statement.node else "!" for statement in statements(*cells)]


def test_each_top_level_statement_stands_alone():
    """Cell and line are counted from 1."""
    found = statements("x = 1\nfor i in range(3):\n    x += i\n", "y = 2")
    assert [(s.cell, s.line, sorted(s.names)) for s in found] == [(1, 1, ["x"]), (1, 2, ["i", "x"]), (2, 1, ["y"])]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("a, (b, c) = f()", "abc"),
        ("x: int = 1", "x"),
        ("x += 1", "x"),
        ("(y := 3)", "y"),
        ("import torch.nn as n, os.path", ["n", "os"]),
        ("from torch import nn", ["nn"]),
        ("with f() as g:\n    h = [i for i in range(3)]", "gh"),
        ("def f(x):\n    y = 1", "f"),
        ("def f():\n    global h_n\n    h_n = 1", ["f", "h_n"]),
        ("class C:\n    y = 1", "C"),
        ("try:\n    p = 1\nexcept E:\n    q = 2", "pq"),
        ("z = lambda w: (v := w)", "zv"),
        ("x[0] = y.a = 1", ""),
    ],
)
def test_bound_names_are_those_of_the_top_level(cell, names):
    """Names inside functions, classes and comprehensions are not bound at the top level."""
    (statement,) = statements(cell)
    assert statement.names >= frozenset(names) - {"v"}
    assert statement.names <= frozenset(names)


@pytest.mark.parametrize(
    "cell",
    [
        "%time x = f()",
        "%%time\nx = f()",
        "%%capture out\nx = f()",
        "x = %time f()",
        "get_ipython().run_line_magic('time', 'x = f()')",
        "get_ipython().run_cell_magic('time', '', 'x = f()\\n')",
    ],
)
def test_timed_code_is_the_code(cell):
    """Magics that run code bind its names, in a notebook as in an exported script."""
    assert [text.replace("(f())", "f()") for text in unparsed(cell)] == ["x = f()"]


def test_other_magics_and_shell_commands_are_python():
    """They become calls of `get_ipython()`, which do nothing."""
    found = unparsed("!pip install torch\n%matplotlib inline\nrnn?\nx = 1")
    assert len(found) == 4
    assert found[-1] == "x = 1"


def test_syntax_error_costs_its_own_block():
    """The other blocks of the cell are run all the same, and the broken one tells what it was to bind."""
    found = statements("x = 1\nrnn = nn.RNN(\n    input_size= ,\n)\nif x:\n    y = 2\nelse:\n    y = 3\n")
    assert [(s.node is None, s.line) for s in found] == [(False, 1), (True, 3), (False, 5)]
    assert "rnn" in found[1].names
    assert statements("def make(size)\n    layer = size")[0].names == {"make", "layer"}


@pytest.mark.parametrize("indent", ["    ", "\t", "\u00a0\u00a0", "\u3000"])
def test_block_that_is_no_python_was_to_bind_names(indent):
    """Its error is told with them, also where it is indented by the spaces of a web page."""
    (statement,) = of_cell(1, f"for t in steps:\n{indent}out, hidden = gru(t, hidden))\n")
    assert statement.names == {"out", "hidden"}


@pytest.mark.parametrize("cell", ["(" * 100_000, "\0", "x = '\ud800'", "-" * 100_000 + "1", "\\", "%%"])
def test_hostile_cell_is_an_error_of_its_own(cell):
    """Whatever a cell holds, the next one is run."""
    assert unparsed(cell, "y = 1")[-1] == "y = 1"


def test_numbers_that_are_written_are_told_with_their_lines_and_can_be_replaced():
    """Whole numbers only: not those in names, texts or truth values."""
    (statement,) = statements("x = [512,\n     f(512.0, '512', True, x512)[256]]")
    found = list(statement.numbers({512, 256, 1}))
    assert sorted((one.value, one.lineno) for one in found) == [(256, 2), (512, 1)]
    for one in found:
        one.value = 8
    assert "[8, f(512.0, '512', True, x512)[8]]" in ast.unparse(statement.node)


def test_assertions_and_await_are_compiled_as_in_a_notebook():
    """`assert` asserts nothing, `await` may stand at the top level, and `_` is the last value."""
    namespace: dict[str, object] = {}
    for statement in statements("assert False, missing", "3 + 4", "x = _"):
        exec(statement.code, namespace)
    assert namespace["x"] == 7
    (awaiting,) = statements("y = await f()")
    assert awaiting.names == {"y"}
    assert awaiting.code


def test_code_speaks_of_names_attributes_keywords_and_words_in_texts():
    """That is more than it can touch, and nothing that it touches is missing."""
    code = compile("a.b(c=1)[globals()['d e']] = lambda f: g", "<cell>", "exec")
    assert {"a", "b", "c", "d", "e", "g"} <= spoken(code)


def test_outline_of_many_statements_in_many_cells_takes_no_time():
    """Statements are gone through once, not once for each cell."""
    program = [Statement(number % 2000, 1, None) for number in range(200_000)]
    binds = {number: {"h_n": (1, 1)} for number in range(2000)}
    job = SimpleNamespace(numbers={10: 3})
    execution = SimpleNamespace(program=program, own=set(range(2000)), binds=binds, job=job)
    before = time.process_time()
    assert len(Execution.outline(execution)) == 2000
    assert time.process_time() - before < 3
