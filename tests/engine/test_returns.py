"""Grades back to platforms: each file is taken by its importer's rules, reimplemented small."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.grade import Adjustment, Grade, Origin, Person, Row
from autograder.intake.archives import File
from autograder.intake.platforms import settle
from autograder.intake.sheet import Sheet
from autograder.report.returns import WAYS, Graded, Returned, ReturnError

from . import classes

pytestmark = pytest.mark.usefixtures("hundred_points")


def row(name: str, score: float | None = 80.0, *, id: str = "", email: str = "", submission: str = "") -> Row:
    """As intake would tell of that path, were it alone in an export."""
    place = settle([File(submission or f"{name}.ipynb", lambda most: b"")], "export")[0]
    made = classes.row(name, score, id=id, email=email, submission=submission)
    return replace(made, origin=place.origin(place.told(place.files[0][0])))


CANVAS = [
    row("kimminsu", 85, submission="kimminsu_101_5551_rnn.ipynb"),
    row("leeseojun", 70.5, submission="leeseojun_LATE_102_5552_rnn.ipynb"),
    row("parkjimin", None, submission="parkjimin_103_5553_rnn.ipynb"),
]
MOODLE = [
    row("김민수", 85, submission="김민수_7_assignsubmission_file/rnn.ipynb"),
    row("이서준", 70.5, submission="이서준_8_assignsubmission_file_/rnn.ipynb"),
    row("박지민", None, submission="박지민_9_assignsubmission_file/rnn.ipynb"),
]


def returned(way: str, rows: list[Row], file: Path | None = None, title: str = "") -> Returned:
    return WAYS[way](Graded(rows, title, file))


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def taken_by_canvas(content: bytes, existing: dict[str, str]) -> dict[str, str]:
    """What Canvas's importer changes in scores by user id; a header or a person that it does not know is an error."""
    header, *lines = cells(content)
    assert len(header) > 3
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert "Section" in header
    titles = [title for title in header[header.index("Section") + 1 :] if not re.search("(Current|Final) Score", title)]
    (column,) = (header.index(title) for title in titles if re.fullmatch(r".+ \(77\)", title))
    changed = {}
    for line in lines:
        if "Points Possible" in line[0] or all(re.fullmatch(r"\s*(Manual Posting.*)?\s*", cell) for cell in line):
            continue
        assert line[1] in ("101", "102", "103"), line
        if line[column] != existing.get(line[1], ""):  # a blank cell clears a score
            changed[line[1]] = line[column]
    return changed


