"""`grades.csv`: one row a submission, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from autograder.gradebook import Row
from autograder.render.clean import one_line, plain
from autograder.render.points import points

__all__ = ["grades_csv"]


def grades_csv(rows: Iterable[Row], questions: Sequence[str]) -> bytes:
    """The table in UTF-8, with the byte order mark that makes Excel read it so."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("submission", "student", "score", "max_score", *questions, "status", "detail"))
    for row in rows:
        grade = row.grade
        scores = row.scores()
        nothing = None if grade.score is None else 0.0
        writer.writerow(
            (
                *(_cell(row.name), _cell(row.student), points(grade.score), points(grade.max_score)),
                *(points(scores.get(question, nothing)) for question in questions),
                *(grade.status, _cell(one_line(grade.detail))),
            )
        )
    return table.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    """*text* as a spreadsheet shows it and nothing more: on one line, and quoted where it could start a formula."""
    shown = plain(" ".join(re.split(r"[\t\r\n]", text)))
    # As a spreadsheet may see it: without what is invisible, and full-width signs for plain ones.
    seen = unicodedata.normalize("NFKC", re.sub("[\u200b-\u200d\u2060\ufeff]", "", shown)).lstrip()
    return f"'{shown}" if seen.startswith(("=", "+", "-", "@")) else shown
