"""Whole submissions through the whole engine: what a score depends on, and what it does not."""

from __future__ import annotations

import json

import pytest

from autograder import corpus, course
from autograder.pool import Pool
from autograder.records import Grade, Submission

POINTS = {question.id: question.points for question in course.questions() if question.points}


def scores(grade: Grade) -> dict[str, float]:
    return {question.question: question.score for question in grade.questions}


def lost(grade: Grade) -> set[str]:
    return {question for question, score in scores(grade).items() if score < POINTS[question]}


def solution(**answers: str) -> list[str]:
    notebook = json.loads(corpus.with_answers(answers))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def notebook(cells: list[str], **metadata: str) -> bytes:
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": code, "metadata": metadata}).encode()


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_solved_edition_earns_all_and_blank_one_nothing(lang, grade):
    """In both languages; the page comes in the edition's."""
    edition = (course.ROOT / "assignment" / lang / "rnn.ipynb").read_text(encoding="utf-8")
    blank = json.loads(edition)
    solved = json.loads(edition)
    for cell in solved["cells"]:
        if question := cell["metadata"].get("question"):
            cell["source"] = corpus.answer(question)
    assert grade(json.dumps(blank).encode()).score == 0
    result = grade(json.dumps(solved).encode())
    assert (result.score, result.lang, result.status) == (100, lang, "graded")


def test_points_are_those_of_the_assignment():
    """Ten for a definition, fifteen for a forward call, twenty for decoding."""
    assert POINTS == {"q1": 10, "q2": 10, "q3": 15, "q4": 10, "q5": 15, "q6": 20, "q7": 10, "q8": 10}


PAIRS = [("q1", "q3"), ("q2", "q6"), ("q3", "q7"), ("q4", "q8"), ("q6", "q7"), ("q7", "q8")]


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_two_mistakes_cost_their_two_questions(pair, grade):
    """Each is graded as if the other had not been made, and each gets its own hint."""
    chosen = [next(m for m in corpus.misconceptions() if m.question == q and set(m.answers) == {q}) for q in pair]
    result = grade(corpus.with_answers({m.question: m.answers[m.question] for m in chosen}))
    assert lost(result) == set(pair)
    found = {q.question: q.misconception for q in result.questions if q.misconception}
    assert found == {m.question: m.id for m in chosen}


def test_missing_answer_costs_itself_alone(grade):
    """Without any answer to q2, later questions are graded as if there had been one, in the layout that fits."""
    for call in ("rnn(batch_emb.transpose(0, 1))", "rnn(batch_emb)"):
        cells = solution(q2="", q3=f"hidden_states, h_n = {call}")
        assert lost(grade(notebook(cells))) == {"q2"}


@pytest.mark.parametrize("batch_first", [False, True])
def test_wrong_outputs_are_put_right_in_the_layout_that_comes_after(batch_first, grade):
    """A wrong q7 costs nothing in a q8 that reads `outputs`, whichever axis that expects first."""
    q7 = f"""
steps = batch_emb if {batch_first} else batch_emb.transpose(0, 1)
packed_batch = pack_padded_sequence(steps, [max_len] * len(batch), {batch_first})
packed_outputs, bi_h_n = bi_gru(packed_batch, h_0)
outputs, output_lens = pad_packed_sequence(packed_outputs, batch_first={batch_first})
"""
    q8 = f"""
h_n_by_layer = bi_h_n.view(num_layers, num_dirs, batch.shape[0], hidden_size)
rows = outputs if {batch_first} else outputs.transpose(0, 1)
last_forward = rows[torch.arange(len(batch)), batch_lens - 1, :hidden_size]
last_backward = rows[:, 0, hidden_size:]
"""
    assert lost(grade(corpus.with_answers({"q7": q7, "q8": q8}))) == {"q7"}


def test_answer_with_a_syntax_error_costs_itself_alone(grade):
    """Even in a cell that is merged with others."""
    cells = solution(q4="lstm = nn.LSTM(input_size=, hidden_size=hidden_size)")
    merged = "\n".join(cells[3:])
    assert lost(grade(notebook([*cells[:3], merged]))) == {"q4"}


def test_broken_given_cell_is_remarked_and_costs_nothing(grade):
    """A student who broke the padding cell is graded on the batch that there should have been."""
    cells = [cell.replace("padded.append(seq", "padded.append([pad_id] + seq[1:]") for cell in solution()]
    result = grade(notebook(cells, edition="en"))
    assert lost(result) == set()
    assert any("given data cell" in remark for remark in result.remarks)


