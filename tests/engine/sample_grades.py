"""Grades with every kind of wrong answer, made up: what pages and tables are tried with."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from autograder.course import Scenario
from autograder.grade import (
    Adjustment,
    CheckResult,
    Difference,
    Example,
    Grade,
    Note,
    OwnCell,
    Person,
    QuestionGrade,
    Reach,
    Row,
    Shown,
    StatementError,
)
from autograder.language import Language

__all__ = ["EVIL", "EXAMPLES", "class_of", "evil_row", "row", "tensor", "values_differ", "without_score"]

EVIL = "<script>alert(1)</script>\x1b[31m\u202e\ud800&\"'`"
LAYERS, DIRECTIONS, STEPS, ROWS, SIZE = 3, 2, 5, 3, 4

EXAMPLES = (
    Scenario(
        "uneven",
        {"ko": "길이가 5, 3, 2인 sequence 셋", "en": "three sequences of lengths 5, 3 and 2"},
        {"data": [[7, 2, 9, 4, 1], [3, 8, 5], [6, 2]]},
    ),
)


def numbers(*shape: int, seed: int = 0) -> Any:
    """Nested tuples of numbers like a state's."""
    rng = random.Random(f"{shape} {seed}")

    def nested(sizes: tuple[int, ...]) -> Any:
        return tuple(nested(sizes[1:]) for _ in range(sizes[0])) if sizes else round(rng.uniform(-1, 1), 3)

    return nested(shape)


def tensor(held: Any) -> Shown:
    shape, part = [], held
    while isinstance(part, (list, tuple)):
        shape.append(len(part))
        part = part[0]
    return Shown("tensor", tuple(shape), held)


def packed(held: Any, sizes: tuple[int, ...]) -> Shown:
    return Shown("packed", (len(held), len(held[0])), held, sizes)


def unequal(one: Any, other: Any) -> Any:
    """Where two nests of numbers differ."""
    if isinstance(one, (list, tuple)):
        return tuple(unequal(a, b) for a, b in zip(one, other, strict=True))
    return one != other


def values_differ(name: str, symbols: str, expected: Any, received: Any, **where: Any) -> Difference:
    note = Note("values", {"name": name, **where})
    return Difference(name, note, tensor(expected), tensor(received), symbols, unequal(expected, received))


def shapes_differ(name: str, symbols: str, expected: Any, received: Any) -> Difference:
    one, other = tensor(expected), tensor(received)
    first, second, *rest = symbols.split()
    about = {"name": name, "received": list(other.shape), "symbols": symbols}
    if first == "L":
        shapes = [list(one.shape), [one.shape[1], one.shape[0], *one.shape[2:]]]
        about |= {"expected": shapes, "orders": [symbols, " ".join([second, first, *rest])]}
    else:
        about |= {"expected": list(one.shape)}
    return Difference(name, Note("shape", about), one, other, symbols)


def replaced(held: Any, *places: tuple[int, ...], seed: int = 9) -> Any:
    """*held* with other numbers below some places."""

    def below(part: Any, index: tuple[int, ...]) -> Any:
        if index in places:
            return numbers(*tensor(part).shape, seed=seed) if isinstance(part, tuple) else round(part + 0.004, 3)
        return tuple(below(one, (*index, i)) for i, one in enumerate(part)) if isinstance(part, tuple) else part

    return below(held, ())


def reach(name: str, symbols: str, moved: Any, expected: Any) -> Reach:
    return Reach(name, 1, 2, symbols, moved, expected)


def check(name: str, points: float, kind: str = "", about: str = "", scenario: str = "one-sequence") -> CheckResult:
    note = Note(kind, {"name": about}) if kind else None
    return CheckResult(name, points, not kind, note, scenario if kind else "")


