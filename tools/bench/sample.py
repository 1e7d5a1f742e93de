"""A class made up from right and wrong answers, no two submissions alike."""

import random
from collections.abc import Iterator

from autograder import course
from autograder.course import corpus
from autograder.grade import Person, Submission
from tools.certify.cases import in_other_words

__all__ = ["made_up_class"]

RIGHT_SHARE = 0.4
"""Of the submissions, so many have no mistake; the others have one, or, a quarter of them, two."""


def made_up_class(size: int, *, seed: int = 1) -> Iterator[Submission]:
    """So many submissions; a larger class begins with the submissions of a smaller one."""
    right = in_other_words()
    wrong = [one for one in corpus.misconceptions() if set(one.answers) == {one.question}]
    for number in range(size):
        draw = random.Random(f"{seed} {number}")
        answers = {q: draw.choice(right[q]) for q in right if draw.random() < 0.5}
        if draw.random() >= RIGHT_SHARE:
            for mistake in draw.sample(wrong, draw.choice([1, 1, 1, 2])):
                answers[mistake.question] = mistake.answers[mistake.question]
        first = course.questions()[0].id  # no two people write alike
        answers[first] = f"# submission {number}\n{answers.get(first) or corpus.answer(first)}"
        yield Submission(f"{number:06}.ipynb", (Person(f"{number:06}"),), corpus.with_answers(answers))
