"""Intake: which files are submissions, what they are called, and whose they are."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from autograder import archive, intake
from autograder.intake import Entry, collect
from autograder.text import speaking

NOTEBOOK = b'{"cells": []}'


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with speaking("en"):
        yield


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(NOTEBOOK)
    return folder


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def names(entries: list[Entry]) -> list[str]:
    return [entry.name for entry in entries]


def student(path: Path, name: str) -> str:
    """The student of the file *name*, put into the folder *path* beside one of somebody else's."""
    fill(path, name, "someone/else.ipynb")
    return next(entry.student for entry in collect([path]) if entry.name == name)


def test_folder_gives_relative_names_in_order(tmp_path: Path) -> None:
    """Names are relative to the folder given, with slashes, and sorted."""
    fill(tmp_path, "b.ipynb", "a/x.py")
    assert names(collect([tmp_path])) == ["a/x.py", "b.ipynb"]


def test_single_file_is_called_by_its_own_name(tmp_path: Path) -> None:
    """A file given itself is called by its base name, and its student by the stem."""
    (entry,) = collect([fill(tmp_path, "김하늘.ipynb") / "김하늘.ipynb"])
    assert (entry.name, entry.student) == ("김하늘.ipynb", "김하늘")
    assert entry.read().content == NOTEBOOK


def test_several_paths_put_their_base_name_in_front(tmp_path: Path) -> None:
    """With several paths, what a folder or zip holds is told apart by that path's base name."""
    fill(tmp_path, "one/a.ipynb", "c.py")
    (tmp_path / "two.zip").write_bytes(zipped({"b.ipynb": NOTEBOOK}))
    paths = [tmp_path / "one", tmp_path / "two.zip", tmp_path / "c.py"]
    assert names(collect(paths)) == ["c.py", "one/a.ipynb", "two.zip/b.ipynb"]


def test_equal_names_stay_apart_and_keep_their_suffix(tmp_path: Path) -> None:
    """Two files that would be called the same get a number before the suffix."""
    fill(tmp_path, "1/rnn.ipynb", "2/rnn.ipynb")
    assert names(collect([tmp_path / "1/rnn.ipynb", tmp_path / "2/rnn.ipynb"])) == ["rnn.ipynb", "rnn~2.ipynb"]


@pytest.mark.parametrize(
    "junk",
    [
        ".DS_Store",
        "__MACOSX/._a.ipynb",
        ".ipynb_checkpoints/a-checkpoint.ipynb",
        "kim/._rnn.ipynb",
        "Thumbs.db",
        "desktop.ini",
        "__pycache__/a.cpython-311.pyc",
        ".OTTER_LOG",
        "__zip_filename__",
        "submission_metadata.yml",
        "tests/q1.py",
        "kim/tests/q8.py",
        "requirements.txt",
        "kim/README.md",
        "kim/figure.png",
        "kim/img/figure.png",
        "kim/.git/config",
        "~$rnn.docx",
    ],
)
def test_junk_is_no_submission(tmp_path: Path, junk: str) -> None:
    """What systems, tools and the handout leave beside a notebook gets no row."""
    fill(tmp_path, "a.ipynb", "kim/rnn.ipynb", junk)
    assert names(collect([tmp_path])) == ["a.ipynb", "kim/rnn.ipynb"]


def test_wrong_kind_of_file_is_a_submission(tmp_path: Path) -> None:
    """A file of a wrong kind that is all a student handed in gets its row."""
    fill(tmp_path, "a.ipynb", "kim.docx", "lee/notes.txt")
    assert names(collect([tmp_path])) == ["a.ipynb", "kim.docx", "lee/notes.txt"]


