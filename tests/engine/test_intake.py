"""Intake: one submission a person, chosen by evidence; what is nobody's set aside; what cannot be read named."""

from __future__ import annotations

import os
import sqlite3
import zipfile
from pathlib import Path

import pytest

from autograder.grade import Note, Person
from autograder.intake import Entry, Intake, Listed, Refused, collect, join, limits, one, read_roster
from autograder.language import speaking
from autograder.report.words import sentence

from .exports import ANSWERED, ASSIGNMENT, BLANK, GIVEN, OTHER, SCRIPT, folder, notebook, tarred, zipped

FULL = notebook(*GIVEN[:3], "rnn = torch.nn.RNN(3, 4)", "h_n = rnn(data)[1]")


def names(intake: Intake) -> list[str]:
    return [entry.name for entry in intake.entries]


def aside(intake: Intake) -> dict[str, str]:
    return {each.name: each.reason.about.get("why", each.reason.kind) for each in intake.set_aside}


def kinds(intake: Intake) -> list[str]:
    return [note.kind for note in intake.notes]


def counted(files: dict[str, bytes], tmp_path: Path) -> str:
    """Which of one student's files counts, the same in a folder, in a zip, and as Gradescope hands them over."""
    own = folder(tmp_path / "class" / "kim", files)
    folder(tmp_path / "class", ["lee/rnn.ipynb"])
    folder(tmp_path / "zips", {"kim.zip": zipped(files), "lee.ipynb": ANSWERED})
    in_folder = names(collect([tmp_path / "class"], ASSIGNMENT))[0].removeprefix("kim/")
    in_zip = names(collect([tmp_path / "zips"], ASSIGNMENT))[0].removeprefix("kim.zip/")
    assert [in_folder] == [in_zip] == names(one(own, ASSIGNMENT))
    return in_folder


@pytest.mark.parametrize(
    ("files", "right"),
    [
        ({"a_blank.ipynb": BLANK, "rnn.ipynb": ANSWERED}, "rnn.ipynb"),
        ({"rnn.ipynb": BLANK, "rnn_answer.ipynb": ANSWERED}, "rnn_answer.ipynb"),
        ({"rnn-Copy1.ipynb": BLANK, "rnn.ipynb": ANSWERED}, "rnn.ipynb"),
        ({"hw/rnn.ipynb": ANSWERED, "notes.ipynb": OTHER}, "hw/rnn.ipynb"),
        ({"hw/rnn.ipynb": BLANK, "notes.ipynb": OTHER}, "hw/rnn.ipynb"),
        ({"a.py": SCRIPT, "rnn.ipynb": ANSWERED}, "rnn.ipynb"),
        ({"rnn.py": SCRIPT, "rnn.ipynb": BLANK}, "rnn.py"),
        ({"a_broken.ipynb": b"{", "rnn.ipynb": BLANK}, "rnn.ipynb"),
        ({"rnn.ipynb": ANSWERED, "rnn_v2.ipynb": FULL}, "rnn_v2.ipynb"),
        ({"rnn-Copy1.ipynb": ANSWERED, "rnn.ipynb": ANSWERED}, "rnn.ipynb"),
        ({"old/rnn.ipynb": ANSWERED, "rnn.ipynb": ANSWERED}, "rnn.ipynb"),
        ({"rnn.ipynb.txt": ANSWERED, "notes.py": b"x = 1"}, "rnn.ipynb.txt"),
        ({"my.zip": zipped({"rnn.ipynb": ANSWERED}), "rnn.ipynb": BLANK}, "my.zip/rnn.ipynb"),
        ({"my.tar.gz": tarred({"rnn.ipynb": ANSWERED}), "tests/q1.py": b"x = 1"}, "my.tar.gz/rnn.ipynb"),
        ({"rnn.txt": SCRIPT, "plot.png": b"x"}, "rnn.txt"),
        ({"rnn.ipynb": BLANK, "rnn.ipynb의 사본": ANSWERED}, "rnn.ipynb의 사본"),
        ({"rnn.ipynb": zipped({"a.ipynb": ANSWERED}), "blank.ipynb": BLANK}, "rnn.ipynb/a.ipynb"),
    ],
)
def test_answered_notebook_of_this_assignment_counts(files: dict[str, bytes], right: str, tmp_path: Path) -> None:
    """This assignment's before another, answered before blank, a notebook before a script; never by the alphabet."""
    assert counted(files, tmp_path) == right


def test_it_is_said_which_file_counts_and_why_others_do_not(tmp_path: Path) -> None:
    """The owner gets a remark; every other file is set aside with its reason."""
    files = {"rnn.ipynb": ANSWERED, "b.ipynb": BLANK, "o.ipynb": OTHER, "rnn.py": SCRIPT, "x.ipynb": b"{", "p.png": b""}
    folder(tmp_path, {"kim/" + name: content for name, content in files.items()} | {"lee.ipynb": ANSWERED})
    intake = collect([tmp_path], ASSIGNMENT)
    (remark,) = intake.entries[0].remarks
    assert remark.kind == "one-of-several"
    assert (remark.about["counted"], remark.about["count"]) == ("kim/rnn.ipynb", 4)
    why = {"b.ipynb": "blank", "o.ipynb": "another-assignment", "rnn.py": "no-notebook", "x.ipynb": "unreadable"}
    assert aside(intake) == {f"kim/{name}": reason for name, reason in (why | {"p.png": "attachment"}).items()}
    assert {each.person for each in intake.set_aside} == {"kim"}
    assert intake.entries[0].read().remarks == intake.entries[0].remarks
    assert intake.entries[1].remarks == ()


