"""Given and earlier names: what an answer changes of them is judged with it, and put back before the next one."""

from __future__ import annotations

import pytest

from autograder import course
from autograder.course import corpus

from .submissions import after, lost_by, notebook, solution, solved, with_cell

LOOP = corpus.answer("q6")
FIRST_LAYER = "rnn = nn.RNN(embedding_size, hidden_size, num_layers)"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("q1", "embedding = nn.Embedding(vocab_size, embedding_size)\nbatch = batch.t()\nbatch_emb = embedding(batch)"),
        ("q1", "embedding_size = 300\n" + corpus.answer("q1")),
        ("q1", "vocab_size += 1\n" + corpus.answer("q1")),
        ("q2", f"hidden_size = 128\n{FIRST_LAYER}"),
        ("q2", f"num_layers = 2\n{FIRST_LAYER}"),
        ("q4", "embedding_size = 300\n" + corpus.answer("q4")),
        ("q5", "h_0 += 1\n" + corpus.answer("q5")),
        ("q6", "max_len = 10\n" + LOOP),
        ("q6", "batch = batch[:, :1]\n" + LOOP.replace("range(max_len)", "range(batch.shape[1])")),
        ("q6", "embedding = nn.Embedding(vocab_size + 1, embedding_size)\n" + LOOP),
        ("q6", "pad_id = 3\nhidden_size = 7\n" + LOOP),
        ("q7", "batch_lens -= 1\n" + corpus.answer("q7")),
        ("q7", "batch.zero_()\nbatch_emb = embedding(batch)\n" + corpus.answer("q7")),
        ("q7", "hidden_states[0] = 0\nh_0 += 1\n" + corpus.answer("q7")),
    ],
)
def test_what_an_answer_does_to_other_names_is_judged_with_it(question, answer, lost):
    """A given or earlier name that an answer changes makes this answer wrong, and no other one."""
    assert lost(solved(**{question: answer})) == {question}


def test_answer_that_is_right_at_the_end_alone_costs_no_later_question(lost):
    """`batch_emb` is the other way round until q3 turns it: q3 is graded as if it had been right before."""
    q1 = "embedding = nn.Embedding(vocab_size, embedding_size)\nbatch = batch.t()\nbatch_emb = embedding(batch)"
    q3 = "batch_emb = batch_emb.transpose(0, 1)\nhidden_states, h_n = rnn(batch_emb, h_0)"
    assert lost(solved(q1=q1, q3=q3)) <= {"q1"}


@pytest.mark.parametrize(
    "q3",
    [
        "globals()['hidden_states'], globals()['h_n'] = rnn(batch_emb.transpose(0, 1), h_0)",
        "exec('hidden_states, h_n = rnn(batch_emb.transpose(0, 1), h_0)')",
    ],
)
def test_answer_that_no_assignment_shows_is_graded_as_if_all_before_it_were_right(q3, lost):
    """`globals()` and `exec` bind names, too."""
    q2 = "rnn = nn.RNN(embedding_size, hidden_size, nonlinearity='relu')"
    assert lost(solved(q2=q2, q3=q3)) == {"q2"}


def test_answer_that_is_too_large_to_copy_is_only_wrong(grade):
    """A view of 40 GB takes no memory, and is not copied to be put back later."""
    result = grade(solved(q3=corpus.answer("q3") + "\nh_n = h_n.expand(10**7, -1, -1)"))
    assert result.status == "graded"
    assert lost_by(result) == {"q3"}


SCRATCH = [
    "batch = batch[:3]\nbatch_lens = batch_lens[:3]",
    "hidden_size, vocab_size, pad_id = 3, 5, 1",
    "for max_len in range(3): pass",
    "embedding = rnn = None",
    "batch_emb.data.zero_()",
    "batch_emb.data.zero_()\nbatch_emb.data.fill_(2)",
    "batch_lens -= 1\nbatch.zero_()",
    "del embedding, max_len, batch_emb",
    "data.clear()",
    "embedding.weight = nn.Parameter(torch.zeros(2, 3))",
    "embedding.max_norm = 0.1",
    "embedding.half()",
    "embedding.weight.data = torch.randn(3, 2)",
    "embedding.forward = lambda ids: ids",
    "rnn.double()\nrnn.hidden_size = 3",
    "rnn.register_forward_hook(lambda *_: (h_0, h_0))",
    "rnn.bias_ih_l0.data.copy_(rnn.bias_hh_l0)",
    "rnn.__class__ = nn.GRU",
    "rnn.weight_hh_l0 = nn.Parameter(torch.zeros(2, 3))",
    "nn.utils.spectral_norm(embedding)",
    "with torch.inference_mode():\n    h_0 = torch.zeros_like(h_0)\n    batch_emb = embedding(batch)",
]


