"""Bytes into code cells."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from autograder.notebook import Unreadable, read
from autograder.text import speaking


def notebook(*cells: object, metadata: object = None) -> bytes:
    return json.dumps({"cells": cells, "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source}


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def test_code_cells_come_in_order():
    """Sources may be strings or lists of lines; text and raw cells are left out."""
    content = notebook(code("a = 1"), {"cell_type": "markdown", "source": "b"}, code(["c = 1\n", "d = 2"]))
    assert read(content, "x.ipynb").cells == ("a = 1", "c = 1\nd = 2")


def test_old_format_is_read():
    """nbformat 3 kept cells in worksheets, and code in `input`."""
    content = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1"]}]}]}).encode()
    assert read(content, "x.ipynb").cells == ("a = 1",)


@pytest.mark.parametrize("mark", ["# %%", "# %% [markdown]", "# In[3]:", "# In[ ]:", "#%%"])
def test_script_is_cut_at_cell_marks(mark):
    """Percent format and nbconvert's marks part cells; a script without marks is one cell."""
    assert read(f"a = 1\n{mark}\nb = 2\n".encode(), "x.py").cells == ("a = 1\n", "\nb = 2\n")


def test_language_is_the_editions():
    """The metadata tell it, else Hangul or a good deal of English does."""
    prose = {"cell_type": "markdown", "source": "What each shape means, and why it is so. " * 10}
    hangul = {"cell_type": "markdown", "source": "모양이 왜 그런지 살펴봅시다."}
    assert read(notebook(hangul, metadata={"edition": "en"}), "x").lang == "en"
    assert read(notebook(hangul, prose), "x").lang == "ko"
    assert read(notebook(prose), "x").lang == "en"
    assert read(notebook(code("x = 1")), "x").lang is None


def test_windows_encodings_are_read():
    """A script saved on a Korean Windows, with a byte order mark or as UTF-16 is a script."""
    for encoding in ("cp949", "utf-8-sig", "utf-16"):
        assert "가나다" in read("# 가나다\nx = 1".encode(encoding), "x.py").cells[0]


def test_otter_export_holds_the_notebook():
    """The notebook nearest the root is taken; tests and junk are not."""
    content = zipped(
        tests__q1_py=b"1", rnn_ipynb=notebook(code("a = 1")), __MACOSX___rnn_ipynb=b"junk", sub__b_ipynb=notebook()
    )
    assert read(content, "x.zip").cells == ("a = 1",)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "x.ipynb"),
        (b"  \n", "x.ipynb"),
        (b'{"cells": [', "x.ipynb"),
        (b'{"cells": 3}', "x.ipynb"),
        (b'{"a": 1}', "x.ipynb"),
        (b"[" * 100_000, "x.ipynb"),
        (b'{"a":' * 100_000, "x.ipynb"),
        (b"%PDF-1.4 \x00\xff", "x.ipynb"),
        (b"\xff\xfe\x00", "x.py"),
        (b"hello", "x.txt"),
        (b"PK\x03\x04garbage", "x.zip"),
        (zipped(a_txt=b"x"), "x.zip"),
        (zipped(a_ipynb=zipped(b_ipynb=b"{}")), "x.zip"),
        (notebook(code("#" * 5_000_000)), "x.ipynb"),
    ],
)
def test_unreadable_file_says_why_in_both_languages(content, name):
    """The reason is a sentence for the author."""
    for lang in ("ko", "en"):
        with speaking(lang), pytest.raises(Unreadable, match=r"\w+ .*\.$"):
            read(content, name)


def test_strange_cells_are_harmless():
    """Cells of any shape are read as far as they make sense."""
    content = notebook(None, 3, {"cell_type": "code"}, code(None), code([1, None]), code({"a": 1}), code("x = 1"))
    assert read(content, "x.ipynb").cells[-1] == "x = 1"
