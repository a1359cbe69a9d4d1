"""The judges of bad requests can say no: each fault that they look for, shown to them."""

from random import Random

import pytest

from tests.conformance.bad_requests.case import Case, Expect, HttpRequest
from tests.conformance.bad_requests.matching_text import matching_text, python_pattern
from tests.conformance.bad_requests.oracle import NOT_BUILT, Answer, complaints
from tests.conformance.bad_requests.stage import Snapshot

_JSON = "application/json"


def _error(status: int, code: str, body: bytes = b'{"message":"no"}', content_type: str = _JSON) -> Answer:
    return Answer(status, {"x-amzn-errortype": code, "content-type": content_type}, body)


def _case(expect: Expect, member: str = "", method: str = "POST") -> Case:
    return Case(label="case", request=HttpRequest(method=method, target="/"), expect=expect, member=member)


_NAMED = _error(400, "ValidationException", b"{\"message\":\"Value '' at 'code.zipFile' failed\"}")


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (Expect.ANYTHING, _error(500, "InternalFailure")),
        (Expect.ANYTHING, _error(503, "ServiceUnavailable")),
        (Expect.ANYTHING, _error(501, "NotImplemented")),
        (Expect.ANYTHING, Answer(0)),
        (Expect.ANYTHING, Answer(302)),
        (Expect.ANYTHING, Answer(200, seconds=11)),
        (Expect.ANYTHING, _error(400, "")),
        (Expect.ANYTHING, _error(400, "X", content_type="text/html")),
        (Expect.ANYTHING, _error(400, "X", b"<html>")),
        (Expect.ANYTHING, _error(400, "X", b"{}")),
        (Expect.ANYTHING, _error(400, "X", b'{"message":""}')),
        (Expect.ANYTHING, _error(400, "X", b'["message"]')),
        (Expect.REFUSED, Answer(200)),
        (Expect.VIOLATION, Answer(201)),
        (Expect.VIOLATION, _error(400, "ValidationException")),
        (Expect.FITS, _NAMED),
    ],
)
def test_a_wrong_answer_is_complained_about(expect: Expect, answer: Answer) -> None:
    assert complaints(_case(expect, "code.zipFile"), answer)


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        (Expect.ANYTHING, Answer(200)),
        (Expect.ANYTHING, _error(403, "InvalidSignatureException", b'{"Message":"no"}')),
        (Expect.REFUSED, _error(501, NOT_BUILT)),
        (Expect.REFUSED, _error(400, "SerializationException")),
        (Expect.VIOLATION, _NAMED),
        (Expect.VIOLATION, _error(404, "ResourceNotFoundException")),
        (Expect.FITS, _error(400, "ValidationException", b'{"message":"Value at \'role\' failed"}')),
    ],
)
def test_a_right_answer_is_not(expect: Expect, answer: Answer) -> None:
    assert complaints(_case(expect, "code.zipFile"), answer) == []


def test_head_has_no_body_and_broken_http_no_error_type_but_neither_may_fail() -> None:
    assert complaints(_case(Expect.REFUSED, method="HEAD"), Answer(404)) == []
    broken = Case(label="broken", wire=b"\0", expect=Expect.REFUSED)
    assert complaints(broken, Answer(0)) == []
    assert complaints(broken, Answer(400)) == []
    assert complaints(broken, Answer(200))
    assert complaints(broken, Answer(500))


def test_every_kind_of_trace_is_seen() -> None:
    before = Snapshot({"f": {"CodeSha256": "a"}}, frozenset({"blobs/aa"}))
    assert before.differences(before) == []
    for after in (
        Snapshot({}, before.paths),
        Snapshot({**before.functions, "g": {}}, before.paths),
        Snapshot({"f": {"CodeSha256": "b"}}, before.paths),
        Snapshot(before.functions, frozenset()),
        Snapshot(before.functions, frozenset({"blobs/aa", "tmp/blob-1"})),
    ):
        assert len(before.differences(after)) == 1


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("[a-z]+", 9),
        ("(a|bc)*d{2,3}", 12),
        (r"arn:aws:lambda:[a-z]{2}-[a-z]+-\d:\d{12}:function:x(:y)?", 60),
        (r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)", 128),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", 256),
    ],
)
def test_texts_for_edges_match_their_pattern_and_have_their_length(pattern: str, length: int) -> None:
    text = matching_text(pattern, length, Random(3))
    assert text is not None
    assert len(text) == length
    assert python_pattern(pattern).fullmatch(text)


def test_no_text_is_made_up_where_none_can_match() -> None:
    assert matching_text("[a-z]{3}", 4, Random(3)) is None
