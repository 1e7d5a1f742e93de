"""The hidden checks, collected and run by pytest: what each finds comes back as data."""

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.course import HIDDEN, ROOT, CourseError, Question
from autograder.course.compare import Mismatch
from autograder.grade import Note
from autograder.grading.reference import ReferenceValues
from autograder.wire.log import Record

__all__ = ["findings"]


def findings(question: Question, record: Record, reference: ReferenceValues) -> dict[str, Note]:
    """What the checks of *question* find wrong in *record*, by the check's name.

    Their arguments are put where fixtures would put them. Raises `CourseError` if one ends in anything but a failed
    assertion: nothing that a student did.
    """
    found = {}
    for item in _collected()[question.id]:
        item.funcargs = {name: reference if name == "reference" else record[name] for name in item.fixturenames}
        try:
            item.runtest()
        except Mismatch as mismatch:
            found[item.name] = mismatch.note
        except AssertionError:
            found[item.name] = Note("assertion", {"name": item.name})
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as failure:
            where = f"tests/hidden/test_{question.id}.py, {item.name}"
            raise CourseError(f"{where}: {type(failure).__name__}: {failure}") from failure
    return found


@functools.cache
def _collected() -> Mapping[str, Sequence[pytest.Function]]:
    """The checks by question: collected once a process, without plugins that are there by chance."""
    items: list[Any] = []
    keeping = SimpleNamespace(pytest_collection_finish=lambda session: items.extend(session.items))
    plugins = ("terminal", "cacheprovider", "doctest", "junitxml", "logging", "faulthandler", "unraisableexception")
    quiet = [argument for name in plugins for argument in ("-p", f"no:{name}")]
    options = ["--collect-only", "--disable-plugin-autoload", "--import-mode=importlib", "--assert=plain"]
    options += ["--capture=no", "--noconftest", "-c", "/dev/null", f"--rootdir={ROOT}"]
    options += ["--override-ini", "markers=points\neither_layout"]
    tests = map(str, sorted(HIDDEN.glob("test_*.py")))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):  # they are for a pytest around this one, as by hand
            patch.delenv(name, raising=False)
        status = pytest.main([*quiet, *options, *tests], plugins=[keeping])
    if status != pytest.ExitCode.OK:
        raise CourseError(f"pytest could not collect the hidden checks ({status!r})")
    found = defaultdict[str, list[pytest.Function]](list)
    for item in items:
        found[item.path.stem.removeprefix("test_")].append(item)
    return found
