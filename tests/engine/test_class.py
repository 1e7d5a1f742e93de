"""The run of a class: graded once, completed by later runs, adjusted by hand, written for people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder import course
from autograder.classroom.adjustments import AdjustmentError
from autograder.classroom.run import How, grade, regrade

from .classes import Engine, handed_in, run, table

pytestmark = pytest.mark.usefixtures("hundred_points")


def scores(out: Path) -> dict[str, tuple[str, str]]:
    """Status and score by student."""
    return {line["student"]: (line["status"], line["score"]) for line in table(out)}


@pytest.fixture
def given(tmp_path: Path) -> Path:
    return handed_in(tmp_path / "submissions", kim="1", lee="1", park="1")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_run_writes_everything_that_the_contract_names(given: Path, out: Path) -> None:
    """After a run the folder holds gradebook, tables, results, pages and report, and nothing else."""
    outcome = run(out, given)
    assert sorted(path.name for path in out.iterdir()) == [
        *("feedback", "gradebook.sqlite", "grades.csv", "report.html", "results", "set-aside.csv"),
    ]
    assert sorted(path.name for path in (out / "results").iterdir()) == [
        "kim.ipynb.json",
        "lee.ipynb.json",
        "park.ipynb.json",
    ]
    assert (outcome.graded, outcome.failed, outcome.fault) == (3, 0, "")


def test_second_run_grades_only_what_is_new_or_changed(given: Path, out: Path) -> None:
    """A file added and a file changed are graded, the rest is known; with nothing new no engine is started."""
    run(out, given)
    handed_in(given, lee="0", yun="1")
    engine = Engine()
    outcome = run(out, given, engine=engine)
    assert engine.seen == ["lee.ipynb", "yun.ipynb"]
    assert "2 of them known from an earlier run" in outcome.lines
    assert scores(out)["lee"] == ("graded", "0")
    idle = Engine()
    run(out, given, engine=idle)
    assert idle.opened == 0


def test_changed_grader_grades_all_again(given: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another fingerprint makes nothing known; rows that are not given are told to be of another version."""
    run(out, given)
    monkeypatch.setattr("autograder.course.fingerprint", lambda: "another")
    outcome = run(out, handed_in(given.parent / "late", kim="1"))
    assert outcome.graded == 1
    assert any(line.startswith("2 were graded by another version") for line in outcome.lines)


def test_interrupted_run_keeps_what_it_graded(given: Path, out: Path) -> None:
    """After Ctrl-C every submission has a row, and the next run goes on from there."""
    handed_in(given, lee="^")
    assert run(out, given).interrupted
    assert scores(out) == {"kim": ("graded", "100"), "lee": ("could-not-grade", ""), "park": ("could-not-grade", "")}
    handed_in(given, lee="1")
    engine = Engine()
    run(out, given, engine=engine)
    assert engine.seen == ["lee.ipynb", "park.ipynb"]


@pytest.mark.parametrize("only", [False, True])
def test_interrupted_run_shows_no_grade_of_an_older_file(given: Path, out: Path, *, only: bool) -> None:
    """A grade is not shown for a file that has changed since and was not reached again, nor by later runs."""
    run(out, given)
    handed_in(given, lee="^", park="0")
    run(out, given, only=only)
    late = handed_in(given.parent / "late", kim="5")
    for again in (lambda: None, lambda: run(out, late), lambda: regrade(out, How(Engine))):
        again()
        assert [status for status, _ in scores(out).values()] == ["graded", "could-not-grade", "could-not-grade"]


def test_what_was_not_reached_is_replaced_by_nothing_older(given: Path, out: Path) -> None:
    """A download from before the run that was interrupted is no newer, whatever is known of the file since."""
    run(out, given)
    newer = handed_in(given.parent / "newer", kim="^5")
    run(out, newer)
    for again in (given, given):
        assert "an earlier submission still counts (1): kim" in run(out, again).lines
        assert scores(out)["kim"] == ("could-not-grade", "")
    run(out, handed_in(newer, kim="5"))
    assert scores(out)["kim"] == ("graded", "50")


def test_fault_of_the_engine_gives_rows_without_scores(given: Path, out: Path) -> None:
    """When the engine itself fails, what it did not reach has no score, and the reason is told."""
    handed_in(given, lee="x")
    outcome = run(out, given)
    assert (outcome.fault, outcome.interrupted, outcome.failed) == ("the sandbox is gone", False, 2)