def test_canvas_takes_a_new_table(tmp_path: Path) -> None:
    """Ids are those of the file names; who has no score is not in it."""
    content = returned("canvas", CANVAS, title="RNN (77)").content
    assert taken_by_canvas(content, {"103": "12"}) == {"101": "85", "102": "70.5"}


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_canvas_gradebook_is_filled(tmp_path: Path, delimiter: str) -> None:
    """Only the assignment's column changes; grades that are written over are listed, and read-only columns left."""
    path = tmp_path / "grades.csv"
    lines = [
        "Student,ID,SIS User ID,SIS Login ID,Section,Old (66),RNN (77),Total (88),Final Score",
        "    Points Possible,,,,,10,100,(read only),(read only)",
        '"Kim, Minsu",101,u1,kim@example.org,A,9,80.00,1,1',
        '"Lee, Seojun",102,u2,lee@example.org,"A, B",8,70.50,1,1',
        '"Park, Jimin",103,u3,park@example.org,A,7,12,1,1',
    ]
    if delimiter == ";":
        lines = [re.sub(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', ";", line) for line in lines]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    back = returned("canvas", CANVAS, path, "RNN (77)")
    expected = "\r\n".join([*lines[:2], lines[2].replace("80.00", "85"), lines[3], ""]).encode()
    assert back.content == b"\xef\xbb\xbf" + expected
    assert back.remarks == ["written over there (1): kimminsu: 80.00 to 85"]


def test_canvas_excused_student_is_ex(tmp_path: Path) -> None:
    """Who is excused gets Canvas's own word for it."""
    path = tmp_path / "grades.csv"
    path.write_text("Student,ID,Section,RNN (77)\n,101,A,\n")
    excused = replace(CANVAS[0], adjustments=(Adjustment("kim", "", 0.0, "ill", kind="excuse"),))
    assert returned("canvas", [excused], path).content == b"Student,ID,Section,RNN (77)\n,101,A,EX\n"


def test_canvas_refuses_what_its_importer_would_pass_over() -> None:
    """A title that means a total is told."""
    with pytest.raises(ReturnError, match="passes over"):
        returned("canvas", CANVAS, title="Final Score of RNN")


WORKSHEETS = {
    "en": (
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments",
        "Participant ",
        "No",
    ),
    "ko": (
        "식별자,성명,이메일 주소,상태,성적,최대 성적,성적을 변경할 수 있음,"
        "마지막 수정됨(제출),마지막 수정됨(성적),피드백",
        "참가자",
        "아니오",
    ),
}


def taken_by_moodle(content: bytes, lang: str) -> dict[str, str]:
    """The grades that Moodle's importer sees, by participant; its columns are known by their names alone."""
    header, *lines = cells(content)
    titles, hidden, _ = WORKSHEETS[lang]
    grade, identifier, modified = ("성적", "식별자", "마지막 수정됨(성적)") if lang == "ko" else (
        "Grade", "Identifier", "Last modified (grade)",
    )  # fmt: skip
    at = {name: header.index(name) for name in (grade, identifier, modified)}
    assert header == titles.split(",")
    return {line[at[identifier]][len(hidden) :]: line[at[grade]] for line in lines if line[at[grade]]}


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_moodle_worksheet_is_filled(tmp_path: Path, lang: str) -> None:
    """Whatever the language, grades go to their participants and all other bytes stay; locked ones are left."""
    titles, hidden, no = WORKSHEETS[lang]
    yes = {"No": "Yes", "아니오": "예"}[no]
    lines = [
        titles,
        f'{hidden}7,"김민수",kim@example.org,"Submitted, late",,100.00,{yes},"Monday, 1 June","-","<p>a ""b""</p>\nc"',
        f"{hidden}8,이서준,lee@example.org,,60.00,100.00,{yes},-,-,",
        f"{hidden}9,박지민,park@example.org,,55.00,100.00,{yes},-,-,",
        f"{hidden}10,최유진,choi@example.org,,,100.00,{no},-,-,",
    ]
    path = tmp_path / "worksheet.csv"
    path.write_bytes(("\ufeff" + "\n".join(lines) + "\n").encode())
    choi = row("최유진", 40, submission="최유진_10_assignsubmission_file/rnn.ipynb")
    back = returned("moodle", [*MOODLE, choi], path)
    expected = "\n".join(
        [lines[0], lines[1].replace('late",,', 'late",85,'), lines[2].replace("60.00", "70.5"), *lines[3:]]
    )
    assert back.content == ("\ufeff" + expected + "\n").encode()
    assert taken_by_moodle(back.content, lang) == {"7": "85", "8": "70.5", "9": "55.00"}
    assert [remark.split(":")[0] for remark in back.remarks] == [
        *("written over there (1)", "locked there, left as they were (1)"),
    ]


def test_moodle_student_is_known_whatever_the_file_is_called(tmp_path: Path) -> None:
    """A name such as Canvas gives to files tells nothing there."""
    path = tmp_path / "worksheet.csv"
    path.write_text("Identifier,Grade\nParticipant 3,\nParticipant 7,\n")
    rows = [replace(MOODLE[0], submission="김민수_7_assignsubmission_file/hw_3_20231234_rnn.ipynb")]
    assert returned("moodle", rows, path).content.decode().endswith("Participant 3,\nParticipant 7,85\n")
    assert [*names(returned("feedback", rows))] == ["김민수_7_assignfeedback_file_feedback.html"]


def test_moodle_worksheet_out_of_other_points_is_refused(tmp_path: Path) -> None:
    """Grades out of 100 do not go where 10 is the most."""
    path = tmp_path / "worksheet.csv"
    path.write_text("Identifier,Grade,Maximum Grade,Last modified (grade)\nParticipant 7,,10.00,-\n")
    with pytest.raises(ReturnError, match=r"out of 10\.00 points, here out of 100"):
        returned("moodle", MOODLE, path)
    with pytest.raises(ReturnError, match="moodle needs FILE"):
        returned("moodle", MOODLE)


def test_moodle_group_gives_its_grade_to_every_member(tmp_path: Path) -> None:
    """A team's download names the team only; the worksheet knows who is in it."""
    path = tmp_path / "worksheet.csv"
    path.write_text(
        "Identifier,Full name,Group,Grade,Last modified (grade)\n"
        "Participant 31,A,모둠 1,,-\nParticipant 32,B,모둠 1,,-\nParticipant 7,C,모둠 2,,-\n"
    )
    team = row("모둠 1", 90, submission="모둠 1_7_assignsubmission_file/rnn.ipynb")
    other = row("모둠 2", 60, submission="모둠 2_8_assignsubmission_file/rnn.ipynb")
    assert [line[3] for line in cells(returned("moodle", [team, other], path).content)[1:]] == ["90", "90", "60"]


def test_member_who_handed_in_alone_gets_no_grade_of_the_team(tmp_path: Path) -> None:
    """Nor does who is excused; who handed in nothing else has the team's."""
    path = tmp_path / "worksheet.csv"
    path.write_text(
        "Identifier,Full name,Group,Grade\nParticipant 31,Kim,Team 1,\nParticipant 32,Lee,Team 1,\n"
        "Participant 33,Mia,Team 1,40\n"
    )
    team, alone = row("Team 1", 60, submission="Team 1_7_assignsubmission_file/rnn.ipynb"), row("Lee", 90)
    absent, excused = (Row("", Person(name), Grade("not-submitted", None, 100.0)) for name in ("Kim", "Mia"))
    excused = replace(excused, adjustments=(Adjustment("Mia", "", 0.0, "ill", kind="excuse"),))
    back = returned("moodle", [team, alone, absent, excused], path)
    assert [line[3] for line in cells(back.content)[1:]] == ["60", "90", "40"]
    assert back.remarks == []


def test_blackboard_and_brightspace_columns(tmp_path: Path) -> None:
    """New tables have the columns that the platforms name, and downloaded ones are filled."""
    rows = [row("Kim", 85, id="kim01"), row("Lee", 70.5)]
    assert cells(returned("blackboard", rows, title="RNN (345)").content) == [
        ["Last Name", "First Name", "Username", "RNN [Total Pts: 100 Score] |345"],
        ["Kim", "", "kim01", "85"],
    ]
    assert cells(returned("brightspace", rows, title="RNN").content) == [
        ["OrgDefinedId", "RNN Points Grade", "End-of-Line Indicator"],
        ["#kim01", "85", "#"],
    ]
    path = tmp_path / "grades.csv"
    path.write_bytes(
        '"Last Name"\t"First Name"\t"Username"\t"RNN [Total Pts: 100 Score] |345"\r\n"Lee"\t""\t"l2"\t""\r\n'.encode(
            "utf-16"
        )
    )
    assert returned("blackboard", rows, path).content.decode("utf-16").splitlines()[1] == '"Lee"\t""\t"l2"\t"70.5"'
    path.write_text(
        "OrgDefinedId,Username,RNN Points Grade <Numeric MaxPoints:100>,End-of-Line Indicator\n#kim01,#k,,#\n"
    )
    assert returned("brightspace", rows, path).content.endswith(b"#kim01,#k,85,#\n")
    with pytest.raises(ReturnError, match="brightspace needs ids"):
        returned("brightspace", rows[1:])


def test_sheet_names_its_columns_where_it_cannot_be_told_which(tmp_path: Path) -> None:
    """With two assignments the title decides."""
    path = tmp_path / "grades.csv"
    path.write_text("Student,ID,Section,HW 1 (1),HW 10 (2)\nKim,101,,,\n")
    assert returned("canvas", CANVAS, path, "hw 1").content.endswith(b"Kim,101,,85,\n")
    path.write_text("Student,ID,Section,A (1),B (2)\nKim,101,,,\n")
    with pytest.raises(ReturnError, match=r"candidates: A \(1\), B \(2\)"):
        returned("canvas", CANVAS, path)
    assert returned("canvas", CANVAS, path, "B").content.endswith(b"Kim,101,,,85\n")


@pytest.mark.parametrize("above", ["sep=;\r\n", "RNN, 2026; graded\r\n\r\n"])
def test_lines_above_the_titles_stay(above: str, tmp_path: Path) -> None:
    """What a spreadsheet or a teacher wrote above the table neither hides it nor changes."""
    path = tmp_path / "grades.csv"
    path.write_bytes(
        f"{above}Student;ID;Section;RNN (77)\r\n    Points Possible;;;100,00\r\nKim, M;101;A;8,5\r\n".encode()
    )
    assert returned("canvas", CANVAS, path).content == path.read_bytes().replace(b"8,5", b"85")


def test_column_in_another_language_is_named_by_its_title(tmp_path: Path) -> None:
    """A title that is said in full needs not look like one of grades; its maximum is still read."""
    path = tmp_path / "grades.csv"
    for identifier, hidden in (("식별자", "참가자"), ("ID", "Teilnehmer/in"), ("ID", "参加者")):
        path.write_text(f"{identifier},이름,점수,점수 비고\n{hidden}7,,,\n", encoding="utf-8")
        assert returned("moodle", MOODLE, path, "점수").content.decode().endswith(f"{hidden}7,,85,\n")
    for points in ("총점: 10 점수", "Total Pts: up to 10 Score"):
        path.write_text(f"사용자 이름,RNN [{points}] |345\nkim,\n", encoding="utf-8")
        with pytest.raises(ReturnError, match="out of 10 points"):
            returned("blackboard", [row("Kim", 85, id="kim")], path)


def test_two_people_of_one_name_get_no_grade_by_name(tmp_path: Path) -> None:
    """Where only a name could tell, and does not, nothing is written and it is said."""
    path = tmp_path / "grades.csv"
    path.write_text("Student,ID,Section,A (1)\n김민수,,,\n")
    rows = [row("김민수", 85, submission="a.ipynb"), row("김민수", 70, submission="b.ipynb", id="2")]
    back = returned("canvas", rows, path)
    assert back.content == path.read_bytes()
    assert "several of the name" in back.remarks[0]


@pytest.mark.parametrize(
    ("way", "submission", "lines", "filled"),
    [
        ("canvas", "kim_101_5551_rnn.ipynb", ["김민수,101,A,", "김민수,102,B,"], ["김민수,101,A,85"]),
        ("canvas", "김민수.ipynb", ["김민수,101,A,", "김민수,102,B,"], []),
        ("canvas", "kim_103_5551_rnn.ipynb", ["김민수,101,A,"], []),
        ("moodle", "a_7_assignsubmission_file/a.py", ["김민수,7,A,", "김민수,8,B,"], ["김민수,7,A,85", "김민수,8,B,"]),
        ("moodle", "김민수.ipynb", ["김민수,7,A,", "김민수,8,B,"], ["김민수,7,A,", "김민수,8,B,"]),
        ("blackboard", "RNN_kim01_attempt_2026-11-23-10-00-00_a.py", ["김민수,KIM01,A,"], ["김민수,KIM01,A,85"]),
    ],
)
def test_namesake_who_handed_in_nothing_gets_no_grade(
    way: str, submission: str, lines: list[str], filled: list[str], tmp_path: Path
) -> None:
    """A grade goes to one line: that of the id, or the only one of the name."""
    path = tmp_path / "grades.csv"
    titles, parks = {
        "canvas": ("Student,ID,Section,A (1)", "p_19_5552_a.py"),
        "moodle": ("Full name,Identifier,Group,Grade", "p_19_assignsubmission_file/a.py"),
        "blackboard": ("Name,Username,Section,A |1", "RNN_19_attempt_2026-11-23-10-00-00_a.py"),
    }[way]
    path.write_text("\n".join([titles, "박,19,A,", *lines, ""]), encoding="utf-8")
    park = row("박", 70, submission=parks)
    back = returned(way, [row("김민수", 85, submission=submission), park], path)
    assert back.content.decode().splitlines() == [titles, "박,19,A,70", *filled]
    assert bool(back.remarks) == ("85" not in "".join(filled))


def test_table_without_the_platforms_own_ids_is_filled(tmp_path: Path) -> None:
    """Moodle's gradebook has the university's numbers where its worksheet has those of participants."""
    path = tmp_path / "grades.csv"
    path.write_text("First name,Last name,ID number,RNN\n민수,김,20231234,\n서준,이,,\n", encoding="utf-8")
    back = returned("moodle", [replace(MOODLE[0], person=Person("김민수", "20231234")), MOODLE[1]], path, "RNN")
    assert [line[3] for line in cells(back.content)[1:]] == ["85", "70.5"]


def test_line_is_somebodys_as_on_a_roster(tmp_path: Path) -> None:
    """A login, a family name that comes first, an id that is another's in another column."""
    path = tmp_path / "grades.csv"
    path.write_text("OrgDefinedId,Username,Last Name,First Name,RNN Points Grade\n#1,#hkim,김,하늘,\n#2,#lee,Lee,S,\n")
    back = returned("brightspace", [row("김하늘", 85), row("lee", 70)], path)
    assert back.content.decode().splitlines()[1:] == ["#1,#hkim,김,하늘,85", "#2,#lee,Lee,S,70"]
    path.write_text("Student,ID,SIS User ID,Section,A (1)\nK,101,102,A,\nL,102,20231235,A,\n")
    back = returned("canvas", [row("김하늘", 85, id="102"), row("이서준", 70, id="20231235")], path)
    assert [line[4] for line in cells(back.content)[1:]] == ["70"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"a,b\r\n1,2", b"", b'"a,b\n1', '이름;b\n가;""\n'.encode("cp949")),
        '\ufeffa\tb\r\n"x\ny"\t2\r\n'.encode("utf-16-le"),
    ],
)
def test_sheet_comes_out_as_it_went_in(content: bytes) -> None:
    """Whatever encoding, delimiter, quotes and ends of lines, an unchanged table is the same bytes."""
    assert Sheet(content).content() == content


