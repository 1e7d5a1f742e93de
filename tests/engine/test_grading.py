"""Whole submissions through the core: what a score depends on, and what it does not."""

from __future__ import annotations

import json
import re

import pytest

from autograder import course
from autograder.course import corpus
from autograder.grade import Note, Person, Submission
from tools.cases import with_answers

from .submissions import MAXIMUM, POINTS, after, blank, lost_by, notebook, scores, solution, solved

BOUND = {name for question in course.questions() for name in question.names}
BOUND |= {"embedding_size", "hidden_size", "num_layers", "num_dirs", "h_0", "c_0"}


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_solved_edition_earns_all_and_blank_one_nothing(lang, grade):
    """In both languages, and the language of the edition is told."""
    edition = json.loads(blank(lang))
    for cell in edition["cells"]:
        if question := cell["metadata"].get("question"):
            cell["source"] = corpus.answer(question)
    result = grade(json.dumps(edition).encode())
    assert (result.score, result.max_score, result.lang, result.status) == (MAXIMUM, MAXIMUM, lang, "graded")
    empty = grade(blank(lang))
    assert (empty.score, empty.lang, empty.status) == (0, lang, "graded")
    assert not any(question.answered for question in empty.questions)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_points_are_those_that_the_notebook_promises(lang):
    """Each question is worth what its heading says, and there is no other question."""
    prose = "\n".join("".join(cell["source"]) for cell in json.loads(blank(lang))["cells"])
    promised = re.findall(r"### (q\d+)\b.*\(([\d.]+)(?:점| points?)\)", prose)
    assert {question: float(points) for question, points in promised} == POINTS


PAIRS = [("q1", "q3"), ("q2", "q6"), ("q3", "q7"), ("q4", "q8"), ("q6", "q7"), ("q7", "q8")]


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_two_mistakes_cost_their_two_questions(pair, grade):
    """Each is graded as if the other had not been made, and each is told its own hint."""
    chosen = [next(m for m in corpus.misconceptions() if m.question == q and set(m.answers) == {q}) for q in pair]
    result = grade(with_answers({m.question: m.answers[m.question] for m in chosen}))
    assert lost_by(result) == set(pair)
    found = {q.question: q.misconception for q in result.questions if q.misconception}
    assert found == {m.question: m.id for m in chosen}


@pytest.mark.parametrize("call", ["rnn(batch_emb.transpose(0, 1))", "rnn(batch_emb)"])
def test_missing_answer_costs_itself_alone(call, lost):
    """Without any answer to q2, later questions are graded as if there had been one, in the layout that fits."""
    assert lost(solved(q2="", q3=f"hidden_states, h_n = {call}")) == {"q2"}


@pytest.mark.parametrize("batch_first", [False, True])
def test_wrong_outputs_are_put_right_in_the_layout_that_comes_after(batch_first, lost):
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
    assert lost(solved(q7=q7, q8=q8)) == {"q7"}


def test_answer_with_a_syntax_error_costs_itself_alone(lost):
    """Even in a cell that is merged with others."""
    cells = solution(q4="lstm = nn.LSTM(input_size=, hidden_size=hidden_size)")
    assert lost(notebook([*cells[:3], "\n".join(cells[3:])])) == {"q4"}


# What counts: an answer as it stands at the last call of its check before a later question's check, or at the end.

SCRATCH = 'h_n = "scratch"\nhidden_states = [1, 2]'
STUB = "hidden_states, h_n = None, None  # TODO"
STATELESS = "hidden_states, h_n = rnn(batch_emb.transpose(0, 1))"
LAST = list(POINTS)[-1]
EARLY = [f'grader.check("{question}")' for question in POINTS]