def q1() -> QuestionGrade:
    expected = numbers(ROWS, STEPS, SIZE)
    received = replaced(expected, (1, 3), (1, 4), (2, 2), (2, 3), (2, 4))
    differs = values_differ("batch_emb", "B L d_w", expected, received, where="short-rows")
    return QuestionGrade(
        "q1",
        10.0,
        4.0,
        (check("test_embedding_layer", 4.0), check("test_batch_emb_values", 6.0, "hidden-values", "batch_emb")),
        True,
        example=Example("uneven", (differs,)),
        cells=(OwnCell(7, "embedding = nn.Embedding(vocab_size, embedding_size)\nbatch_emb = embedding(batch * 1)\n"),),
    )


def q2() -> QuestionGrade:
    right = {"input_size": 4, "hidden_size": 4, "num_layers": 1, "bias": True, "dropout": 0.0, "bidirectional": False}
    layers = [Shown("other", arguments=right | {"input_size": size}) for size in (4, 256)]
    note = Note("argument", {"name": "rnn", "argument": "input_size", "expected": 4, "received": 256})
    typed = Note("typed-size", {"number": 256, "cell": 10, "line": 2})
    code = "rnn = nn.RNN(\n    input_size=256,\n    hidden_size=hidden_size,\n    batch_first=True,\n)"
    return QuestionGrade(
        "q2",
        10.0,
        0.0,
        (check("test_rnn_layer", 10.0, "hidden-argument", "rnn"), check("test_shape", 0.0, "hidden-shape", "rnn")),
        True,
        example=Example("uneven", (Difference("rnn", note, *layers),)),
        cells=(OwnCell(10, code),),
        notes=(typed,),
    )


def q3() -> QuestionGrade:
    states, last = numbers(STEPS, ROWS, SIZE), numbers(1, ROWS, SIZE)
    differences = (
        shapes_differ("hidden_states", "L B d_h", states, numbers(ROWS, STEPS, SIZE, seed=1)),
        shapes_differ("h_n", "1 B d_h", last, numbers(1, STEPS, SIZE, seed=1)),
    )
    return QuestionGrade(
        "q3",
        15.0,
        0.0,
        (
            check("test_hidden_states", 8.0, "hidden-shape", "hidden_states"),
            check("test_h_n", 7.0, "hidden-shape", "h_n"),
        ),
        True,
        "batch-axis-as-time",
        Example("uneven", differences),
        (OwnCell(12, "# 실행\nhidden_states, h_n = rnn(batch_emb)"),),
    )


def q4() -> QuestionGrade:
    note = Note("missing", {"name": "lstm"})
    differs = Difference("lstm", note, Shown("other"), Shown("other"))
    error = StatementError(16, 2, "NameError", "name 'hiden_size' is not defined")
    code = "torch.manual_seed(0)\nlstm = nn.LSTM(embedding_size, hiden_size)"
    return QuestionGrade(
        "q4",
        10.0,
        0.0,
        (check("test_lstm_layer", 10.0, "hidden-missing", "lstm"),),
        True,
        example=Example("uneven", (differs,), error),
        cells=(OwnCell(16, code),),
    )


def q5() -> QuestionGrade:
    h_n, c_n = numbers(1, ROWS, SIZE, seed=2), numbers(1, ROWS, SIZE, seed=3)
    differences = (values_differ("lstm_h_n", "1 B d_h", h_n, c_n), values_differ("c_n", "1 B d_h", c_n, h_n))
    return QuestionGrade(
        "q5",
        15.0,
        5.0,
        (
            check("test_lstm_states", 5.0),
            check("test_lstm_h_n", 5.0, "hidden-values", "lstm_h_n", "other-sizes"),
            check("test_c_n", 5.0, "hidden-values", "c_n", "other-sizes"),
        ),
        True,
        example=Example("uneven", differences),
        cells=(OwnCell(18, "lstm_states, (c_n, lstm_h_n) = lstm(batch_emb.transpose(0, 1), (h_0, c_0))"),),
    )


