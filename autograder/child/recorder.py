"""What stands in for `otter` and for the notebook's shell while a submission is graded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, cast

__all__ = ["Shell", "install"]


class Shell:
    """`get_ipython()`: magics, shell commands and displays that do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


def _nothing(*args: object, **kwargs: object) -> None:
    return None


_PARTS = ("animation", "cm", "colors", "font_manager", "gridspec", "patches", "pyplot", "ticker")
_DRAWING = ("matplotlib", "seaborn", "koreanize_matplotlib", *(f"matplotlib.{part}" for part in _PARTS))


class _Blank:
    """A drawing library, a figure, its axes: whatever is asked of it, it draws nothing."""

    __path__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> _Blank:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object, **kwargs: object) -> _Blank:
        return self

    def __getitem__(self, key: object) -> _Blank:
        return self

    def __iter__(self) -> Iterator[_Blank]:
        return iter((self, self))  # as in `figure, axes = plt.subplots()`

    def __enter__(self) -> _Blank:
        return self

    def __exit__(self, *exc: object) -> None: ...


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
    # Pictures are for people: code that draws between its other work goes on as if it had.
    for name in _DRAWING:
        sys.modules[name] = cast(ModuleType, _Blank())
    import IPython.display

    IPython.display.display = _nothing
    main = ModuleType("__main__")
    shell = Shell()
    main.__dict__.update(grader=Notebook(), get_ipython=lambda: shell, display=_nothing)
    sys.modules["__main__"] = main
    return main.__dict__