def after_imports(*more: str, **answers: str) -> bytes:
    cells = solution(**answers)
    start = next(index for index, cell in enumerate(cells) if "grader = otter.Notebook()" in cell) + 1
    return notebook([*cells[:start], *more, *cells[start:]])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(after("q3", SCRATCH), set(), id="a graded name is used again after its check"),
        pytest.param(after("q3", corpus.answer("q3"), q3=STUB), set(), id="the answer stands below its check"),
        pytest.param(after(LAST, STATELESS, q3=STUB), set(), id="the answer stands at the very end"),
        pytest.param(after("q3", SCRATCH, 'grader.check("q3")'), {"q3"}, id="the last call of the check counts"),
        pytest.param(after("q5", SCRATCH, 'grader.check("q3")'), set(), id="a call after a later check does not"),
        pytest.param(after_imports(*EARLY), set(), id="all checks are called before any answer"),
        pytest.param(after_imports(*EARLY, q1="embedding = batch_emb = None"), {"q1"}, id="and q1 is wrong then"),
        pytest.param(
            notebook([cell for cell in solution() if "grader.check(" not in cell]), set(), id="no check is ever called"
        ),
    ],
)
def test_moment_that_counts(content, expected, lost):
    """An answer counts as it stands at the last call of its check before a later one's, or at the end."""
    assert lost(content) == expected


def test_name_that_is_used_again_keeps_its_new_meaning(lost):
    """After a wrong q1, `batch_emb` is put right at its check; what later cells make of it is theirs."""
    again = {
        "q1": "embedding = nn.Embedding(100, 256)\nbatch_emb = embedding(batch)",
        "q3": "batch_emb = batch_emb.transpose(0, 1)\nhidden_states, h_n = rnn(batch_emb, h_0)",
        "q5": "lstm_states, (lstm_h_n, c_n) = lstm(batch_emb, (h_0, c_0))",
    }
    assert lost(solved(**again)) == {"q1"}


def test_answer_that_is_right_by_itself_stays_right_whatever_came_before_is_put_right(lost):
    """A question that makes everything anew depends on no earlier one, and loses nothing by their mistakes."""
    q3 = "own = nn.RNN(embedding_size, hidden_size)\nhidden_states, h_n = own(embedding(batch).transpose(0, 1))"
    assert lost(solved(q2="rnn = nn.GRU(embedding_size, hidden_size)", q3=q3)) == {"q2"}


@pytest.mark.parametrize("deed", ["nn.GRU = nn.LSTM", "torch.set_default_dtype(torch.float64)", "torch.stack = None"])
def test_what_a_run_changes_in_its_process_reaches_no_other(deed, lost):
    """Each run has a process of its own: the last cell can do to it what it likes."""
    assert lost(notebook([*solution(q8="last_forward = None"), deed])) == {"q8"}


def test_name_of_torch_that_a_cell_takes_away_costs_what_needs_it_and_no_more(grade):
    """The engine took what it needs before: nothing has to be stopped."""
    result = grade(after("q2", "torch.float32 = torch.set_default_dtype = None"))
    assert (result.score, result.status) == (MAXIMUM, "graded")


@pytest.mark.parametrize(
    ("head", "foot"),
    [
        ("with torch.no_grad():", ""),
        ("def main():\n    global " + ", ".join(sorted(BOUND)), "main()"),
        ("def main():", "    globals().update(locals())\nmain()"),
    ],
)
def test_released_values_are_replaced_inside_blocks(head, foot, lost):
    """A `with`, or a function of global names, around sizes and answers changes nothing; nor do annotations."""
    cells = solution()
    first = next(index for index, cell in enumerate(cells) if cell.startswith("embedding_size"))
    last = cells.index(f'grader.check("{LAST}")')
    body = "\n".join(cell for cell in cells[first:last] if not cell.startswith("display"))
    body = body.replace("hidden_size = 512", "hidden_size: int = 512") if not foot else body
    block = f"{head}\n" + "\n".join(f"    {line}" for line in body.splitlines())
    assert lost(notebook([*cells[:first], f"{block}\n{foot}", *cells[last:]])) == set()


