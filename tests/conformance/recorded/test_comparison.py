"""The comparison finds what it is there to find; a comparison that can't fail proves nothing."""

import datetime as dt
from typing import Any

import pytest

from tests.conformance.recorded.comparison import ABSENT, CaseComparison
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import recorded_answers

PLACE = Place(account_id="123456789012", region="us-east-1")
UUID_A = "11111111-2222-4333-8444-555555555555"
UUID_B = "99999999-2222-4333-8444-555555555555"
SHA = "A" * 43 + "="
ARN = "arn:<partition>:lambda:<region>:111111111111:function:<function-name:1>"
LOG_STREAM = "2024/01/02/[$LATEST]" + "0a" * 16


def differences(recorded: Any, answer: Any) -> list[str]:
    return [one.path for one in CaseComparison(PLACE).compare(recorded, answer)]


@pytest.mark.parametrize(
    ("recorded", "answer"),
    [
        ("Active", "Active"),
        (3, 3),
        (None, None),
        (False, False),
        ([], []),
        ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}),
        (ARN, "arn:aws:lambda:us-east-1:123456789012:function:my-function_1"),
        ("<uuid:1>", UUID_A),
        ("<code-sha256:1>", SHA),
        ("<code-sha256>", SHA),
        ("code-sha256", SHA),
        ("lambda-url", "https://a.lambda-url.us-east-1.on.aws/"),
        ("function-url", "http://a.localhost:1/"),
        ("<code-size>", 276),
        ("date", "2024-01-02T03:04:05.678+0000"),
        ("datetime", dt.datetime(2024, 1, 2, tzinfo=dt.UTC)),
        ("<location>", "http://127.0.0.1:9000/code?X=1"),
        ("<stack-trace>", ["  File ..."]),
        ("<log-stream-name:1>", LOG_STREAM),
        ("my-<a:len(4)>b", "my-aaaab"),
        ("'<wrong-region>' is not '<region>'", "'eu-central-1' is not 'us-east-1'"),
        ("Function<RuntimeError>", "Function<RuntimeError>"),
        ("RequestId: <timeout_error_msg> Error: x", f"RequestId: {UUID_A} Error: x"),
        ("stream/<resource:1>", "stream/2024-01-02T03:04:05.678"),
        ({"HTTPHeaders": {}, "HTTPStatusCode": 200}, {"HTTPStatusCode": 200}),
    ],
)
def test_what_aws_could_have_answered_is_the_same(recorded: Any, answer: Any) -> None:
    assert differences(recorded, answer) == []


@pytest.mark.parametrize(
    ("recorded", "answer"),
    [
        ("Active", "Pending"),
        ("", "x"),
        (3, 4),
        (3, "3"),
        (3, 3.0),
        (1, True),
        (False, 0),
        (None, ""),
        ("null", None),
        ([], {}),
        ({}, []),
        ({}, ""),
        ([1], [2]),
        ([1, 2], [2, 1]),
        ([1], [1, 2]),
        ([1, 2], [1]),
        (ARN, "arn:aws:lambda:us-east-1:111111111111:function:f"),
        (ARN, "arn:aws:lambda:us-west-2:123456789012:function:f"),
        (ARN, "arn:aws-cn:lambda:us-east-1:123456789012:function:f"),
        (ARN, "arn:aws:lambda:us-east-1:123456789012:function:f:1"),
        (ARN, "arn:aws:lambda:us-east-1:123456789012:function:"),
        (ARN, None),
        ("<uuid:1>", "not-a-uuid"),
        ("<uuid:1>", UUID_A + "x"),
        ("<code-sha256:1>", "short"),
        ("<code-sha256>", "<code-sha256>"),
        ("code-sha256", "code-sha256"),
        ("lambda-url", "lambda-url"),
        ("function-url", "ftp://a/"),
        ("<code-size>", 0),
        ("<code-size>", "276"),
        ("<code-size>", True),
        ("date", "yesterday"),
        ("date", dt.datetime(2024, 1, 2, tzinfo=dt.UTC)),
        ("datetime", "2024-01-02T03:04:05.678+0000"),
        ("<location>", ""),
        ("<stack-trace>", []),
        ("<stack-trace>", "File"),
        ("<log-stream-name:1>", "stream"),
        ("<log-stream-name:1>", LOG_STREAM.replace("$LATEST", "")),
        ("my-<a:len(4)>b", "my-aaab"),
        ("my-<a:len(4)>b", "my-aaaaab"),
        ("'<wrong-region>' is not '<region>'", "'us-east-1' is not 'us-east-1'"),
        ("Function<RuntimeError>", "Function"),
        ("RequestId: <timeout_error_msg> Error: x", "RequestId:  Error: x"),
        ("a.c", "abc"),
        ("line", "line\n"),
    ],
)
def test_another_answer_is_found(recorded: Any, answer: Any) -> None:
    assert differences(recorded, answer) != []