def test_prompts_of_another_edition_are_no_answers(tmp_path: Path) -> None:
    """A blank notebook whose prompts look different still leaves them open."""
    older = notebook(*GIVEN[:3], "rnn = torch.nn.RNN(None, 4)  # fill in", "h_n = ...")
    assert counted({"a.ipynb": older, "rnn.ipynb": ANSWERED}, tmp_path) == "rnn.ipynb"


def test_several_paths_complete_the_class_and_a_resubmission_counts_once(tmp_path: Path) -> None:
    """Of one person's files in two archives the later counts, unless it is blank."""
    (tmp_path / "on.zip").write_bytes(zipped({"kim.ipynb": ANSWERED, "lee.ipynb": ANSWERED, "park.ipynb": ANSWERED}))
    (tmp_path / "late.zip").write_bytes(zipped({"lee.ipynb": ANSWERED, "park.ipynb": BLANK, "choi.ipynb": ANSWERED}))
    intake = collect([tmp_path / "on.zip", tmp_path / "late.zip"], ASSIGNMENT)
    assert names(intake) == ["late.zip/choi.ipynb", "late.zip/lee.ipynb", "on.zip/kim.ipynb", "on.zip/park.ipynb"]
    assert aside(intake) == {"on.zip/lee.ipynb": "older", "late.zip/park.ipynb": "blank"}
    assert [entry.attempts for entry in intake.entries] == [1, 2, 1, 2]
    (tmp_path / "on.zip").write_bytes(zipped(["kim.ipynb", "lee.ipynb"]))
    (tmp_path / "late.zip").write_bytes(zipped(["lee.ipynb", "park.ipynb"]))
    assert len(collect([tmp_path / "on.zip", tmp_path / "late.zip"], ASSIGNMENT).entries) == 3


def test_paths_of_one_person_each_are_people_each(tmp_path: Path) -> None:
    """A shell's `class/*` names folders, zips and files of which each is somebody's."""
    folder(tmp_path, {"kim/rnn.ipynb": ANSWERED, "lee/rnn.ipynb": ANSWERED, "park.zip": zipped(["rnn.ipynb"])})
    folder(tmp_path, {"한지우.ipynb": ANSWERED})
    intake = collect(sorted(tmp_path.iterdir()), ASSIGNMENT)
    assert names(intake) == ["kim/rnn.ipynb", "lee/rnn.ipynb", "park.zip/rnn.ipynb", "한지우.ipynb"]
    assert [entry.people[0].name for entry in intake.entries] == ["kim", "lee", "park", "한지우"]
    files = [tmp_path / "kim/rnn.ipynb", tmp_path / "lee/rnn.ipynb"]
    assert [entry.people[0].name for entry in collect(files, ASSIGNMENT).entries] == ["kim", "lee"]


def test_a_second_notebook_makes_no_class_of_somebodys_path(tmp_path: Path) -> None:
    """Among a shell's `class/*` a folder or zip with a copy, or with dozens of notebooks, is one person's still."""
    folder(tmp_path, [f"{name}/rnn.ipynb" for name in ("choi", "kim", "lee", "yun")] + ["lee/rnn-Copy1.ipynb"])
    folder(tmp_path, {"park.zip": zipped({"rnn.ipynb": ANSWERED, "notes.ipynb": OTHER})})
    folder(tmp_path / "yun", [f"cloned/{i}.ipynb" for i in range(40)])
    intake = collect(sorted(tmp_path.iterdir()), ASSIGNMENT)
    assert [entry.people[0].name for entry in intake.entries] == ["choi", "kim", "lee", "park", "yun"]
    assert names(intake)[3:] == ["park.zip/rnn.ipynb", "yun/rnn.ipynb"]
    folder(tmp_path, {f"{name}/notes.ipynb": OTHER for name in ("choi", "kim", "lee", "yun")})
    assert len(collect(sorted(tmp_path.iterdir()), ASSIGNMENT).entries) == 5


def test_single_file_is_called_by_its_own_name(tmp_path: Path) -> None:
    """A file given itself is called by its base name, and its student by the stem."""
    (entry,) = collect([folder(tmp_path, ["김하늘.ipynb"]) / "김하늘.ipynb"], ASSIGNMENT).entries
    assert (entry.name, entry.people) == ("김하늘.ipynb", (Person("김하늘"),))
    assert entry.read().content == ANSWERED


def test_handout_beside_the_class_is_nobodys(tmp_path: Path) -> None:
    """A blank notebook without anybody's name is listed; one with answers, or given alone, is graded."""
    files = {"20231234_kim.ipynb": ANSWERED, "20231235_lee.ipynb": BLANK, "rnn.ipynb": BLANK, "rnn (1).ipynb": ANSWERED}
    intake = collect([folder(tmp_path, files)], ASSIGNMENT)
    assert names(intake) == ["20231234_kim.ipynb", "20231235_lee.ipynb", "rnn (1).ipynb"]
    assert aside(intake) == {"rnn.ipynb": "no-owner"}
    assert names(collect([tmp_path / "rnn.ipynb"], ASSIGNMENT)) == ["rnn.ipynb"]