def test_could_not_grade_is_tried_again(given: Path, out: Path) -> None:
    """What the grader failed on is graded by the next run."""
    handed_in(given, lee="!")
    assert run(out, given).failed == 1
    engine = Engine()
    run(out, given, engine=engine)
    assert engine.seen == ["lee.ipynb"]


# Completion


def test_later_run_completes_the_class(given: Path, out: Path) -> None:
    """Late files add rows and replace those of the same people; nobody's row vanishes."""
    run(out, given)
    late = handed_in(given.parent / "late", lee="0", yun="5")
    run(out, late)
    assert scores(out) == {
        **{"kim": ("graded", "100"), "lee": ("graded", "0"), "park": ("graded", "100"), "yun": ("graded", "50")},
    }


def test_renamed_resubmission_replaces_and_is_said(tmp_path: Path, out: Path) -> None:
    """The same id under another name is the same person; the older file is set aside, and its page goes."""
    run(out, handed_in(tmp_path / "a", **{"20210001_김민수": "1", "20210002_이서준": "1"}))
    outcome = run(out, handed_in(tmp_path / "b", **{"20210001_김 민수 다시": "0", "20210003_김민수": "1"}))
    assert [(line["id"], line["score"]) for line in table(out)] == [
        ("20210001", "0"),
        ("20210002", "100"),
        ("20210003", "100"),
    ]
    assert any("newer submission" in line for line in outcome.lines)
    assert [line["file"] for line in table(out, "set-aside.csv")] == ["20210001_김민수.ipynb"]
    assert len(list((out / "feedback").iterdir())) == 3


def test_later_file_without_answers_replaces_none_that_has_them(tmp_path: Path, out: Path) -> None:
    """Whether files come at once or one run after another, the same one counts, and the others are set aside."""
    solved = course.REFERENCE.read_text(encoding="utf-8")
    blank = (course.ASSIGNMENT / "en" / "rnn.ipynb").read_text(encoding="utf-8")
    on = handed_in(tmp_path / "on", kim_20210001=solved, lee_20210002=blank, park_20210003=solved)
    late = handed_in(tmp_path / "late", **{"kim_20210001 again": blank, "lee_20210002 again": solved})
    (late / "park_20210003.pdf").write_bytes(b"%PDF-1.7")
    run(out, on)
    for _ in range(2):
        outcome = run(out, late)
        counting = [line["submission"] for line in table(out)]
        assert counting == ["kim_20210001.ipynb", "lee_20210002 again.ipynb", "park_20210003.ipynb"]
        assert "an earlier submission still counts (2): kim, park" in outcome.lines
        aside = {line["file"]: line["reason"] for line in table(out, "set-aside.csv")}
        assert aside.keys() == {"kim_20210001 again.ipynb", "lee_20210002.ipynb", "park_20210003.pdf"}
        assert "without answers" in aside["kim_20210001 again.ipynb"]
        told = [
            (out / "feedback" / f"{name}.html").read_text(encoding="utf-8").count("kim_20210001 again.ipynb")
            for name in counting
        ]
        assert told == [1, 0, 0]
    run(out, on)
    assert "kim_20210001 again" in (out / "feedback" / "kim_20210001.ipynb.html").read_text(encoding="utf-8")
    run(out, handed_in(tmp_path / "later", kim_20210001=solved + " "))
    assert "kim_20210001 again" not in (out / "feedback" / "kim_20210001.ipynb.html").read_text(encoding="utf-8")


def test_only_drops_the_others_and_says_so(given: Path, out: Path) -> None:
    """With `--only` the class is what is given."""
    run(out, given)
    outcome = run(out, handed_in(given.parent / "late", lee="0"), only=True)
    assert scores(out) == {"lee": ("graded", "0")}
    assert "left the class by --only (2): kim, park" in outcome.lines
    assert [path.name for path in (out / "feedback").iterdir()] == ["lee.ipynb.html"]


def test_nobody_who_is_still_there_is_said_to_have_left(out: Path, tmp_path: Path) -> None:
    """Not who was renamed, nor who was missing before; a namesake with another id is somebody else."""
    roster = tmp_path / "students.csv"
    roster.write_text("id,name\n4711,Minsu Kim\n4714,Yun\n4712,Lee\n4713,Lee\n")
    before = {"minsukim_4711_90210_rnn": "1", "lee_4712_90211_rnn": "1", "lee_4713_90212_rnn": "1"}
    run(out, handed_in(tmp_path / "a", **before), roster=roster)
    roster.write_text("id,name\n4711,Minsu Park\n4714,Yun\n4712,Lee\n")
    after = {"minsupark_4711_90210_rnn": "1", "lee_4712_90211_rnn": "1", "yun_4714_90213_rnn": "1"}
    outcome = run(out, handed_in(tmp_path / "b", **after), roster=roster, only=True)
    assert "left the class by --only (1): Lee" in outcome.lines


