"""What is told of a wrong answer: the known mistake, the smallest example that shows it, and nothing that is hidden."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest

from autograder import course
from autograder.course import corpus
from autograder.grade import Person, Submission
from autograder.grading import Grader
from autograder.grading.trials import observe
from autograder.wire.log import Log

from .submissions import after, lost_by, notebook, solution, solved


def explained(grade, **answers):
    """The only question that is wrong, and its grade."""
    result = grade(solved(**answers))
    (name,) = lost_by(result)
    return next(question for question in result.questions if question.question == name)


def test_known_mistake_is_recognised_in_other_words(grade):
    """By what it leaves behind, not by how it is written."""
    question = explained(grade, q5="out = lstm(batch_emb.permute(1, 0, 2))\nlstm_states, (c_n, lstm_h_n) = out")
    assert question.misconception == "states-exchanged"
    assert [difference.name for difference in question.example.differences] == ["lstm_h_n", "c_n"]


def test_no_example_is_run_once_the_mistake_is_known(run, sandbox):
    """The first one shows it, and no other known mistake leaves these values there; then a word of it is changed."""
    told = []

    def watched(job, tensors):
        if job.public and job.cells != course.reference_cells():
            told.append(job.replacements["hidden_size"])
        return run(job, tensors)

    grader = Grader(sandbox, run=watched)
    answer = solved(q5="lstm_states, (c_n, lstm_h_n) = lstm(batch_emb.transpose(0, 1))")
    grade = grader.grade(Submission("rnn.ipynb", (Person("x"),), answer), b"secret").grade
    assert next(one.misconception for one in grade.questions if one.question == "q5") == "states-exchanged"
    first = course.shown_examples()[0].values["hidden_size"]
    assert [other for _, other in told] == [first, first]


def test_of_ten_questions_the_tenth_is_not_before_the_second(monkeypatch):
    """What a known mistake leaves behind is learned after the questions that are asked before it, and no other."""
    asked, jobs = (*course.questions(), replace(course.questions()[-1], id="q10")), []
    monkeypatch.setattr(course, "questions", lambda: asked)
    trials, solution = {"a": {"q2": "rnn = None"}}, SimpleNamespace(given=({"q2": {}}, {}))
    observe("q2", trials, course.shown_examples()[0], solution, lambda job, tensors: jobs.append(job) or Log())
    assert [[*job.names] for job in jobs] == [["q1", "a"]]


def test_answer_in_hundreds_of_cells_makes_a_small_grade(grade):
    """Of the cells that bind a question's names no more are kept than anybody reads."""
    cells = [f"h_n = {number}  # {'x' * 400}" for number in range(200)]
    result = grade(after("q3", *cells, q3="hidden_states = h_n = None"))
    question = next(one for one in result.questions if one.question == "q3")
    assert len(msgspec.json.encode(result)) < 50_000
    assert question.cells[-1].source == cells[-1]


def test_smallest_example_that_tells_is_shown(grade):
    """With both values, exactly which numbers differ, and the cell that the answer stands in."""
    q3 = "hidden_states, h_n = rnn(batch_emb.transpose(0, 1), h_0)\nhidden_states = hidden_states.clone()\n"
    question = explained(grade, q3=q3 + "hidden_states[2, 1] += 1")
    assert question.example.id == course.shown_examples()[0].id
    (difference,) = question.example.differences
    assert (difference.name, difference.symbols) == ("hidden_states", "L B d_h")
    assert (difference.expected.shape, difference.received.shape) == ((5, 3, 4), (5, 3, 4))
    wrong = {(t, row) for t, step in enumerate(difference.wrong) for row, cells in enumerate(step) if any(cells)}
    assert wrong == {(2, 1)}
    (cell,) = question.cells
    assert "hidden_states[2, 1] += 1" in cell.source


def test_mistake_that_the_smallest_example_hides_is_shown_on_another(grade):
    """A batch of one shows what `squeeze()` takes away."""
    q6 = corpus.answer("q6").replace(".squeeze(0)", ".squeeze()")
    assert explained(grade, q6=q6).example.id == "one-sequence"