def test_what_is_nobodys_is_set_aside(tmp_path: Path) -> None:
    """Rubrics, rosters, helpers, libraries and checkpoints are listed with a reason and are no submissions."""
    files = {"채점기준.pdf": b"%PDF", "명단.xlsx": b"PK", "grade.py": b"x = 1", "kim/venv/lib/torch/nn.py": b"x"}
    files |= {"kim/rnn.ipynb": ANSWERED, "kim/.ipynb_checkpoints/rnn-checkpoint.ipynb": ANSWERED, "lee.py": SCRIPT}
    intake = collect([folder(tmp_path, files)], ASSIGNMENT)
    assert names(intake) == ["kim/rnn.ipynb", "lee.py"]
    nobodys = dict.fromkeys(("채점기준.pdf", "명단.xlsx", "grade.py"), "no-owner")
    assert aside(intake) == {**nobodys, "kim/venv": "libraries", "kim/.ipynb_checkpoints": "checkpoints"}


@pytest.mark.parametrize(
    "junk", [".DS_Store", "__MACOSX/._a.ipynb", "$RECYCLE.BIN/S-1/$R1.ipynb", "Thumbs.db", "kim/.git/x.py"]
)
def test_junk_is_passed_over(tmp_path: Path, junk: str) -> None:
    """What systems leave behind is neither a submission nor worth a word."""
    intake = collect([folder(tmp_path, ["a.ipynb", "kim/rnn.ipynb", junk])], ASSIGNMENT)
    assert (names(intake), intake.set_aside) == (["a.ipynb", "kim/rnn.ipynb"], ())


def test_person_with_nothing_usable_is_one_entry(tmp_path: Path) -> None:
    """Somebody who handed in a PDF and pictures is told so, once."""
    intake = collect([folder(tmp_path, {"kim/a.pdf": b"%PDF-", "kim/b.png": b"x", "lee.ipynb": ANSWERED})], ASSIGNMENT)
    assert len(intake.entries) == 2
    assert len(intake.set_aside) == 1


def test_person_whose_file_is_of_another_kind_is_there(tmp_path: Path) -> None:
    """Under a number that is no date, a PDF is somebody's; beside the notebook it is an attachment."""
    files = ["20231234_김하늘.ipynb", "20231234_김하늘.pdf", "20231299_박지민.pdf", "최유진_20231237.hwp"]
    folder(tmp_path, [*files, "20261126_출석부.xlsx", "명단_20261126.csv", "채점기준.pdf"])
    intake = collect([tmp_path], ASSIGNMENT)
    assert [entry.people[0].id for entry in intake.entries] == ["20231234", "20231299", "20231237"]
    nobodys = dict.fromkeys(("20261126_출석부.xlsx", "명단_20261126.csv", "채점기준.pdf"), "no-owner")
    assert aside(intake) == {"20231234_김하늘.pdf": "attachment"} | nobodys


def test_person_with_only_a_checkpoint_is_there(tmp_path: Path) -> None:
    """Jupyter's own copy is no submission, but whoever handed in only that does not vanish."""
    intake = collect([folder(tmp_path, ["kim/.ipynb_checkpoints/rnn-checkpoint.ipynb", "lee/rnn.ipynb"])], ASSIGNMENT)
    assert [entry.read().problem for entry in intake.entries] == [Note("checkpoints"), None]


@pytest.mark.parametrize("files", [["rnn.ipynb", "data/x.csv", "rnn-Copy1.ipynb"], ["hw/rnn.ipynb", "hw/x.csv"]])
def test_single_archive_with_one_notebook_is_its_owners(files: list[str], tmp_path: Path) -> None:
    """One student's own zip, with data or a copy beside the notebook, is one row under the zip's name."""
    path = tmp_path / "20231236_박지민.zip"
    path.write_bytes(zipped(files))
    (entry,) = collect([path], ASSIGNMENT).entries
    assert (entry.people, entry.name) == ((Person("박지민", "20231236"),), f"{path.name}/{files[0]}")


@pytest.mark.parametrize("file", ["20231236_박지민/a.py", "20231236_박지민.ipynb", "late/20231236_박지민/a.py"])
def test_class_of_one_is_known_by_the_number(file: str, tmp_path: Path) -> None:
    """Where only one handed in late, the folder's or file's own number tells whose it is, not the archive's name."""
    (tmp_path / "late.zip").write_bytes(zipped([file]))
    for path in (tmp_path / "late.zip", folder(tmp_path / "late", [file])):
        (entry,) = collect([path], ASSIGNMENT).entries
        assert entry.people == (Person("박지민", "20231236"),)


def test_names_inside_archives_are_bounded(tmp_path: Path) -> None:
    """However long the names of an archive and of what it holds are, theirs together is not."""
    path = tmp_path / "class.zip"
    path.write_bytes(zipped({f"{'a' * 300}.zip": zipped({f"{'b' * 300}/rnn.ipynb": ANSWERED}), "lee.ipynb": ANSWERED}))
    assert max(len(entry.name) for entry in collect([path], ASSIGNMENT).entries) == 400


