"""Intake on names and archives that nobody would send by accident.

`FUZZ_EXAMPLES` sets how many cases each test tries; `make fuzz` tries many.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.intake import Entry, collect
from autograder.intake import notebook as notebooks
from autograder.intake.archives import Refused, unpack
from autograder.intake.people import Naming

from .exports import ANSWERED, ASSIGNMENT, BLANK, OTHER, SCRIPT, folder, tarred, zipped

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=5000,  # milliseconds: no hang
    derandomize=EXAMPLES < 1000,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Where each platform puts what one person handed in: the prefix that it writes before the person's own names.
PLATFORMS: dict[str, Callable[[int], str]] = {
    "Canvas": lambda i: f"student{i}_{1000 + i}_{90000 + i}_",
    "Canvas, anonymous": lambda i: f"anon_aB3x{'XYZWV'[i]}_{90000 + i}_",
    "Moodle": lambda i: f"Student {i}_{100 + i}_assignsubmission_file_/",
    "Moodle, flat": lambda i: f"Student {i}_{100 + i}_assignsubmission_file_",
    "Moodle, blind": lambda i: f"참가자_{100 + i}_assignsubmission_file/",
    "Gradescope": lambda i: f"submission_{100 + i}/",
    "nbgrader": lambda i: f"submitted/student{i}/ps1/",
    "Blackboard": lambda i: f"HW_student{i}_attempt_2026-11-18-23-05-0{i}_",
    "Brightspace": lambda i: f"39786-64069{i} - Student {i} - Nov 18, 2026 1105 PM/",
    "Sakai": lambda i: f"Student {i}(s{i})/Submission attachment(s)/",
    "Teams": lambda i: f"Student {i}/HW/Version 1/",
    "folders": lambda i: f"student{i}/",
    "folders, titled": lambda i: f"hw1_2023123{i}_student{i}/",
    "sections": lambda i: f"section{i % 2}/student{i}/",
}
PARTS = st.sampled_from(
    [
        *("rnn.ipynb", "a.py", "x.zip", "x.pdf", "x.tar.gz", "gradebook.sqlite", "submission_metadata.yml", "n.txt"),
        *("submitted", "student0", "ps1", "submission_100", "section1", "tests", "Version 9", "venv", ".git", "..", ""),
        *("Student 0_100_assignsubmission_file_", "student0_1000_90000_rnn.ipynb", "timestamp.txt", "index.html"),
        *("39786-640690 - Student 0 - Nov 18, 2026 1105 PM", "HW_student0_attempt_2026-11-18-23-05-00_rnn.ipynb"),
        *(
            "anon_aB3xX_90000_rnn.ipynb",
            "rnn - student0.ipynb",
            "Student 0(s0)",
            "\u202egpj.ipynb",
            "학번.ipynb",
            "a" * 300,
        ),
    ]
) | st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
CONTENTS = st.sampled_from(
    [
        *(ANSWERED, BLANK, OTHER, SCRIPT, b"", b"x", b"submission_100:\n  :submitters:\n  - :name: Mallory\n"),
        *(zipped({"rnn.ipynb": ANSWERED, "b.ipynb": BLANK}), tarred({"student0/rnn.ipynb": ANSWERED}), b"PK\x03\x04"),
    ]
)
OWN = st.dictionaries(st.lists(PARTS, min_size=1, max_size=4).map("/".join), CONTENTS, min_size=1, max_size=6)


def taken(files: Mapping[str, bytes]) -> dict[str, Entry]:
    """The entries of a class's zip with these files, by their names."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "class.zip"
        path.write_bytes(zipped(files))
        entries = collect([path], ASSIGNMENT).entries
    assert len({entry.name for entry in entries}) == len(entries)
    return {entry.name: entry for entry in entries}


def told(entry: Entry) -> tuple[object, ...]:
    return entry.people, entry.time, entry.attempts, entry.late, entry.remarks


TITLES = st.lists(
    st.sampled_from(["rnn", "과제3", "[RNN]", "과제", "LSTM", "final", "20261120", "1분반", "v2", "Assignment 3"]),
    max_size=2,
)
NAMES = st.sampled_from(
    [["김하늘", "이서준", "박지민", "김민준"], ["Haneul Kim", "Minsu Kim", "Mia Lee", "Ava Martin"]]
)


@fuzz
@given(NAMES, st.integers(2, 4), TITLES, TITLES, st.sampled_from("_- "), st.sampled_from(["", "before", "behind"]))
def test_whatever_titles_a_class_has_everybody_is_told_apart(
    names: list[str], count: int, before: list[str], behind: list[str], sign: str, number: str
) -> None:
    """However many words stand around names, no two people become one, and each has the own number."""
    people = {str(20231200 + i): name for i, name in enumerate(names[:count])}
    stems = {
        each: sign.join([*before, *[each] * (number == "before"), name, *[each] * (number == "behind"), *behind])
        for each, name in people.items()
    }
    naming = Naming.of(stems.values())
    told = {each: naming.read(stem) for each, stem in stems.items()}
    assert len({(each["name"], each["id"]) for each in told.values()}) == count
    assert not number or all(told[each]["id"] == each for each in told)