def test_roster_joins_and_adds_those_who_handed_in_nothing(given: Path, out: Path, tmp_path: Path) -> None:
    """Ids and emails come from the roster; who is missing has a row until the file comes."""
    roster = tmp_path / "students.csv"
    roster.write_text("학번,이름,이메일\n1,Kim,kim@example.org\n9,Yun,yun@example.org\n", encoding="cp949")
    run(out, given, roster=roster)
    lines = {line["student"]: line for line in table(out)}
    assert (lines["Kim"]["id"], lines["Kim"]["email"], lines["Kim"]["score"]) == ("1", "kim@example.org", "100")
    assert (lines["Yun"]["status"], lines["Yun"]["score"], lines["Yun"]["attempts"]) == ("not-submitted", "", "")
    run(out, handed_in(tmp_path / "late", yun="5", kim="0"))
    lines = {line["student"]: line for line in table(out)}
    assert [(who, line["id"], line["score"]) for who, line in lines.items()] == [
        *(("Kim", "1", "0"), ("lee", "", "100"), ("park", "", "100"), ("Yun", "9", "50")),
    ]


def test_roster_knows_that_two_ids_are_one_persons(out: Path, tmp_path: Path) -> None:
    """Whoever handed in on a platform, and again by mail under the university's number, has one row."""
    roster = tmp_path / "gradebook.csv"
    roster.write_text('Student,ID,SIS User ID\n"Kim, Haneul",4711,20231234\n"Kim, Haneul",4712,20231235\n')
    first = handed_in(tmp_path / "a", **{f"kimhaneul_{number}_90210_rnn": "1" for number in (4711, 4712)})
    run(out, first, roster=roster)
    run(out, handed_in(tmp_path / "b", **{"20231235_Haneul Kim": "5"}), roster=roster)
    assert [(line["id"], line["score"]) for line in table(out)] == [("4712", "50"), ("4711", "100")]


def test_corrected_roster_corrects_those_who_handed_in_nothing(given: Path, out: Path, tmp_path: Path) -> None:
    """An id or an email that was mistyped makes no second row, and what was adjusted meanwhile stays."""
    roster = tmp_path / "students.csv"
    lines = ["id,name,email", "8,Choi,choi@example.org", "9,Yun,yun@example.org"]
    roster.write_text("\n".join(lines))
    run(out, given, roster=roster)
    adjust(out, "Yun,,85,oral,")
    run(out, given, roster=roster)
    roster.write_text("\n".join(lines).replace("8,", "80,").replace("choi@", "Choi@").replace("yun@", "hyun@"))
    outcome = run(out, given, roster=roster)
    absent = [(line["id"], line["email"], line["score"]) for line in table(out) if line["status"] == "not-submitted"]
    assert absent == [("80", "Choi@example.org", ""), ("9", "hyun@example.org", "85")]
    assert not any("adjustments.csv" in line for line in outcome.lines)


def test_corrected_roster_gives_nobody_anothers_grade(out: Path, tmp_path: Path) -> None:
    """Where two ids had been exchanged, each keeps the own file, and gets the own id."""
    given, roster = handed_in(tmp_path / "submissions", Kim="1", Lee="5"), tmp_path / "students.csv"
    for ids in ((2, 1), (1, 2)):
        roster.write_text("id,name,email\n{},Kim,kim@example.org\n{},Lee,lee@example.org\n".format(*ids))
        run(out, given, roster=roster)
    found = [(line["student"], line["id"], line["score"]) for line in table(out)]
    assert found == [("Kim", "1", "100"), ("Lee", "2", "50")]


def test_roster_of_an_earlier_run_is_remembered(out: Path, tmp_path: Path) -> None:
    """What comes later without it finds its people still, by any of their ids, and gets what it knows."""
    roster = tmp_path / "gradebook.csv"
    roster.write_text('Student,ID,SIS User ID,Email\n"Kim, Haneul",4711,20231234,k@u.ex\n"Lee, Mia",4712,20231235,\n')
    run(out, handed_in(tmp_path / "a", kimhaneul_4711_90210_rnn="5"), roster=roster)
    run(out, handed_in(tmp_path / "b", **{"20231234_Kim": "1", "20231235_Lee": "1"}))
    adjust(out, "20231234,q1,+0,,", "4711,q1,8,,", "20231235,,100,,")
    run(out, handed_in(tmp_path / "b"))
    found = [(line["student"], line["email"], line["score"]) for line in table(out)]
    assert found == [("Kim, Haneul", "k@u.ex", "98"), ("Lee, Mia", "", "100")]