def test_empty_folder_of_somebody_is_said(tmp_path: Path) -> None:
    """A folder without files, or with hidden ones only, is no row, and not passed over in silence."""
    folder(tmp_path, ["kim/rnn.ipynb", "lee/.DS_Store"])
    (tmp_path / "park").mkdir()
    (note, counted) = collect([tmp_path], ASSIGNMENT).notes
    assert (note.kind, sorted(note.about["files"])) == ("empty-folders", ["lee", "park"])
    with speaking("en"):
        assert sentence(note).startswith("Folders without any file (2): ")
        assert sentence(counted) == "folders: 1 student, 1 file, 0 set aside."


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """An empty folder, and people of one name, are to be said before grading."""
    assert kinds(collect([tmp_path], ASSIGNMENT)) == ["nothing-found", "recognised"]
    folder(tmp_path, ["kim_1_90210_rnn.ipynb", "kim_2_90211_rnn.ipynb"])
    assert kinds(collect([tmp_path], ASSIGNMENT)) == ["same-name", "recognised"]


def test_files_of_one_number_are_one_persons_or_said(tmp_path: Path) -> None:
    """A corrected file, or a browser's copy, is no second person; two names under one number are to be looked at."""
    folder(tmp_path, {"20231234_김하늘.ipynb": BLANK, "20231234_김하늘_최종.ipynb": ANSWERED})
    folder(tmp_path, {"20231235_이서준/rnn.ipynb": ANSWERED, "20231235_이서준 (1).ipynb": BLANK, "박.ipynb": BLANK})
    folder(tmp_path, {"20231234_김하늘_(1).ipynb": BLANK, "20231234_김하늘_최종_수정.ipynb": BLANK})
    intake = collect([tmp_path], ASSIGNMENT)
    assert [entry.people for entry in intake.entries] == [
        *((Person("김하늘", "20231234"),), (Person("이서준", "20231235"),), (Person("박"),)),
    ]
    assert names(intake)[:2] == ["20231234_김하늘_최종.ipynb", "20231235_이서준/rnn.ipynb"]
    folder(tmp_path, ["20231235_이민수.ipynb"])
    intake = collect([tmp_path], ASSIGNMENT)
    assert (kinds(intake), len(intake.entries)) == (["same-name", "recognised"], 4)
    folder(tmp_path, ["20231235_이민수현.ipynb"])  # a longer name is another one
    assert len(collect([tmp_path], ASSIGNMENT).entries) == 5


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    """A path that does not exist raises, before anything is graded."""
    with pytest.raises(Refused) as error:
        collect([tmp_path / "nothing"], ASSIGNMENT)
    assert error.value.note.kind == "path-unreadable"


def test_output_folder_is_left_out(tmp_path: Path) -> None:
    """Pages written below the folder of submissions are not taken for submissions."""
    folder(tmp_path, ["a.ipynb", "out/feedback/a.ipynb"])
    assert names(collect([tmp_path], ASSIGNMENT, without=tmp_path / "out")) == ["a.ipynb"]


def test_only_our_gradebook_hides_a_folder_and_it_is_said(tmp_path: Path) -> None:
    """A file of the gradebook's name hides nothing; what an earlier run wrote is passed over with a note."""
    folder(
        tmp_path, {"sectionA/kim.ipynb": ANSWERED, "sectionA/gradebook.sqlite": b"x", "sectionB/lee.ipynb": ANSWERED}
    )
    with sqlite3.connect(folder(tmp_path / "out", ["feedback/kim.ipynb"]) / "gradebook.sqlite") as database:
        database.execute("create table t (x)")
        database.execute(f"pragma application_id = {0x724E4E67}")
    database.close()
    os.truncate(tmp_path / "out" / "gradebook.sqlite", limits.FILE_BYTES + 1)  # as that of some two thousand people
    intake = collect([tmp_path], ASSIGNMENT)
    assert names(intake) == ["sectionA/kim.ipynb", "sectionB/lee.ipynb"]
    assert intake.notes[0] == Note("earlier-run", {"folder": "out"})
    assert not collect([tmp_path / "out"], ASSIGNMENT).entries


# What cannot be read.


def alone(path: Path) -> Entry:
    (entry,) = collect([path], ASSIGNMENT).entries
    return entry


