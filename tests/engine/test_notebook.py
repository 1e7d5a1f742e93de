"""Bytes into code cells, and what cells tell of whose assignment they answer."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import pytest

from autograder.intake.archives import Refused
from autograder.intake.notebook import Source, answers, belongs, read

from .exports import ANSWERED, ASSIGNMENT, BLANK, OTHER, SCRIPT, zipped


def notebook(*cells: object, metadata: object = None) -> bytes:
    return json.dumps({"cells": cells, "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source}


def test_code_cells_come_in_order() -> None:
    """Sources may be strings or lists of lines; text and raw cells are left out."""
    content = notebook(code("a = 1"), {"cell_type": "markdown", "source": "b"}, code(["c = 1\n", "d = 2"]))
    assert read(content, "x.ipynb").cells == ("a = 1", "c = 1\nd = 2")


def test_parsing_gives_no_warnings() -> None:
    """What Python says of an odd escape would be shown on the grader's terminal, with the escape in it."""
    assert answers(read(b"h_n = '\\d \\\x1b[31m'", "x.py"), ASSIGNMENT) == {"h_n"}


def test_damaged_characters_are_counted_in_little_memory() -> None:
    """One damaged byte in a large file costs no more than another copy or two of it."""
    content = "가".encode() * 10**6 + b"\xff"
    tracemalloc.start()
    with contextlib.suppress(Refused):
        read(content, "x.txt")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(content)


def test_old_format_is_read() -> None:
    """nbformat 3 kept cells in worksheets, and code in `input`."""
    content = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1"]}]}]}).encode()
    assert read(content, "x.ipynb").cells == ("a = 1",)


@pytest.mark.parametrize("mark", ["# %%", "# %% [markdown]", "# In[3]:", "# In[ ]:", "#%%"])
def test_script_is_cut_at_cell_marks(mark: str) -> None:
    """Percent format and nbconvert's marks part cells; a script without marks is one cell."""
    assert read(f"a = 1\n{mark}\nb = 2\n".encode(), "x.py").cells == ("a = 1\n", "\nb = 2\n")


def test_marimo_notebook_is_cut_into_its_cells() -> None:
    """A cell is the body of a function; what the function hands on is no code of the student's."""
    script = '''import marimo

app = marimo.App()


@app.cell
def _():
    import torch
    return (torch,)


@app.cell(hide_code=True)
async def _(torch):
    text = """한
    글"""
    rnn = torch.nn.RNN(3, 4)
    return


@app.cell
def _():
    return


if __name__ == "__main__":
    app.run()
'''
    assert read(script.encode(), "x.py").cells == ("import torch", "text = '한\\n    글'\nrnn = torch.nn.RNN(3, 4)", "")


def test_marimo_cell_comes_after_those_that_make_what_it_takes() -> None:
    """In marimo the order of a file tells nothing: imports may stand at its end."""
    cells = [
        ("rnn = nn.RNN(3, 4)", "nn", "rnn"),
        ("a = b", "b", "a"),
        ("b = a", "a", "b"),
        ("from torch import nn", "", "nn"),
    ]
    made = [f"@app.cell\ndef _({takes}):\n    {code}\n    return ({gives},)\n" for code, takes, gives in cells]
    script = "\n".join(["import marimo", *made])
    assert read(script.encode(), "x.py").cells == ("from torch import nn", "rnn = nn.RNN(3, 4)", "b = a", "a = b")


def test_setup_functions_and_classes_of_marimo_are_cells() -> None:
    """`with app.setup:` holds the imports of many, and what is used in several cells stands outside them."""
    script = """import marimo

app = marimo.App()

with app.setup(hide_code=True):
    import torch


@app.function
@torch.no_grad()
def run(x):
    return x


@app.class_definition
class Net:
    pass
"""
    cells = ("import torch", "@torch.no_grad()\ndef run(x):\n    return x", "class Net:\n    pass")
    assert read(script.encode(), "x.py").cells == cells


@pytest.mark.parametrize("prefix", ["# Commented out IPython magic to ensure Python compatibility.\n# ", "# MAGIC "])
def test_cell_that_an_export_made_a_comment_is_a_cell(prefix: str) -> None:
    """Colab, Databricks and Fabric comment cells out that begin with a magic; what else is a comment stays one."""
    more = prefix.rpartition("\n")[2]
    script = f"a = 1\n{prefix}%%time\n{more}# one\n{more}b = 2\n\n# c = 3\n{prefix}%matplotlib inline\n# d = 4\n"
    rest = f"\n# c = 3\n{prefix}%matplotlib inline\n# d = 4\n"
    assert read(script.encode(), "x.py").cells == ("a = 1\n", "%%time\n# one\nb = 2\n", rest)


@pytest.mark.parametrize("value", ["1+" * 950 + "1", "0x" + "f" * 10_000])
def test_marimo_notebook_that_cannot_be_written_down_is_a_script(value: str) -> None:
    """A sum too deep, or a number too long, to be put into words stops nobody: the file is its own cell."""
    script = f"import marimo\n@app.cell\ndef _():\n    x = {value}\n"
    assert read(script.encode(), "x.py").cells == (script,)


def test_language_is_the_editions() -> None:
    """The metadata tell it, else Hangul or a good deal of English does."""
    prose = {"cell_type": "markdown", "source": "What each shape means, and why it is so. " * 10}
    hangul = {"cell_type": "markdown", "source": "모양이 왜 그런지 살펴봅시다."}
    assert read(notebook(hangul, metadata={"edition": "en"}), "x").lang == "en"
    assert read(notebook(hangul, prose), "x").lang == "ko"
    assert read(notebook(prose), "x").lang == "en"
    assert read(notebook(code("x = 1")), "x").lang is None


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig", "utf-16"])
def test_windows_encodings_are_read(encoding: str) -> None:
    """A script saved on a Korean Windows, with a byte order mark or as UTF-16 is a script."""
    assert "가나다" in read("# 가나다\nx = 1".encode(encoding), "x.py").cells[0]


