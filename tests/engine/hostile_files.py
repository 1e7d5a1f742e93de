"""Whole files that attack whoever reads them: made, not kept, since most are large or no file at all."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from autograder import course
from autograder.intake import limits

__all__ = ["make_class"]

Make = Callable[[Path], object]

_MEBIBYTE = 1 << 20
_ALLOWED = limits.SOURCE_CHARACTERS - 100
"""Most code that is not refused for its length."""


def _notebook(cells: str) -> bytes:
    return b'{"cells": [' + cells.encode() + b'], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def _zip(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


def _many_members(count: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.txt", b"")
    return stream.getvalue()


def _lying_zip() -> bytes:
    """A notebook whose sizes in the zip's directory are too small."""
    whole = bytearray(_zip(**{"rnn.ipynb": bytes(40 * _MEBIBYTE)}))
    place = whole.rfind(b"PK\x01\x02") + 24
    whole[place : place + 4] = (1000).to_bytes(4, "little")
    return bytes(whole)


def _broken_zip() -> bytes:
    """A notebook whose packed bytes are damaged in the middle."""
    whole = bytearray(_zip(**{"rnn.ipynb": os.urandom(5000).hex().encode()}))
    whole[200:400] = b"\xff" * 200
    return bytes(whole)


def _sparse(size: int) -> Make:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def _bytes(content: Callable[[], bytes]) -> Make:
    return lambda path: path.write_bytes(content())


def _nested_zips(depth: int) -> bytes:
    content = _zip(**{"rnn.ipynb": b"{}"})
    for _ in range(depth):
        content = _zip(**{"inner.zip": content, "rnn.ipynb": content})
    return content


FILES: dict[str, Make] = {
    "500-mebibytes.ipynb": _sparse(500 * _MEBIBYTE),
    "zeros-60-mebibytes.ipynb": _sparse(60 * _MEBIBYTE),
    "lists-in-lists.ipynb": _bytes(lambda: b'{"cells": ' + b"[" * _MEBIBYTE + b"]" * _MEBIBYTE + b"}"),
    "objects-in-objects.ipynb": _bytes(lambda: b'{"cells":' * 200_000 + b"1" + b"}" * 200_000),
    "ten-million-lists.ipynb": _bytes(lambda: b'{"cells": [' + b"[]," * (10 * _MEBIBYTE) + b"[]]}"),
    "hundred-thousand-cells.ipynb": _bytes(
        lambda: _notebook(",".join(['{"cell_type": "code", "source": ""}'] * 100_000))
    ),
    "cells-of-every-type.ipynb": _bytes(
        lambda: _notebook(
            '1, null, [], "x", {"cell_type": []}, {"cell_type": "code", "source": {"a": [1e999, NaN]}},'
            '{"cell_type": "code", "source": [1, null, {}]}, {"cell_type": "code"}'
        )
    ),
    "sheets-of-every-type.ipynb": _bytes(lambda: b'{"worksheets": [{"cells": 5}, {"cells": null}, {"cells": -1.5}]}'),
    "six-million-numbers.ipynb": _bytes(
        lambda: _notebook('{"cell_type": "code", "source": [' + "1e9," * (6 * _MEBIBYTE) + "0]}")
    ),
    "number-of-a-million-digits.ipynb": _bytes(lambda: _notebook("1" * _MEBIBYTE)),
    "lone-surrogates.ipynb": _bytes(
        lambda: _notebook(r'{"cell_type": "code", "source": "x = 1 # \ud800\n\udfff = 2"}')
    ),
    "invalid-utf-8.ipynb": _bytes(lambda: b'{"cells": [{"cell_type": "code", "source": "\xff\xfe\x80"}]}'),
    "utf-16-without-end.ipynb": _bytes(lambda: b'\xff\xfe{\0"\0c'),
    "nul-bytes.py": _bytes(lambda: b"x = 1\0\0\0\n"),
    "empty-lines.py": _bytes(lambda: b"1" + b"\n" * _ALLOWED + b"x"),
    "marimo.py": _bytes(lambda: b"import marimo\n@app.cell\ndef _():\n    x = " + b"1+" * 950 + b"1"),
    "spaces.py": _bytes(lambda: b"import torch\n" + b" " * _ALLOWED),
    "hashes.py": _bytes(lambda: b"#" * _ALLOWED),
    "cell-marks.py": _bytes(lambda: b"# In[" + b" " * (_ALLOWED // 2) + b"\n# %%" * (_ALLOWED // 10)),
    "one-line-60-mebibytes.py": _bytes(lambda: b"x = 1;" * (10 * _MEBIBYTE)),
    "bomb.zip": _bytes(lambda: _zip(**{"rnn.ipynb": bytes(200 * _MEBIBYTE)})),
    "bomb-that-lies.zip": _bytes(_lying_zip),
    "damaged.zip": _bytes(_broken_zip),
    "cut.zip": _bytes(lambda: _zip(**{"rnn.ipynb": b"{}" * 1000})[:60]),
    "zips-in-zips.zip": _bytes(lambda: _nested_zips(20)),
    "zip-of-30000.zip": _bytes(lambda: _many_members(30_000)),
    "path-traversal.zip": _bytes(
        lambda: _zip(**{"..__..__..__tmp__attack-was-here.ipynb": b"{}", "__tmp__attack-was-here": b"x"})
    ),
    "link-to-the-reference.ipynb": lambda path: path.symlink_to(course.REFERENCE),
    "link-to-passwd.ipynb": lambda path: path.symlink_to("/etc/passwd"),
    "link-to-itself.ipynb": lambda path: path.symlink_to(path.name),
    "link-to-nothing.ipynb": lambda path: path.symlink_to("nowhere"),
    "link-to-the-hidden-tests": lambda path: path.symlink_to(course.HIDDEN),
    "link-to-a-device.ipynb": lambda path: path.symlink_to("/dev/zero"),
    "pipe.ipynb": lambda path: os.mkfifo(path),
}
"""By name: what to do at its path. Each must come to `unreadable` or to no points, and harm nobody."""

_SOURCE = "raise ValueError('=1+1')"
NAMES = (
    *(
        "=cmd|' .ipynb",
        "+1+1.ipynb",
        "@SUM(1).ipynb",
        "-1.ipynb",
        "--out.ipynb",
        "<script>alert(1)<",
        "%2e%2e%2f.ipynb",
    ),
    *("\x1b[31mred.ipynb", "two\nlines.ipynb", "tab\tulator.ipynb", "\u202egnp.ipynb", "nul\u0001.ipynb"),
    *("'; DROP TABLE submission; --.ipynb", '"quoted",comma.ipynb', "{{ 7 * 7654321 }}.ipynb", "$(touch attack).ipynb"),
    *("CON.ipynb", "trailing dot..ipynb", "\udcff\udcfe.ipynb", "back\\slash.ipynb", "..\\..\\up.ipynb"),
    "x" * 240 + ".ipynb",
)
"""Names of files; what is in them earns nothing."""


def make_class(folder: Path) -> None:
    """Put every hostile file into *folder*, and every hostile name."""
    for name, make in FILES.items():
        make(folder / name)
    content = _notebook(json.dumps({"cell_type": "code", "source": _SOURCE}))
    for name in NAMES:
        with contextlib.suppress(OSError):  # a file system that does not take such a name
            (folder / name).write_bytes(b"{}")
    deep = folder.joinpath(*["deep"] * 60)
    deep.mkdir(parents=True)
    (deep / "rnn.ipynb").write_bytes(content)
