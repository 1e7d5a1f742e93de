"""What the course says: questions and their hidden checks, scenarios, the corpus, and how values are compared.

All of it is read from the files that instructors edit, once a process.
"""

from autograder.course.deciding import fingerprint
from autograder.course.files import ASSIGNMENT, HIDDEN, PUBLIC, REFERENCE, ROOT, CourseError, reference_cells
from autograder.course.questions import Check, Question, assignment, checks, given, maximum, question, questions
from autograder.course.scenarios import Scenario, replacements, scenarios, shown_examples

__all__ = [
    "ASSIGNMENT",
    "HIDDEN",
    "PUBLIC",
    "REFERENCE",
    "ROOT",
    "Check",
    "CourseError",
    "Question",
    "Scenario",
    "assignment",
    "checks",
    "fingerprint",
    "given",
    "maximum",
    "question",
    "questions",
    "reference_cells",
    "replacements",
    "scenarios",
    "shown_examples",
]
