"""Each platform's export: who, with which id, when, late or not; and one submission each."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from autograder.intake import Intake, collect
from autograder.intake.people import PART, PARTS

from .exports import ANSWERED, ASSIGNMENT, BLANK, SCRIPT, folder, tarred, zipped


def taken(files: object, tmp_path: Path) -> Intake:
    """What intake makes of these files in a zip."""
    path = tmp_path / "export.zip"
    path.write_bytes(zipped(files))  # type: ignore[arg-type]
    return collect([path], ASSIGNMENT)


def people(intake: Intake) -> list[tuple[str, str]]:
    """Name and id of all, in the order of their names."""
    return sorted((person.name, person.id) for entry in intake.entries for person in entry.people)


def aside(intake: Intake) -> dict[str, str]:
    return {each.name: each.reason.about.get("why", each.reason.kind) for each in intake.set_aside}


GRADESCOPE = """---
submission_1:
  :submitters:
  - :name: 김하늘
    :sid: '20231200'
    :email: haneul@univ.example
  :created_at: 2026-11-20 14:05:28.374123000 Z
  :score: 0.0
  :results:
    tests:
    - output: |-
        submission_1:
          :submitters:
          - :name: Mallory
  :history:
  - :created_at: 2026-11-19 10:00:00.000000000 Z
    :score: 10.0
submission_2:
  :submitters:
  - :name: "No"
    :sid: 2023-01-02
  - :name: !!timestamp 'Emma'
    :sid:
    :email: emma@univ.example
  - :email: only@univ.example
  :created_at: 2026-11-20 14:05:28.374123000 Z
  :history: []
