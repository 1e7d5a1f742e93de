"""Small changes of the reference answers, made by rule: whatever changes the answer, the graders must notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from autograder import corpus, course
from autograder.records import Submission

__all__ = ["EQUIVALENT", "Mutant", "mutants"]

# Changes after which the answer is still right, by what the changed line looks like then. Everything else that the
# graders let pass is a hole in them.
EQUIVALENT: tuple[tuple[str, str], ...] = ()


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
    def submission(self) -> Submission:
        return Submission(f"mutant/{self.id}.ipynb", self.id, corpus.with_answers({self.question: self.code}))

    @property
    def reason(self) -> str:
        """Why it is still a right answer, if it is."""
        return next((reason for text, reason in EQUIVALENT if text in self.change), "")


def mutants() -> list[Mutant]:
    """All changes of all answer cells, each only once."""
    found = []
    for question in course.questions():
        if not question.points:
            continue
        original = ast.parse(corpus.answer(question.id))
        seen = {ast.unparse(original)}
        for tree in _changed(original):
            code = ast.unparse(ast.fix_missing_locations(tree))
            if code not in seen:
                seen.add(code)
                change = _difference(ast.unparse(original), code)
                found.append(Mutant(question.id, len(seen) - 1, code, change))
    return found


def _difference(before: str, after: str) -> str:
    old, new = before.splitlines(), after.splitlines()
    changed = [line.strip() for line in new if line not in old] or [
        "without: " + line for line in old if line not in new
    ]
    return "; ".join(changed) or "lines in another order"


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
                    swapped = [ast.keyword(before.arg, keyword.value), ast.keyword(keyword.arg, before.value)]
                    yield _Change("keywords", [*keywords[: index - 1], *swapped, *keywords[index + 1 :]])
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
