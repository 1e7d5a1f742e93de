"""What a student reads beside a verdict. Of hidden runs it says what a check says, and which line failed; no more."""

from __future__ import annotations

import builtins

from autograder.checks import Finding, Findings
from autograder.course import Check
from autograder.text import text
from autograder.verdicts import Failure, Verdict

__all__ = ["hidden_message", "public_message", "remarks"]

_SIZE_KINDS = {"missing", "shape", "size"}
# The names of a student's own exception classes could carry hidden inputs out.
_ERRORS = {name for name, cls in vars(builtins).items() if isinstance(cls, type) and issubclass(cls, BaseException)}
_ERRORS |= {"TimeLimit", "OutOfMemoryError", "UnsupportedOperation"}


def hidden_message(failure: Failure, check: Check) -> str:
    """What the check said, and, of a value that is missing, which statement left it unbound."""
    message = failure.finding.message
    error = failure.error(check.names) if failure.finding.kind == "missing" else None
    if error is None:
        return message
    kind = error.kind if error.kind in _ERRORS else text(ko="예외", en="an exception")
    return message + text(
        ko=f" (코드 셀 {error.cell}의 {error.line}번째 줄: {kind})",
        en=f" (code cell {error.cell}, line {error.line}: {kind})",
    )


def public_message(finding: Finding, verdict: Verdict) -> str:
    """What the public check said; of a right answer that was not reached, that it is right."""
    if finding.passed or not verdict.right:
        return finding.message
    return text(
        ko="답은 맞습니다. 배포된 크기에서는 앞에서 난 오류 때문에 이 답까지 제대로 실행되지 못했습니다.",
        en="Your answer is right. At the released sizes, an error before it kept it from being run properly.",
    )


def remarks(verdict: Verdict, public: Findings) -> list[str]:
    """What is to be said of a wrong question beside its checks."""
    question = verdict.question
    if verdict.right:
        return []
    if not question.points:
        return [
            text(
                ko="주어진 데이터 셀이 바뀌어 있습니다. 원래 셀 그대로인 것으로 보고 채점했습니다.",
                en="A given data cell was changed. Everything was graded as if it had not been.",
            )
        ]
    sizes = any(failure.finding.kind in _SIZE_KINDS for failure in verdict.failures.values())
    if sizes and all(finding.passed for finding in public.values()):
        return [
            text(
                ko=f"{question.id}: 공개 검사는 통과했지만, 공개하지 않은 검사에서 크기가 맞지 않았습니다. "
                "숫자를 직접 쓴 곳처럼 배포된 크기에서만 맞는 코드가 있는지 확인해 보십시오.",
                en=f"{question.id}: the public checks passed, but in the hidden ones a size did not fit. "
                "Does anything hold only at the released sizes, such as a number typed in?",
            )
        ]
    return []