"""

EXPORTS = {
    "Canvas": (
        ["kimhaneul_4711_90210_rnn.ipynb", "이서준_LATE_4712_90211_rnn-1.ipynb", "parkjimin_4713_text.html"],
        [("kimhaneul", "4711"), ("parkjimin", "4713"), ("이서준", "4712")],
    ),
    "Canvas, with zips that were unpacked": (
        ["kim_4711_90210_hw/rnn.ipynb", "이서준_LATE_4712_90211_rnn-1.ipynb", "park_4713_90212_my_hw/a/rnn.ipynb"],
        [("kim", "4711"), ("park", "4713"), ("이서준", "4712")],
    ),
    "Canvas, late ones beside": (
        ["kim_4711_90210_a.py", "lee_4712_90211_a.py", "mia_4714_90213_a.py", "late/park_LATE_4713_90212_rnn.ipynb"],
        [("kim", "4711"), ("lee", "4712"), ("mia", "4714"), ("park", "4713")],
    ),
    "Canvas, anonymous": (
        ["anon_aB3xZ_556700_rnn.ipynb", "LATE_anon_9kQpR_556701_rnn.ipynb", "anon_LATEx_556705_rnn.ipynb"],
        [("anon_9kQpR", "9kQpR"), ("anon_LATEx", "LATEx"), ("anon_aB3xZ", "aB3xZ")],
    ),
    "Moodle": (
        ["김 하늘_815_assignsubmission_file_/rnn.ipynb", "Mia Lee_816_assignsubmission_file/sub/rnn.ipynb"],
        [("Mia Lee", "816"), ("김 하늘", "815")],
    ),
    "Moodle, flat": (
        ["김 하늘_815_assignsubmission_file_rnn_1_2_x.ipynb", "A_B Kim_816_assignsubmission_file_rnn.ipynb"],
        [("A_B Kim", "816"), ("김 하늘", "815")],
    ),
    "Moodle, blind": (
        ["참가자_4100_assignsubmission_file/rnn.ipynb", "참가자_4101_assignsubmission_file/rnn.ipynb"],
        [("참가자_4100", "4100"), ("참가자_4101", "4101")],
    ),
    "Moodle, groups": (
        ["1조_71_assignsubmission_file/rnn.ipynb", "기본 모둠_assignsubmission_file/rnn.ipynb"],
        [("1조", "71"), ("기본 모둠", "")],
    ),
    "Blackboard": (
        {
            "HW_3_mia_lee_attempt_2026-11-18-23-05-00.txt": b"Name: Mia Lee (mia_lee)\nAssignment: HW 3\n",
            "HW_3_mia_lee_attempt_2026-11-18-23-05-00_rnn.ipynb": ANSWERED,
            "HW_3_mia_lee_attempt_2026-11-19-08-00-00.txt": b"Name: Mia Lee (mia_lee)\nAssignment: HW 3\n",
            "HW_3_mia_lee_attempt_2026-11-19-08-00-00_rnn.ipynb": ANSWERED,
            "HW_3_ann_lee_attempt_2026-11-18-23-05-00.txt": "\ufeffName: 이안 (ann_lee)\n".encode(),
            "HW_3_ann_lee_attempt_2026-11-18-23-05-00_x_attempt_2026-01-01-00-00-00_y.py": SCRIPT,
        },
        [("Mia Lee", "mia_lee"), ("이안", "ann_lee")],
    ),
    "Blackboard, with zips that were unpacked": (
        {
            "RNN_kim01_attempt_2026-11-18-23-05-00.txt": b"Name: Kim Haneul (kim01)\n",
            "RNN_kim01_attempt_2026-11-18-23-05-00_hw/rnn.ipynb": ANSWERED,
            "RNN_lee02_attempt_2026-11-18-23-05-00_rnn.ipynb": ANSWERED,
        },
        [("Kim Haneul", "kim01"), ("lee02", "lee02")],
    ),
    "Blackboard, in another language": (
        {
            "RNN_kim01_Tentative_2026-11-18-23-05-00.txt": b"Nom : Kim Haneul (kim01)\nDevoir : RNN\n",
            "RNN_kim01_Tentative_2026-11-18-23-05-00_rnn.ipynb": ANSWERED,
            "RNN_lee02_시도_2026-11-18-23-05-00_rnn.ipynb": ANSWERED,
        },
        [("Kim Haneul", "kim01"), ("lee02", "lee02")],
    ),
    "Brightspace": (
        ["index.html", "39786-640693 - 김하늘 - Nov 18, 2026 1105 PM/rnn.ipynb", "7-8 - Mia - Nov 9, 2026 905 AM/a.py"],
        [("Mia", ""), ("김하늘", "")],
    ),
    "Brightspace, flat": (
        [
            "7-8 - Mia - Lee - Nov 9, 2026 905 AM - my - rnn 2026.ipynb",
            "9-8 - 김하늘 - Nov 18, 2026 1105 PM - rnn.ipynb",
        ],
        [("Mia - Lee", ""), ("김하늘", "")],
    ),
    "Sakai": (
        {
            "HW3/grades.csv": b"x",
            "HW3/Lee, Mia(mlee)/timestamp.txt": b"20261120231500123",
            "HW3/Lee, Mia(mlee)/comments.txt": b"",
            "HW3/Lee, Mia(mlee)/Submission attachment(s)/rnn.ipynb": ANSWERED,
            "HW3/Kim, Ann(akim)/timestamp.txt": b"20261120231500123",
            "HW3/Kim, Ann(akim)/Submission attachment(s)/rnn.ipynb": ANSWERED,
            "HW3/None, Nil(nil)/timestamp.txt": b"",
            "HW3/Oh, Bo(boh)/Oh, Bo(boh)_submissionText.html": b"<p>",
        },
        [("Kim, Ann", "akim"), ("Lee, Mia", "mlee"), ("Oh, Bo", "boh")],
    ),
    "Teams": (
        {
            "Submitted files/Mia Lee/HW3/Version 1/rnn.ipynb": ANSWERED,
            "Submitted files/Mia Lee/HW3/Version 2/rnn.ipynb": ANSWERED,
            "Submitted files/김하늘/HW3/버전 1/rnn.ipynb": ANSWERED,
            "Submitted files/Ann Oh/HW3/rnn.ipynb": ANSWERED,
            "Working files/Mia Lee/HW3/rnn.ipynb": ANSWERED,
        },
        [("Ann Oh", ""), ("Mia Lee", ""), ("김하늘", "")],
    ),
    "Google Forms": (
        ["HW3 (File responses)/rnn - 김하늘.ipynb", "HW3 (File responses)/rnn - Mia - Lee.ipynb"],
        [("Lee", ""), ("김하늘", "")],
    ),
    "folders, Google Classroom": (
        ["HW3/Kim - Lee - rnn.ipynb", "HW3/김하늘 - rnn.ipynb", "HW3/Mia Lee - rnn.ipynb", "HW3/Copy of rnn.ipynb"],
        [("Copy of rnn", ""), ("Kim - Lee", ""), ("Mia Lee", ""), ("김하늘", "")],
    ),
    "Google Takeout": (
        {
            "Takeout/archive_browser.html": b"<html>",
            "Takeout/Classroom/CS1/HW3/Mia Lee/rnn.ipynb": ANSWERED,
            "Takeout/Classroom/CS1/HW3/Mia Lee-info.json": b"{}",
            "Takeout/Classroom/CS1/HW3/김하늘/rnn.ipynb": ANSWERED,
        },
        [("Mia Lee", ""), ("김하늘", "")],
    ),
    "Gradescope": (
        {
            "assignment_5_export/submission_metadata.yml": GRADESCOPE.encode(),
            "assignment_5_export/submission_1/rnn.ipynb": ANSWERED,
            "assignment_5_export/submission_2/rnn.ipynb": ANSWERED,
            "assignment_5_export/submission_3/rnn.ipynb": ANSWERED,
        },
        [
            ("!!timestamp 'Emma'", ""),
            ("No", "2023-01-02"),
            ("only@univ.example", ""),
            ("submission_3", "3"),
            ("김하늘", "20231200"),
        ],
    ),
    "nbgrader": (
        {
            "course/submitted/kim/ps1/rnn.ipynb": ANSWERED,
            "course/submitted/kim/ps1/timestamp.txt": b"2026-11-20 15:58:23.948203 UTC",
            "course/submitted/lee/ps1/rnn.ipynb": ANSWERED,
            "course/source/ps1/rnn.ipynb": ANSWERED,
            "course/release/ps1/rnn.ipynb": BLANK,
            "course/autograded/kim/ps1/rnn.ipynb": ANSWERED,
            "course/gradebook.db": b"SQLite",
            "course/nbgrader_config.py": b"c = get_config()",
            "course/downloaded/ps1/archive/20231234_kim.ipynb": ANSWERED,
        },
        [("kim", "kim"), ("lee", "lee")],
    ),
    "GitHub": (
        {
            "rnn-submissions/rnn-kim-a/rnn.ipynb": ANSWERED,
            "rnn-submissions/rnn-kim-a/.git/config": b"x",
            "rnn-submissions/rnn-kim-a/tests/q1.py": b"def test(): pass",
            "rnn-submissions/rnn-kim-a/README.md": b"x",
            "rnn-submissions/rnn-kim-b/rnn.ipynb": ANSWERED,
            "rnn-submissions/scores.csv": b"x",
        },
        [("kim-a", "kim-a"), ("kim-b", "kim-b")],
    ),
    "GitHub, one only": (["rnn-submissions/rnn-octo-k/rnn.ipynb"], [("octo-k", "octo-k")]),
    "GitHub, Classroom 50": (
        ["cs101-rnn/cs101-rnn-octo-k/rnn.ipynb", "cs101-rnn/cs101-rnn-dev7/rnn.ipynb", "cs101-rnn/scores.csv"],
        [("dev7", "dev7"), ("octo-k", "octo-k")],
    ),
    "folders": (
        [
            "cls/20231234_김하늘/rnn.ipynb",
            "cls/이서준(20231235)/hw/rnn.ipynb",
            "cls/2023-1236 Mia.zip",
            "cls/박_20231237.py",
        ],
        [("Mia", "2023-1236"), ("김하늘", "20231234"), ("박", "20231237"), ("이서준", "20231235")],
    ),
    "folders, titled": (
        {
            "cls/과제3_20231236_박지민.ipynb": ANSWERED,
            "cls/과제3_20231237_Mia.ipynb": ANSWERED,
            "cls/과제3_20231239_한지우/rnn.ipynb": ANSWERED,
            "cls/과제3_20231240_오지호.zip": zipped(["rnn.ipynb"]),
            "cls/20231238_이서준.ipynb": ANSWERED,
        },
        [
            ("Mia", "20231237"),
            ("박지민", "20231236"),
            ("오지호", "20231240"),
            ("이서준", "20231238"),
            ("한지우", "20231239"),
        ],
    ),
    "folders, numbers without a gap": (
        [
            "cls/20231236박지민.ipynb",
            "cls/김하늘20231237.ipynb",
            "cls/[20231238]이서준.py",
            "cls/Mia [20231239]/a.py",
            "cls/05_20231240_오지호.ipynb",
        ],
        [
            ("Mia", "20231239"),
            ("김하늘", "20231237"),
            ("박지민", "20231236"),
            ("오지호", "20231240"),
            ("이서준", "20231238"),
        ],
    ),
    "folders, titles and names": (
        [
            "cls/과제3_박지민_20231236.ipynb",
            "cls/[과제3]김하늘_20231237.ipynb",
            "cls/[과제 3] 20231238_이서준.zip",
            "cls/과제3_Mia.py",
        ],
        [("Mia", ""), ("김하늘", "20231237"), ("박지민", "20231236"), ("이서준", "20231238")],
    ),
    "folders, numbers alone": (
        ["cls/20231236.ipynb", "cls/2023-1237/rnn.ipynb", "cls/20231236 (1).ipynb"],
        [("2023-1237", "2023-1237"), ("20231236", "20231236")],
    ),
    "folders, a number in three spellings": (
        [
            "cls/2023-1236_Kim.ipynb",
            "cls/20231236_Kim_v2.ipynb",
            "cls/２０２３１２３６_Kim (1).py",
            "cls/A012345_Lee.py",
        ],
        [("Kim", "2023-1236"), ("Lee", "A012345")],
    ),
    "folders, titles and numbers": (
        ["cls/hw1_20231236.ipynb", "cls/hw1_20231237.ipynb"],
        [("20231236", "20231236"), ("20231237", "20231237")],
    ),
    "folders, titled behind": (
        [
            "cls/20231236_박지민_과제3.ipynb",
            "cls/김하늘_20231237_과제3.ipynb",
            "cls/이서준(20231238)_과제3.zip",
            "cls/20231239_Mia_Lee_과제3/rnn.ipynb",
            "cls/20231240_한지우.ipynb",
            "cls/20231241_강도윤_과제3 (1).ipynb",
        ],
        [
            ("Mia_Lee", "20231239"),
            ("강도윤", "20231241"),
            ("김하늘", "20231237"),
            ("박지민", "20231236"),
            ("이서준", "20231238"),
            ("한지우", "20231240"),
        ],
    ),
    "folders, titles that nobody shares": (
        ["cls/박지민_20231236_과제3.ipynb", "cls/김하늘_20231237_hw.ipynb"],
        [("김하늘_20231237_hw", "20231237"), ("박지민_20231236_과제3", "20231236")],
    ),
    "folders, late ones beside": (
        [
            *("cls/20231236_박지민.ipynb", "cls/20231237_Mia/rnn.ipynb", "cls/20231239_한지우.py"),
            *("cls/이서준/hw1_a.py", "cls/이서준/hw1_b.py", "cls/늦음/20231238_최유진.ipynb"),
        ],
        [("Mia", "20231237"), ("박지민", "20231236"), ("이서준", ""), ("최유진", "20231238"), ("한지우", "20231239")],
    ),
    "folders, departments": (
        ["cls/컴퓨터_20231236_박지민.py", "cls/전자공학과_20231237_Mia.ipynb", "cls/컴퓨터_20231238_이서준(1).ipynb"],
        [("Mia", "20231237"), ("박지민", "20231236"), ("이서준", "20231238")],
    ),
    "folders, dates": (
        [
            "cls/과제_20261120_20231236_박지민.ipynb",
            "cls/과제_20261120_20231237_Mia.ipynb",
            "cls/20231238_이서준_20261120_235900_rnn.ipynb",
            "cls/한지우_20201031_20261120235900_my_rnn.ipynb",
            "cls/20231240_강도윤 2026-11-20.zip",
        ],
        [
            ("Mia", "20231237"),
            ("강도윤", "20231240"),
            ("박지민", "20231236"),
            ("이서준", "20231238"),
            ("한지우", "20201031"),
        ],
    ),
    "folders, dates of mails": (
        ["cls/2026-11-20 김하늘/rnn.ipynb", "cls/2026-11-21 이서준/a.py", "cls/2026-11-21 Mia/rnn.ipynb"],
        [("Mia", ""), ("김하늘", ""), ("이서준", "")],
    ),
    "folders, letters in numbers": (
        [
            "cls/A012345_Kim.ipynb",
            "cls/s1234567.ipynb",
            "cls/21B12345_山田太郎.zip",
            "cls/Mia20231234.py",
            "cls/RNN(20231235_Lee).py",
        ],
        [
            ("Kim", "A012345"),
            ("Lee", "20231235"),
            ("Mia", "20231234"),
            ("s1234567", "s1234567"),
            ("山田太郎", "21B12345"),
        ],
    ),
    "folders, called after the handout": (
        [
            "cls/김하늘_rnn.ipynb",
            "cls/RNN과제_Mia Lee.ipynb",
            "cls/20231236_rnn/a.py",
            "cls/이서준_rnn.py",
            "cls/rnn (1).py",
        ],
        [("20231236", "20231236"), ("Mia Lee", ""), ("rnn (1)", ""), ("김하늘", ""), ("이서준", "")],
    ),
    "folders, a title on either side": (
        [
            *("cls/LSTM_RNN_김하늘.ipynb", "cls/LSTM_RNN_이서준.ipynb", "cls/박지민_RNN_LSTM.py"),
            *("cls/final_RNN_Mia.ipynb", "cls/final_RNN_LSTM_Ann.ipynb"),
        ],
        [("LSTM_Ann", ""), ("Mia", ""), ("김하늘", ""), ("박지민", ""), ("이서준", "")],
    ),
    "folders, a word before the number": (
        ["cls/재제출_20231236_박지민.ipynb", "cls/20231236_박지민.ipynb", "cls/20231237_Mia.ipynb"],
        [("Mia", "20231237"), ("박지민", "20231236")],
    ),
    "folders, attempts": (
        ["cls/20231236_박지민_1차.ipynb", "cls/20231236_박지민_2차.ipynb", "cls/20231237_Mia_1차.ipynb"],
        [("Mia", "20231237"), ("박지민", "20231236")],
    ),
    "folders, surnames that many have": (
        [
            *("cls/20231236_Haneul_Kim.ipynb", "cls/20231237_Minsu_Kim.ipynb", "cls/20231238_Jiu_Lee.ipynb"),
            *("cls/20231239_Mia_Lee.ipynb", "cls/20231240_김하늘.ipynb"),
        ],
        [
            *(("Haneul_Kim", "20231236"), ("Jiu_Lee", "20231238"), ("Mia_Lee", "20231239")),
            *(("Minsu_Kim", "20231237"), ("김하늘", "20231240")),
        ],
    ),
    "folders, addresses": (
        ["cls/mia@univ.example/rnn.ipynb", "cls/20231234@univ.example_rnn.ipynb"],
        [("20231234@univ.example", ""), ("mia@univ.example", "")],
    ),
    "folders, names in two parts": (
        ["cls/20231236_Kim_Haneul.ipynb", "cls/20231237_Kim_Minsu.ipynb", "cls/kim_haneul.ipynb", "cls/kim_minsu.py"],
        [("Kim_Haneul", "20231236"), ("Kim_Minsu", "20231237"), ("kim_haneul", ""), ("kim_minsu", "")],
    ),
    "sections": (
        ["sectionA/kim.ipynb", "sectionA/lee.ipynb", "sectionB/park/rnn.ipynb"],
        [("kim", ""), ("lee", ""), ("park", "")],
    ),
    "sections, of any name": (
        {
            "제때/20231234_김하늘.ipynb": ANSWERED,
            "제때/20231235_이서준/rnn.ipynb": ANSWERED,
            "제때/20231236_박지민.ipynb": BLANK,
            "늦음/20231236_박지민.ipynb": ANSWERED,
            "늦음/kim.ipynb": ANSWERED,
            "채점기준.pdf": b"%PDF",
        },
        [("kim", ""), ("김하늘", "20231234"), ("박지민", "20231236"), ("이서준", "20231235")],
    ),
}


@pytest.mark.parametrize("platform", EXPORTS)
def test_export_gives_one_submission_a_person_with_name_and_id(platform: str, tmp_path: Path) -> None:
    """Every platform's way of naming is recognised, and nobody is there twice or under another's name."""
    files, expected = EXPORTS[platform]
    intake = taken(files, tmp_path)
    assert intake.notes[-1].about["layout"] == platform.split(",")[0].replace("Google Takeout", "folders")
    assert people(intake) == expected
    assert intake.notes[-1].about["people"] == len(expected)


@pytest.mark.parametrize("platform", EXPORTS)
@pytest.mark.parametrize("packed", ["folder", "in a folder", "zip in a zip", "zip in a folder", "tar.gz"])
def test_export_is_read_however_it_is_packed(platform: str, packed: str, tmp_path: Path) -> None:
    """As a folder, in one more folder or archive, or as a tar, the same people come out."""
    files, expected = EXPORTS[platform]
    path = tmp_path / "given"
    if packed == "tar.gz":
        path.write_bytes(tarred(files))
    elif packed == "zip in a zip":
        path.write_bytes(zipped({"submissions.zip": zipped(files)}))
    elif packed == "zip in a folder":
        folder(path, {"submissions.zip": zipped(files), "students.csv": b"x"})
    else:
        folder(path / "more" if packed == "in a folder" else path, files)
    shared = (
        "folders, Google Classroom",
        "folders, titled",
        "folders, titles and names",
        "folders, titles and numbers",
        "folders, titled behind",
        "folders, late ones beside",
        "folders, departments",
        "folders, dates",
        "folders, a word before the number",
        "folders, attempts",
        "folders, letters in numbers",
        "folders, surnames that many have",
    )
    plain = platform in ("sections", "Google Takeout") or (platform.startswith("folders") and platform not in shared)
    if plain and packed.startswith("zip in"):
        return  # such a zip could be one student's
    assert people(collect([path], ASSIGNMENT)) == expected


@pytest.mark.parametrize("packed", [True, False])
def test_each_section_in_a_folder_is_recognised_by_itself(packed: bool, tmp_path: Path) -> None:
    """Exports that lie beside one another, packed or not, are one class; a student who made up one renames nobody."""
    canvas, moodle = (
        ["kim_4711_90210_rnn.ipynb", "lee_4712_90211_rnn.ipynb"],
        ["박지민_815_assignsubmission_file/a.py"],
    )
    numbered = ["20231234_김하늘.ipynb", "20231235_이서준.ipynb"]
    sections = {"A반": canvas, "B반": moodle, "다": numbered}
    for name, files in sections.items():
        folder(tmp_path / "class", {f"{name}.zip": zipped(files), "students.csv": b"x"} if packed else {})
        folder(tmp_path / "class" / ("" if packed else name), [] if packed else files)
    expected = [("kim", "4711"), ("lee", "4712"), ("김하늘", "20231234"), ("박지민", "815"), ("이서준", "20231235")]
    assert people(collect([tmp_path / "class"], ASSIGNMENT)) == expected
    folder(tmp_path / "class", ["yun/rnn.ipynb"])
    assert ("yun", "") in people(collect([tmp_path / "class"], ASSIGNMENT))


@pytest.mark.parametrize("packed", [True, False])
def test_namesakes_in_two_sections_are_two_people(packed: bool, tmp_path: Path) -> None:
    """Sections are known by what they are called; an id shows who moved from one to the other."""
    for name in ("A반", "B반"):
        files = ["김민수.ipynb", f"{name}/rnn.ipynb", "20231234_Mia.ipynb"]
        folder(tmp_path, {f"{name}.zip": zipped(files)} if packed else {f"{name}/{file}": ANSWERED for file in files})
    class_ = collect([tmp_path], ASSIGNMENT)
    assert people(class_) == [("A반", ""), ("B반", ""), ("Mia", "20231234"), ("김민수", ""), ("김민수", "")]
    assert class_.notes[0].kind == "same-name"


@pytest.mark.parametrize("names", [("a", "b"), ("RNN-20261120T120000Z-001", "RNN-20261120T120000Z-002")])
def test_archives_of_one_export_are_a_class_together(names: tuple[str, str], tmp_path: Path) -> None:
    """Whatever archives are called that lie in one folder, such as the parts of a download from Drive."""
    parts = (["김하늘 - rnn.ipynb", "이서준 - rnn.ipynb"], ["박지민 - rnn.ipynb", "Mia - rnn.ipynb"])
    archives = {
        f"{name}.zip": zipped([f"RNN/{file}" for file in files]) for name, files in zip(names, parts, strict=True)
    }
    class_ = collect([folder(tmp_path, archives)], ASSIGNMENT)
    assert people(class_) == [("Mia", ""), ("김하늘", ""), ("박지민", ""), ("이서준", "")]


def test_late_ones_beside_a_class_are_taken_once(tmp_path: Path) -> None:
    """A folder within an archive is a place of its own, and what lies around it is not given a second time."""
    files, _ = EXPORTS["folders, late ones beside"]
    assert {each.person for each in taken(files, tmp_path).set_aside} == {"이서준"}


@pytest.mark.parametrize("inside", ["rnn - 복사본.ipynb", "{}-main/rnn.ipynb"])
@pytest.mark.parametrize("packed", [True, False])
def test_what_all_call_their_own_files_makes_nobody_somebody_else(inside: str, packed: bool, tmp_path: Path) -> None:
    """A copy's name is no answer to Google Forms, nor a branch a login, though everybody's folder or zip has one."""
    own = {name: [inside.format(name)] for name in ("rnn-kim", "rnn-lee")}
    for name, files in own.items():
        folder(tmp_path, {f"{name}.zip": zipped(files)} if packed else {f"{name}/{files[0]}": ANSWERED})
    assert len(collect([tmp_path], ASSIGNMENT).entries) == 2


def test_times_attempts_and_lateness_are_the_platforms(tmp_path: Path) -> None:
    """What a platform tells of a submission stands in its entry."""

    def told(platform: str, person: str) -> tuple[str, int, bool]:
        intake = taken(EXPORTS[platform][0], tmp_path)
        entry = next(entry for entry in intake.entries if entry.people[0].name == person)
        return entry.time, entry.attempts, entry.late

    assert told("Canvas", "이서준") == ("", 1, True)
    assert told("Canvas", "kimhaneul") == ("", 1, False)
    assert told("Canvas, anonymous", "anon_9kQpR") == ("", 1, True)
    assert told("Blackboard", "Mia Lee") == ("2026-11-19T08:00:00", 2, False)
    assert told("Brightspace", "김하늘") == ("2026-11-18T23:05:00", 1, False)
    assert told("Brightspace", "Mia") == ("2026-11-09T09:05:00", 1, False)
    assert told("Sakai", "Lee, Mia") == ("2026-11-20T23:15:00", 1, False)
    assert told("Gradescope", "김하늘") == ("2026-11-20T14:05:28Z", 2, False)
    assert told("nbgrader", "kim") == ("2026-11-20T15:58:23Z", 1, False)
    assert told("Teams", "Mia Lee") == ("", 2, False)


def test_members_of_a_group_share_one_entry(tmp_path: Path) -> None:
    """A group's submission is one entry with all its people, as Gradescope's roster lists them."""
    group = taken(EXPORTS["Gradescope"][0], tmp_path).entries[1]
    assert [person.email for person in group.people] == ["", "emma@univ.example", "only@univ.example"]


def test_newest_version_counts(tmp_path: Path) -> None:
    """Of several attempts the newest counts, and the others are set aside as older."""
    intake = taken(EXPORTS["Teams"][0], tmp_path)
    assert intake.entries[1].name.endswith("Mia Lee/HW3/Version 2/rnn.ipynb")
    assert aside(intake) == {"Submitted files/Mia Lee/HW3/Version 1/rnn.ipynb": "older"}


def test_of_equal_attachments_the_one_that_came_last_counts(tmp_path: Path) -> None:
    """Canvas numbers attachments in their order, and calls a second one of a name `rnn-1`."""
    intake = taken(["kim_4711_90210_rnn.ipynb", "kim_4711_90310_rnn-1.ipynb", "lee_4712_90211_rnn.ipynb"], tmp_path)
    assert intake.entries[0].name == "kim_4711_90310_rnn-1.ipynb"


def test_what_the_platform_wrote_of_somebody_is_no_file_of_theirs(tmp_path: Path) -> None:
    """Blackboard's note beside each attempt counts only for a person without any file, and is not set aside."""
    files = EXPORTS["Blackboard"][0] | {"HW_3_park_attempt_2026-11-18-23-05-00.txt": b"Name: Park (park)\n"}  # type: ignore[operator]
    intake = taken(files, tmp_path)
    assert ("Park", "park") in people(intake)
    assert set(aside(intake).values()) == {"older"}