@pytest.mark.parametrize("encoding", ["latin-1", "euc-kr", "utf-8", "no-such", "punycode"])
def test_coding_line_is_followed(encoding: str) -> None:
    """PEP 263: a script says how it is written; what is no language's encoding is not tried."""
    word = "김하늘" if encoding == "euc-kr" else "José" if encoding in ("latin-1", "utf-8") else "Jose"
    codec = encoding if encoding in ("latin-1", "euc-kr") else "utf-8"
    assert word in read(f"# -*- coding: {encoding} -*-\nname = '{word}'\n".encode(codec), "x.py").cells[0]


@pytest.mark.parametrize(
    "content", [notebook(code("# 가나다라마바사 X 아자차카\nx = 1")), "# 한글 주석 X 입니다\nx = 1".encode()]
)
def test_single_bad_byte_spoils_nothing_else(content: bytes) -> None:
    """One damaged byte of UTF-8 is replaced, and the rest stays Hangul."""
    (cell,) = read(content.replace(b"X", b"\xed"), "x.py" if content[:1] == b"#" else "x.ipynb").cells
    assert "\ufffd" in cell or "\\u" not in cell
    assert "x = 1" in cell


HTML = b"\n<!DOCTYPE html>\n<html><body>rnn.ipynb</body></html>"
CONFLICT = b'{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> theirs\n]}'


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"", "x.ipynb", "empty-file"),
        (b"\0\0 \n", "x.ipynb", "empty-file"),
        (b'{"cells": [', "x.ipynb", "damaged-notebook"),
        (b"[" * 100_000, "x.ipynb", "damaged-notebook"),
        (b'{"a":' * 100_000, "x.ipynb", "damaged-notebook"),
        (b"hello", "x.ipynb", "damaged-notebook"),
        (b'{"cells": 3}', "x.ipynb", "json-not-notebook"),
        (b'{"a": 1}', "x.ipynb", "json-not-notebook"),
        (b'{"url": "https://x", "doc_id": "1"}', "x.gdoc", "link"),
        (b"https://colab.research.google.com/drive/1x\n", "x.txt", "link"),
        (b"[InternetShortcut]\r\nURL=https://x\r\n", "x.url", "link"),
        (HTML, "x.ipynb", "web-page"),
        (HTML, "x.html", "web-page"),
        (CONFLICT, "x.ipynb", "conflict-markers"),
        (CONFLICT, "x.py", "conflict-markers"),
        (b"%PDF-1.4 \x00\xff", "x.ipynb", "not-a-notebook"),
        (b"%PDF-1.4 text", "x.pdf", "not-a-notebook"),
        (b"hello", "x.txt", "not-a-notebook"),
        (zipped(["word/document.xml"]), "x.docx", "not-a-notebook"),
        (notebook(code("#" * 5_000_000)), "x.ipynb", "too-much-code"),
        (b"x = 1\n" * 1_000_000, "x.py", "too-much-code"),
        (notebook(*[code("x")] * 3000), "x.ipynb", "too-many-cells"),
        (b'{"a": [' + b"1," * 3_000_000, "x.ipynb", "notebook-too-large"),
    ],
)
def test_file_that_is_no_notebook_is_named_as_what_it_is(content: bytes, name: str, kind: str) -> None:
    """Each has a kind of its own, for which there is a sentence."""
    with pytest.raises(Refused) as error:
        read(content, name)
    assert error.value.note.kind == kind


@pytest.mark.parametrize("name", ["x.ipynb.txt", "x.txt", "x", "x.py"])
def test_notebook_is_one_under_any_name(name: str) -> None:
    """A browser that adds a suffix costs nothing."""
    assert read(ANSWERED, name).cells[-1].startswith("rnn")


def test_strange_cells_are_harmless() -> None:
    """Cells of any shape are read as far as they make sense, and what is read can be written."""
    strange = [None, 3, {"cell_type": "code"}, code(None), code([1, None]), code({"a": 1}), code("y = '\ud800'")]
    cells = read(notebook(*strange, code("x = 1")), "x.ipynb").cells
    assert cells[-2:] == ("y = '?'", "x = 1")
    assert "".join(cells).encode()


@pytest.mark.parametrize(
    ("content", "whose", "done"),
    [
        (BLANK, True, False),
        (ANSWERED, True, True),
        (SCRIPT, True, True),
        (OTHER, False, False),
        (notebook(), False, False),
        (notebook(code("import torch"), code("max_len = max( len(seq) for seq in data ) # L")), False, False),
        (notebook(code("data=[[1,2],[3]]  # 데이터"), code("max_len = max(len(seq) for seq in data)")), True, False),
        (notebook(code("!pip install x\nif True:\n    %time h_n = 3\n\nrnn = f(x)")), True, True),
        (notebook(code("x = (\n\nrnn = f(x)")), True, True),
        (notebook(code("library(torch)\nrnn <- nn_rnn(3, 4)")), False, False),
        (notebook(code("a" + ".b" * 50_000)), False, False),
        (notebook(code("(" * 50_000)), False, False),
        (notebook(code("rnn = " + "-" * 50_000 + "1")), False, False),
    ],
)
def test_statements_tell_assignment_and_answers(content: bytes, whose: bool, done: bool) -> None:
    """Given statements or bound names make it this assignment's; a name bound to something answers."""
    source: Source = read(content, "x.py" if content == SCRIPT else "x.ipynb")
    assert (belongs(source, ASSIGNMENT), bool(answers(source, ASSIGNMENT))) == (whose, done)
