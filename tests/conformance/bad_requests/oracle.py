"""What every answer must be, and what a certain bad request may be answered. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.conformance.bad_requests.case import Case, Expect
from tests.conformance.bad_requests.forms import misfit_status, misfits

NOT_BUILT = "OperationNotImplementedException"
LONGEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names are lower case. Status 0 means that the connection was closed without an answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0

    @property
    def code(self) -> str:
        return self.headers.get("x-amzn-errortype", "")

    @property
    def is_of_the_listener(self) -> bool:
        """Whether this refuses the HTTP itself, for which AWS's API has no error."""
        return self.status in (400, 413, 431) and self.headers.get("connection", "") == "close"

    @property
    def message(self) -> str:
        """The error's sentence; "" when the body isn't an error's."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(document, dict):
            return ""
        message = document.get("message", document.get("Message"))
        return message if isinstance(message, str) else ""

    def __str__(self) -> str:
        return f"{self.status} {self.code} {self.body[:300]!r} after {self.seconds:.2f} s"


def complaints(case: Case, answer: Answer) -> list[str]:
    """What is wrong with the answer; empty when nothing is."""
    found = [f"took {answer.seconds:.1f} s"] if answer.seconds > LONGEST_SECONDS else []
    if case.wire:
        if answer.status >= 500 and answer.status != 505:  # 505: a version of HTTP that isn't spoken
            found.append("a bad request can't be the server's fault")
        if answer.status == 0 and case.expect is Expect.ANYTHING:
            return found
        if case.expect is Expect.REFUSED and 200 <= answer.status < 400:
            found.append("must be refused")
        return found
    found += _form(case, answer)
    if not found and answer.code != NOT_BUILT:
        found += _expected(case, answer)
    return found


def _form(case: Case, answer: Answer) -> list[str]:
    """What holds for any answer at all."""
    if answer.status == 0:
        return ["no answer"]
    if answer.status >= 500 and not (answer.status == 501 and answer.code == NOT_BUILT):
        return ["a bad request can't be the server's fault"]
    if answer.status < 200 or 300 <= answer.status < 400:
        return ["no such answer is in the model"]
    if case.request.method == "HEAD":
        return []
    if answer.status < 400:
        return list(misfits(case.operation, case.request, answer.status, answer.body)) if case.operation else []
    found = list(misfit_status(answer.code, answer.status))
    if not answer.is_of_the_listener and not answer.headers.get("x-amzn-requestid"):
        found.append("an error without a request id")
    if not answer.code and not answer.is_of_the_listener:
        found.append("an error without x-amzn-ErrorType")
    if not answer.headers.get("content-type", "").startswith("application/json"):
        found.append("an error that isn't JSON")
    if not answer.message:
        found.append("an error without a message")
    return found


def _expected(case: Case, answer: Answer) -> list[str]:
    if case.code and answer.code != case.code:
        return [f"must be refused with {case.code}"]
    named = answer.code == "ValidationException" and f"at '{case.member}" in answer.message
    match case.expect:
        case Expect.REFUSED if answer.status < 400:
            return ["must be refused"]
        case Expect.VIOLATION if answer.status < 400:
            return ["must be refused as a violation"]
        case Expect.VIOLATION if answer.code == "ValidationException" and not named:
            return [f"the ValidationException doesn't name '{case.member}'"]
        case Expect.FITS if named:
            return [f"'{case.member}' is at its edge and valid, but refused"]
    return []
