"""A submission's bytes into code cells. Nothing is run here, and nothing is believed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import Any

from autograder import archive
from autograder.text import Language, text

__all__ = ["Source", "Unreadable", "read"]

SOURCE_BYTES = 1024 * 1024
"""Most code that is run; real submissions have a thirtieth of it."""
CELLS = 2000
"""Most code cells; real submissions have a fiftieth of them."""
PARTS = 2_000_000
"""Most lists, objects and commas of a notebook: each stands for something that takes 20 times its memory."""
MEMBER_BYTES = 32 * 1024 * 1024
"""Largest notebook inside a zip, unpacked."""

_KOREAN = re.compile("(?:[\uac00-\ud7a3][^\uac00-\ud7a3]*){5}")
_PROSE_CHARACTERS = 200
# `# %%` of Jupytext and editors, `# In[3]:` of nbconvert; Colab's export has no marks.
_CELL_MARK = re.compile(r"^# ?(?:%%|In ?\[[ \d]*\]:).*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*#(?! ?%%| In\[)(.+)$", re.MULTILINE)


class Unreadable(Exception):
    """The submission is no notebook; the message is for its author, in the language being spoken."""


@dataclass(frozen=True)
class Source:
    cells: tuple[str, ...]
    """The code cells, in order."""
    lang: Language | None
    """The edition's language, if it can be told."""


def read(content: bytes, name: str) -> Source:
    """The code cells of a notebook, a script or an Otter export.

    *name* decides only how bytes that are no notebook are taken. Raises `Unreadable`.
    """
    if not content.strip():
        raise Unreadable(text(ko="파일이 비어 있습니다.", en="The file is empty."))
    if content.startswith(b"PK\x03\x04"):
        return _read_zip(content)
    source = _decode(content)
    notebook = _parse(source)
    if notebook is not None:
        return _bounded(_read_notebook(notebook))
    suffix = name.lower().rpartition(".")[2]
    if suffix == "ipynb":
        raise Unreadable(
            text(
                ko="노트북 파일이 손상되었습니다(JSON으로 읽을 수 없음). Jupyter에서 다시 저장해 제출해 주십시오.",
                en="The notebook file is damaged (it is not valid JSON). Save it again in Jupyter and hand it in anew.",
            )
        )
    if suffix == "py" or (suffix == "txt" and "import torch" in source):
        return _bounded(_read_script(source))
    raise Unreadable(
        text(
            ko="노트북(.ipynb)도 Python 스크립트(.py)도 아닙니다.",
            en="This is neither a notebook (.ipynb) nor a Python script (.py).",
        )
    )


def _decode(content: bytes) -> str:
    # cp949 is what Windows in Korean saves by default.
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            source = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in source:
            return source.replace("\r\n", "\n").replace("\r", "\n")
    raise Unreadable(
        text(
            ko="텍스트로 읽을 수 없는 파일입니다. 노트북(.ipynb)을 제출해 주십시오.",
            en="The file is not text. Hand in the notebook (.ipynb).",
        )
    )


def _parse(source: str) -> Any:
    if not source.lstrip().startswith("{"):
        return None
    if source.count("[") + source.count("{") + source.count(",") > PARTS:
        raise Unreadable(_too_large())
    try:
        return json.loads(source)
    except (ValueError, RecursionError, MemoryError):
        return None


def _read_notebook(notebook: Any) -> Source:
    cells = notebook.get("cells")
    if cells is None:  # nbformat 3 kept them in worksheets
        sheets = notebook.get("worksheets")
        cells = (
            [cell for sheet in sheets if isinstance(sheet, dict) for cell in _listed(sheet.get("cells"))]
            if isinstance(sheets, list)
            else None
        )
    if not isinstance(cells, list):
        raise Unreadable(text(ko="JSON 파일이지만 노트북이 아닙니다.", en="The file is JSON, but not a notebook."))
    code: list[str] = []
    prose: list[str] = []
    for cell in cells:
        if isinstance(cell, dict):
            lines = cell.get("source", cell.get("input", ""))
            source = (
                lines if isinstance(lines, str) else "".join(line for line in _listed(lines) if isinstance(line, str))
            )
            (code if cell.get("cell_type") == "code" else prose).append(source)
    metadata = notebook.get("metadata")
    edition = metadata.get("edition") if isinstance(metadata, dict) else None
    if edition in ("ko", "en"):
        return Source(tuple(code), edition)
    return Source(tuple(code), _language("\n".join(prose), "\n".join(code)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _too_large() -> str:
    return text(
        ko="노트북이 너무 큽니다. 출력을 모두 지우고(Clear All Outputs) 저장해 다시 제출해 주십시오.",
        en="The notebook is too large. Clear all outputs, save it, and hand it in again.",
    )


def _read_script(source: str) -> Source:
    _bounded(Source((source,), None))
    cells = [cell for cell in _CELL_MARK.split(source) if cell.strip()]
    return Source(tuple(cells), _language("\n".join(_COMMENT.findall(source)), source))


def _language(prose: str, code: str) -> Language | None:
    if _KOREAN.search(prose + code):
        return "ko"
    return "en" if len(prose) >= _PROSE_CHARACTERS else None


def _read_zip(content: bytes) -> Source:
    """The notebook inside an Otter export, or whatever zip holds one."""
    damaged = text(ko="zip 파일을 열 수 없습니다.", en="The zip file cannot be opened.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            members = [
                member
                for member in opened.infolist()
                if member.filename.lower().endswith((".ipynb", ".py"))
                and "/." not in f"/{member.filename}"
                and not re.search(r"__MACOSX|(^|/)tests/", member.filename)
            ]
            # A notebook before a script; of several, the one nearest the root.
            members.sort(key=lambda m: (not m.filename.lower().endswith(".ipynb"), m.filename.count("/"), m.filename))
            if not members:
                raise Unreadable(
                    text(ko="zip 파일 안에 노트북(.ipynb)이 없습니다.", en="There is no notebook (.ipynb) in the zip.")
                )
            if members[0].file_size > MEMBER_BYTES:
                raise Unreadable(_too_large())
            with opened.open(members[0]) as member:
                inner = member.read(MEMBER_BYTES + 1)
    except archive.FAULTS as problem:
        raise Unreadable(damaged) from problem
    if len(inner) > MEMBER_BYTES or inner.startswith(b"PK\x03\x04"):
        raise Unreadable(damaged)
    return read(inner, members[0].filename)


def _bounded(source: Source) -> Source:
    if sum(map(len, source.cells)) > SOURCE_BYTES:
        raise Unreadable(text(ko="코드가 너무 깁니다.", en="There is too much code in it."))
    if len(source.cells) > CELLS:
        raise Unreadable(text(ko="코드 셀이 너무 많습니다.", en="There are too many code cells in it."))
    return source