def test_error_is_told_with_its_line_and_all_names_it_was_to_bind(grade):
    """Kind, text and line of the statement that failed, and what it was to bind."""
    example = explained(grade, q5="# one\nlstm_states, (lstm_h_n, c_n) = lstm(batch_emb[0, 0, 0], missing)").example
    assert (example.error.kind, example.error.line) == ("NameError", 2)
    assert "missing" in example.error.message
    assert {difference.name for difference in example.differences} == {"lstm_states", "lstm_h_n", "c_n"}


WRONG = "hidden_states, h_n = rnn(batch_emb)"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            notebook([cell for cell in solution(q3=WRONG) if "grader.check" not in cell]), id="no check is left"
        ),
        pytest.param(after("q3", WRONG, q3="hidden_states, h_n = None, None  # TODO"), id="it stands below its check"),
    ],
)
def test_wrong_answer_is_explained_where_its_check_did_not_see_it(content, grade):
    """At two moments that earn nothing, what counts is the one at which there was an answer."""
    q3 = next(question for question in grade(content).questions if question.question == "q3")
    assert q3.misconception == "batch-axis-as-time"
    assert [difference.note.kind for difference in q3.example.differences] == ["values", "shape"]


def test_error_of_syntax_is_told_at_the_line_of_its_cell_alone(grade):
    """A cell is taken apart where it cannot be read as a whole; Python counts the lines of a part."""
    error = explained(grade, q3="steps = batch_emb.transpose(0, 1)\nhidden_states, h_n = rnn(steps, h_0").example.error
    assert (error.line, error.message) == (2, "'(' was never closed")


def test_example_on_which_all_that_is_wrong_shows_is_shown(grade):
    """With two layers and two directions the view looks right; with three layers the view and the state are drawn."""
    view = "h_n_by_layer = bi_h_n.view(num_dirs, num_layers, -1, hidden_size)"
    question = explained(grade, q8=f"{view}\nlast_forward, last_backward = h_n_by_layer[:, -1]")
    assert [each.name for each in question.example.differences] == ["h_n_by_layer", "last_forward"]
    assert question.misconception == "directions-before-layers"


def test_error_is_told_where_a_name_still_holds_an_old_value(grade):
    """The loop fails at its first step: `hidden` is the zeros from before it, and the line is told."""
    q6 = corpus.answer("q6").replace("logits = output_layer(output)", "logits = outputlayer(output)")
    question = explained(grade, q6=q6)
    assert (question.example.error.kind, question.example.error.line) == ("NameError", 8)
    assert question.misconception == ""


def test_error_that_keeps_a_name_from_being_there_is_told_in_the_place_of_its_lack(grade):
    """What the first line raises is the mistake, with its hint; that the second lacks its name comes of it."""
    question = explained(grade, q3="out = rnn(batch_emb, h_0)\nhidden_states, h_n = out")
    assert (question.example.error.kind, question.example.error.line) == ("RuntimeError", 1)
    assert question.misconception == "batch-axis-as-time-with-state"


LOOP = """
token, state = batch[:, 0], torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)
decoded_ids = []
for t in range(max_len):
    out, state = gru(embedding(token).unsqueeze(1), state)
    token = output_layer(out).argmax(-1).squeeze(1)
    decoded_ids.append(token)
decoded_ids = torch.stack(decoded_ids)
hidden = state
"""
TABLE = LOOP.replace("= []", "= torch.zeros(max_len, len(batch))").replace(".append(token)", "[t] = token")


@pytest.mark.parametrize("q6", [LOOP, TABLE.replace("torch.stack(decoded_ids)", "decoded_ids.long()")])
def test_error_that_keeps_a_name_from_being_filled_is_told_in_the_place_of_what_comes_of_it(q6, grade):
    """The loop binds names of the student's own alone: its error is told, not that there is nothing to be stacked."""
    error = explained(grade, q6=q6).example.error
    assert (error.line, error.message) == (5, "Expected hidden size (1, 1, 4), got [1, 3, 4]")


def test_known_mistake_is_recognised_where_names_of_ones_own_hold_what_it_leaves(grade):
    """Which name the statement with the error was to bind is no part of a mistake."""
    assert explained(grade, q6=LOOP).misconception == "time-axis-in-the-wrong-place-with-state"


