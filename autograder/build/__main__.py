"""`python -m autograder.build [--out DIR] [--visibility WHEN]`: what the build writes, and where."""

import argparse
import base64
import bz2
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tqdm import tqdm

from autograder import course
from autograder.build.bundle import bundle
from autograder.build.checks import student_checks
from autograder.build.master import cells, check_asides, filled
from autograder.build.notebook import executed, solution, student, text_of
from autograder.build.questions import check_structure, table
from autograder.course.files import content
from autograder.language import LANGUAGES, Language
from autograder.report.files import write
from autograder.report.gradescope import VISIBILITIES
from autograder.report.words import one_line

__all__: list[str] = []

_MASTER = course.ROOT / "solutions" / "rnn.py"
_HANDOUT = course.ROOT / "solutions" / "handout"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m autograder.build",
        description="Make assignment/ and solutions/rnn.ipynb from solutions/rnn.py and tests/public, and from all of "
        "it build/gradescope.zip, the autograder for Gradescope.",
    )
    parser.add_argument("--out", type=Path, default=course.ROOT, help="folder to write into (default: the repository)")
    parser.add_argument(
        "--visibility", choices=VISIBILITIES, default="visible", help="when Gradescope shows results (default: visible)"
    )
    arguments = parser.parse_args()
    try:
        files: dict[str, str] = {}
        parts: list[Callable[[], dict[str, str]]] = [*(partial(_edition, lang) for lang in LANGUAGES), _solution]
        for make in tqdm(parts, desc="build", unit="part"):
            files |= make()
        for name, content in files.items():
            write(arguments.out / name, content)
        for path in (arguments.out / "assignment").glob("*/tests/*.py"):
            if path.relative_to(arguments.out).as_posix() not in files:
                path.unlink()  # the check of a question that was taken out
        write(arguments.out / "build" / "gradescope.zip", bundle(arguments.visibility))
    except (course.CourseError, OSError, SyntaxError) as error:
        parser.exit(1, f"build: {one_line(str(error))}\n")


def _edition(lang: Language) -> dict[str, str]:
    """Name and content of every file of assignment/ in *lang*, byte for byte the same where nothing changed."""
    folder = f"assignment/{lang}"
    values = _values(lang)
    edition = cells(_MASTER, prose=[lang], code=lang, values={lang: values})
    check_asides(edition)
    check_structure(edition, lang)
    return {
        f"{folder}/rnn.ipynb": text_of(student(edition, lang)),
        f"{folder}/requirements.txt": _handed_out("requirements.txt"),
        f"{folder}/README.md": filled(_handed_out(f"README.{lang}.md"), values),
        **{f"{folder}/tests/{name}": source for name, source in student_checks(lang).items()},
    }


def _solution() -> dict[str, str]:
    """The solution notebook, executed: text in both languages, all else in Korean."""
    both = cells(_MASTER, prose=LANGUAGES, code="ko", values={lang: _values(lang) for lang in LANGUAGES})
    return {"solutions/rnn.ipynb": text_of(executed(solution(both, "ko")))}


def _values(lang: Language) -> dict[str, str]:
    """What is filled in for `{{name}}` in the edition in *lang*."""
    requirements = _handed_out("requirements.txt").splitlines()
    checks = json.dumps(dict(student_checks(lang)), sort_keys=True).encode()
    return {
        "otter": next(line for line in requirements if line.startswith("otter-grader")),
        # bz2, since its output has not changed from one version to the next as zlib's has.
        "checks": base64.b64encode(bz2.compress(checks)).decode(),
        "names": json.dumps({question.id: question.names for question in course.questions()}),
        "questions": table(lang),
    }


def _handed_out(name: str) -> str:
    return content(_HANDOUT / name)


if __name__ == "__main__":
    main()