def test_name_that_two_on_the_roster_have_tells_nobody(out: Path, tmp_path: Path) -> None:
    """Neither the one who handed in before gets the file nor the one who did not; a row of its own is told."""
    roster = tmp_path / "gradebook.csv"
    roster.write_text('Student,ID\n"Kim, Haneul",4711\n"Kim, Haneul",4713\n')
    run(out, handed_in(tmp_path / "a", kimhaneul_4711_90210_rnn="5"), roster=roster)
    outcome = run(out, handed_in(tmp_path / "b", **{"Haneul Kim": "1"}))
    assert [(line["id"], line["score"]) for line in table(out)] == [("", "100"), ("4711", "50"), ("4713", "")]
    assert "not on the roster, or several of the name (1): Haneul Kim" in outcome.lines


def test_roster_of_another_section_renames_nobody(out: Path, tmp_path: Path) -> None:
    """A namesake there is somebody else, who gets a row of one's own, and nobody's vanishes."""
    for section, numbers in (("a", (20210001, 20210002)), ("b", (20210003, 20210004))):
        roster = tmp_path / f"{section}.csv"
        roster.write_text(
            "id,name\n" + "".join(f"{number},{who}\n" for number, who in zip(numbers, ("Kim", "Lee"), strict=True))
        )
        run(out, handed_in(tmp_path / section, **{f"{numbers[0]}_Kim": "1"}), roster=roster)
    assert sorted(line["id"] for line in table(out)) == ["20210001", "20210002", "20210003", "20210004"]


def test_namesake_who_is_on_no_roster_is_nobody_of_it(out: Path, tmp_path: Path) -> None:
    """A name without an id in another section is somebody else's, who is told to be missing on the roster."""
    (roster := tmp_path / "students.csv").write_text("id,name\n8,Kim\n9,Lee\n")
    for section, who in (("a", "Kim"), ("b", "Kim"), ("b", "Yun")):
        (tmp_path / "all" / f"section {section}").mkdir(parents=True, exist_ok=True)
        handed_in(tmp_path / "all" / f"section {section}", **{who: "1"})
        handed_in(tmp_path / "all" / f"section {section}", **{f"Lee{section}": "1"})
        outcome = run(out, tmp_path / "all", roster=roster)
    assert [line["id"] for line in table(out) if line["student"] == "Kim"] == ["8", ""]
    assert any(line.startswith("not on the roster") and "Kim" in line for line in outcome.lines)


def test_person_found_by_name_stays_found(out: Path, tmp_path: Path) -> None:
    """Whoever is on a roster without ids, and hands in again under the same id but another spelling, has one row."""
    roster = tmp_path / "students.csv"
    roster.write_text("name,email\nKim,kim@example.org\nLee,\n")
    for name in ("20210001_Kim", "20210001_Minsu Kim"):
        run(out, handed_in(tmp_path / name, **{name: "1"}), roster=roster)
    found = [(line["student"], line["id"], line["email"]) for line in table(out)]
    assert found == [("Kim", "20210001", "kim@example.org"), ("Lee", "", "")]


def test_participant_whose_name_comes_later_is_found_on_the_roster(out: Path, tmp_path: Path) -> None:
    """Blind marking ends, and the next download has names."""
    roster = tmp_path / "students.csv"
    roster.write_text("id,name\n20210001,Kim\n")
    for name in ("Participant_815", "Kim_815"):
        given = tmp_path / name / f"{name}_assignsubmission_file"
        given.mkdir(parents=True)
        (given / "rnn.ipynb").write_text("1")
        run(out, tmp_path / name, roster=roster)
    assert [(line["student"], line["id"]) for line in table(out)] == [("Kim", "20210001")]


def test_person_whom_the_roster_knows_under_two_ids_has_one_row(out: Path, tmp_path: Path) -> None:
    """Also when both files come at once; where the roster comes later, somebody is told to look."""
    roster = tmp_path / "students.csv"
    roster.write_text("id,name,alias\n20210001,Kim,20219999\n")
    given = handed_in(tmp_path / "a", kim_20210001="1", minsu_20219999="0")
    run(out, given, roster=roster)
    assert [line["student"] for line in table(out)] == ["Kim"]
    run(later := tmp_path / "later", given)
    outcome = run(later, given, roster=roster)
    assert [(line["student"], line["score"]) for line in table(later)] == [("Kim", "100"), ("Kim", "0")]
    assert "the same name in more than one row (1): Kim" in outcome.lines