def test_released_size_is_replaced_in_a_class(lost):
    """Settings that a data class holds are what an assignment would have said."""
    cells = "\n".join(solution()).replace("hidden_size = 512", "hidden_size = Config().hidden_size")
    config = "from dataclasses import dataclass\n\n\n@dataclass\nclass Config:\n    hidden_size: int = 512"
    assert lost(notebook([config, cells])) == set()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("q2", "rnn = nn.RNN(embeding_size, hidden_size)"),
        ("q7", corpus.answer("q7").replace("batch_lens)", "[max_len] * len(batch))")),
    ],
)
def test_mistake_in_the_main_block_of_a_script_costs_itself_alone(question, answer, lost):
    """`if __name__ == "__main__":` around everything is the code inside."""
    cells = solution(**{question: answer})
    block = "\n".join(f"    {line}" for line in "\n".join(cells[4:]).splitlines())
    assert lost(notebook([*cells[:4], f'if __name__ == "__main__":\n{block}'])) == {question}


def test_answer_that_is_mended_below_costs_no_later_one_where_checks_are_called_at_the_end_only(lost):
    """What was made with the wrong layer is graded as if it had been right then."""
    cells = [cell for cell in solution(q2="rnn = nn.GRU(embedding_size, hidden_size)") if "grader.check(" not in cell]
    assert lost(notebook([*cells, "rnn = nn.RNN(embedding_size, hidden_size)", *EARLY])) == set()


# What is no answer at all.


def test_another_notebook_earns_nothing_and_is_told(grade):
    """Another course's notebook gets a remark of its own, and never that a given cell was changed."""
    result = grade(notebook(["import numpy as np", "x = np.arange(3)\nmodel = x * 2"]))
    assert (result.score, [note.kind for note in result.remarks]) == (0, ["other-assignment"])
    assert not grade(blank()).remarks


def test_notebook_that_earns_points_is_not_taken_for_another(grade):
    """As cells copied with the prompts of a terminal, which only their run takes away."""
    prompts = [">>> " + cell.replace("\n", "\n... ") for cell in solution()]
    result = grade(notebook(prompts))
    assert (result.score, result.remarks) == (MAXIMUM, ())


@pytest.mark.parametrize("content", [b"", b"{", b"\x89PNG\r\n", b'{"cells": 3}'])
def test_file_that_is_no_notebook_is_unreadable(content, grade):
    """It earns nothing, and it is said why."""
    result = grade(content)
    assert (result.status, result.score, result.max_score) == ("unreadable", 0, MAXIMUM)
    assert isinstance(result.detail, Note)
    assert set(scores(result).values()) == {0}


def test_file_that_the_grader_could_not_read_has_no_score(grader):
    """What is the grader's fault is never a zero."""
    fault = Note("no-rights", {})
    result = grader.grade(Submission("rnn.ipynb", (Person("x"),), b"", fault=fault), b"secret").grade
    assert (result.status, result.score, result.detail) == ("could-not-grade", None, fault)


def test_problem_that_intake_found_makes_it_unreadable(grader):
    """Without looking at its content."""
    problem = Note("password", {})
    result = grader.grade(Submission("a.zip", (Person("x"),), solved(), problem=problem), b"secret").grade
    assert (result.status, result.score, result.detail) == ("unreadable", 0, problem)


def test_blank_notebook_is_run_once(grader):
    """What is left blank is not run again: no follow-through can make its stubs right, and nothing is explained."""
    result = grader.grade(Submission("rnn.ipynb", (Person("x"),), blank()), b"secret")
    assert (result.grade.score, result.runs) == (0, 1)
    assert not any(question.misconception or question.example for question in result.grade.questions)


def test_every_scenario_of_the_course_decides(grade):
    """An answer that fails under the last hidden scenario alone loses its points, and it is told which one that is."""
    scenario = course.scenarios()[-1]
    q8 = corpus.answer("q8") + f"\nif vocab_size == {scenario.values['vocab_size']}: last_forward = last_backward"
    failed = [check for question in grade(solved(q8=q8)).questions for check in question.checks if not check.passed]
    assert [(check.check, check.scenario) for check in failed] == [("test_last_forward", scenario.id)]