def test_output_folder_is_left_out(tmp_path: Path) -> None:
    """Pages written below the folder of submissions are not taken for submissions."""
    fill(tmp_path, "a.ipynb", "out/feedback/a.ipynb.html")
    assert names(collect([tmp_path], without=tmp_path / "out")) == ["a.ipynb"]


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    """A path that does not exist raises, before anything is graded."""
    with pytest.raises(FileNotFoundError):
        collect([tmp_path / "nothing"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kimhaneul_4711_90210_rnn.ipynb", "kimhaneul"),
        ("kimhaneul_LATE_4711_90210_rnn-1.ipynb", "kimhaneul"),
        ("anon_4711_90210_rnn.ipynb", "anon_4711"),
        ("LATE_anon_4711_90210_rnn.ipynb", "anon_4711"),
        ("김 하늘_815_assignsubmission_file/rnn.ipynb", "김 하늘"),
        ("김 하늘_815_assignsubmission_file_/rnn.ipynb", "김 하늘"),
        ("김 하늘_815_assignsubmission_file_rnn_1_2_x.ipynb", "김 하늘"),
        ("Participant_815_assignsubmission_file/rnn.ipynb", "Participant_815"),
        ("submission_42/lab_1_2_rnn.ipynb", "submission_42"),
        ("course/submitted/kim/rnn/rnn.ipynb", "kim"),
        ("kim/rnn.ipynb", "kim"),
        ("kim/rnn_2026_11_20T23_41_07_120934.zip", "kim"),
        ("kim/hw_1_2_final.ipynb", "kim"),
        ("과제_2026_11_20.ipynb", "과제_2026_11_20"),
        ("kim_11238_text.html", "kim"),
        ("A_B Kim_108_assignsubmission_onlinetext.html", "A_B Kim"),
        ("김하늘 rnn (1).ipynb", "김하늘 rnn (1)"),
    ],
)
def test_student_is_read_from_the_platforms_names(tmp_path: Path, name: str, expected: str) -> None:
    """Each platform's way of naming files tells the student; else the folder, or the file's stem, does."""
    assert student(tmp_path, name) == expected


def test_gradescope_roster_names_the_submitters(tmp_path: Path) -> None:
    """Gradescope's metadata turns a submission's folder into people."""
    fill(tmp_path, "submission_1/rnn.ipynb", "submission_2/rnn.ipynb")
    (tmp_path / "submission_metadata.yml").write_text(
        "submission_1:\n  :submitters:\n  - :name: 김하늘\n    :sid: '7'\n  - :name: Lee\n  :created_at: 2026-11-23\n",
        encoding="utf-8",
    )
    assert [entry.student for entry in collect([tmp_path])] == ["김하늘, Lee", "submission_2"]


@pytest.mark.parametrize("roster", [b"submission_1: [", b"- 1", b"submission_1: {':submitters': 3}", b"\xff\xfe", b""])
def test_broken_roster_changes_nothing(tmp_path: Path, roster: bytes) -> None:
    """Metadata that cannot be read leaves the folder's name as the student."""
    fill(tmp_path, "submission_1/rnn.ipynb")
    (tmp_path / "submission_metadata.yml").write_bytes(roster)
    assert [entry.student for entry in collect([tmp_path])] == ["submission_1"]


def test_folder_shared_by_all_is_no_student(tmp_path: Path) -> None:
    """In an export whose files all lie in one folder, that folder names nobody."""
    fill(tmp_path, "hw/kim.ipynb", "hw/lee.ipynb")
    assert [entry.student for entry in collect([tmp_path])] == ["kim", "lee"]