def test_who_is_called_by_an_address_has_it(tmp_path: Path) -> None:
    """Folders of what came by mail are found on a roster, and grades can go back by mail."""
    intake = taken(EXPORTS["folders, addresses"][0], tmp_path)
    assert [entry.people[0].email for entry in intake.entries] == ["20231234@univ.example", "mia@univ.example"]


@pytest.mark.parametrize("base", ["rnn-submissions", "submissions"])
def test_cloned_repositories_are_a_persons_each_below_a_folder_of_the_same_name(base: str, tmp_path: Path) -> None:
    """`rnn-submissions.zip` mostly holds a folder `rnn-submissions`, which is nobody's repository."""
    path = tmp_path / f"{base}.zip"
    path.write_bytes(zipped([f"rnn-submissions/rnn-{login}/rnn.ipynb" for login in ("octo-k", "dev7")]))
    assert people(collect([path], ASSIGNMENT)) == [("dev7", "dev7"), ("octo-k", "octo-k")]


def test_each_part_of_a_name_is_found_in_its_example() -> None:
    """Every kind of part is what the example beside it says."""
    for kind, (_, example, found) in PARTS.items():
        parts = {part.lastgroup: part[0] for part in PART.finditer(example)}
        assert parts[kind] == found


def test_forms_named_the_other_way_round_merge_nobody(tmp_path: Path) -> None:
    """`Kim - rnn`, `Lee - rnn` are two people's, not two files of somebody called rnn."""
    intake = taken(["Kim - rnn.ipynb", "Lee - rnn.ipynb", "Park - final.ipynb"], tmp_path)
    assert len(intake.entries) == 3