@pytest.mark.parametrize("scratch", SCRATCH)
def test_scratch_work_between_questions_costs_nothing(scratch, lost):
    """A cell that answers nothing may use given and graded names again, in place too; also that of the check."""
    cells = solution()
    after_q2 = cells.index('grader.check("q2")') + 1
    cells[cells.index('grader.check("q3")')] += f"\n{scratch}"
    assert lost(notebook([*cells[:after_q2], scratch, *cells[after_q2:]])) == set()


def test_scratch_work_in_the_cell_of_a_check_costs_nothing(lost):
    """What stands below the call of the check answers nothing any more, even if it binds the question's names."""
    cells = solution()
    cells[cells.index('grader.check("q2")')] += "\nrnn = nn.RNN(2, 3)\nbatch_emb = torch.zeros(5, 1, 2)"
    assert lost(notebook(cells)) == set()


def test_scratch_work_costs_nothing_after_a_cell_that_gives_answers_and_checks(lost):
    """The sizes that such a cell binds stay as they are at its check."""
    cells = solution()
    start = next(number for number, cell in enumerate(cells) if "num_layers = 2" in cell)
    end = cells.index('grader.check("q7")') + 1
    assert lost(notebook([*cells[:start], "\n".join(cells[start:end]), "bi_h_n = bi_h_n * 0", *cells[end:]])) == set()


@pytest.mark.parametrize("scratch", ["batch = batch[:1]", "batch.t_()", "del max_len, batch"])
def test_scratch_work_on_given_names_costs_nothing_where_checks_are_called_at_the_end_only(scratch, lost):
    """What given cells bind is known to be given then, too, even where they use a graded name that is open still."""
    cells = [cell for cell in solution() if "grader.check(" not in cell]
    place = cells.index(corpus.answer("q7")) + 1
    checks = [f'grader.check("{question.id}")' for question in course.questions()]
    assert lost(notebook([*cells[:place], scratch, *cells[place:], *checks])) == set()


def without_checks(cells: list[str]) -> list[str]:
    return [cell for cell in cells if "grader.check(" not in cell]


def check_below_the_next_sizes(cells: list[str]) -> list[str]:
    check = 'grader.check("q6")'
    others = [cell for cell in cells if cell != check]
    place = next(number for number, cell in enumerate(others, 1) if cell.startswith("num_layers = 2"))
    return [*others[:place], check, *others[place:]]


def checked_before_they_are_answered(cells: list[str]) -> list[str]:
    """Names hold nothing when their check is called first."""
    found: list[str] = []
    for number, cell in enumerate(cells):
        if (check := cells[min(number + 1, len(cells) - 1)]).startswith("grader.check("):
            names = course.question(check[14:16]).names
            found += ["\n".join(f"{name} = None" for name in names), check]
        found.append(cell)
    return found


RESTRUCTURED = {
    "checks called before, too": checked_before_they_are_answered,
    "check below the next sizes": check_below_the_next_sizes,
    "no checks": without_checks,
    "no checks, one cell": lambda cells: ["\n".join(without_checks(cells))],
    "checks at the end": lambda cells: [*without_checks(cells), *(cell for cell in cells if "grader.check(" in cell)],
}


@pytest.mark.parametrize("restructured", RESTRUCTURED.values(), ids=RESTRUCTURED)
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("q4", "embedding_size = 300\n" + corpus.answer("q4")),
        ("q6", "max_len = 10\n" + LOOP),
    ],
)
def test_name_that_an_answer_changes_is_put_back_wherever_checks_stand(restructured, question, answer, lost):
    """Before the next answer begins, given names are what they are to be for it."""
    assert lost(notebook(restructured(solution(**{question: answer})))) == {question}