def locked(files: list[str]) -> bytes:
    """A zip whose members claim to be encrypted."""
    made = bytearray(zipped(files))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = made.find(mark)
        while place >= 0:
            made[place + offset] |= 1
            place = made.find(mark, place + 1)
    return bytes(made)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (locked(["rnn.ipynb"]), "zip-password"),
        (zipped(["rnn.ipynb"])[:-30], "archive-cut-off"),
        (b"PK\x03\x04 not a zip", "archive-cut-off"),
        (zipped(["rnn.ipynb"]).replace(b"PK\1\2", b"PK\1\3"), "archive-damaged"),
        (tarred(["rnn.ipynb"])[:-30], "archive-cut-off"),
        (b"\x1f\x8b\x08\x00garbage, no gzip", "archive-damaged"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "archive-kind"),
        (b"Rar!\x1a\x07\x01\0", "archive-kind"),
        (b"ALZ\x01\n\0\0\0", "archive-kind"),
        (b"EGGA\0\1", "archive-kind"),
        (b"hello", "archive-kind"),
        (zipped(["rnn.ipynb"], zipfile.ZIP_BZIP2), "zip-method"),
        (zipped(["rnn.ipynb"], zipfile.ZIP_LZMA), "zip-method"),
        (zipped({"rnn.ipynb": bytes(65 * 2**20)}), "file-too-large"),
        (zipped({"notes.md": b"x"}), "archive-without-notebook"),
        (zipped({}), "archive-without-notebook"),
        (zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped(["rnn.ipynb"])})})}), "archive-without-notebook"),
    ],
)
@pytest.mark.parametrize("name", ["kim.zip", "kim.ipynb"])
def test_archive_that_cannot_be_read_is_named_as_what_it_is(
    content: bytes, kind: str, name: str, tmp_path: Path
) -> None:
    """A student's archive with a password, cut off or of another format is the student's problem, and is told so."""
    folder(tmp_path, {name: content, "lee.ipynb": ANSWERED})
    kim, lee = (entry.read() for entry in collect([tmp_path], ASSIGNMENT).entries)
    if content == b"hello" and name == "kim.ipynb":
        assert (kim.content, kim.problem) == (b"hello", None)
    else:
        assert (kim.problem.kind, kim.fault, kim.content) == (kind, None, b"")  # type: ignore[union-attr]
    assert (lee.content, lee.problem) == (ANSWERED, None)


def test_zip_under_a_notebooks_name_is_opened(tmp_path: Path) -> None:
    """A student who renamed an export of Otter's loses nothing."""
    folder(tmp_path, {"kim.ipynb": zipped({"b.ipynb": BLANK, "rnn.ipynb": ANSWERED}), "lee.ipynb": ANSWERED})
    assert collect([tmp_path], ASSIGNMENT).entries[0].read().content == ANSWERED


@pytest.mark.parametrize(
    "content", [locked(["a.ipynb", "b.ipynb"]), zipped(["a.ipynb"])[:-30], b"7z\xbc\xaf\x27\x1c\0\4"]
)
def test_export_that_cannot_be_read_is_said_and_nobody_is_graded(content: bytes, tmp_path: Path) -> None:
    """A whole class's archive with a password is a note, not a zero for a student called after it."""
    (tmp_path / "class.zip").write_bytes(content)
    intake = collect([tmp_path / "class.zip"], ASSIGNMENT)
    assert (intake.entries, kinds(intake)) == ((), ["path-not-read", "nothing-found", "recognised"])


def test_damaged_member_of_a_class_archive_is_the_graders_fault(tmp_path: Path) -> None:
    """What is broken in an instructor's download is no student's zero."""
    made = bytearray(zipped({"kim.ipynb": bytes(range(256)) * 4, "lee.ipynb": ANSWERED}))
    made[60] ^= 0xFF
    (tmp_path / "e.zip").write_bytes(made)
    kim, lee = (entry.read() for entry in collect([tmp_path / "e.zip"], ASSIGNMENT).entries)
    assert (kim.fault.kind, kim.problem, lee.fault) == ("archive-damaged", None, None)  # type: ignore[union-attr]


def test_links_that_lead_outward_are_faults(tmp_path: Path) -> None:
    """A link hands in neither the solutions nor somebody else's file; within one's own folder it is a file."""
    folder(
        tmp_path, ["solution.ipynb", "class/lee/rnn.ipynb", "class/kim/x.txt", "class/choi/x.txt", "class/yun/x.txt"]
    )
    (tmp_path / "class/kim/rnn.ipynb").symlink_to(tmp_path / "solution.ipynb")
    (tmp_path / "class/choi/rnn.ipynb").symlink_to("../lee/rnn.ipynb")
    (tmp_path / "class/yun/rnn.ipynb").symlink_to("x.txt")
    (tmp_path / "class/loop.ipynb").symlink_to("loop.ipynb")
    read = {entry.name: entry.read() for entry in collect([tmp_path / "class"], ASSIGNMENT).entries}
    assert {name: read[name].fault.kind for name in read if read[name].fault} == {  # type: ignore[union-attr]
        "kim/rnn.ipynb": "link-outward",
        "choi/rnn.ipynb": "link-outward",
        "loop.ipynb": "file-unreadable",
    }
    assert read["yun/rnn.ipynb"].content == read["lee/rnn.ipynb"].content == ANSWERED


def test_file_that_the_grader_cannot_read_is_a_fault(tmp_path: Path) -> None:
    """A pipe is not waited for, and a file that vanished is nobody's zero."""
    folder(tmp_path, ["kim.ipynb"])
    os.mkfifo(tmp_path / "lee.ipynb")
    kim, lee = collect([tmp_path], ASSIGNMENT).entries
    (tmp_path / "kim.ipynb").unlink()
    assert kim.read().fault == Note("file-unreadable", {"error": "No such file or directory"})
    assert lee.read().fault == Note("not-a-regular-file")


def test_unreadable_notebook_is_not_passed_over_for_a_blank_one(tmp_path: Path) -> None:
    """Where the grader cannot read a file that might be the answered one, nothing is graded."""
    folder(tmp_path, {"kim/blank.ipynb": BLANK, "lee.ipynb": ANSWERED})
    os.mkfifo(tmp_path / "kim/rnn.ipynb")
    assert names(collect([tmp_path], ASSIGNMENT)) == ["kim/rnn.ipynb", "lee.ipynb"]


