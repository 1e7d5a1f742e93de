"""Exports as platforms write them, small: names and contents of files, put into a folder, a zip or a tar."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.intake import Assignment

__all__ = ["ANSWERED", "ASSIGNMENT", "BLANK", "OTHER", "SCRIPT", "folder", "notebook", "tarred", "zipped"]

PROMPT = "rnn = None  # TODO"
GIVEN = ("import torch", "data = [[1, 2], [3]]", "max_len = max(len(seq) for seq in data)", PROMPT)
ASSIGNMENT = Assignment(frozenset(GIVEN), frozenset({"rnn", "h_n"}))


def notebook(*cells: str, answer: str = "") -> bytes:
    """A notebook with these code cells; *answer* tells two of them apart."""
    sources = [*cells, *([answer] if answer else [])]
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


BLANK = notebook(*GIVEN)
ANSWERED = notebook(*GIVEN[:3], "rnn = torch.nn.RNN(3, 4)")
OTHER = notebook("import numpy as np", "x = np.zeros(3)")
SCRIPT = "\n\n".join([*GIVEN[:3], "rnn = torch.nn.RNN(3, 4)"]).encode()

Files = Mapping[str, bytes] | Sequence[str]


def _contents(files: Files) -> Mapping[str, bytes]:
    return files if isinstance(files, Mapping) else dict.fromkeys(files, ANSWERED)


def folder(path: Path, files: Files) -> Path:
    """*path*, filled with *files*; of names alone, each with an answered notebook."""
    path.mkdir(parents=True, exist_ok=True)
    for name, content in _contents(files).items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def zipped(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, content in _contents(files).items():
            made.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in _contents(files).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