def test_mail_merge_has_an_address_for_each_line() -> None:
    """Formulas are text there, too, and who has no address is said."""
    back = returned("email", [row("=Kim", 85, email="kim@example.org"), row("Lee")])
    assert cells(back.content)[1][:4] == ["kim@example.org", "'=Kim", "", "85"]
    assert back.remarks == ["without email (1): Lee"]
    with pytest.raises(ReturnError, match="email needs emails: grade with --roster"):
        returned("email", [row("Lee")])


@pytest.mark.parametrize(
    ("told", "own", "theirs"),
    [
        (("Canvas", "101"), "kim_101_5551_rnn.zip/", "lee_102_5552_rnn.ipynb"),
        (("Canvas", "Ab3dE"), "a/LATE_anon_Ab3dE_5559_rnn.zip/", "anon_Zb3dE_5552_rnn.ipynb"),
        (("Moodle", "7"), "김민수_7_assignsubmission_file/", "이서준_8_assignsubmission_file/rnn.ipynb"),
        (("Gradescope", "41"), "assignment_1_export/submission_41/", "submission_42/rnn.ipynb"),
    ],
)
def test_platforms_ids_are_found_before_a_students_own_names(told: tuple[str, str], own: str, theirs: str) -> None:
    """A zip's owner gets the grade; whoever calls a file as the platform calls another's gets that one nothing."""
    alone = row("Kim", submission=f"{own}rnn.ipynb").origin
    assert (alone.platform, alone.id) == told
    assert row("Kim", submission=own + theirs).origin == alone


