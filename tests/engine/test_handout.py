"""Which cells hidden scenarios do without."""

from __future__ import annotations

import pytest

from autograder import course
from autograder.child.handout import given, taken_apart, unneeded
from autograder.job import Job
from autograder.reference import replacements

CELLS = course.reference_cells()
TOOLS = next(number for number, cell in enumerate(CELLS, 1) if "def draw_grid" in cell)
DEMONSTRATION = next(number for number, cell in enumerate(CELLS, 1) if cell.startswith("small_gru"))


def test_the_solution_needs_no_aside():
    """Pictures and demonstrations are passed over; everything else is not."""
    passed_over = unneeded(CELLS)
    assert {TOOLS, DEMONSTRATION} <= passed_over
    assert not any("grader.check(" in CELLS[number - 1] for number in passed_over)
    assert all(given()[CELLS[number - 1]].aside for number in passed_over)


@pytest.mark.parametrize("own", ["x = small_gru(steps)", "x = globals()['rebuilt']"])
def test_an_aside_that_an_answer_speaks_of_is_run(own):
    """By whatever name that it binds."""
    assert DEMONSTRATION not in unneeded((*CELLS, own))
    assert TOOLS in unneeded((*CELLS, own))


def test_what_a_needed_aside_needs_is_run_too():
    """A student's own picture needs the tools; a given picture that nobody asks for still does not count."""
    changed = "display(draw_grid('mine', 2, max_len, 3, 4))"
    assert TOOLS not in unneeded((*CELLS, changed))
    assert TOOLS in unneeded((*CELLS, "rnn = None"))


def test_an_aside_that_was_changed_is_an_answer():
    """Only cells as they were handed out can be passed over."""
    changed = (*CELLS[: DEMONSTRATION - 1], CELLS[DEMONSTRATION - 1] + "\nh_n = rebuilt", *CELLS[DEMONSTRATION:])
    assert DEMONSTRATION not in unneeded(changed)


def test_statements_of_given_cells_keep_their_place():
    """Known statements carry the number of the cell where they stand in the submission."""
    assert {statement.cell for statement in taken_apart(77, CELLS[DEMONSTRATION - 1])} == {77}


def test_asides_change_no_observation():
    """Under every hidden scenario the solution leaves behind the same with asides and without."""
    from autograder.runlog import RunLog
    from autograder.sandbox import Sandbox

    names = {question.id: list(question.asked) for question in course.questions()}
    with Sandbox() as sandbox:
        for scenario in course.scenarios():
            logs = []
            # A name of every aside, spoken of in a comment, makes all of them needed.
            every = " ".join(name for cell in given().values() if cell.aside for name in sorted(cell.names))
            for cells in ([*CELLS], [*CELLS, f"# {every}"]):
                outcome = sandbox.run(Job(cells, names, replacements(scenario)).encode({}))
                logs.append(RunLog(outcome.frames, outcome.ending))
            passed, all_run = logs
            assert [r.frame for r in passed.records] == [r.frame for r in all_run.records]
            assert len(passed.frames) < len(all_run.frames)
