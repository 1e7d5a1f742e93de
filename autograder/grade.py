"""What the stages hand to one another: frozen records, plain data, no text in any language.

Everything here can be written as JSON and read back, by msgspec. Whatever people read is made of it last, by
`autograder.report`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.language import Language

__all__ = [
    "Adjustment",
    "CheckResult",
    "Difference",
    "Example",
    "Grade",
    "Note",
    "Origin",
    "OwnCell",
    "Person",
    "QuestionGrade",
    "Reach",
    "Result",
    "Row",
    "Shown",
    "StatementError",
    "Status",
    "Submission",
]

Status = Literal["graded", "stopped", "unreadable", "could-not-grade", "not-submitted"]


@dataclass(frozen=True)
class Person:
    """Somebody who takes the course, as far as a platform or a roster tells."""

    name: str
    id: str = ""
    email: str = ""


@dataclass(frozen=True)
class Note:
    """Something to be told, as data; `report.words` makes the sentence for each `kind`."""

    kind: str
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the sentence speaks of: names, numbers, lists of them."""


@dataclass(frozen=True)
class Origin:
    """How a platform knows a submission: by this its grade finds the way back, whatever a roster says."""

    platform: str = ""
    id: str = ""
    """The person's there; Gradescope's is the submission's."""
    label: str = ""
    """What the person is called in names of files."""
    order: int = 0
    """Of the file, if it has one."""


@dataclass(frozen=True)
class Submission:
    """What one person, or one group, handed in: the one file that counts."""

    name: str
    """The file's path below what was given, with `/`. Unique within a gradebook."""
    people: tuple[Person, ...]
    """One, or the members of a group."""
    content: bytes
    problem: Note | None = None
    """Why the file is no notebook, if that is known without its content: it becomes `unreadable`."""
    fault: Note | None = None
    """Why the grader could not read it: it becomes `could-not-grade`."""
    remarks: tuple[Note, ...] = ()
    """What its owner should know of how it was chosen, such as which other files were set aside."""
    time: str = ""
    """When it was handed in, ISO 8601, if the platform tells."""
    attempts: int = 1
    late: bool = False


@dataclass(frozen=True)
class StatementError:
    """An error that a statement of a student's raised under a shown example."""

    cell: int
    """The code cell's number in the file, from 1."""
    line: int
    """The line within the cell, from 1."""
    kind: str
    """The exception's class name; `Stopped` for a statement that did not end or took all memory."""
    message: str


@dataclass(frozen=True)
class Shown:
    """What a name held under a shown example, small enough to be drawn."""

    kind: Literal["tensor", "packed", "other"]
    shape: tuple[int, ...] = ()
    """A tensor's; a PackedSequence's `data`."""
    numbers: Any = None
    """A tensor's elements as nested tuples, rounded to three decimals; None where there are too many. Of a scalar its
    value, and of a list its length."""
    batch_sizes: tuple[int, ...] = ()
    """Of a PackedSequence."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Of a layer, by name."""


@dataclass(frozen=True)
class Difference:
    """One name that was wrong under a shown example, with both values."""

    name: str
    note: Note
    """How the values differ, exactly."""
    expected: Shown
    received: Shown
    symbols: str = ""
    """The axes of `expected`, such as `L B d_h`."""
    wrong: Any = None
    """Which elements differ: nested tuples of bools in the shape of both, if the shapes agree."""


@dataclass(frozen=True)
class Reach:
    """Where a change of one word of the shown example shows in a tensor."""

    name: str
    row: int
    step: int
    """Which word was changed: `batch[row, step]`."""
    symbols: str
    moved: Any
    """Nested tuples of bools over all axes of the student's tensor but the last: whether any number there moved."""
    expected: Any
    """The same for the right answer."""


