"""Cells into top-level statements, so that one that fails does not take the others with it; and what they bind."""

from __future__ import annotations  # student code that is compiled here inherits it

import ast
import contextlib
import functools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

__all__ = ["RUNNING_MAGICS", "TOLD", "Statement", "of_cell"]

TOLD = "__bound__"
"""The name of the function that says what a name is to be bound to: see `Statement.tell`."""

# Magics that run the code they are given; all others are passed over.
RUNNING_MAGICS = {"time", "timeit", "capture", "prun", "memit", "snakeviz", "pyinstrument", "wandb"}
# A line that starts so goes on with the block before it.
_CONTINUATIONS = ("else", "elif", "except", "finally", ")", "]", "}", "#")
_TARGETS = re.compile(r"(?m)^[^\S\n]*(?:(?:def|class)[ \t]+(\w+)|([A-Za-z_]\w*(?:[ \t]*,[ \t(]*\w+)*)[ \t)]*=(?!=))")
_NAME = re.compile(r"[A-Za-z_]\w*")
_NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError, IndexError)
_BLOCKS = (ast.With, ast.If, ast.For, ast.While, ast.Try, ast.Match, ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Statement:
    """One top-level statement of a cell, or the error that kept it from being one."""

    cell: int
    """The code cell's number, from 1."""
    line: int
    """Its first line within the cell, from 1."""
    node: ast.stmt | None
    error: SyntaxError | None = None
    meant: frozenset[str] = frozenset()
    """The names that stand to the left of `=`, or after `def` or `class`, in what is no statement."""

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """The names that it binds at the top level, or would if it were one."""
        return frozenset(self.meant if self.node is None else _bound(self.node))

    @functools.cached_property
    def touched(self) -> frozenset[str]:
        """The names that it binds, and those that it fills: by item, or by a method whose value it drops."""
        filled = set()
        for inner in ast.walk(self.node) if self.node else ():
            match inner:
                case ast.Subscript(ast.Name(name), ctx=ast.Store()) | ast.Expr(ast.Call(ast.Attribute(ast.Name(name)))):
                    filled.add(name)
        return self.names | filled

    @functools.cached_property
    def read(self) -> set[str]:
        """The names whose values it reads."""
        nodes = ast.walk(self.node) if self.node else ()
        return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}

    @functools.cached_property
    def spoken(self) -> set[str]:
        """The names that it speaks of; none if it is not even a statement."""
        try:
            return spoken(self.code)
        except _NOT_PYTHON:
            return set()

    @functools.cached_property
    def code(self) -> CodeType:
        """What to execute. Raises the error that kept it from being a statement, or from being compiled."""
        if self.error is not None:
            raise self.error
        assert self.node is not None
        node = self.node
        if isinstance(node, ast.Expr):  # as in IPython, `_` is what the last expression gave
            last = ast.copy_location(ast.Name("_", ast.Store()), node)
            node = ast.copy_location(ast.Assign([last], node.value), node)
        # Without `assert`: what one says of the released sizes is no part of an answer.
        code: CodeType = compile(
            ast.Module([node], []), f"<cell {self.cell}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, optimize=1
        )
        return code

    def tell(self, names: Collection[str]) -> None:
        """If this is a block, let what it binds to any of *names* be what `TOLD` gives for it, wherever it stands."""
        if isinstance(self.node, _BLOCKS):
            ast.fix_missing_locations(_Telling(names).visit(self.node))

    def numbers(self, numbers: Collection[int]) -> Iterator[Any]:
        """Where any of these whole numbers is written in it: the constants, as nodes of its tree."""
        for node in ast.walk(self.node) if self.node and numbers else ():
            if isinstance(node, ast.Constant) and type(node.value) is int and node.value in numbers:
                yield node

    def within(self, cell: int) -> Statement:
        """The same statement in another cell, without taking it apart and compiling it again."""
        moved = object.__new__(Statement)
        vars(moved).update(vars(self), cell=cell, names=self.names, code=self.code)
        return moved


