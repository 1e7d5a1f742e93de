"""Which given cells a run does without."""

from __future__ import annotations

import pytest

from autograder import course
from autograder.course import replacements
from autograder.student.handout import given, unneeded
from autograder.student.program import of_cell, spoken
from autograder.wire.job import Job

CELLS = course.reference_cells()
TOOLS = next(number for number, cell in enumerate(CELLS, 1) if "def draw_grid" in cell)
DEMONSTRATION = next(number for number, cell in enumerate(CELLS, 1) if cell.startswith("small_gru"))


def passed_over(*more: str) -> frozenset[int]:
    """The numbers of the solution's cells that are not run, with *more* cells of a student's own."""
    own = [spoken(compile(cell, "<cell>", "exec")) for cell in (*more, *CELLS) if cell not in given()]
    return unneeded((*CELLS, *more), set().union(*own))


def test_the_solution_needs_no_aside():
    """Pictures and demonstrations are passed over; everything else is not."""
    numbers = passed_over()
    assert {TOOLS, DEMONSTRATION} <= numbers
    assert not any("grader.check(" in CELLS[number - 1] for number in numbers)
    assert all(given()[CELLS[number - 1]].aside for number in numbers)


@pytest.mark.parametrize("own", ["x = small_gru(steps)", "x = globals()['rebuilt']", "x = model.rebuilt"])
def test_an_aside_that_an_answer_speaks_of_is_run(own):
    """By whatever name that it binds."""
    assert DEMONSTRATION not in passed_over(own)
    assert TOOLS in passed_over(own)


def test_what_a_needed_aside_needs_is_run_too():
    """A student's own picture needs the tools; a given picture that nobody asks for still does not count."""
    assert TOOLS not in passed_over("display(draw_grid('mine', 2, max_len, 3, 4))")
    assert TOOLS in passed_over("rnn = None")


def test_an_aside_that_was_changed_is_an_answer():
    """Only cells as they were handed out can be passed over."""
    changed = (*CELLS[: DEMONSTRATION - 1], CELLS[DEMONSTRATION - 1] + "\nh_n = rebuilt", *CELLS[DEMONSTRATION:])
    assert DEMONSTRATION not in unneeded(changed, set())


def test_statements_of_given_cells_keep_their_place():
    """Known statements are those of the cell, and carry the number of the cell where they stand."""
    cell = CELLS[DEMONSTRATION - 1]
    known = [statement.within(77) for statement in given()[cell].statements]
    assert {statement.cell for statement in known} == {77}
    fresh = list(of_cell(77, cell))
    assert [(one.line, one.names) for one in known] == [(one.line, one.names) for one in fresh]


def test_names_on_which_questions_rely_are_given_ones():
    """The course lists them, and the cells that are handed out bind them."""
    assert set(course.given()) <= {name for cell in given().values() for name in cell.names}


def test_asides_change_no_observation(run):
    """The solution leaves behind the same with asides and without."""
    names = {question.id: question.names for question in course.questions()}
    every = " ".join(name for cell in given().values() if cell.aside for name in sorted(cell.names))
    for scenario in course.scenarios()[:2]:
        without, with_all = (
            run(Job(cells, names, replacements(scenario)), {}) for cells in (CELLS, (*CELLS, f"spoken = {every!r}"))
        )
        pairs = list(zip(without.records, with_all.records, strict=True))
        assert all((one.message.values, one.blob) == (other.message.values, other.blob) for one, other in pairs)
        assert len(without.frames) < len(with_all.frames)