def names(back: Returned) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(back.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def heading(page: str) -> str:
    return re.findall("<h1>(.*?)</h1>", page)[0]


def test_canvas_takes_feedback_back() -> None:
    """Without LATE, the first two numbers of a name are the user's and the attachment's; no page names the report."""
    anonymous = row("anon", 60, submission="anon_Ab3dE_5559_rnn.ipynb")
    found = names(returned("feedback", [*CANVAS, anonymous]))
    owners = {}
    for name, page in found.items():
        tokens = [token for token in name.split("_") if token != "LATE"]
        if tokens[0] == "anon":
            owners[tuple(tokens[1:3])] = page
        else:
            owners[tuple(re.findall(r"(?<=_)\d+(?=_)", name)[:2])] = page
    assert {whose: heading(page) for whose, page in owners.items()} == {
        ("101", "5551"): "kimminsu",
        ("102", "5552"): "leeseojun",
        ("Ab3dE", "5559"): "anon",
    }
    assert "report.html" not in "".join(found.values())


def test_moodle_takes_feedback_back() -> None:
    """A part of the path tells participant and plugin."""
    found = names(returned("feedback", MOODLE))
    parts = {name: name.split("_", 4) for name in found}
    assert {(part[1], part[2], part[3]): heading(found[name]) for name, part in parts.items()} == {
        ("7", "assignfeedback", "file"): "김민수",
        ("8", "assignfeedback", "file"): "이서준",
    }


@pytest.mark.parametrize("name", ["Group A_7", "모둠 3_7", "기본 모둠", "1조_7", "B 팀_7"])
def test_moodle_groups_get_no_feedback_zip(name: str) -> None:
    """A group's number could be some student's."""
    rows = [row("x", 85, submission=f"{name}_assignsubmission_file/rnn.ipynb")]
    with pytest.raises(ReturnError, match="group's number"):
        returned("feedback", rows)
    shared = [replace(MOODLE[0], person=Person(who)) for who in ("Kim", "Lee")]
    with pytest.raises(ReturnError, match="group's number"):
        returned("feedback", shared)


def test_student_whose_surname_means_group_gets_feedback() -> None:
    """조 is a surname, too, and the last syllable of given names."""
    rows = [row(name, 85, submission=f"{name}_7_assignsubmission_file/rnn.ipynb") for name in ("조 민수", "이민조")]
    assert len(names(returned("feedback", rows))) == 2


def test_feedback_of_plain_folders_has_no_way_back() -> None:
    """Nothing takes such a zip."""
    with pytest.raises(ReturnError, match="not downloaded from Canvas or Moodle"):
        returned("feedback", [row("Kim")])


def test_gradescope_replays_results_by_submission(tmp_path: Path) -> None:
    """The zip's program gives the submission of that number its result, and fails on one that it does not know."""
    rows = [row("Kim", 85, submission="assignment_1_export/submission_41/rnn.ipynb"), row("Lee", 100)]
    back = returned("gradescope", rows)
    assert back.remarks == ["from elsewhere, left out (1): Lee"]
    with zipfile.ZipFile(io.BytesIO(back.content)) as archive:
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111
        archive.extractall(tmp_path / "source")
    (tmp_path / "results").mkdir()
    program = (tmp_path / "source" / "run_autograder").read_text().replace("/autograder/", f"{tmp_path}/")
    for number, status in ((41, 0), (42, 1)):
        (tmp_path / "submission_metadata.json").write_text(json.dumps({"id": number}))
        done = subprocess.run([sys.executable, "-c", program], check=False, stderr=subprocess.DEVNULL)
        assert done.returncode == status
    assert json.loads((tmp_path / "results" / "results.json").read_text())["score"] == 85


@pytest.mark.parametrize("origin", [Origin("GitHub", "octo-k", "octo-k"), Origin("folders", "", "cs101-rnn-octo-k")])
def test_classroom50_result_is_the_repositorys(origin: Origin) -> None:
    """Not that of the number which a roster knows its owner by."""
    kim = replace(row("Kim", 85, id="20231234"), origin=origin)
    back = returned("classroom50", [kim], title="cs101/rnn")
    assert [*names(back)] == ["octo-k/result.json"]


def test_classroom50_gets_integers_within_bounds() -> None:
    """Each result has what the schema asks for: integers, a tag, a time in UTC, and no score beyond its maximum."""
    bonus = Adjustment("lee", "q1", 5.0, "bonus", relative=True)
    rows = [
        replace(row("cs101-rnn-kim", 85.5), time="2026-11-23T10:00:00Z"),
        replace(row("lee", 100), adjustments=(bonus,)),
        row("park", None),
    ]
    found = names(returned("classroom50", rows, title="cs101/rnn"))
    assert sorted(found) == ["kim/result.json", "lee/result.json"]
    for content in found.values():
        result = json.loads(content)
        assert result["schema"] == "classroom50/result/v1"
        assert (result["classroom"], result["assignment"], result["assignment_type"]) == ("cs101", "rnn", "individual")
        assert re.match("submit/", result["submission"])
        assert all(result[name] for name in ("owner", "commit", "release", "review"))
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", result["datetime"])
        for part in (result, *result["tests"]):
            assert type(part["score"]) is type(part["max-score"]) is int
            assert 0 <= part["score"] <= part["max-score"]
    with pytest.raises(ReturnError, match="--title CLASSROOM/ASSIGNMENT"):
        returned("classroom50", rows)


@pytest.mark.filterwarnings("ignore")  # nbgrader's own
def test_nbgrader_exports_what_was_put_into_its_gradebook(tmp_path: Path) -> None:
    """The real package's `export` shows every score; a second time lists what it writes over.

    That is whoever has the folder, if there is such a student, whatever number a roster tells.
    """
    import nbgrader.api
    from nbgrader.plugins import CsvExportPlugin

    file = tmp_path / "gradebook.db"
    total = Adjustment("lee", "", -1.5, "late", relative=True)
    rows = [row("Kim", 85, id="kim01"), replace(row("Lee", 70), adjustments=(total,)), row("Park", None)]
    back = returned("nbgrader", rows, file, "rnn")
    assert (back.remarks, file.exists()) == ([], False)
    assert back.put is not None
    back.put()
    plugin = CsvExportPlugin(to=str(tmp_path / "grades.csv"))
    with nbgrader.api.Gradebook(f"sqlite:///{file}") as gradebook:
        plugin.export(gradebook)
    exported = {line["student_id"]: line for line in csv.DictReader((tmp_path / "grades.csv").read_text().splitlines())}
    assert {who: float(line["score"]) for who, line in exported.items()} == {"kim01": 85.0, "Lee": 68.5}
    assert {float(line["max_score"]) for line in exported.values()} == {100.0}
    for person in ({"id": "kim01"}, {"id": "20231234", "submission": "submitted/kim01/rnn/Lee/rnn.ipynb"}):
        again = returned("nbgrader", [row("Kim", 90, **person)], file, "rnn")
        assert again.remarks == ["written over there (1): Kim: 85 to 90"]
    file.write_text("student,score\n" * 100)
    with pytest.raises(ReturnError, match=r"gradebook\.db: nbgrader cannot use it: file is not a database"):
        returned("nbgrader", rows, file, "rnn")
