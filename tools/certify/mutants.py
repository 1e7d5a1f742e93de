"""Small changes of the reference answers, made by rule: whatever changes the answer, the graders must notice."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder import corpus, course

__all__ = ["EQUIVALENT", "Mutant", "mutants"]

# Changes after which the answer is still right, and why. What else the graders let pass is a hole in them.
_LAYER = r"\w+ = nn\.\w+\(input_size=embedding_size, hidden_size=hidden_size, "
_ONE = "there, num_layers and num_dirs are both 1"
EQUIVALENT: tuple[tuple[str, str], ...] = (
    (_LAYER + r"bidirectional=num_dirs > 1, batch_first=False\)", f"{_ONE}: a single layer is the default"),
    (_LAYER + r"num_layers=num_layers, batch_first=False\)", f"{_ONE}: a single direction is the default"),
    (_LAYER + r"num_layers=num_layers, bidirectional=num_dirs > 1\)", "batch_first is False by default"),
    (_LAYER + r"num_layers=num_layers, bidirectional=num_dirs > 1, batch_first=True\)", "either layout is right"),
    (_LAYER + r"num_layers=num_layers, bidirectional=False, batch_first=num_dirs > 1\)", f"{_ONE}: both are False"),
    (_LAYER + r"num_layers=num_dirs, bidirectional=num_dirs > 1, batch_first=False\)", _ONE),
    (
        _LAYER
        + r"num_layers=num_layers, bidirectional=(num_dirs < 1|num_dirs > 2|num_layers > 1), batch_first=False\)",
        f"{_ONE}: a single direction",
    ),
    (r".* = (rnn|lstm)\(batch_emb\.transpose\(0, 1\)\)|.* = bi_gru\(packed_batch\)", "zero states are the default"),
    (r".*batch_emb\.transpose\(1, 0\).*", "transpose(1, 0) is transpose(0, 1)"),
    (r".* = lstm\(batch_emb\.transpose\(0, 1\), \((c_0, h_0|c_0, c_0|h_0, h_0)\)\)", "both states are zeros"),
    (r"hidden, output = gru\(input_emb, hidden\)", "in one step of one layer, output and state are the same numbers"),
    (r"logits = output_layer\(hidden\)", "in one step of one layer, output and state are the same numbers"),
    (r"hidden = torch\.zeros\(num_(dirs \* num_dirs|layers \* num_layers), batch.*", _ONE),
    (r"hidden = torch\.zeros\(.*, input_id\.shape\[0\], hidden_size\)", "there is a first word for every row"),
    (r"earlier: (hidden = torch\.zeros|decoded_ids = \[\]|last_backward = ).*", "neither line needs the other"),
)


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
    def reason(self) -> str:
        """Why it is still a right answer, if it is."""
        return next((reason for form, reason in EQUIVALENT if re.fullmatch(form, self.change)), "")


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
