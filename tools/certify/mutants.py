"""Small changes of the reference answers, made by rule: whatever changes the answer, the graders must notice."""

import ast
import copy
import functools
import re
from collections.abc import Iterator
from typing import TypeVar

from autograder import course
from autograder.course import corpus
from autograder.course.files import toml
from tools.certify.judging import judge
from tools.certify.proof import Found

__all__ = ["caught", "equivalent", "mutants"]

T = TypeVar("T")

LEAST_CAUGHT = 0.98
"""The share of mutants that the graders must notice."""


@functools.cache
def equivalent() -> tuple[str, ...]:
    """What changes are right answers, as `tests/mutants.toml` says: regular expressions for all of what changed."""
    return tuple(entry["change"] for entry in toml(course.ROOT / "tests" / "mutants.toml")["equivalent"])


def caught(question: str, *, every: int) -> Found:
    """Whether every change of the answer to *question* fails a hidden check, unless it is right all the same."""
    changes = mutants(question)
    tried = [code for code in changes if not any(re.fullmatch(form, changes[code]) for form in equivalent())][::every]
    failed = judge().failing(question, {code: {question: code} for code in tried})
    passed = [f"{question} passes: {changes[code]}" for code in tried if not failed[code]]
    return Found("mutants caught", passed, len(tried), LEAST_CAUGHT)


def mutants(question: str) -> dict[str, str]:
    """What changed, by the answer cell of *question* with one change; each only once."""
    original = ast.parse(corpus.answer(question))
    before = ast.unparse(original)
    codes = dict.fromkeys(ast.unparse(ast.fix_missing_locations(tree)) for tree in _changed(original))
    return {code: _difference(before, code) for code in codes if code != before}


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
        for field, value in _changes(node, names):
            mutant = copy.deepcopy(tree)
            setattr(list(ast.walk(mutant))[index], field, copy.deepcopy(value))
            yield mutant


def _changes(node: ast.AST, names: list[str]) -> Iterator[tuple[str, object]]:
    """Fields of *node*, each with what may stand there instead; *names* are those that may take another's place."""
    match node:
        case ast.Module(body=body) | ast.For(body=body):
            yield from (("body", changed) for changed in (*_exchanged(body), *_without_one(body)) if changed)
        case ast.Call(args=args, keywords=keywords):
            yield from (("args", changed) for changed in (*_exchanged(args), *_without_one(args)))
            yield from (("keywords", changed) for changed in _without_one(keywords))
            for values in _exchanged([keyword.value for keyword in keywords]):
                pairs = zip(keywords, values, strict=True)
                yield "keywords", [ast.keyword(keyword.arg, value) for keyword, value in pairs]
        case ast.Tuple(elts=elements):
            yield from (("elts", changed) for changed in _exchanged(elements))
        case ast.Constant(value=bool(value)):
            yield "value", not value
        case ast.Constant(value=int(value)):
            yield from (("value", value + 1), ("value", value - 1))
        case ast.Name(id=name, ctx=ast.Load()):
            yield from (("id", other) for other in names if other != name)
        case ast.BinOp(op=ast.Mult()):
            yield "op", ast.Add()
        case ast.Compare(ops=[ast.Gt()]):
            yield from (("ops", [ast.GtE()]), ("ops", [ast.Lt()]))
        case ast.Attribute(attr=attribute):
            others = {other for group in _ALIKE if attribute in group for other in group}
            yield from (("attr", other) for other in sorted(others - {attribute, "transpose", "argmax"}))


_ALIKE = (("RNN", "LSTM", "GRU"), ("squeeze", "unsqueeze", "transpose"), ("argmax", "argmin"))
"""Attributes that may stand for one another; `transpose` and `argmax` for no other."""


def _without_one(items: list[T]) -> Iterator[list[T]]:
    return (items[:index] + items[index + 1 :] for index in range(len(items)))


def _exchanged(items: list[T]) -> Iterator[list[T]]:
    """The list with two neighbours exchanged."""
    return ([*items[: i - 1], items[i], items[i - 1], *items[i + 1 :]] for i in range(1, len(items)))