def group(folder: Path, content: str, time: str, *people: str) -> Path:
    """A Gradescope export with one submission of these people."""
    submitters = "".join(f"  - :name: {name}\n    :sid: '2021000{name[-1]}'\n" for name in people)
    metadata = f"submission_7:\n  :submitters:\n{submitters}  :created_at: {time}\n"
    (folder / "submission_7").mkdir(parents=True)
    (folder / "submission_7" / "rnn.ipynb").write_text(content)
    (folder / "submission_metadata.yml").write_text(metadata)
    return folder


def test_each_member_of_a_group_has_what_counts_for_that_one(out: Path, tmp_path: Path) -> None:
    """A file that is older, or blank, takes nothing from a member who has a better one, and nobody loses the row."""
    solved = course.REFERENCE.read_text(encoding="utf-8")
    blank = (course.ASSIGNMENT / "en" / "rnn.ipynb").read_text(encoding="utf-8")
    run(out, group(tmp_path / "new", solved, "2026-11-22 10:00:00 Z", "B2"))
    outcome = run(out, group(tmp_path / "old", solved + " ", "2026-11-20 10:00:00 Z", "A1", "B2"))
    assert "an earlier submission still counts (1): B2" in outcome.lines
    assert [(line["student"], line["submission"]) for line in table(out)] == [
        *(("B2", "submission_7/rnn.ipynb"), ("A1", "submission_7/rnn~2.ipynb")),
    ]
    outcome = run(out, group(tmp_path / "blank", blank, "2026-11-23 10:00:00 Z", "A1", "B2", "C3"))
    assert "an earlier submission still counts (1): A1, B2" in outcome.lines
    assert [line["student"] for line in table(out)] == ["B2", "A1", "C3"]


def test_file_that_was_replaced_is_no_newer_when_it_is_given_again(out: Path, tmp_path: Path) -> None:
    """A platform's download that is graded again takes nobody's file that came by mail meanwhile."""
    download = handed_in(tmp_path / "a", kim_20210001="5", lee_20210002="1")
    run(out, download)
    run(out, handed_in(tmp_path / "b", **{"kim_20210001 again": "1"}))
    outcome = run(out, handed_in(download, park_20210003="1"))
    assert [line["score"] for line in table(out)] == ["100", "100", "100"]
    assert "an earlier submission still counts (1): kim" in outcome.lines


def test_newer_file_of_the_same_name_is_said_to_count(out: Path, tmp_path: Path) -> None:
    """The same file is no newer one, though it gets its own name back when nobody else has that any more."""
    for number, (who, content) in enumerate((("A1", "1"), ("B2", "5"))):
        run(out, group(tmp_path / str(number), content, "2026-11-20 10:00:00 Z", who))
    newer = group(tmp_path / "newer", "0", "2026-11-21 10:00:00 Z", "B2")
    assert "a newer submission counts (1): B2" in run(out, newer).lines
    by_mail = handed_in(tmp_path / "mail", **{"20210001_A1": "5"})
    assert "a newer submission counts (1): A1" in run(out, by_mail).lines
    assert not any("submission counts" in line for line in run(out, newer).lines)
    assert [(line["submission"], line["score"]) for line in table(out)] == [
        *(("20210001_A1.ipynb", "50"), ("submission_7/rnn.ipynb", "0")),
    ]
    assert [line["file"] for line in table(out, "set-aside.csv")] == []


def test_file_that_is_handed_in_anew_counts_though_it_counted_before(out: Path, tmp_path: Path) -> None:
    """Whoever goes back to an earlier version hands it in later, as the platform says."""
    for number, content in enumerate(("1", "5", "1")):
        run(out, group(tmp_path / str(number), content, f"2026-11-2{number} 10:00:00 Z", "A1"))
        assert [line["score"] for line in table(out)] == ["50" if content == "5" else "100"]


def test_attempts_that_the_platform_counts_tell_which_is_newer(out: Path, tmp_path: Path) -> None:
    """An older download that is graded last takes nobody's newer version; a file by mail does, until the next one."""
    for number, (version, content, counts) in enumerate(
        ((3, "5", "50"), (2, "1", "50"), (0, "0", "0"), (4, "5", "50"))
    ):
        for who in ("Mia", "Bo"):
            name = f"Submitted files/{who}/RNN/Version {version}" if version else who
            (tmp_path / str(number) / name).mkdir(parents=True)
            (tmp_path / str(number) / name / "rnn.ipynb").write_text(content)
        run(out, tmp_path / str(number))
        assert [line["score"] for line in table(out)] == [counts] * 2