def test_otter_exports_of_one_name_are_people_each(tmp_path: Path) -> None:
    """Times in the names of Otter's exports are no numbers of Canvas's."""
    names = ["rnn_2026_11_23T18_15_03_014949.zip", "rnn_2026_11_23T19_15_03_014949.zip"]
    content = zipped({"rnn.ipynb": ANSWERED, ".OTTER_LOG": b"x", "__zip_filename__": b"x", "rnn.pdf": b"%PDF"})
    intake = taken(dict.fromkeys(names, content), tmp_path)
    assert [entry.name for entry in intake.entries] == [f"{name}/rnn.ipynb" for name in names]


def test_names_in_korean_code_page_and_decomposed_are_the_same_people(tmp_path: Path) -> None:
    """Names that Korean Windows or macOS wrote into a zip come out as composed Hangul."""
    import unicodedata

    name = "김하늘_815_assignsubmission_file/rnn.ipynb"
    other = "이서준_816_assignsubmission_file/rnn.ipynb"
    as_windows = zipped(["X" * len(name.encode("cp949")), "Y" * len(other.encode("cp949"))])
    for mark, path in (("X", name), ("Y", other)):
        as_windows = as_windows.replace(mark.encode() * len(path.encode("cp949")), path.encode("cp949"))
    for content in (as_windows, zipped([unicodedata.normalize("NFD", path) for path in (name, other)])):
        (tmp_path / "export.zip").write_bytes(content)
        assert people(collect([tmp_path / "export.zip"], ASSIGNMENT)) == [("김하늘", "815"), ("이서준", "816")]


