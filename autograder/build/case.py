"""Otter's test case, made to say what is wrong before it says where; `make build` copies both classes into every check.

Otter prints a `failure_message`, fixed when the file is read, above the line of source that failed and the exception.
Here that message is what the check said as it failed. Of the exception the first line stays: nothing is told twice.
"""

from __future__ import annotations

from typing import Any

from otter.test_files import test_case

__all__ = ["Case", "Told"]


class Told:
    """What a check said when it failed."""

    def __init__(self) -> None:
        self.words = ""

    def __str__(self) -> str:
        return self.words

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (self.words,)  # Otter's log is read where this class is unknown


class Case(test_case):  # type: ignore[misc]
    """A check whose *name* is the sentence that students read."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, failure_message=Told())

    def call_func(self, global_environment: dict[str, Any]) -> None:
        """Run the check on the names that it asks for; a missing one is None."""
        try:
            self.test_func(**{name: global_environment.get(name) for name in self._get_func_params()})
        except AssertionError as failure:
            self.failure_message.words = str(failure)
            failure.args = (str(failure).partition("\n")[0],)
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        return test_case, (self.name,)