def test_a_missing_member_is_found() -> None:
    found = CaseComparison(PLACE).compare({"a": {"b": None, "c": 1}}, {"a": {"c": 1}})
    assert [(one.path, one.recorded, one.got) for one in found] == [("a.b", None, ABSENT)]


def test_an_extra_member_is_found_even_if_it_is_null() -> None:
    found = CaseComparison(PLACE).compare({"a": [{"c": 1}]}, {"a": [{"c": 1, "b": None}]})
    assert [(one.path, one.recorded, one.got) for one in found] == [("a[0].b", ABSENT, None)]


def test_the_order_of_members_counts_where_the_answer_has_them_as_text() -> None:
    statement, turned = {"Sid": "s", "Effect": "Allow"}, {"Effect": "Allow", "Sid": "s"}
    assert differences({"Policy": {"Statement": [statement]}}, {"Policy": {"Statement": [statement]}}) == []
    where = "Policy.Statement[0] (order of members)"
    assert differences({"Policy": {"Statement": [statement]}}, {"Policy": {"Statement": [turned]}}) == [where]
    assert differences({"Statement": statement}, {"Statement": turned}) == ["Statement (order of members)"]
    assert differences({"Configuration": statement}, {"Configuration": turned}) == []


def test_every_difference_is_named_with_its_path() -> None:
    recorded = {"a": 1, "b": [{"c": "x"}, {"c": "y"}], "d": {"e": "date"}}
    assert differences(recorded, {"a": 2, "b": [{"c": "x"}, {"c": "z"}], "d": {"e": "?"}}) == ["a", "b[1].c", "d.e"]


def test_the_status_counts_and_headers_do_not() -> None:
    recorded = {"ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}
    assert differences(recorded, {"ResponseMetadata": {"HTTPHeaders": {"a": "b"}, "HTTPStatusCode": 200}}) == []
    assert differences(recorded, {"ResponseMetadata": {"HTTPStatusCode": 201}}) == ["ResponseMetadata.HTTPStatusCode"]


def test_the_same_placeholder_is_the_same_value_in_one_answer() -> None:
    recorded = {"FunctionName": "<function-name:1>", "LogGroup": "/aws/lambda/<function-name:1>"}
    assert differences(recorded, {"FunctionName": "f", "LogGroup": "/aws/lambda/f"}) == []
    assert differences(recorded, {"FunctionName": "f", "LogGroup": "/aws/lambda/g"}) == ["LogGroup"]
    assert differences("<uuid:1> and <uuid:1>", f"{UUID_A} and {UUID_A}") == []
    assert differences("<uuid:1> and <uuid:1>", f"{UUID_A} and {UUID_B}") == [""]


def test_the_same_placeholder_is_the_same_value_in_all_answers_of_a_case() -> None:
    comparison = CaseComparison(PLACE)
    assert comparison.compare({"RevisionId": "<uuid:1>"}, {"RevisionId": UUID_A}) == []
    assert comparison.compare({"RevisionId": "<uuid:1>"}, {"RevisionId": UUID_A}) == []
    (found,) = comparison.compare({"RevisionId": "<uuid:1>"}, {"RevisionId": UUID_B})
    assert (found.path, found.got) == ("RevisionId", UUID_B)
    assert UUID_A in str(found)


def test_two_placeholders_of_one_family_are_two_values() -> None:
    comparison = CaseComparison(PLACE)
    assert comparison.compare("<uuid:1>", UUID_A) == []
    (found,) = comparison.compare("<uuid:2>", UUID_A)
    assert "<uuid:1>" in str(found)
    assert comparison.compare("<uuid:2>", UUID_B) == []
    assert differences("<uuid:1> <uuid:2>", f"{UUID_A} {UUID_A}") == [""]


def test_families_do_not_touch_each_other() -> None:
    assert differences(["<function-name:1>", "<resource:1>"], ["same", "same"]) == []


def test_placeholders_without_a_number_need_not_agree() -> None:
    assert differences(["<code-size>", "<code-size>"], [1, 2]) == []


def test_a_value_that_failed_is_not_remembered() -> None:
    comparison = CaseComparison(PLACE)
    assert comparison.compare("<uuid:1>", "nonsense") != []
    assert comparison.compare("<uuid:1>", UUID_A) == []


def test_a_regular_expression_in_a_recorded_text_is_text() -> None:
    recorded = r"pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?(\d{12}:)?"
    assert differences(recorded, recorded) == []
    assert differences(recorded, "pattern: arn:aws:lambda:") == [""]


@pytest.mark.parametrize("file", ["test_lambda_api", "test_lambda", "test_lambda_common", "test_lambda_runtimes"])
def test_recordings_as_they_are_do_not_pass_for_answers(file: str) -> None:
    """Placeholders don't match themselves: a case whose recording has one can't be green by echoing it."""
    for case in recorded_answers(file).values():
        if "<region>" in str(case):
            assert CaseComparison(PLACE).compare(case, case) != []