PLATFORM_NAMES = {
    "moodle": ("Alice Kim_101_assignsubmission_file_/rnn.ipynb", "Mallory_102_assignsubmission_file_/"),
    "gradescope": ("submission_1/rnn.ipynb", "submission_2/"),
    "nbgrader": ("submitted/alice/ps1/rnn.ipynb", "submitted/mallory/ps1/"),
    "plain": ("alice/rnn.ipynb", "mallory/"),
}


@pytest.mark.parametrize("outer", PLATFORM_NAMES)
@pytest.mark.parametrize("inner", ["moodle", "gradescope", "nbgrader", "plain"])
def test_folder_within_ones_own_renames_and_hides_nobody(outer: str, inner: str, tmp_path: Path) -> None:
    """A student's folder named as any platform would name somebody else's is just a folder."""
    alices, own = PLATFORM_NAMES[outer]
    forged = own + PLATFORM_NAMES[inner][0]
    alone = folder(tmp_path / "alone", [alices, f"{own}rnn.ipynb"])
    both = folder(tmp_path / "both", [alices, forged, f"{own}alice_101_20202_rnn.ipynb"])
    (both / own / "submission_metadata.yml").write_bytes(b"submission_1:\n  :submitters:\n  - :name: Mallory\n")
    first, second = (people(collect([path], ASSIGNMENT)) for path in (alone, both))
    assert first == second
    assert collect([both], ASSIGNMENT).entries[0].name == alices