def test_name_that_comes_again_under_another_id_is_said(out: Path, tmp_path: Path) -> None:
    """Another platform has other numbers, and only a roster could tell whose both are."""
    run(out, handed_in(tmp_path / "a", **{"20210001_Kim": "1", "20210002_Lee": "1"}))
    outcome = run(out, handed_in(tmp_path / "b", kim_4711_90210_rnn="5", mia_4712_90211_rnn="5"))
    assert "the same name in more than one row (1): Kim" in outcome.lines


def test_attempts_of_another_platform_tell_nothing(out: Path, tmp_path: Path) -> None:
    """A first version there comes after the fifth attempt here."""
    first = group(tmp_path / "a", "5", "2026-11-20 10:00:00 Z\n  :history:\n" + "  - :id: 1\n" * 4, "A1", "B2")
    run(out, first)
    for who in ("A1", "B2"):
        (version := tmp_path / "b" / "Submitted files" / who / "RNN" / "Version 1").mkdir(parents=True)
        (version / "rnn.ipynb").write_text("1")
    run(out, tmp_path / "b")
    assert [(line["student"], line["score"], line["attempts"]) for line in table(out)] == [
        *(("A1", "100", "5"), ("B2", "100", "5")),
    ]


def test_id_that_is_written_otherwise_is_the_same_persons(out: Path, tmp_path: Path) -> None:
    """Signs, width, case and leading zeros tell nobody apart, in whichever run the file comes."""
    run(out, handed_in(tmp_path / "a", **{"2023-12345_Kim": "1", "0023456789_Lee": "1"}))
    run(out, handed_in(tmp_path / "b", **{"202312345_Kim": "5", "２３４５６７８９_Lee": "5"}))
    assert [(line["student"], line["score"]) for line in table(out)] == [("Kim", "50"), ("Lee", "50")]


def test_blank_file_of_the_same_name_replaces_none_that_is_answered(out: Path, tmp_path: Path) -> None:
    """Platforms call a second submission as the first."""
    given = handed_in(tmp_path / "a", kim=course.REFERENCE.read_text(encoding="utf-8"))
    run(out, given)
    blank = (course.ASSIGNMENT / "en" / "rnn.ipynb").read_text(encoding="utf-8")
    outcome = run(out, handed_in(given, kim=blank), engine=(engine := Engine()))
    assert "an earlier submission still counts (1): kim" in outcome.lines
    assert engine.seen == []


def test_same_file_name_of_somebody_else_overwrites_nothing(tmp_path: Path, out: Path) -> None:
    """Two people with a path in common keep a submission each, also when both are given again."""
    first, second = (handed_in(tmp_path / name) for name in ("a", "b"))
    for folder, who in ((first, "Kim"), (second, "Lee")):
        (folder / "assignment_1_export" / "submission_7").mkdir(parents=True)
        (folder / "assignment_1_export" / "submission_7" / "rnn.ipynb").write_text("1" if who == "Kim" else "0")
        (folder / "assignment_1_export" / "submission_metadata.yml").write_text(
            f"submission_7:\n  :submitters:\n  - :name: {who}\n    :sid: '{who}'\n"
        )
    for folder in (first, second, second, first):
        run(out, folder / "assignment_1_export")
    assert {line["student"]: line["score"] for line in table(out)} == {"Kim": "100", "Lee": "0"}


# Adjustments


def adjust(out: Path, *lines: str) -> None:
    (out / "adjustments.csv").write_text("\n".join(["student,question,points,reason,allow", *lines]), encoding="utf-8")


def test_adjustments_change_rows_and_are_shown(given: Path, out: Path) -> None:
    """Added and replaced points, a total, an excuse: in the table and on the page, at every run, also regraded.

    A spreadsheet's mark of text, and a capital, are no difference.
    """
    handed_in(given, kim="5", yun="0")
    run(out, given)
    adjust(out, "kim,Q1,'+2,typo,", "lee,q1,0,copied,", "park,,42,oral,", "yun,,excuse,ill,")
    for again in (lambda: run(out, given), lambda: regrade(out, How(Engine))):
        again()
        lines = {line["student"]: line for line in table(out)}
        assert [lines[who]["score"] for who in ("kim", "lee", "park", "yun")] == ["52", "90", "42", ""]
        assert lines["kim"]["q1"] == "7"
        assert "typo" in lines["kim"]["adjusted"]
        assert "typo" in (out / "feedback" / "kim.ipynb.html").read_text(encoding="utf-8")