def q6() -> QuestionGrade:
    expected = ((7, 3, 6), (4, 9, 1), (2, 2, 8), (5, 1, 1), (9, 4, 3))
    received = ((7, 3, 6), (4, 9, 1), (2, 5, 8), (5, 5, 2), (1, 4, 2))
    last = numbers(1, ROWS, SIZE, seed=4)
    return QuestionGrade(
        "q6",
        20.0,
        0.0,
        (
            check("test_decoded_ids", 14.0, "hidden-values", "decoded_ids", "square"),
            check("test_final_hidden", 6.0, "hidden-values", "hidden", "square"),
        ),
        True,
        example=Example(
            "uneven",
            (
                Difference(
                    "decoded_ids",
                    Note("values", {"name": "decoded_ids", "where": "step", "step": 2}),
                    tensor(expected),
                    tensor(received),
                    "max_len B",
                    unequal(expected, received),
                ),
                values_differ("hidden", "1 B d_h", last, replaced(last, (0, 1), (0, 2, 3))),
            ),
        ),
        cells=(
            OwnCell(
                22, "for t in range(max_len):\n    x = embedding(input_id).unsqueeze(0)\n    out, _ = gru(x, hidden)\n"
            ),
        ),
    )


def q7() -> QuestionGrade:
    states = numbers(STEPS, ROWS, DIRECTIONS * SIZE)
    halves = replaced(states, *((step, row, place) for step in range(4) for row in (1, 2) for place in range(4, 8)))
    expected = tuple(tuple(step < length for length in (0, 3, 0)) for step in range(STEPS))
    moved = tuple(tuple(row == 1 for row in range(ROWS)) for _ in range(STEPS))
    rows, padded = numbers(10, SIZE), numbers(15, SIZE)
    about = {"name": "packed_batch", "expected": [10, SIZE], "received": [15, SIZE], "symbols": "N d_w"}
    longer = Note("packed-shape", about)
    return QuestionGrade(
        "q7",
        10.0,
        0.0,
        (
            check("test_packed_batch", 3.0, "hidden-packed-shape", "packed_batch"),
            check("test_bi_h_n", 3.0, "hidden-values", "bi_h_n"),
            check("test_outputs", 4.0, "hidden-values", "outputs"),
        ),
        True,
        "every-length-is-the-longest",
        Example(
            "uneven",
            (
                Difference("packed_batch", longer, packed(rows, (3, 3, 2, 1, 1)), packed(padded, (3,) * 5), "N d_w"),
                values_differ("outputs", "L B num_dirs*d_h", states, halves, where="half", half="backward"),
            ),
            reach=(reach("outputs", "L B num_dirs*d_h", moved, expected),),
        ),
        (OwnCell(26, "lengths = [max_len] * len(batch)\npacked_batch = pack_padded_sequence(batch_emb, lengths)"),),
    )


def q8() -> QuestionGrade:
    blocks = numbers(LAYERS * DIRECTIONS, ROWS, SIZE)
    right, wrong = ((blocks[0:2], blocks[2:4], blocks[4:6]), (blocks[0:3], blocks[3:6]))
    mixed = ((wrong[0][0], wrong[1][0]), (wrong[0][1], wrong[1][1]), (wrong[0][2], wrong[1][2]))
    may = tuple(tuple(row == 1 for row in range(ROWS)) for _ in range(LAYERS * DIRECTIONS))
    does = tuple(tuple(row == (1 if block else 2) for row in range(ROWS)) for block in range(LAYERS * DIRECTIONS))
    return QuestionGrade(
        "q8",
        10.0,
        0.0,
        (check("test_h_n_by_layer", 10.0, "hidden-values", "h_n_by_layer"),),
        True,
        example=Example(
            "uneven",
            (
                values_differ("h_n_by_layer", "num_layers num_dirs B d_h", right, mixed, where="places"),
                values_differ("last_forward", "B d_h", blocks[4], blocks[2]),
            ),
            reach=(
                reach("bi_h_n", "num_layers*num_dirs B d_h", does, may),
                reach(
                    "h_n_by_layer",
                    "num_layers num_dirs B d_h",
                    (does[:2], does[2:4], does[4:]),
                    (may[:2], may[2:4], may[4:]),
                ),
            ),
        ),
        cells=(OwnCell(28, "h_n_by_layer = bi_h_n.view(num_dirs, num_layers, -1, hidden_size).transpose(0, 1)"),),
    )