# Names and amounts.


@pytest.mark.parametrize("name", ["../../etc/a.ipynb", "/etc/a.ipynb", "..\\etc\\a.ipynb", "./etc//a.ipynb"])
def test_zip_names_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    """Paths in a zip are made relative."""
    (tmp_path / "e.zip").write_bytes(zipped([name, "lee.ipynb"]))
    assert names(collect([tmp_path / "e.zip"], ASSIGNMENT)) == ["etc/a.ipynb", "lee.ipynb"]


def test_names_are_bounded_unique_and_can_be_written(tmp_path: Path) -> None:
    """Neither a name of kilobytes, nor one that comes twice, nor one that is not UTF-8 reaches a table as it is."""
    names_in_zip = ["a.ipynb", "x.ipynb", "b" * 10_000 + ".ipynb"]
    (tmp_path / "e.zip").write_bytes(zipped(names_in_zip).replace(b"x.ipynb", b"a.ipynb"))
    intake = collect([tmp_path / "e.zip"], ASSIGNMENT)
    (entry, long) = intake.entries
    assert aside(intake) == {"a.ipynb": "copy"}
    assert (entry.name, len(long.name), long.name[-6:]) == ("a.ipynb", 400, ".ipynb")
    assert len(long.people[0].name) <= 200
    with open(os.fsencode(tmp_path) + b"/" + "하늘.ipynb".encode("cp949"), "wb") as file:
        file.write(ANSWERED)
    with open(os.fsencode(tmp_path) + b"/\xff\xff.ipynb", "wb") as file:
        file.write(ANSWERED)
    (tmp_path / "e.zip").unlink()
    found = names(collect([tmp_path], ASSIGNMENT))
    assert "하늘.ipynb" in found
    assert len("".join(found).encode()) > 0


def test_folders_without_end_are_one_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Hundreds of folders within folders stop nobody, on disk or in a zip."""
    (tmp_path / "two.zip").write_bytes(zipped(["a/" * 1000 + "x.ipynb", "b.ipynb", "c.ipynb"]))
    (tmp_path / ("class/a/" + "a/" * 200)).mkdir(parents=True)
    folder(tmp_path / "class", ["b.ipynb", "c.ipynb"])
    for path in (tmp_path / "two.zip", tmp_path / "class"):
        deep, flat, _ = (entry.read() for entry in collect([path], ASSIGNMENT).entries)
        assert (deep.problem.kind, flat.problem) == ("folders-too-deep", None)  # type: ignore[union-attr]


def test_hundreds_of_attachments_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hands in 300 notebooks costs no more than who hands in eight, and is told of twenty."""
    from autograder.intake import choice

    reads: list[str] = []
    monkeypatch.setattr(choice, "read", lambda content, name: reads.append(name) or real(content, name))
    folder(tmp_path, [*(f"mal/{i}.ipynb" for i in range(300)), "kim.ipynb"])
    intake = collect([tmp_path], ASSIGNMENT)
    assert len(reads) == 8
    assert len(intake.set_aside) == 21
    assert intake.set_aside[-1].reason == Note("and-more", {"count": 279})


def test_hundreds_of_archives_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hands in 300 archives, beside one another or within one, costs no more than who hands in eight."""
    from autograder.intake import files

    unpacked: list[object] = []
    unpack = files.unpack
    monkeypatch.setattr(files, "unpack", lambda source, ours=False: unpacked.append(source) or unpack(source, ours))
    many = dict.fromkeys([f"{i}.zip" for i in range(300)], zipped(["rnn.ipynb"]))
    folder(tmp_path, {"kim.zip": zipped(many), **{f"mal/{name}": content for name, content in many.items()}})
    kim, mal = collect([tmp_path], ASSIGNMENT).entries
    assert (kim.name.split("/")[0], mal.name.split("/")[0]) == ("kim.zip", "mal")
    assert len(unpacked) < 40  # each to list what is in it, and some again to read that


def real(content: bytes, name: str) -> object:
    from autograder.intake import notebook as module

    return module.read(content, name)


def test_archive_is_listed_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of absurdly many files is refused before it is listed."""
    from autograder.intake import limits

    monkeypatch.setattr(limits, "MEMBERS", 2)
    many = [f"{i}.ipynb" for i in range(9)]
    folder(tmp_path, {"kim.zip": zipped(many), "lee.tar.gz": tarred(many), "park.zip": zipped(["rnn.ipynb"])})
    kim, lee, park = (entry.read() for entry in collect([tmp_path], ASSIGNMENT).entries)
    assert kim.problem.kind == lee.problem.kind == "archive-too-many-files"  # type: ignore[union-attr]
    assert park.problem is None


def test_large_file_is_not_read(tmp_path: Path) -> None:
    """A file above the limit is refused by its size."""
    with open(tmp_path / "kim.ipynb", "wb") as file:
        file.truncate(65 * 2**20)
    folder(tmp_path, ["lee.ipynb"])
    assert collect([tmp_path], ASSIGNMENT).entries[0].read().problem == Note("file-too-large")