def test_adjusted_student_may_be_named_as_the_platform_does(out: Path, tmp_path: Path) -> None:
    """A roster that comes later, with other ids and names, makes no line of the file wrong."""
    given = handed_in(tmp_path / "submissions", kim_20210001="1", lee_20210002="1")
    roster = tmp_path / "students.csv"
    roster.write_text("id,alias,name\nA1,20210001,Minsu Kim\nA2,20210002,Seojun Lee\n")
    for after in (None, roster):
        run(out, given, roster=after)
        adjust(out, "kim,q1,8,,", "20210002,q1,7,,")
        run(out, given, roster=after)
        assert [line["score"] for line in table(out)] == ["98", "97"]


def test_what_is_added_to_an_unknown_score_makes_none(given: Path, out: Path) -> None:
    """What could not be graded has a score only where somebody gave one; a bonus alone is no grade."""
    handed_in(given, kim="!", lee="!", park="0")
    run(out, given)
    adjust(out, "kim,q1,+2,typo,", "kim,,-5,late,", "lee,,70,oral,", "lee,q1,+2,typo,", "park,q1,+2,typo,")
    run(out, given)
    lines = {line["student"]: (line["score"], line["q1"]) for line in table(out)}
    assert lines == {"kim": ("", ""), "lee": ("70", ""), "park": ("2", "2")}


def test_adjustment_that_is_taken_out_holds_no_longer(given: Path, out: Path) -> None:
    """And that is said."""
    run(out, given)
    adjust(out, "kim,q1,1,late,")
    run(out, given)
    adjust(out)
    assert "no longer in adjustments.csv, so no longer adjusted (1): kim" in run(out, given).lines
    assert scores(out)["kim"] == ("graded", "100")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("choi,q1,1,,", "there is no student 'choi'"),
        ("kim,q99,1,,", "there is no question 'q99'"),
        ("kim,q1,many,,", "points are a number"),
        (f"kim,,{'9' * 400},,yes", "points are a number"),
        ("kim,q1,excuse,,", "points are a number"),
        ("kim,q1,+1,,", "q1 comes out at 11 of 10 points"),
        ("kim,q1,11,,", "q1 comes out at 11 of 10 points"),
        ("kim,,-101,,", "the total comes out at -1 of 100 points"),
    ],
)
def test_wrong_adjustment_names_its_line_and_changes_no_page(given: Path, out: Path, line: str, complaint: str) -> None:
    """Nothing is written from a file of which a line is wrong."""
    run(out, given)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.suffix in (".csv", ".html", ".json")}
    adjust(out, "lee,q1,1,fine,", line)
    with pytest.raises(AdjustmentError, match=re.escape(f"adjustments.csv, line 3: {complaint}")):
        run(out, given)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_allowed_adjustment_goes_beyond_the_maximum(given: Path, out: Path) -> None:
    """`yes` under `allow` takes a bonus, also beside what is taken off; saying the same twice is an error."""
    run(out, given)
    adjust(out, "kim,q1,+5,bonus,yes", "kim,,-2,late,", "lee,,+5,bonus,yes", "lee,,-2,late,")
    run(out, given)
    assert [scores(out)[who] for who in ("kim", "lee")] == [("graded", "103")] * 2
    adjust(out, "kim,q1,+5,bonus,yes", "kim,q1,+5,bonus,yes")
    with pytest.raises(AdjustmentError, match="line 3: says the same"):
        run(out, given)


def test_table_that_was_edited_by_hand_is_kept(given: Path, out: Path) -> None:
    """An edited grades.csv is put aside and said; one that is as we left it is replaced."""
    run(out, given)
    run(out, given)
    assert not list(out.glob("grades.edited-*"))
    (out / "grades.csv").write_text("mine")
    outcome = run(out, given)
    (edited,) = out.glob("grades.edited-*.csv")
    assert edited.read_text() == "mine"
    assert any(edited.name in line for line in outcome.lines)
    assert len(table(out)) == 3


# Pages


def test_language_is_no_part_of_a_grade(given: Path, out: Path) -> None:
    """Another language makes pages anew and grades nothing."""
    from autograder.course import assignment
    from autograder.intake import collect

    run(out, given)
    english = (out / "feedback" / "kim.ipynb.html").read_text(encoding="utf-8")
    engine = Engine()
    grade(out, collect([given], assignment()), How(lambda: engine, lang="ko"))
    assert engine.opened == 0
    assert re.search("[가-힣]", (out / "feedback" / "kim.ipynb.html").read_text(encoding="utf-8"))
    assert not re.search("[가-힣]{2}", english)


