"""What stands in for `otter` and for the notebook's shell while a submission is graded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["Shell", "install"]


class Shell:
    """`get_ipython()`: magics, shell commands and displays that do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


def _nothing(*args: object, **kwargs: object) -> None:
    return None


def install(check: Callable[[str], None]) -> dict[str, Any]:
    """Let `import otter` give a recorder that calls *check* with a question's name; return the names every cell has."""

    class Notebook:
        """Otter's notebook, as far as students use it."""

        def __init__(self, *args: object, **kwargs: object) -> None: ...

        def check(self, question: str, *args: object, **kwargs: object) -> None:
            check(question)

        def __getattr__(self, name: str) -> Callable[..., None]:
            return _nothing  # check_all, export and the rest grade nothing

    otter = ModuleType("otter")
    otter.Notebook = Notebook  # type: ignore[attr-defined]
    sys.modules["otter"] = otter
    # Pictures are for people: a notebook that draws where it can goes on without them.
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
    import IPython.display

    IPython.display.display = _nothing
    main = ModuleType("__main__")
    shell = Shell()
    main.__dict__.update(grader=Notebook(), get_ipython=lambda: shell, display=_nothing)
    sys.modules["__main__"] = main
    return main.__dict__