# The roster.


@pytest.mark.parametrize(
    "content",
    [
        "학번,이름,이메일,별명\n20231234,김하늘,h@univ.example,haneulk\n20231235,Ava Martin,a@univ.example,\n".encode(
            "cp949"
        ),
        "\ufeffStudent ID;Last Name;First Name;E-mail;GitHub\n20231234;;김하늘;h@univ.example;haneulk\n"
        "20231235;Martin;Ava;a@univ.example;\n\n".encode(),
        "ID\tFull_Name\tEmail Address\tAlias\n20231234\t김하늘\th@univ.example\thaneulk\n20231235\tMartin, Ava\t"
        "a@univ.example\t\n".encode("utf-16"),
    ],
)
def test_roster_is_read_and_joined(content: bytes, tmp_path: Path) -> None:
    """Usual columns in both languages and encodings; people are found by id, then email, then name or alias."""
    (tmp_path / "students.csv").write_bytes(content)
    roster = read_roster(tmp_path / "students.csv")
    haneul, ava = (listed.person for listed in roster)
    assert (haneul.id, haneul.email, ava.id) == ("20231234", "h@univ.example", "20231235")
    for person in (Person("x", "2023-1234"), Person("x", "", "H@univ.example"), Person("김 하늘"), Person("haneulk")):
        assert join(roster, [person]) == {person: haneul}
    joined = join(roster, [Person("martinava", "4711"), Person("Mallory", "999")])
    assert joined == {Person("martinava", "4711"): ava}


@pytest.mark.parametrize(
    "table",
    [
        'Student,ID,SIS User ID\n    Points Possible,,\n김 나연,20240011,\n"Student, Test",99,\n',
        "이름,성,ID 번호\n나연,김,20240011\n",
        "OrgDefinedId,Username,Name,Surname\n#20240011,#nkim,김,나연\n",
        "학생 번호;학생이름\n20240011;김나연\n",
        "학생ID\tE-Mail\t성명\n20240011\tn@univ.example\t김나연\n",
        '학번(Student ID),"이름\n(Name)",학과(Dept.)\n20240011,김나연,컴퓨터\n',
        "Student ID (학번);First name (이름);Surname / 성\n20240011;나연;김\n",
        '"성"\t"이름"\t"사용자 이름"\n"김"\t"나연"\t"20240011"\n',
        "Student No.,Korean Name,Login ID\n20240011,김나연,nykim\n",
        "Student #|Name|Section\n20240011|김나연|A\n",
        "이름,홍길동 교수,,\n순번,학번,성명,E-mail\n1,20240011,김나연,\n",
        "SIS ID,Last,First\n20240011,김,나연\n",
        "학번,이름\r20240011,김나연\r",
        "Matrikelnummer;Nachname;Vorname\n20240011;김;나연\n",
    ],
)
def test_tables_that_platforms_give_are_rosters(table: str, tmp_path: Path) -> None:
    """Canvas's lines of no student are nobody, a given name goes with its surname, and Brightspace's `#` is no id's."""
    (tmp_path / "r.csv").write_text(table, encoding="utf-8")
    ((person, _),) = ((each.person, each.aliases) for each in read_roster(tmp_path / "r.csv"))
    assert (sorted(person.name.replace(" ", "")), person.id) == (sorted("김나연"), "20240011")


def test_roster_of_western_windows_keeps_its_names(tmp_path: Path) -> None:
    """What is neither in UTF-8 nor in Korean is in the code page that Excel writes there."""
    (tmp_path / "r.csv").write_bytes("Student ID;Name\n3141592;Müller, Hans\n3141593;Siobhán Öz\n".encode("cp1252"))
    assert [each.person.name for each in read_roster(tmp_path / "r.csv")] == ["Müller, Hans", "Siobhán Öz"]


def test_person_on_two_lines_is_one(tmp_path: Path) -> None:
    """Who has two addresses is found by both; an id that two people have by mistake makes them nobody's namesakes."""
    lines = [
        "학번,이름,이메일",
        "20240011,김나연,",
        "20240011,김 나연,n@univ.example",
        "20240011,김나연,n@mail.example",
    ]
    (tmp_path / "r.csv").write_text("\n".join([*lines, "20240012,이서준,", "20240012,박지민,"]), encoding="utf-8")
    roster = read_roster(tmp_path / "r.csv")
    nayeon = Person("김나연", "20240011", "n@univ.example")
    for person in (Person("x", "20240011"), Person("y", "", "n@univ.example"), Person("y", "", "n@mail.example")):
        assert join(roster, [person]) == {person: nayeon}
    assert join(roster, [Person("박지민", "20240012")]) == {}
    assert join(roster, [Person("박지민")]) == {Person("박지민"): Person("박지민", "20240012")}


@pytest.mark.parametrize("titles", ["학번,이름,영문이름", "Student ID,Name (Korean),Name (English)"])
def test_names_in_two_scripts_are_one_persons(titles: str, tmp_path: Path) -> None:
    """Whoever is on the roster in Hangul and in Latin letters is found by both, whichever word comes first."""
    (tmp_path / "r.csv").write_text(f"{titles}\n20240011,김나연,Nayeon Kim\n", encoding="utf-8")
    roster = read_roster(tmp_path / "r.csv")
    people = [Person("김나연"), Person("Nayeon Kim"), Person("Kim, Nayeon")]
    assert [*join(roster, people).values()] == [Person("김나연", "20240011")] * 3


