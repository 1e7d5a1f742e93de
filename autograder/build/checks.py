"""The public checks as students get them: one language, Otter's exception-based form, nothing of ours imported."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from autograder import expect
from autograder.build.case import Case, Told
from autograder.text import LANGUAGES, Language

__all__ = ["student_checks"]

_HEADER = """\
# Public checks of {question}: shapes, dtypes and types only.
# ASCII only, since some systems read this file in an encoding of their own.
"""


def student_checks(folder: Path, lang: Language) -> dict[str, str]:
    """File name and source of every check in *folder* for the edition in *lang*, such as `q1.py`."""
    return {path.name: _student_check(path, lang) for path in sorted(folder.glob("q*.py"))}


def _student_check(path: Path, lang: Language) -> str:
    source = path.read_text(encoding="utf-8")
    tests = [_test(source, node, lang) for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    helpers = _helpers("\n".join(tests), lang)
    body = "\n\n\n".join([*_CASE, *helpers, *tests])
    imports = "\n".join(line for line in _IMPORTS if re.search(rf"\b{line.split()[-1]}\b", body))
    parts = [_HEADER.format(question=path.stem), f'OK_FORMAT = False\n\n{imports}\n\nname = "{path.stem}"\n\n\n', body]
    # Escapes instead of Hangul: Otter opens the file in the system's encoding, cp949 on a Korean Windows.
    return ("".join(parts) + "\n").encode("ascii", "backslashreplace").decode("ascii")


_IMPORTS = (
    "from typing import Any\n",
    "import torch",
    "from otter.test_files import test_case",
    "from torch import nn",
    "from torch.nn.utils.rnn import PackedSequence",
)
_CASE = [re.sub("  # type: ignore.*", "", inspect.getsource(part)).rstrip() for part in (Told, Case)]


def _test(source: str, node: ast.FunctionDef, lang: Language) -> str:
    """The check at *node*, named by its docstring's line in *lang*."""
    titles = dict(line.split(": ", 1) for line in (ast.get_docstring(node) or "").splitlines())
    if set(titles) != set(LANGUAGES):
        raise ValueError(f"{node.name}: the docstring must be the lines {', '.join(f'`{x}: ...`' for x in LANGUAGES)}")
    return f"@Case({_quoted(titles[lang])})\n{_without_docstring(_in_language(source, node, lang))}"


def _helpers(tests: str, lang: Language) -> list[str]:
    """The functions of `autograder.expect` that *tests* lead to, each in *lang*."""
    source = Path(expect.__file__).read_text(encoding="utf-8")
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    wanted: set[str] = set()
    found = {name for name in functions if f"{name}(" in tests}
    while found - wanted:
        wanted |= found
        called = {name for known in wanted for name in functions if f"{name}(" in ast.unparse(functions[known])}
        found = wanted | called
    return [_in_language(source, node, lang) for name, node in functions.items() if name in wanted]


def _in_language(source: str, function: ast.FunctionDef, lang: Language) -> str:
    """The source of *function* with each call of `text` replaced by its argument for *lang*."""
    segment = ast.get_source_segment(source, function) or ""
    while call := _text_call(segment):
        words = {keyword.arg: keyword.value for keyword in call.keywords}[lang]
        segment = segment.replace(
            ast.get_source_segment(segment, call) or "", ast.get_source_segment(segment, words) or "", 1
        )
    return segment


def _text_call(function: str) -> ast.Call | None:
    """The first call of `text` in the source of *function*, if any."""
    calls = (node for node in ast.walk(ast.parse(function)) if isinstance(node, ast.Call))
    return next((call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "text"), None)


def _without_docstring(function: str) -> str:
    return re.sub(r'\n    """.*?"""', "", function, count=1, flags=re.DOTALL)


def _quoted(line: str) -> str:
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