def row(name: str = "김하늘", lang: Language | None = "ko", **changes: Any) -> Row:
    """Somebody who got everything wrong, each in another way."""
    questions = (q1(), q2(), q3(), q4(), q5(), q6(), q7(), q8())
    score = sum(question.score for question in questions)
    remarks = (Note("given-changed", {"names": ["max_len", "batch"]}),)
    grade = Grade("graded", score, 100.0, questions, lang, remarks=remarks, isolation="landlock, seccomp")
    return replace(Row(f"{name}_rnn.ipynb", Person(name, "2024-1", "a@b.c"), grade), **changes)


def with_questions(of: Row, *questions: QuestionGrade, **changes: Any) -> Row:
    score = sum(question.score for question in questions)
    return replace(of, grade=replace(of.grade, questions=questions, score=score, **changes))


def solved(question: QuestionGrade) -> QuestionGrade:
    checks = tuple(CheckResult(check.check, check.points, True) for check in question.checks)
    return QuestionGrade(question.question, question.points, question.points, checks, True)


def blank(question: QuestionGrade) -> QuestionGrade:
    checks = tuple(
        check_ if check_.note else check(check_.check, check_.points, "hidden-missing", "x")
        for check_ in question.checks
    )
    return replace(question, score=0.0, checks=checks, answered=False, misconception="", example=None, cells=())


def without_score(status: Any = "could-not-grade", name: str = "이서준") -> Row:
    detail = Note("empty-file") if status == "unreadable" else None
    return Row(
        "" if status == "not-submitted" else f"{name}.ipynb", Person(name), Grade(status, None, 100.0, detail=detail)
    )


def evil_row() -> Row:
    """Hostile text in every place that a student's text can reach."""
    everywhere = row(EVIL)
    error = StatementError(1, 1, EVIL, EVIL)
    value = Shown("other", (), EVIL)
    note = Note("type", {"name": EVIL, "expected": EVIL, "received": EVIL})
    first = replace(
        everywhere.grade.questions[0],
        example=Example(EVIL, (Difference(EVIL, note, value, value),), error),
        cells=(OwnCell(1, EVIL),),
        misconception=EVIL,
        checks=(CheckResult(EVIL, 10.0, False, note, EVIL),),
        notes=(note,),
    )
    grade = replace(
        everywhere.grade, status="stopped", questions=(first, *everywhere.grade.questions[1:]), lang="en", detail=note,
        remarks=(note,), isolation=EVIL,
    )  # fmt: skip
    return replace(everywhere, grade=grade, time=EVIL, adjustments=(Adjustment(EVIL, "q1", 5.0, EVIL),))


def class_of(size: int) -> Iterator[Row]:
    """A class in which every question is right, wrong in one of a few ways, or open."""
    rng = random.Random(size)
    for number in range(size):
        made = row(f"학생 {number:04}" if number % 2 else f"Student {number:04}", "ko" if number % 2 else "en")
        skill = rng.random()
        questions = [
            solved(question) if rng.random() < skill else blank(question) if rng.random() < 0.2 else question
            for question in made.grade.questions
        ]
        made = replace(with_questions(made, *questions), person=Person(made.person.name, f"2024{number:05}"))
        if number % 40 == 7:
            detail = Note("stopped", {"cell": 22, "line": 1})
            made = replace(made, grade=replace(made.grade, status="stopped", detail=detail))
        if number % 25 == 3:
            made = replace(made, adjustments=(Adjustment(made.person.name, "q6", 20.0, "seen in office hours"),))
        yield replace(made, late=number % 15 == 2, attempts=1 + number % 3)
    yield without_score()
    yield without_score("not-submitted", "박지민")