def test_layout_of_a_right_layer_is_not_changed_to_what_a_later_answer_expects(lost):
    """Where checks were called only before the answers, too: the layer wants steps first, and gets the batch first."""
    cells = checked_before_they_are_answered(solution(q3="hidden_states, h_n = rnn(batch_emb)"))
    once = [cell for n, cell in enumerate(cells) if not (cell.startswith("grader.check(") and cells.index(cell) < n)]
    assert lost(notebook(once)) == {"q3"}


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("hidden_size = 512", "hidden_size = 64", "hidden_size"),
        ("embedding_size = 256", "embedding_size = 100", "embedding_size"),
        ("vocab_size = 100", "vocab_size = 200", "vocab_size"),
        ("num_layers = 2", "num_layers = 3", "num_layers"),
        ("padded.append(seq", "padded.append([pad_id] + seq[1:]", "batch"),
        ("batch = batch[sorted_idx]", "batch = batch[sorted_idx].flip(1)", "batch"),
    ],
)
def test_given_cell_that_was_edited_is_put_back_and_remarked(old, new, name, grade):
    """It costs nothing, for sizes as for data, and one remark names what was changed."""
    result = grade(with_cell(old, new))
    assert lost_by(result) == set()
    (remark,) = result.remarks
    assert remark.kind == "given-changed"
    assert name in remark.about["names"]


@pytest.mark.parametrize(
    "sizes",
    [
        ["globals().update(hidden_size=512, num_layers=1, num_dirs=1)"],
        ["exec('hidden_size = 512; num_layers = 1; num_dirs = 1')"],
        ["%%writefile sizes.py\nhidden_size, num_layers, num_dirs = 512, 1, 1", "from sizes import *"],
        ["%%writefile sizes.py\nhidden_size, num_layers, num_dirs = 512, 1, 1", "%run sizes.py"],
    ],
)
def test_released_size_may_be_bound_in_any_way(sizes, lost):
    """What a notebook is told of its sizes by a file or a dictionary is what an assignment would have said."""
    cells = solution()
    place = next(index for index, cell in enumerate(cells) if cell.startswith("hidden_size = 512"))
    state = "h_0 = torch.zeros(num_layers * num_dirs, batch.shape[0], hidden_size)"
    assert lost(notebook([*cells[:place], *sizes, state, *cells[place + 1 :]])) == set()


def test_given_cell_as_it_was_is_not_remarked(grade):
    """A mistake in an answer is no change of a given cell."""
    assert grade(solved(q7="batch_lens -= 1\n" + corpus.answer("q7"))).remarks == ()


def test_mistake_beside_an_edited_given_cell_costs_itself_alone(lost):
    """Both are put right for what comes after."""
    content = with_cell("hidden_size = 512", "hidden_size = 64", q3="hidden_states, h_n = rnn(batch_emb, h_0)[0], h_0")
    assert lost(content) == {"q3"}


def test_scratch_work_on_a_given_name_that_was_put_back_costs_nothing(lost):
    """A value that was put back may be changed in place like the one before it."""
    assert lost(after("q5", "batch_lens = batch_lens[:3]\nbatch_lens -= 1")) == set()


def test_answer_whose_values_cannot_be_compared_costs_itself_alone(lost):
    """A list of tensors, as where `torch.stack` was forgotten, may be made anew in scratch work."""
    scratch = "decoded_ids = [ids + 0 for ids in decoded_ids]\nbatch_lens = batch_lens - 1"
    assert lost(after("q6", scratch, q6=LOOP.rpartition("\n")[0])) == {"q6"}


@pytest.mark.parametrize("ids", ["[ids.numpy() for ids in decoded_ids]", "decoded_ids.to_sparse()"])
def test_values_that_cannot_be_compared_cost_no_later_question(ids, lost):
    """A wrong answer that is made once more after its check, beside a given name that is used again, costs itself."""
    wrong = f"decoded_ids = {ids}"
    assert lost(after("q6", f"{LOOP}\n{wrong}\nhidden_size = 500", q6=f"{LOOP}\n{wrong}")) == {"q6"}