def test_zip_holds_submissions_and_nothing_is_unpacked(tmp_path: Path) -> None:
    """A zip given is read in place, junk left out."""
    path = tmp_path / "export.zip"
    path.write_bytes(zipped({"kim/rnn.ipynb": NOTEBOOK, "__MACOSX/kim/._rnn.ipynb": b"x", "lee.py": b"x = 1"}))
    entries = collect([path])
    assert names(entries) == ["kim/rnn.ipynb", "lee.py"]
    assert [entry.read().content for entry in entries] == [NOTEBOOK, b"x = 1"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mark", ["__zip_filename__", ".OTTER_LOG"])
def test_otter_export_is_one_submission(tmp_path: Path, mark: str) -> None:
    """An export of Otter's given as a path is one student's file, its bytes unchanged."""
    export = zipped({"rnn.ipynb": NOTEBOOK, mark: b"x", "rnn.pdf": b"x"})
    (tmp_path / "rnn_2026_11_23.zip").write_bytes(export)
    (entry,) = collect([tmp_path / "rnn_2026_11_23.zip"])
    assert (entry.name, entry.read().content) == ("rnn_2026_11_23.zip", export)


def test_zip_in_a_folder_or_zip_is_one_submission(tmp_path: Path) -> None:
    """A zip found inside a container is passed on unopened."""
    inner = zipped({"rnn.ipynb": NOTEBOOK})
    (tmp_path / "export.zip").write_bytes(zipped({"kim.zip": inner}))
    (from_folder,) = collect([tmp_path])
    (from_zip,) = collect([tmp_path / "export.zip"])
    assert from_folder.name == "export.zip"
    assert (from_zip.name, from_zip.read().content) == ("kim.zip", inner)


@pytest.mark.parametrize("name", ["../../etc/a.ipynb", "/etc/a.ipynb", "..\\etc\\a.ipynb", "./etc//a.ipynb"])
def test_zip_names_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    """Paths in a zip are made relative."""
    (tmp_path / "e.zip").write_bytes(zipped({name: NOTEBOOK}))
    assert names(collect([tmp_path / "e.zip"])) == ["etc/a.ipynb"]


def test_zip_names_in_the_korean_code_page_are_read(tmp_path: Path) -> None:
    """Names that Korean Windows wrote into a zip, not marked as UTF-8, come out as Hangul."""
    made = zipped({"XXXX.ipynb": NOTEBOOK}).replace(b"XXXX", "하늘".encode("cp949"))
    (tmp_path / "e.zip").write_bytes(made)
    assert names(collect([tmp_path / "e.zip"])) == ["하늘.ipynb"]


def test_zip_bomb_gets_a_problem_and_the_others_are_read(tmp_path: Path) -> None:
    """A file packed beyond reason is refused by itself."""
    (tmp_path / "e.zip").write_bytes(zipped({"bomb.ipynb": bytes(30_000_000), "kim.ipynb": NOTEBOOK}))
    bomb, kim = (entry.read() for entry in collect([tmp_path / "e.zip"]))
    assert "packed more than" in bomb.problem
    assert bomb.content == b""
    assert kim.content == NOTEBOOK


def test_zip_with_too_many_files_is_one_refused_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip with an absurd number of files is refused as a whole, in one row."""
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    (tmp_path / "e.zip").write_bytes(zipped({f"{i}.ipynb": NOTEBOOK for i in range(3)}))
    (entry,) = collect([tmp_path / "e.zip"])
    assert "more than 2" in entry.read().problem


def test_broken_zip_gets_a_problem(tmp_path: Path) -> None:
    """A zip that is none is a submission that cannot be read."""
    (tmp_path / "e.zip").write_bytes(b"PK\x03\x04 not a zip")
    (entry,) = collect([tmp_path / "e.zip"])
    assert "is not a zip" in entry.read().problem


def test_entry_without_a_name_is_no_submission(tmp_path: Path) -> None:
    """A name that begins with a null byte is empty, and hides none of the others."""
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("kim.ipynb", "lee.ipynb"):
            archive.writestr(name, "{}")
    path.write_bytes(path.read_bytes().replace(b"kim.ipynb", b"\0im.ipynb"))
    assert [entry.name for entry in collect([path])] == ["lee.ipynb"]


def test_damaged_entry_gets_a_problem(tmp_path: Path) -> None:
    """A file whose bytes were damaged in the zip is refused, in one line."""
    content = bytes(range(256)) * 4
    made = bytearray(zipped({"kim.ipynb": content}))
    made[60] ^= 0xFF
    (tmp_path / "e.zip").write_bytes(made)
    (entry,) = collect([tmp_path / "e.zip"])
    submission = entry.read()
    assert "cannot be read from the zip" in submission.problem
    assert "\n" not in submission.problem


def test_large_file_gets_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above the limit is not read."""
    monkeypatch.setattr(intake, "MAX_SUBMISSION_BYTES", 2**20)
    (tmp_path / "kim.ipynb").write_bytes(bytes(2**20 + 1))
    (entry,) = collect([tmp_path])
    assert entry.read().problem == "is larger than 1 MiB: clear all outputs, save it, and hand it in again"


def test_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A link in a student's folder cannot hand in a file of the instructor's."""
    fill(tmp_path, "solution.ipynb", "class/lee.ipynb")
    (tmp_path / "class/kim.ipynb").symlink_to(tmp_path / "solution.ipynb")
    (tmp_path / "class/late.ipynb").symlink_to("lee.ipynb")
    kim, late, lee = (entry.read() for entry in collect([tmp_path / "class"]))
    assert "leads out" in kim.problem
    assert late.content == lee.content == NOTEBOOK


def test_special_file_gets_a_problem(tmp_path: Path) -> None:
    """A pipe is not waited for."""
    os.mkfifo(tmp_path / "kim.ipynb")
    (entry,) = collect([tmp_path])
    assert entry.read().problem == "is not a regular file"


def test_file_that_vanished_gets_a_problem(tmp_path: Path) -> None:
    """A file that is gone when it is read still gets its row."""
    (entry,) = collect([fill(tmp_path, "kim.ipynb")])
    (tmp_path / "kim.ipynb").unlink()
    assert entry.read().problem.startswith("cannot be read: ")


def test_file_name_that_is_not_utf8_becomes_text(tmp_path: Path) -> None:
    """A name in the Korean code page on disk is text that a database and a table can hold."""
    with open(os.fsencode(tmp_path) + b"/" + "하늘.ipynb".encode("cp949"), "wb") as file:
        file.write(NOTEBOOK)
    (entry,) = collect([tmp_path])
    assert entry.name == "하늘.ipynb"
    assert entry.read().content == NOTEBOOK


@pytest.mark.parametrize(
    ("own", "attached"),
    [
        ("Ava_103_assignsubmission_file/rnn.ipynb", "Ava_103_assignsubmission_onlinetext/onlinetext.html"),
        ("ava_11244_556700_rnn.ipynb", "ava_11244_556701_plot.png"),
        ("ava_11244_556700_rnn.ipynb", "ava_11244_text.html"),
    ],
)
def test_attachment_of_the_same_student_has_no_row(tmp_path: Path, own: str, attached: str) -> None:
    """What is beside a notebook is no second submission; of somebody of the same name without a notebook, it is one."""
    fill(tmp_path, own, attached, attached.replace("103", "104").replace("11244", "11245"))
    assert names(collect([tmp_path])) == sorted([own, attached.replace("103", "104").replace("11244", "11245")])


def test_student_of_a_single_file_is_read_from_its_path(tmp_path: Path) -> None:
    """The platform's names count when files are given one by one, too."""
    fill(tmp_path, "submitted/kim/hw/rnn.ipynb", "lee_4711_90210_rnn.ipynb")
    paths = [tmp_path / "submitted/kim/hw/rnn.ipynb", tmp_path / "lee_4711_90210_rnn.ipynb"]
    assert [entry.student for entry in collect(paths)] == ["lee", "kim"]


def test_folder_of_an_earlier_run_holds_no_submissions(tmp_path: Path) -> None:
    """Wherever it lies."""
    fill(tmp_path, "a.ipynb", "graded/gradebook.sqlite", "graded/grades.csv", "graded/feedback/a.ipynb.html")
    assert names(collect([tmp_path])) == ["a.ipynb"]


def test_folders_without_end_are_one_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Hundreds of folders within folders stop nobody, on disk or in a zip."""
    fill(tmp_path, "a.ipynb")
    (tmp_path / "two.zip").write_bytes(zipped({"a/" * 1000 + "x.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK}))
    (zip_deep, zip_flat) = collect([tmp_path / "two.zip"])
    assert (zip_flat.name, zip_flat.read().problem) == ("b.ipynb", "")
    assert "too deep" in zip_deep.read().problem
    (tmp_path / "two.zip").unlink()
    (tmp_path / ("a/" * 200)).mkdir(parents=True)
    flat, deep = sorted(collect([tmp_path]), key=lambda entry: len(entry.name))
    assert (flat.name, flat.read().problem) == ("a.ipynb", "")
    assert "too deep" in deep.read().problem