@fuzz
@given(st.sampled_from(sorted(PLATFORMS)), OWN)
def test_what_one_hands_in_changes_nobody_elses_entry(platform: str, own: dict[str, bytes]) -> None:
    """Whatever names a student gives to files and folders, all others keep theirs, and the student has one at most."""
    prefix = PLATFORMS[platform]
    others = {prefix(i) + "rnn.ipynb": ANSWERED for i in range(3)}
    flat = not prefix(0).endswith("/")
    mallorys = {prefix(3) + (name.replace("/", "_") if flat else name): content for name, content in own.items()}
    alone, together = taken(others), taken(others | mallorys)
    assert len(alone) == 3
    assert {name: told(entry) for name, entry in alone.items()} == {
        name: told(together[name]) for name in alone if name in together
    }
    rest = [entry for name, entry in together.items() if name not in alone]
    assert len(rest) <= 1
    for entry in rest:
        assert entry.name.startswith(prefix(3)[:20])
        submission = entry.read()
        assert submission.content or submission.problem or submission.fault or b"" in own.values()


def is_tree(files: Mapping[str, bytes]) -> bool:
    """Whether no file is a folder, too: nothing packs that, and what lies in both could be called the same."""
    return not any(other.startswith(f"{name}/") for name in files for other in files)


@fuzz
@given(
    st.dictionaries(st.lists(PARTS, min_size=1, max_size=5).map("/".join).filter(bool), CONTENTS, max_size=8).filter(
        is_tree
    )
)
def test_any_tree_gives_each_file_once(files: dict[str, bytes]) -> None:
    """Any names in a zip make entries with one person each, whose records can be written as UTF-8."""
    entries = taken(files).values()
    people = [person for entry in entries for person in entry.people]
    assert len({(person.name, person.id) for person in people}) == len(people)
    for entry in entries:
        json.dumps([entry.name, str(entry.read().people)], ensure_ascii=False).encode()
        assert len(entry.name) <= 420


@fuzz
@given(st.dictionaries(st.lists(PARTS, min_size=1, max_size=4).map("/".join), CONTENTS, max_size=6))
def test_any_folder_is_as_its_zip(files: dict[str, bytes]) -> None:
    """On disk the same people come out as from a zip, as far as a file system can hold the names."""
    with tempfile.TemporaryDirectory() as name:
        try:
            root = folder(Path(name) / "class", {each: content for each, content in files.items() if ".." not in each})
        except OSError:
            return  # a name that no file system takes, or a file where a folder is to be
        laid = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        packed, entries = taken(laid), collect([root], ASSIGNMENT).entries
        if len(packed) > 1:  # a zip with one notebook is a person's own
            assert sorted(entry.name for entry in entries) == sorted(packed)


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """The seeds with bytes changed, cut out, doubled or put in."""

    @st.composite
    def mutate(draw: st.DrawFn) -> bytes:
        content = bytearray(draw(st.sampled_from(seeds)))
        for _ in range(draw(st.integers(0, 6))):
            place = draw(st.integers(0, len(content)))
            end = min(len(content), place + draw(st.sampled_from([0, 1, 2, 4, 8, 100])))
            pieces = [b"\0", b"\xff" * 4, b"[", b"{", b'"', b"\\ud800", b"1e999", b"PK\1\2", b"\0\0\0\x80"]
            content[place:end] = draw(st.binary(max_size=8) | st.sampled_from([*pieces, bytes(content[place:end]) * 2]))
        return bytes(content)

    return mutate()


ARCHIVES = [
    zipped({"rnn.ipynb": ANSWERED * 3, "과제/rnn.py": SCRIPT}, compression)
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
]
ARCHIVES += [tarred({"a/" * 60 + "rnn.ipynb": ANSWERED, "과제.py": SCRIPT})]


@fuzz
@given(mutated(ARCHIVES) | st.binary(max_size=200))
def test_any_archive_is_read_or_refused(content: bytes) -> None:
    """A damaged archive gives files or a reason, and so do its members."""
    try:
        for file in unpack(content):
            try:
                file.load()
            except Refused as refused:
                assert not refused.fault
    except Refused as refused:
        assert not refused.fault


SOURCES = [
    ANSWERED,
    SCRIPT,
    b"# %%\nimport torch\n# In[3]:\nrnn = 1\n",
    "# 주석\nimport marimo\n@app.cell\ndef _(): x".encode(),
]
SOURCES += [content.decode().encode(encoding) for content in SOURCES for encoding in ("utf-16", "utf-8-sig", "cp949")]


@fuzz
@given(mutated(SOURCES) | st.binary(max_size=200), st.sampled_from(["x.ipynb", "x.py", "x.txt", "x"]))
def test_any_file_is_a_notebook_or_not(content: bytes, name: str) -> None:
    """Whatever bytes are handed in become code cells or a reason."""
    try:
        source = notebooks.read(content, name)
    except Refused:
        return
    "".join(source.cells).encode()
    assert notebooks.belongs(source, ASSIGNMENT) >= bool(notebooks.answers(source, ASSIGNMENT))


@fuzz
@given(mutated([b"submission_1:\n  :submitters:\n  - :name: 'Kim'\n    :sid: \"\\u1234\"\n  :history:\n  - :x: 1\n"]))
def test_any_roster_is_text(roster: bytes) -> None:
    """Gradescope's metadata, however damaged, are people or none."""
    files = {"submission_metadata.yml": roster, "submission_1/a.ipynb": ANSWERED, "submission_2/a.ipynb": ANSWERED}
    assert len(taken(files)) == 2
