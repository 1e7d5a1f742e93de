"""Small changes of the reference answers, made by rule: whatever changes the answer, the graders must notice."""

from __future__ import annotations

import ast
import copy
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import tomli

from autograder import course
from autograder.course import corpus
from autograder.grading.trials import Trial
from tools.certify.judging import Found, judge

__all__ = ["Mutant", "caught", "mutants"]


@dataclass(frozen=True)
class Mutant:
    """The solution with one change in one answer cell."""

    question: str
    number: int
    code: str
    change: str

    @property
    def id(self) -> str:
        return f"{self.question}-{self.number:03}"

    @property
    def is_right(self) -> bool:
        """Whether it is still a right answer, as `tests/mutants.toml` says."""
        return any(re.fullmatch(form, self.change) for form in _equivalent())


@functools.cache
def _equivalent() -> tuple[str, ...]:
    entries = tomli.loads((course.ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["equivalent"]
    return tuple(entry["change"] for entry in entries)


def caught(question: str, *, every: int) -> Found:
    """Whether every change of the answer to *question* fails a hidden check, unless it is right all the same."""
    tried = [one for one in mutants(question) if not one.is_right][::every]
    failed = judge().failing([Trial(one.id, question, {question: one.code}) for one in tried])
    wrong = [f"{one.id} passes: {one.change}" for one in tried if not failed[one.id]]
    return Found("mutants caught", wrong, len(tried))


def mutants(question: str) -> list[Mutant]:
    """All changes of the answer cell of *question*, each only once."""
    found = []
    original = ast.parse(corpus.answer(question))
    seen = {ast.unparse(original)}
    for tree in _changed(original):
        code = ast.unparse(ast.fix_missing_locations(tree))
        if code not in seen:
            seen.add(code)
            found.append(Mutant(question, len(seen) - 1, code, _difference(ast.unparse(original), code)))
    return found


def _difference(before: str, after: str) -> str:
    old, new = before.splitlines(), after.splitlines()
    if sorted(old) == sorted(new):
        return "earlier: " + next(line.strip() for line, was in zip(new, old, strict=True) if line != was)
    changed = [line.strip() for line in new if line not in old] or [
        "without: " + line for line in old if line not in new
    ]
    return "; ".join(changed)


def _changed(tree: ast.Module) -> Iterator[ast.Module]:
    """Copies of *tree* with one change each."""
    names = sorted(
        {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    )
    for index, node in enumerate(ast.walk(tree)):
        for change in _changes(node, names):
            mutant = copy.deepcopy(tree)
            target = list(ast.walk(mutant))[index]
            change(target)
            yield mutant


class _Change:
    """Set a field of a node."""

    def __init__(self, field: str, value: object) -> None:
        self.field, self.value = field, value

    def __call__(self, node: ast.AST) -> None:
        setattr(node, self.field, copy.deepcopy(self.value))


def _changes(node: ast.AST, names: list[str]) -> Iterator[_Change]:
    match node:
        case ast.Module(body=body) | ast.For(body=body):
            for index in range(len(body)):
                if len(body) > 1:  # remove a statement, exchange two
                    yield _Change("body", body[:index] + body[index + 1 :])
                if index:
                    yield _Change("body", [*body[: index - 1], body[index], body[index - 1], *body[index + 1 :]])
        case ast.Call(args=args, keywords=keywords):
            for index in range(len(args)):
                yield _Change("args", args[:index] + args[index + 1 :])
                if index:
                    yield _Change("args", [*args[: index - 1], args[index], args[index - 1], *args[index + 1 :]])
            for index, keyword in enumerate(keywords):
                yield _Change("keywords", keywords[:index] + keywords[index + 1 :])
                if index:  # exchange the values of two arguments
                    before = keywords[index - 1]
                    exchanged = [ast.keyword(before.arg, keyword.value), ast.keyword(keyword.arg, before.value)]
                    yield _Change("keywords", [*keywords[: index - 1], *exchanged, *keywords[index + 1 :]])
        case ast.Tuple(elts=elements):
            for index in range(1, len(elements)):
                swapped = [*elements[: index - 1], elements[index], elements[index - 1], *elements[index + 1 :]]
                yield _Change("elts", swapped)
        case ast.Constant(value=bool(value)):
            yield _Change("value", not value)
        case ast.Constant(value=int(value)):
            yield _Change("value", value + 1)
            yield _Change("value", value - 1)
        case ast.Name(id=name, ctx=ast.Load()):
            for other in names:
                if other != name:
                    yield _Change("id", other)
        case ast.BinOp(op=ast.Mult()):
            yield _Change("op", ast.Add())
        case ast.Compare(ops=[ast.Gt()]):
            yield _Change("ops", [ast.GtE()])
            yield _Change("ops", [ast.Lt()])
        case ast.Attribute(attr="argmax"):
            yield _Change("attr", "argmin")
        case ast.Attribute(attr="RNN" | "LSTM" | "GRU" as attribute):
            for other in ("RNN", "LSTM", "GRU"):
                if other != attribute:
                    yield _Change("attr", other)
        case ast.Attribute(attr="squeeze" | "unsqueeze" | "transpose" as attribute):
            for other in ("squeeze", "unsqueeze"):
                if other != attribute:
                    yield _Change("attr", other)
