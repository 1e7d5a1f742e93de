"""What students read of statuses and verdicts, in the language being spoken."""

from __future__ import annotations

from autograder.records import Status, Verdict
from autograder.text import text

__all__ = ["status_sentence", "status_word", "verdict_word"]


def status_word(status: Status) -> str:
    """A label of a word or two."""
    match status:
        case "graded":
            return text(ko="채점 완료", en="graded")
        case "timed-out":
            return text(ko="시간 초과", en="timed out")
        case "crashed":
            return text(ko="비정상 종료", en="crashed")
        case "unreadable":
            return text(ko="읽을 수 없음", en="unreadable")
        case "could-not-grade":
            return text(ko="채점 보류", en="not graded yet")


def status_sentence(status: Status) -> str:
    """What the status means for the student; nothing where all went well."""
    match status:
        case "graded":
            return ""
        case "timed-out":
            return text(
                ko="끝나지 않는 코드를 멈추고 나머지를 채점했습니다. 반복문이 언제 끝나는지 확인해 보십시오.",
                en="Some of the code did not end. It was stopped and the rest was graded. Check when your loops stop.",
            )
        case "crashed":
            return text(
                ko="실행 도중 Python이 비정상적으로 종료되었습니다. 그 전까지 확인된 결과로 채점했습니다.",
                en="Python itself crashed while running this file. What had been reached before that was graded.",
            )
        case "unreadable":
            return text(
                ko="제출한 파일을 노트북이나 Python 코드로 읽을 수 없습니다. "
                "Jupyter나 Colab에서 다시 저장한 뒤 제출해 주십시오.",
                en="The file could not be read as a notebook or as Python code. "
                "Save it again from Jupyter or Colab, and hand that in.",
            )
        case "could-not-grade":
            return text(
                ko="채점 프로그램의 문제로 아직 점수를 매기지 못했습니다. "
                "제출한 코드의 잘못이 아니며, 다시 채점할 예정입니다.",
                en="The grader itself failed, so there is no score yet. "
                "This is no fault of your code, and it will be graded again.",
            )


def verdict_word(verdict: Verdict) -> str:
    """A label of a word or two."""
    match verdict:
        case "passed":
            return text(ko="통과", en="passed")
        case "failed":
            return text(ko="실패", en="failed")
        case "could-not-grade":
            return text(ko="채점 보류", en="not graded yet")
