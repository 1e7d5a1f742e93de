"""Private numbers: what a submission can carry out of its process is worth nothing to any other."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from autograder import course
from autograder.grade import Grade, Person, Submission
from autograder.grading import Grader
from autograder.grading.reference import Reference
from autograder.wire.job import Job
from autograder.wire.log import Log

from .submissions import notebook, scores, solution, solved

LAYER = {"q2": "rnn = nn.RNN(embedding_size, hidden_size + 1)"}
WRONG = {**LAYER, "q7": "packed_batch = bi_h_n = outputs = output_lens = None"}


class Watching:
    """A grader, and all that it lets into a process of the student's."""

    def __init__(self, run, sandbox) -> None:
        self._run = run
        self.jobs: list[tuple[Job, Mapping[str, Tensor]]] = []
        self.grader = Grader(sandbox, run=self.run)

    def run(self, job: Job, tensors: Mapping[str, Tensor]) -> Log:
        if job.cells[: len(course.reference_cells())] != course.reference_cells():
            self.jobs.append((job, tensors))
        return self._run(job, tensors)

    def grade(self, content: bytes, *, name: str = "a.ipynb", secret: bytes = b"secret") -> Grade:
        self.jobs.clear()
        return self.grader.grade(Submission(name, (Person("x"),), content), secret).grade

    def salts(self, content: bytes, **options) -> set[str]:
        """The private numbers under which *content* is run."""
        self.grade(content, **options)
        return {job.salt for job, _ in self.jobs if job.salt}


@pytest.fixture(scope="module")
def watching(run, sandbox) -> Watching:
    return Watching(run, sandbox)


def test_reference_values_enter_a_process_under_private_numbers_only(watching):
    """Hidden runs that share numbers get inputs and descriptions of layers alone; with tensors, each has its own."""
    watching.grade(solved(**WRONG))
    hidden = [(job, tensors) for job, tensors in watching.jobs if not job.public]
    assert any(job.salt for job, _ in hidden)
    for job, tensors in hidden:
        corrected = {correction.question for correction in job.corrections}
        assert bool(job.salt) == ("q7" in corrected)
        if not job.salt:
            assert all(set(given) <= set(course.given()) for given in job.given.values())
            assert all(not value.is_floating_point() or not value.any() for value in tensors.values())


def test_a_layer_put_right_needs_no_private_numbers(watching):
    """It is made in the run itself, of sizes that the run has: nothing of the reference's goes in."""
    watching.grade(solved(**LAYER))
    followed = [job for job, _ in watching.jobs if job.corrections and not job.public]
    assert followed
    assert not any(job.salt for job in followed)


def test_numbers_differ_from_submission_to_submission_and_from_one_grading_to_the_next(watching):
    """They depend on the content, on the name and on the secret of the grading run; and on nothing else."""
    content = solved(**WRONG)
    one = watching.salts(content)
    assert one == watching.salts(content)
    others = [
        watching.salts(solved(**WRONG, q1="# mine\n" + "embedding = batch_emb = None")),
        watching.salts(content, name="b.ipynb"),
        watching.salts(content, secret=b"another"),
    ]
    for other in others:
        assert other
        assert one.isdisjoint(other)


def test_numbers_change_no_score(grader):
    """Whatever the secret, the same answers earn the same points."""
    content = solved(**WRONG)
    found = [grader.grade(Submission("a", (Person("x"),), content), secret).grade for secret in (b"1", b"2", b"3")]
    assert len({json.dumps(scores(grade)) for grade in found}) == 1


# The thief has all that a follow-through can see of the reference; the heir gets it, and binds it.

HEIR = """
import torch
def inherit():
    for name, value in LOOT[vocab_size].items():
        globals()[name] = torch.tensor(value)
"""
STOLEN = ("h_n", "hidden_states", "lstm_states", "lstm_h_n", "c_n", "decoded_ids", "hidden", "bi_h_n", "outputs")


def heir(loot: Mapping[int, Mapping[str, object]]) -> bytes:
    """A blank notebook that binds what it was given, before every check."""
    cells = solution(**{question.id: "" for question in course.questions()})
    own = HEIR.replace("LOOT", repr(dict(loot)))
    return notebook([own, *(f"inherit()\n{cell}" if cell.startswith("grader.check(") else cell for cell in cells)])


def test_heir_of_a_thief_gets_nothing(watching, lost):
    """The reference's values under the thief's numbers are wrong in every run of another submission."""
    wrong = {question.id: f"{' = '.join(question.names)} = 0" for question in course.questions()}
    watching.grade(solved(**wrong))
    loot: dict[int, dict[str, object]] = {}
    for job, tensors in watching.jobs:
        if job.corrections and not job.public:
            held = loot.setdefault(job.replacements["vocab_size"][1], {})
            for correction in job.corrections:
                keys = {name: getattr(value, "key", "") for name, value in correction.values.items()}
                held |= {name: tensors[key].tolist() for name, key in keys.items() if key and name in STOLEN}
    assert {name for held in loot.values() for name in held} >= {"hidden_states", "lstm_states", "decoded_ids"}
    assert lost(heir(loot)) == set(wrong)


def test_heir_of_the_shared_numbers_would_be_rich(run, lost):
    """What the test above tries would succeed if values under the shared numbers ever came into a process."""
    loot = {}
    for scenario in course.scenarios():
        at = Reference(run).shared(scenario).at
        held = {name: getattr(at[q.id], name) for q in course.questions() for name in q.names if name in STOLEN}
        loot[scenario.values["vocab_size"]] = {name: value.tolist() for name, value in held.items()}
    assert isinstance(at["q6"].hidden, torch.Tensor)
    assert lost(heir(loot)).isdisjoint({"q3", "q5", "q6"})