def test_mistake_that_binds_no_such_name_is_recognised_though_known_ones_before_it_raise(grade):
    """The error of one known mistake is no part of what the next leaves behind."""
    question = explained(grade, q3="output, h_n = rnn(batch_emb.transpose(0, 1), h_0)")
    assert (question.misconception, question.example.error) == ("all-states-under-another-name", None)


def test_answer_in_a_long_cell_is_shown_by_its_own_lines(grade):
    """A whole notebook in one cell, as Colab gives a script: each wrong answer is shown by the lines that bind it."""
    q2 = "rnn = nn.RNN(\n    embedding_size,\n    hidden_size,\n    bias=False,\n)"
    source = "\n".join(solution(q2=q2, q8="last_forward = last_backward = h_n_by_layer = 0"))
    questions = {question.question: question for question in grade(notebook([source])).questions}
    for question, code in (("q2", q2), ("q8", "last_forward = last_backward = h_n_by_layer = 0")):
        (cell,) = questions[question].cells
        assert cell.source == code
        assert source.split("\n")[cell.line - 1] == code.split("\n")[0]


def test_number_typed_in_is_found_by_its_cause_with_cell_and_line(grade):
    """The answer is right with the names' values in the place of the numbers."""
    q3 = "steps = batch_emb.transpose(0, 1)\nhidden_states, h_n = rnn(steps.reshape(20, 10, 256), h_0)"
    question = explained(grade, q3=q3)
    assert {(note.kind, note.about["number"], note.about["line"]) for note in question.notes} == {
        ("typed-size", number, 2) for number in (20, 10, 256)
    }
    assert {note.about["cell"] for note in question.notes} == {question.cells[0].number}


def test_sizes_typed_in_are_told_beside_a_number_that_is_none_of_them(grade):
    """4 is the released layers times directions: the smallest example comes out right with the other two replaced."""
    q7 = corpus.answer("q7").replace("h_0", "torch.zeros(4, 10, 512)")
    assert {note.about["number"] for note in explained(grade, q7=q7).notes} == {10, 512}


def test_number_that_stands_for_two_sizes_is_told_where_it_is_the_wrong_one(grade):
    """In `view(2, 2, …)` the first 2 is the number of layers, which changes; that of directions does not."""
    q8 = corpus.answer("q8").replace("view(num_layers, num_dirs", "view(\n    2,\n    2")
    assert [(note.about["number"], note.about["line"]) for note in explained(grade, q8=q8).notes] == [(2, 2)]


def test_mistake_is_recognised_with_sizes_typed_in(grade):
    """`view(20, 10, 256)` fails with other sizes; with these in the places of the numbers it is a known mistake."""
    question = explained(grade, q3="hidden_states, h_n = rnn(batch_emb.view(20, 10, 256), h_0)")
    assert (question.misconception, question.example.error.kind) == ("view-as-transpose", "RuntimeError")


def test_mistake_that_shows_beside_a_number_typed_in_is_told_with_it(grade):
    """With the size's name in its place the smallest example comes out right, but not one with three layers."""
    q8 = corpus.answer("q8").replace("batch.shape[0]", "10").replace("[-1,", "[1,")
    question = explained(grade, q8=q8)
    assert [note.about["number"] for note in question.notes] == [10]
    assert question.misconception == "second-layer-as-top-layer"


def test_numbers_typed_in_for_two_questions_are_told_with_their_own(grade):
    """What another question has typed in is not this one's mistake."""
    result = grade(solved(q2="rnn = nn.RNN(256, 512, 1)", q4="lstm = nn.LSTM(256, 512, 1)"))
    q2, q4 = (question for question in result.questions if question.question in lost_by(result))
    assert {note.about["cell"] for note in q2.notes} == {cell.number for cell in q2.cells}
    assert q4.misconception == "lstm-sizes-typed-in"


def test_number_typed_in_by_the_thousand_is_told_twenty_times(grade):
    """Nobody's grade grows with the places at which a size is typed in."""
    steps = "batch_emb.transpose(0, 1).reshape(20, 10, 256)"
    q3 = "sizes = [" + "10,\n" * 1000 + f"]\nhidden_states, h_n = rnn({steps}, h_0)"
    assert len(explained(grade, q3=q3).notes) == 20