def test_endless_loop_costs_its_question_alone(grade):
    """It is stopped, told where, and the questions after it are graded."""
    cells = solution(q6="decoded_ids = []\nwhile True:\n    pass")
    result = grade(notebook(cells))
    assert lost(result) == {"q6"}
    assert result.status == "timed-out"
    assert "line 2" in result.detail


@pytest.mark.parametrize(
    "crash", ["import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)", "import sys\nsys.exit('done')"]
)
def test_crash_costs_its_question_alone(crash, grade):
    """What follows the crashing statement is run without it."""
    result = grade(notebook(solution(q3=crash)))
    assert lost(result) == {"q3"}
    assert result.status in ("crashed", "graded")


def test_works_only_at_the_released_sizes_is_remarked(grade):
    """Typed-in sizes pass the public checks and fail the hidden ones; the student is told so."""
    typed = "embedding = nn.Embedding(100, 256)\nbatch_emb = embedding(batch)"
    result = grade(notebook(solution(q1=typed), edition="en"))
    assert lost(result) == {"q1"}
    assert any("only at the released sizes" in remark for remark in result.remarks)


def test_error_text_comes_from_the_released_run_only(grade):
    """Hidden data never stand in a message, whatever the code raises or prints."""
    cells = solution(q3="print(data)\nraise RuntimeError(str(data) + str(vocab_size))")
    result = grade(notebook(cells))
    everything = repr(result)
    hidden = {str(scenario.values["data"]) for scenario in course.scenarios()}
    assert not any(data in everything for data in hidden)
    assert any(error.kind == "RuntimeError" and "[85, 14," in error.message for error in result.errors)


SCRATCH = """
h_n = "scratch"
hidden_states = [1, 2]
"""


def test_scratch_work_after_a_check_changes_nothing(grade):
    """Names count as they stood at their question's check."""
    cells = solution()
    where = next(index for index, cell in enumerate(cells) if 'check("q3")' in cell)
    assert grade(notebook([*cells[: where + 1], SCRATCH, *cells[where + 1 :]])).score == 100


def test_checks_called_too_early_are_forgiven(grade):
    """A question's last check counts where the last before a later question's fails."""
    checks = [f'grader.check("q{number}")' for number in range(1, 9)]
    assert grade(notebook(["import otter\ngrader = otter.Notebook()", *checks, *solution()])).score == 100


def test_isolation_may_be_asked_for_while_workers_start():
    """What a process says once is heard by the caller and by the thread that grades with it."""
    with Pool(workers=2) as pool:
        graded = pool.grade([Submission("empty.ipynb", "nobody", b"")] * 4)
        found = [(result.grade.status, pool.isolation) for _, result in graded]
    assert {status for status, _ in found} == {"unreadable"}
    assert len({isolation for _, isolation in found}) == 1


def test_what_is_left_blank_is_not_run_again(pool):
    """A blank notebook is run as released and once hidden: rebinding earlier questions cannot make its stubs right."""
    blank = (course.ROOT / "assignment" / "en" / "rnn.ipynb").read_bytes()
    ((_, result),) = pool.grade([Submission("rnn.ipynb", "somebody", blank)])
    assert (result.grade.score, result.runs) == (0.0, 2)
    assert not any(question.hint for question in result.grade.questions)


WRONG_Q1 = "embedding = nn.Embedding(100, 256)\nbatch_emb = embedding(batch)"


def after(check: str, *more: str, **answers: str) -> bytes:
    """The solution with cells more after a question's check."""
    cells = solution(**answers)
    place = cells.index(f'grader.check("{check}")') + 1
    return notebook([*cells[:place], *more, *cells[place:]])


def test_what_survives_in_the_process_costs_nothing(grade):
    """Runs share a process; a check fails only in one that was the first there, whatever an earlier one has changed."""
    for deed in ("nn.GRU = nn.LSTM", "torch.set_default_dtype(torch.float64)", "torch.stack = None"):
        assert grade(notebook([*solution(), deed])).score == 100, deed
        wrong = grade(notebook([*solution(q1="embedding = nn.Embedding(vocab_size, hidden_size)"), deed]))
        assert lost(wrong) == {"q1"}, deed


def test_mistake_that_is_known_needs_no_run_alone(pool):
    """The very values that a known mistake leaves are not due to what ran before; other wrong ones may be."""
    known = next(m for m in corpus.misconceptions() if m.question == "q8" and set(m.answers) == {"q8"})
    for q8, runs in ((known.answers["q8"], 2), ("last_forward = last_backward = bi_h_n.exp()[0]", 3)):
        ((_, result),) = pool.grade([Submission("a.ipynb", "a", corpus.with_answers({"q8": q8}))])
        assert lost(result.grade) == {"q8"}
        assert result.runs == runs