@pytest.mark.parametrize("roster", [b"a: !!timestamp x", b"[" * 100_000, b"submission_1: [", b"\xff\xfe", b""])
def test_roster_that_is_none_changes_nothing(roster: bytes, tmp_path: Path) -> None:
    """Whatever stands in the metadata, folders keep their names at worst, and a deep one takes no time."""
    intake = taken({"submission_1/rnn.ipynb": ANSWERED, "submission_metadata.yml": roster}, tmp_path)
    assert people(intake) == [("submission_1", "1")]


def test_file_outside_the_platforms_names_is_set_aside(tmp_path: Path) -> None:
    """What an instructor laid into an export is nobody's submission."""
    files = [*EXPORTS["Moodle"][0], "solution.ipynb"]
    intake = taken(files, tmp_path)
    assert aside(intake) == {"solution.ipynb": "no-owner"}
    assert intake.notes[-1].about == {"layout": "Moodle", "people": 2, "files": 3, "set_aside": 1}


def test_unmarked_utf8_names_in_a_zip_are_read(tmp_path: Path) -> None:
    """Names in UTF-8 that the zip does not mark as such, as macOS writes them, come out right."""
    made = zipped(["X" * len("하늘.ipynb".encode()), "lee.ipynb"])
    (tmp_path / "e.zip").write_bytes(made.replace(b"X" * len("하늘.ipynb".encode()), "하늘.ipynb".encode()))
    assert people(collect([tmp_path / "e.zip"], ASSIGNMENT)) == [("lee", ""), ("하늘", "")]


def test_thousand_submissions_are_recognised_and_chosen_in_a_moment(tmp_path: Path) -> None:
    """Intake reads nothing where there is no choice, so a large class takes about a second."""
    import time

    files = {f"student{i}_{i + 1000}_{i + 5000}_rnn.ipynb": ANSWERED for i in range(1000)}
    path = tmp_path / "canvas.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    started = time.process_time()
    assert len(collect([path], ASSIGNMENT).entries) == 1000
    assert time.process_time() - started < 3