def test_ids_that_a_spreadsheet_spoilt_do_not_mislead(tmp_path: Path) -> None:
    """Zeros that are gone are no difference, a rounded id is none, and titles may stand below other lines."""
    table = '2026 RNN,,\n\n학번,이름\n="0012345",김하늘\n12346,이서준\n2.0231e7,박지민\n20231234.0,최은우\n'
    table += "2.0231235e7,한지우\n'20231236,오지호\n"
    (tmp_path / "r.csv").write_text(table, encoding="utf-8")
    roster = read_roster(tmp_path / "r.csv")
    assert [listed.person.id for listed in roster] == ["0012345", "12346", "", *("20231234", "20231235", "20231236")]
    people = [Person("a", "12345"), Person("b", "0012346"), Person("박지민", "2021000001"), Person("c", "20231234")]
    assert list(join(roster, people).values()) == [listed.person for listed in roster[:4]]


@pytest.mark.parametrize("name", ["김하늘(20231234)", "김하늘20231234", "2023-1234 김하늘"])
def test_id_within_a_name_is_found(name: str) -> None:
    """Platforms have ids of their own, and many a university writes its numbers into the names there."""
    roster = [Listed(Person("김하늘", "20231234")), Listed(Person("김하늘", "20231299"))]
    assert [*join(roster, [Person(name, "4711")]).values()] == [roster[0].person]


@pytest.mark.parametrize(
    ("listed", "called"),
    [
        ("김하늘", "김하늘(Haneul Kim)"),
        ("김하늘(Haneul Kim)", "Kim, Haneul"),
        ("Kim, Haneul (on leave)", "Haneul Kim"),
        ("김하늘", "Sky <h@univ.example>"),
        ("김하늘", "김하늘（컴퓨터）"),
        ("김하늘", "01_김하늘"),
    ],
)
def test_what_stands_in_brackets_is_another_name_or_an_address(listed: str, called: str) -> None:
    """Whoever is called by two names at once is found by either; the number of a copy, or of a line, is no name."""
    roster = [Listed(Person(listed, "20231234", "h@univ.example")), Listed(Person("1", "20231235"))]
    assert join(roster, [Person(called)]) == {Person(called): roster[0].person}
    assert join([Listed(Person("Kim")), Listed(Person("1"))], [Person("Kim (1)")]) == {}
    assert join([Listed(Person("Kim"))], [Person("1. Kim"), Person("2. Kim")], apart=True) == {}
    alike = [Person("Kim"), Person("Kim (final)")]
    assert join([Listed(Person("Kim"))], alike, apart=True) == {alike[0]: Person("Kim")}


@pytest.mark.parametrize(("one", "other"), [("राम", "रमा"), ("กิน", "กุน"), ("\u05d1\u05b7", "\u05d1\u05b4")])
def test_names_that_differ_in_vowels_only_are_two_peoples(one: str, other: str) -> None:
    """Vowels that a script writes as marks are no signs that a platform may have dropped."""
    assert join([Listed(Person(one))], [Person(other)]) == {}
    assert join([Listed(Person(one))], [Person(f" {one}.")])


def test_full_width_characters_are_plain_ones() -> None:
    """An input method's digits and letters are the same person's."""
    listed = Listed(Person("Kim", "20231234"))
    for person in (Person("x", "２０２３１２３４"), Person("Ｋｉｍ")):
        assert join([listed], [person]) == {person: listed.person}


def test_name_that_fits_two_is_unknown() -> None:
    """Nobody is guessed."""
    roster = [Listed(Person("김민수", "1")), Listed(Person("김민수", "2"))]
    assert join(roster, [Person("김민수"), Person("김민수", "2")]) == {Person("김민수", "2"): Person("김민수", "2")}


def test_two_people_of_one_name_are_not_both_the_one_on_the_roster() -> None:
    """Whom an id tells is found, and a namesake is somebody else; without ids it could be either."""
    roster = [Listed(Person("김민수", "20231234"))]
    sure, other = Person("김민수", "20231234"), Person("김민수", "4712")
    assert join(roster, [other, sure], apart=True) == {sure: roster[0].person}
    for third in (Person("김민수"), Person("김민수", "4711")):
        assert join(roster, [third, Person("김민수")], apart=True) == {}


def test_spreadsheet_that_is_called_a_table_is_told_from_one(tmp_path: Path) -> None:
    """An .xlsx under another suffix is not read as text of Windows, in which columns were missing."""
    (tmp_path / "r.csv").write_bytes(zipped({"xl/workbook.xml": b"<workbook/>"}))
    with pytest.raises(Refused) as refused:
        read_roster(tmp_path / "r.csv")
    assert refused.value.note.kind == "roster-unreadable"


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\0" * 20])
def test_roster_without_usual_columns_is_an_error(content: bytes, tmp_path: Path) -> None:
    """A file that names neither ids nor names nor emails is not taken for a roster."""
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(Refused):
        read_roster(tmp_path / "r.csv")
    with pytest.raises(Refused):
        read_roster(tmp_path / "missing.csv")