def test_pages_are_written_only_where_they_would_differ(given: Path, out: Path) -> None:
    """A second run leaves standing pages alone and restores one that is gone; files of others stay."""
    run(out, given)
    page, gone = out / "feedback" / "kim.ipynb.html", out / "feedback" / "lee.ipynb.html"
    before = page.stat().st_mtime_ns
    gone.unlink()
    (out / "feedback" / "notes.html").write_text("mine")
    adjust(out, "park,q1,0,copied,")
    run(out, given)
    assert page.stat().st_mtime_ns == before
    assert gone.exists()
    assert "copied" in (out / "feedback" / "park.ipynb.html").read_text(encoding="utf-8")
    assert (out / "feedback" / "notes.html").read_text() == "mine"


def test_members_of_a_group_have_a_row_and_a_page_each(tmp_path: Path, out: Path) -> None:
    """One submission, graded once; what is adjusted for one of them is on that page only."""
    export = tmp_path / "assignment_1_export"
    (export / "submission_7").mkdir(parents=True)
    (export / "submission_7" / "rnn.ipynb").write_text("1")
    people = "".join(f"  - :name: {name}\n    :sid: '{name}'\n" for name in ("Kim", "Lee"))
    (export / "submission_metadata.yml").write_text(f"submission_7:\n  :submitters:\n{people}")
    out.mkdir()
    adjust(out, "Kim,q1,0,private,")
    engine = Engine()
    run(out, export, engine=engine)
    assert len(engine.seen) == 1
    assert scores(out) == {"Kim": ("graded", "90"), "Lee": ("graded", "100")}
    texts = [path.read_text(encoding="utf-8") for path in (out / "feedback").rglob("*.html")]
    assert sorted("private" in text for text in texts) == [False, True]


# Grading again


def test_regrade_changes_all_grades_and_pages(given: Path, out: Path) -> None:
    """From evidence, with a line on each cause."""
    handed_in(given, lee="5")
    run(out, given, engine=Engine(scale=0.5))
    outcome = regrade(out, How(Engine))
    assert scores(out) == {"kim": ("graded", "100"), "lee": ("graded", "50"), "park": ("graded", "100")}
    assert outcome.lines[-5].endswith("student code was run again for 0")
    assert any(line == "2 of 3 submissions move: 2 up, 0 down" for line in outcome.lines)
    (cause,) = (line for line in outcome.lines if "kim" in line and " to " in line)
    assert cause.startswith("  2: q1 ")
    assert cause.endswith("(kim: 50 to 100)")


def test_preview_changes_nothing(given: Path, out: Path) -> None:
    """It says who would move; gradebook, tables and pages are as before."""
    run(out, given)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.suffix in (".csv", ".html", ".json")}
    outcome = regrade(out, How(lambda: Engine(scale=0.9)), preview=True, accept=True)
    assert "3 of 3 submissions move: 0 up, 3 down" in outcome.lines
    assert (outcome.fault, outcome.failed) == ("", 0)
    assert all(path.read_bytes() == content for path, content in before.items())
    idle = Engine()
    run(out, given, engine=idle)
    assert idle.opened == 0


def test_score_drops_only_where_that_is_accepted(given: Path, out: Path) -> None:
    """Without `--accept` no grade changes at all if one would drop."""
    run(out, given)
    outcome = regrade(out, How(lambda: Engine(scale=0.9)))
    assert outcome.fault == "nothing was changed: 3 would lose points; --accept takes that"
    assert scores(out)["kim"] == ("graded", "100")
    assert regrade(out, How(lambda: Engine(scale=0.9)), accept=True).fault == ""
    assert scores(out)["kim"] == ("graded", "90")


def test_interrupted_regrade_changes_nothing(given: Path, out: Path) -> None:
    """All grades are of one version."""
    handed_in(given, park="^")
    run(out, given, engine=Engine(scale=0.5))
    handed_in(given, park="1")
    run(out, given, engine=Engine(scale=0.5))

    class Interrupted(Engine):
        def grade(self, tasks):  # type: ignore[no-untyped-def]
            yield next(super().grade(tasks))
            raise KeyboardInterrupt

    outcome = regrade(out, How(Interrupted))
    assert (outcome.interrupted, outcome.fault) == (True, "the run was interrupted; nothing was changed")
    assert scores(out)["kim"] == ("graded", "50")