@dataclass(frozen=True)
class Example:
    """What the shown example that tells most, of these the smallest, shows of a wrong answer."""

    id: str
    differences: tuple[Difference, ...] = ()
    """In the order of the question's names; those that are right are left out."""
    error: StatementError | None = None
    """The error that kept one of the question's names from being bound, or rebound."""
    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """One hidden check of a question over all hidden scenarios."""

    check: str
    """The test function's name, unique within its question. Its title is the course's."""
    points: float
    passed: bool
    note: Note | None = None
    """Of a check that failed: the kind of difference and the name, no number. None where it passed."""
    scenario: str = ""
    """The id of the first hidden scenario in which it failed."""


@dataclass(frozen=True)
class OwnCell:
    """A code cell of the student's own."""

    number: int
    """Its number among the code cells of the file, from 1."""
    source: str
    """Its code; of a long cell, the part that binds the question's names."""
    line: int = 1
    """The line of the cell with which that begins."""


@dataclass(frozen=True)
class QuestionGrade:
    question: str
    points: float
    score: float
    checks: tuple[CheckResult, ...] = ()
    answered: bool = False
    """Whether any cell of the student's own binds one of the question's names."""
    misconception: str = ""
    """The id of the known mistake that the answer shows; its hint is the corpus's."""
    example: Example | None = None
    """Of a wrong answer, if any shown example tells it from a right one."""
    cells: tuple[OwnCell, ...] = ()
    """The cells of the student's own that bind the question's names; of a wrong answer only."""
    notes: tuple[Note, ...] = ()
    """Remarks on this question, such as a size that is typed in."""


@dataclass(frozen=True)
class Grade:
    """What one submission earned, and why."""

    status: Status
    score: float | None
    """Points earned, before adjustments; None if it could not be graded or was not handed in."""
    max_score: float
    questions: tuple[QuestionGrade, ...] = ()
    lang: Language | None = None
    """The language of the student's edition, if it can be told."""
    detail: Note | None = None
    """Why the status is not `graded`, or what an instructor should know."""
    remarks: tuple[Note, ...] = ()
    """Remarks for the student on the whole notebook."""
    isolation: str = ""
    """Which confinement was reached."""


@dataclass(frozen=True)
class Result:
    """A grade, and the observations that it rests on."""

    grade: Grade
    evidence: bytes = b""
    """For grading again without running student code; nothing where there is none."""
    runs: int = 0
    """How often student code was run for it."""


@dataclass(frozen=True)
class Adjustment:
    """A change of somebody's points by hand."""

    student: str
    """Name, id or email, as written."""
    question: str
    """A question's id, or nothing for the total."""
    points: float
    """The points that the question (or the total) gets; with a sign in `adjustments.csv`, what is added."""
    reason: str
    relative: bool = False
    kind: Literal["points", "excuse"] = "points"


@dataclass(frozen=True)
class Row:
    """One person's line in the gradebook."""

    submission: str
    """The submission's name; nothing where none was handed in."""
    person: Person
    grade: Grade
    time: str = ""
    attempts: int = 1
    late: bool = False
    adjustments: tuple[Adjustment, ...] = ()
    origin: Origin = Origin()

    @property
    def score(self) -> float | None:
        """The points after adjustments; None where there is no score, or where the person is excused.

        What is added to points that are not known yet makes no score.
        """
        known = self.grade.score is not None or (self.adjustments and self.grade.status != "could-not-grade")
        total = sum(self.scores().values()) if known else None
        for adjustment in self.adjustments:
            if adjustment.kind == "points" and not adjustment.question:
                before = total if adjustment.relative else 0.0
                total = None if before is None else before + adjustment.points
        return None if self.excused else total

    @property
    def excused(self) -> bool:
        return any(adjustment.kind == "excuse" and not adjustment.question for adjustment in self.adjustments)

    def scores(self) -> dict[str, float]:
        """The points of each question after adjustments; nothing where there is no score."""
        scores = {q.question: q.score for q in self.grade.questions} if self.grade.score is not None else {}
        for adjustment in self.adjustments:
            unknown = adjustment.relative and self.grade.status == "could-not-grade"
            if adjustment.kind == "points" and adjustment.question and not unknown:
                before = scores.get(adjustment.question, 0.0) if adjustment.relative else 0.0
                scores[adjustment.question] = before + adjustment.points
        return scores