@pytest.mark.parametrize(
    "q3",
    [
        "scale = 512\nhidden_states, h_n = rnn(batch_emb.transpose(0, 1) / scale, h_0)",
        "hidden_states, h_n = rnn(batch_emb.transpose(0, 1), h_0)\nh_n = h_n * 256  # not 10 or 20",
    ],
)
def test_number_is_not_blamed_where_it_is_not_the_cause(q3, grade):
    """With the example's sizes in its place the answer is as wrong as before."""
    assert explained(grade, q3=q3).notes == ()


def test_one_example_that_shows_it_tells_a_second_mistake_from_the_first(grade):
    """Two mistakes in one answer: the hint of the one that an example shows alone is told."""
    q8 = """
h_n_by_layer = bi_h_n.view(num_layers, num_dirs, batch.shape[0], hidden_size)
last_forward, last_backward = h_n_by_layer[1, 0], h_n_by_layer[1, 1]
if batch.shape[0] == 1: last_forward = last_forward.squeeze()
"""
    question = explained(grade, q8=q8)
    assert question.misconception in {m.id for m in corpus.misconceptions() if m.question == "q8"} | {""}
    assert question.example.differences or question.example.error


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [
        ("q6", "logits.argmax(dim=-1).squeeze(0)", "torch.tensor(logits.argmax(dim=-1).item())"),
        ("q8", "h_n_by_layer[-1,", "h_n_by_layer[num_layers,"),
    ],
)
def test_no_hint_is_given_for_an_example_that_is_not_shown(question, old, new, grade):
    """With one sequence, or one layer, these fail as known mistakes do; the example on the page is another."""
    found = explained(grade, **{question: corpus.answer(question).replace(old, new)})
    assert (found.misconception, found.example.error is not None) == ("", True)


def test_axes_of_one_size_are_not_taken_for_one_another(grade):
    """`.T` puts the vectors' axis first: it is not told as batch and steps exchanged, as if these were as long."""
    question = explained(grade, q3="hidden_states, h_n = rnn(batch_emb.T, h_0)")
    assert (question.misconception, "must be equal to input_size" in question.example.error.message) == ("", True)


def test_right_or_blank_question_is_not_explained(grade):
    """There is nothing to be said."""
    result = grade(solved(q3=""))
    assert lost_by(result) == {"q3"}
    assert not any(q.example or q.misconception or q.notes for q in result.questions)


def test_reach_that_is_right_is_not_shown(grade):
    """Where states are exchanged, a changed word shows in the same places as in a right answer: that tells nothing."""
    q5 = "lstm_states, (c_n, lstm_h_n) = lstm(batch_emb.transpose(0, 1), (h_0, c_0))"
    example = explained(grade, q5=q5).example
    assert [one.name for one in example.differences] == ["lstm_h_n", "c_n"]
    assert example.reach == ()


def test_change_of_one_word_shows_where_it_reaches(grade):
    """A reversed read lets a word reach earlier steps, which a right answer does not."""
    q3 = "hidden_states, h_n = rnn(batch_emb.transpose(0, 1).flip(0), h_0)\nhidden_states = hidden_states.flip(0)"
    reach = next(one for one in explained(grade, q3=q3).example.reach if one.name == "hidden_states")
    moved, right = ([step[reach.row] for step in one] for one in (reach.moved, reach.expected))
    assert right == [step >= reach.step for step in range(5)]
    assert moved == [step <= reach.step for step in range(5)]


def test_hidden_checks_tell_no_number(grade):
    """Of a hidden scenario the kind of difference, the name and the scenario are told: no size and no value."""
    result = grade(solved(q1="embedding = nn.Embedding(100, 8)\nbatch_emb = embedding(batch)", q3="h_n = batch"))
    failed = [check for question in result.questions for check in question.checks if not check.passed]
    assert failed
    for check in failed:
        assert check.note.kind.startswith("hidden-")
        assert set(check.note.about) == {"name"}
    assert not re.search(r"Tensor|\d{3}", repr([check.note for check in failed]))
    told = msgspec.json.encode(result).decode()
    assert not [scenario.id for scenario in course.scenarios() if str(scenario.values["data"])[1:40] in told]