def test_name_that_is_used_again_keeps_its_new_meaning(grade):
    """After a wrong q1, `batch_emb` is put right at its check; what later cells make of it is theirs."""
    again = {
        "q3": "batch_emb = batch_emb.transpose(0, 1)\nhidden_states, h_n = rnn(batch_emb, h_0)",
        "q5": "lstm_states, (lstm_h_n, c_n) = lstm(batch_emb, (h_0, c_0))",
    }
    assert lost(grade(corpus.with_answers({"q1": WRONG_Q1, **again}))) == {"q1"}


def test_check_called_before_a_wrong_answer_costs_no_other_question(grade):
    """A first call of all checks, as for a list of what is to be done, is not taken for the answers."""
    cells = solution(q1=WRONG_Q1)
    start = next(index for index, cell in enumerate(cells) if "grader = otter.Notebook()" in cell) + 1
    early = [f'grader.check("{question}")' for question in POINTS]
    assert lost(grade(notebook([*cells[:start], *early, *cells[start:]]))) == {"q1"}


def test_wrong_layer_is_put_right_under_all_its_names(grade):
    """Also as a part of a module."""
    q1 = "emb = nn.Embedding(100, 256)\nembedding = emb\nbatch_emb = embedding(batch)"
    q2 = "encoder = nn.Module()\nencoder.rnn = nn.RNN(256, hidden_size)\nrnn = encoder.rnn"
    q3 = "hidden_states, h_n = encoder.rnn(emb(batch).transpose(0, 1))"
    assert lost(grade(corpus.with_answers({"q1": q1, "q2": q2, "q3": q3}))) == {"q1", "q2"}


TRAINING = """
optimizer = torch.optim.SGD([*embedding.parameters(), *rnn.parameters()], lr=0.5)
loss = rnn(embedding(batch).transpose(0, 1))[0].pow(2).mean()
loss.backward()
optimizer.step()
embedding.weight.data[1] = 7.0
"""


def test_training_after_a_check_costs_no_later_question(grade):
    """Layers are what they were as the next cell begins."""
    assert lost(grade(after("q3", TRAINING))) == set()


def test_answer_below_its_check_counts(grade):
    """The stub is left, and the answer stands in a cell of its own after the check."""
    stub = "hidden_states, h_n = None, None  # TODO"
    assert lost(grade(after("q3", corpus.answer("q3"), q3=stub))) == set()


def test_released_values_are_replaced_inside_blocks(grade):
    """A `with` around sizes and answers changes nothing."""
    cells = solution()
    first = next(index for index, cell in enumerate(cells) if cell.startswith("embedding_size"))
    last = cells.index('grader.check("q8")')
    body = "\n".join(cell for cell in cells[first:last] if not cell.startswith("display"))
    block = "with torch.no_grad():\n" + "\n".join(f"    {line}" for line in body.splitlines())
    assert lost(grade(notebook([*cells[:first], block, *cells[last:]]))) == set()


def test_drawing_between_other_work_stops_nothing(grade):
    """Whether there is a library for it or not."""
    q6 = corpus.answer("q6").replace(
        "    decoded_ids.append(input_id)",
        "    decoded_ids.append(input_id)\n    figure, axes = plt.subplots()\n    axes.bar(range(3), [1, 2, 3])",
    )
    imports = (
        "import matplotlib.pyplot as plt, numpy as np\nimport matplotlib.font_manager as fm\nplt.rc('font', size=9)"
    )
    assert lost(grade(after("q5", imports, q6=imports + "\n" + q6))) == set()


def test_loop_without_end_leaves_its_memory_to_the_others(grade):
    """It fills all there is before its time is over; even so the error is reported, and the process goes on."""
    q6 = "decoded_ids = []\nwhile True:\n    decoded_ids.append(torch.zeros(10_000))"
    result = grade(corpus.with_answers({"q6": q6}))
    assert lost(result) == {"q6"}
    assert (result.status, len(result.errors)) == ("graded", 1)


def test_right_answer_that_was_not_reached_is_told_so(grade):
    """At the released sizes q3 fails because of q2; its public checks say that it is right."""
    result = grade(corpus.with_answers({"q2": "rnn = nn.RNN(embeding_size, hidden_size)"}))
    assert lost(result) == {"q2"}
    messages = {check.message for check in result.questions[2].checks if check.verdict == "failed"}
    assert len(messages) == 1
    assert "답은 맞습니다" in messages.pop()


def test_syntax_error_is_told_with_its_place(grade):
    """The names that it was to bind are those to the left of its `=`."""
    result = grade(corpus.with_answers({"q4": "lstm = nn.LSTM(input_size=, hidden_size=hidden_size)"}))
    (message,) = {check.message for check in result.questions[3].checks if check.points and check.message}
    assert "SyntaxError" in message