class _Telling(ast.NodeTransformer):
    """Puts `x = TOLD("x", x)` after each assignment to a name x of those that are told."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.stmt]:
        told: list[ast.stmt] = [node]
        for name in {*_bound(node)} & {*self.names} if node.value else ():
            call = ast.Call(ast.Name(TOLD, ast.Load()), [ast.Constant(name), ast.Name(name, ast.Load())], [])
            told.append(ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], call), node))
        return told

    visit_AnnAssign = visit_AugAssign = visit_Assign


def of_cell(number: int, cell: str) -> Iterator[Statement]:
    """The statements of one cell, in order."""
    try:
        nodes = _parse(cell)
    except _NOT_PYTHON:
        yield from _piecewise(number, cell)
    else:
        for node in nodes:
            yield from _unwrapped(number, node)


def spoken(code: CodeType) -> set[str]:
    """All names in *code*, bound or read, with attributes, keywords and words in strings: more than it can touch."""
    found = {*code.co_names, *code.co_varnames}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= spoken(constant)
        elif isinstance(constant, (str, tuple)):  # as in `globals()["h_n"]`; names of keywords are a tuple
            found.update(_NAME.findall(str(constant)))
    return found


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that *node* binds where it stands."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            yield from (name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names)
            return
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from (inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
            return
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case ast.alias():
            yield (node.asname or node.name).partition(".")[0]
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def _parse(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source, "<cell>").body
    except SyntaxError:
        # Imported in the warm process: what only reads the handed-out cells must not take as long.
        from IPython.core.inputtransformer2 import TransformerManager

        transformed = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        return ast.parse(transformed, "<cell>").body


def _piecewise(number: int, cell: str) -> Iterator[Statement]:
    """The blocks of a cell that cannot be parsed as a whole: those that can be parsed are run all the same."""
    lines = cell.splitlines(keepends=True)
    starts = [
        index
        for index, line in enumerate(lines)
        if line.strip() and not line[0].isspace() and not line.startswith(_CONTINUATIONS)
    ]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        block = "".join(lines[start:end])
        try:
            nodes = _parse(block)
        except _NOT_PYTHON as problem:
            error = problem if isinstance(problem, SyntaxError) else SyntaxError(type(problem).__name__)
            meant = {name for names in _TARGETS.findall(block) for name in _NAME.findall(" ".join(names))}
            yield Statement(number, start + (error.lineno or 1), None, error, frozenset(meant))
        else:
            for node in nodes:
                yield from _unwrapped(number, ast.increment_lineno(node, start))


def _unwrapped(number: int, node: ast.stmt) -> Iterator[Statement]:
    """`%time x = f()`, a `%%time` cell and `if __name__ == "__main__":`, as in scripts, are the code inside."""
    match node:
        case ast.If(ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]), body, []):
            for inner_node in body:
                yield from _unwrapped(number, inner_node)
            return
        case ast.Expr(value=ast.Call() as call) if (code := _magic_code(call)) is not None:
            for inner in of_cell(number, code):
                if inner.node is not None:
                    ast.increment_lineno(inner.node, node.lineno - 1)
                yield replace(inner, line=inner.line + node.lineno - 1)
            return
        case ast.Assign(value=ast.Call() as call) if (code := _magic_code(call)) is not None:  # `x = %time f()`
            with contextlib.suppress(*_NOT_PYTHON):  # as `x = %timeit -o f()`, which gives something else
                value = ast.parse(f"({code}\n)", mode="eval").body
                node = ast.copy_location(ast.Assign(node.targets, value), node)
    yield Statement(number, node.lineno, node)


def _magic_code(call: ast.Call) -> str | None:
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("get_ipython")), attr=kind), args=args):
            words = [argument.value for argument in args if isinstance(argument, ast.Constant)]
            if kind in ("run_line_magic", "run_cell_magic") and words and words[0] in RUNNING_MAGICS:
                return str(words[-1])
    return None
