"""The public checks as students get them: one language, Otter's exception-based form, nothing of ours imported."""

import ast
import functools
import re
from collections.abc import Mapping
from pathlib import Path

from autograder.course import PUBLIC, questions
from autograder.course.files import content, expect
from autograder.course.questions import in_languages
from autograder.language import LANGUAGES, Language

__all__ = ["student_checks"]

_HEADER = """\
# The public check of {question}. It compares your values with each other; hidden checks decide the points.
# ASCII only, since some systems read this file in an encoding of their own.
OK_FORMAT = False

{imports}

name = "{question}"


"""
_IMPORTS = (
    "import torch",
    "from otter.test_files import test_case",
    "from torch import nn",
    "from torch.nn.utils.rnn import PackedSequence",
)


@functools.cache
def student_checks(lang: Language) -> Mapping[str, str]:
    """File name and source of every public check for the edition in *lang*, such as `q1.py`."""
    helpers = content(PUBLIC / "expect.py")
    paths = {path.stem: path for path in sorted(PUBLIC.glob("q*.py"))}
    graded = [question.id for question in questions()]
    expect("tests/public", "check of", graded, paths)
    expect("tests/hidden", "check of", paths, graded)
    return {path.name: _student_check(path, helpers, lang) for path in paths.values()}


def _student_check(path: Path, helpers: str, lang: Language) -> str:
    source = content(path)
    tests = [_test(source, node, path.stem, lang) for node in _functions(source, path.name).values()]
    body = "\n\n\n".join([*_needed("\n".join(tests), helpers, lang), *tests])
    imports = "\n".join(line for line in _IMPORTS if re.search(rf"\b{line.split()[-1]}\b", body))
    written = _HEADER.format(question=path.stem, imports=imports) + body + "\n"
    # Escapes instead of Hangul: Otter opens the file in the system's encoding, cp949 on a Korean Windows.
    return written.encode("ascii", "backslashreplace").decode("ascii")


def _functions(source: str, file: str) -> dict[str, ast.FunctionDef]:
    return {
        node.name: node for node in ast.parse(source, f"tests/public/{file}").body if isinstance(node, ast.FunctionDef)
    }


def _test(source: str, node: ast.FunctionDef, question: str, lang: Language) -> str:
    """The check at *node*; what its docstring says in *lang* is told when it passes."""
    told = in_languages(ast.get_docstring(node), f"tests/public/{question}.py, {node.name}")
    message = told[lang].replace("\\", "\\\\").replace('"', '\\"')
    function = re.sub(r'\n    """.*?"""', "", _in_language(source, node, lang), count=1, flags=re.DOTALL)
    return f'@test_case(name="{question}", success_message="{message}")\n{function}'


def _needed(tests: str, helpers: str, lang: Language) -> list[str]:
    """The functions of *helpers* that *tests* lead to, each in *lang*."""
    functions = _functions(helpers, "expect.py")
    wanted: set[str] = set()

    def want(code: ast.AST) -> None:
        for node in ast.walk(code):
            if isinstance(node, ast.Name) and node.id in functions and node.id not in wanted:
                wanted.add(node.id)
                want(functions[node.id])

    want(ast.parse(tests))
    return [_in_language(helpers, node, lang) for name, node in functions.items() if name in wanted]


def _in_language(source: str, function: ast.FunctionDef, lang: Language) -> str:
    """The source of *function* with each call of `text` replaced by its argument for *lang*."""
    segment = ast.get_source_segment(source, function) or ""
    while calls := [node for node in ast.walk(ast.parse(segment)) if isinstance(node, ast.Call) and _is_text(node)]:
        words = {keyword.arg or "": keyword.value for keyword in calls[0].keywords}
        expect(f"tests/public, {function.name}, {ast.unparse(calls[0])}", "language", LANGUAGES, words)
        call, chosen = (ast.get_source_segment(segment, node) or "" for node in (calls[0], words[lang]))
        segment = segment.replace(call, f"({chosen})" if "\n" in chosen else chosen, 1)
    return segment


def _is_text(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "text"
