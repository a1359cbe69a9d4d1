"""Markers in recorded requests, answers made of answers, and the form in which answers are compared."""

import io
import zipfile
from typing import Any

import pytest
from botocore.response import StreamingBody

from tests.conformance.recorded import out_of_reach
from tests.conformance.recorded.answers import recorded_form
from tests.conformance.recorded.comparison import Difference
from tests.conformance.recorded.made_answers import Answered, NoRule, in_order, made, taken_apart
from tests.conformance.recorded.markers import NoSuchAnswer, fill_in, package
from tests.conformance.recorded.out_of_reach import OutOfReach
from tests.conformance.recorded.outcomes import AnswerDifference, Outcome, Status, details, ran, table
from tests.conformance.recorded.placeholders import Place
from tests.conformance.recorded.recordings import Case, Step, cases
from tests.conformance.recorded.replay import is_in_motion, replay

PLACE = Place("123456789012", "us-east-1")
ANSWERS: dict[int, dict[str, Any]] = {
    0: {"FunctionName": "f", "Version": "$LATEST"},
    2: {"Layers": [{"Arn": "a:1"}], "Policy": {"Arn": "p"}},
}


@pytest.mark.parametrize(
    ("params", "filled"),
    [
        ({"FunctionName": {"$answer": "0:FunctionName"}}, {"FunctionName": "f"}),
        ({"Arns": [{"$answer": "2:Layers.0.Arn"}, "x"]}, {"Arns": ["a:1", "x"]}),
        ({"Arns": [{"$answer": "2:Layers[0].Arn"}]}, {"Arns": ["a:1"]}),
        ({"PolicyArn": {"$answer": "2:Policy.Arn"}}, {"PolicyArn": "p"}),
        ({"Name": {"$replace": ["arn:old-1:old-1", "old-1", "0:FunctionName"]}}, {"Name": "arn:f:f"}),
        ({"Payload": {"$bytes": "e30="}}, {"Payload": b"{}"}),
        ({"Variables": {"A": {"$long": {"length": 7, "begins": "ab"}}}}, {"Variables": {"A": "abbbbbb"}}),
        ({"Weights": {"$LATEST": 0.5}, "Qualifier": "$LATEST"}, {"Weights": {"$LATEST": 0.5}, "Qualifier": "$LATEST"}),
        ({"Publish": True, "Layers": [], "Timeout": 3}, {"Publish": True, "Layers": [], "Timeout": 3}),
    ],
)
def test_markers_are_filled_in(params: Any, filled: Any) -> None:
    assert fill_in(params, "CreateFunction", ANSWERS) == filled


@pytest.mark.parametrize("where", ["0:Nothing", "1:FunctionName", "2:Layers.1.Arn", "2:Layers.Arn", "0:Version.Arn"])
def test_a_value_that_no_answer_has_is_said(where: str) -> None:
    with pytest.raises(NoSuchAnswer, match=where.partition(":")[2]):
        fill_in({"A": {"$answer": where}}, "CreateFunction", ANSWERS)


def test_packages_are_zips_that_differ_between_creation_and_update() -> None:
    created, updated = package("CreateFunction"), package("UpdateFunctionCode")
    assert created != updated
    assert (len(created), len(updated), len(package("PublishLayerVersion"))) == (276, 276, 169)
    with zipfile.ZipFile(io.BytesIO(updated)) as archive:
        assert archive.namelist() == ["handler.py", "index.py"]
        assert archive.testzip() is None
    assert fill_in({"ZipFile": {"$zip": "any"}}, "UpdateFunctionCode", {}) == {"ZipFile": updated}
    assert len(fill_in([{"$zip": "any"}], "CreateFunction", {}, package_bytes=5000)[0]) == 5000


def test_every_marker_of_the_recorded_requests_is_known() -> None:
    markers = {"$answer", "$replace", "$zip", "$bytes", "$long"}
    assert markers == {found for case in cases().values() for step in case.steps for found in _marked(step.params)}


def _marked(params: Any) -> set[str]:
    if isinstance(params, dict):
        own = {name for name in params if name.startswith("$") and len(params) == 1 and name != "$LATEST"}
        return own.union(*map(_marked, params.values()))
    return set().union(*map(_marked, params)) if isinstance(params, list) else set()


def test_every_recorded_name_is_in_the_recording() -> None:
    for case in cases().values():
        named = [name for step in case.steps for name in step.names]
        assert {*named, *case.made} <= set(case.recorded)


@pytest.mark.parametrize(
    ("payload", "form"),
    [(b"{}", {}), (b'[1, "a"]', [1, "a"]), (b"null", "null"), (b"", ""), (b'"text"', '"text"')],
)
def test_json_objects_are_compared_parsed_and_other_payloads_as_text(payload: bytes, form: Any) -> None:
    answer = {
        "Payload": StreamingBody(io.BytesIO(payload), len(payload)),
        "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"a": "b"}, "RequestId": "x", "RetryAttempts": 0},
    }
    assert recorded_form("Invoke", answer) == {
        "Payload": form,
        "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200},
    }


def test_account_settings_are_compared_by_their_names() -> None:
    answer = {"AccountLimit": {"b": 1, "a": 2}, "ResponseMetadata": {"HTTPStatusCode": 200}}
    assert recorded_form("GetAccountSettings", answer)["AccountLimit"] == ["a", "b"]


def answered(operation: str, **answer: Any) -> Answered:
    return Answered(operation, answer, {"form": answer})


def test_a_creation_is_wrapped() -> None:
    recorded: dict[str, Any] = {
        "create_response": {"CreateEventSourceMappingResponse": None, "CreateFunctionResponse": {}}
    }
    calls = [answered("CreateFunction", FunctionName="f"), answered("CreateFunction", FunctionName="g")]
    assert made(["create_response"], recorded, calls) == {
        "create_response": {
            "CreateEventSourceMappingResponse": None,
            "CreateFunctionResponse": {"form": {"FunctionName": "f"}},
        }
    }


def test_validation_errors_are_counted_and_sorted() -> None:
    message = "2 validation errors detected: Value 'b; c' at 'x' failed; Value 'a' at 'y' failed"
    assert taken_apart({"Code": "ValidationException", "Message": message}) == {
        "Code": "ValidationException",
        "Count": 2,
        "Errors": ["Value 'a' at 'y' failed", "Value 'b; c' at 'x' failed"],
    }
    assert taken_apart({"Code": "X", "Message": "some text"}) == {"Code": "X", "Message": "some text"}


def test_recorded_validation_errors_are_sorted_by_what_the_placeholders_stand_for() -> None:
    errors = ["Value '<a:len(9)>' ...", "Value 'arn:<partition>:x' ...", "Value 'aa' ..."]
    assert in_order({"Errors": errors}, PLACE)["Errors"] == [errors[2], errors[0], errors[1]]


def test_an_error_that_did_not_happen_is_not_an_error() -> None:
    calls = [answered("GetFunction", Configuration={})]
    assert made(["get_exception"], {"get_exception": {}}, calls) == {"get_exception": {"form": {"Configuration": {}}}}


def test_differences_of_sizes_are_neighbours_differences() -> None:
    names = ["total_code_size_diff_create_function", "is_total_code_size_diff_publish_more_than_200"]
    calls = [answered("GetAccountSettings", AccountUsage={"TotalCodeSize": size}) for size in (10, 286, 300)]
    assert made(names, dict.fromkeys(names), calls) == {names[0]: 276, names[1]: False}


def test_an_answer_without_a_rule_is_not_made_up() -> None:
    with pytest.raises(NoRule):
        made(["is_it_so"], {"is_it_so": True}, [answered("GetFunction")])


@pytest.mark.parametrize(
    ("answer", "moves"),
    [
        ({"Configuration": {"State": "Pending"}}, True),
        ({"Configuration": {"State": "Active", "LastUpdateStatus": "InProgress"}}, True),
        ({"State": "Pending"}, True),
        ({"State": "Active", "LastUpdateStatus": "Successful"}, False),
        ({"State": "Creating", "UUID": "u"}, True),
        ({"State": "Disabled", "UUID": "u"}, False),
        ({"Status": "IN_PROGRESS"}, True),
        ({"Status": "FAILED"}, False),
        ({"Error": {}}, False),
    ],
)
def test_a_poll_goes_on_while_the_function_is_in_motion(answer: Any, moves: bool) -> None:
    assert is_in_motion(answer) is moves


def test_only_what_was_compared_has_run() -> None:
    assert ran("case", 3, [], []).status is Status.NOTHING_COMPARED
    assert not ran("case", 3, [], []).is_reproduced


def test_a_case_says_what_is_out_of_its_reach() -> None:
    partial = ran("case", 3, ["a"], [], {"b": "S3", "c": "S3"})
    assert partial.is_reproduced
    assert table("all", [partial])[-1] == "  2 answers out of reach: S3 2"
    assert details([partial]) == ["case: out of reach (S3): b, c"]


class Answers:
    """A client that answers GetAlias, and nothing else."""

    def get_alias(self, Name: str) -> dict[str, Any]:
        return {"Name": Name, "ResponseMetadata": {"HTTPStatusCode": 200}}


def replayed(case: str, answer: Any) -> Outcome:
    step = Step(0, "lambda", "GetAlias", {"Name": "a"}, ("response",))
    return replay(Answers(), PLACE, Case(case, (step,), (), {"response": answer}))


def test_an_answer_that_nothing_asks_for_is_a_difference() -> None:
    good = {"Name": "a", "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}
    assert replayed("case", good).is_reproduced
    unasked = replay(Answers(), PLACE, Case("case", (), (), {"response": good}))
    assert str(unasked.unexpected[0]).endswith("got '(not asked for)'")


def test_an_answer_that_is_reached_after_all_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_reach, "OUT_OF_REACH", (OutOfReach("case", "resp.*", "no alias"),))
    good = {"Name": "a", "ResponseMetadata": {"HTTPHeaders": {}, "HTTPStatusCode": 200}}
    assert replayed("case", {**good, "Name": "b"}).out_of_reach == {"response": "no alias"}
    assert replayed("case", {**good, "Name": "b"}).unexpected == []
    assert "no alias" in str(replayed("case", good).unexpected[0])


def test_outcomes_are_counted() -> None:
    difference = Difference("State", "Active", "Pending")
    outcomes = [
        ran("good", 2, ["a", "b"], []),
        ran("bad", 3, ["a", "b"], [AnswerDifference("b", difference), AnswerDifference("b", difference)]),
        ran("has to be", 1, ["a"], [AnswerDifference("a", difference, known="no such machine")]),
        ran("nothing", 1, [], []),
        Outcome("later", Status.NOT_BUILT, 4, reason="PublishVersion is not built"),
    ]
    assert [one.is_reproduced for one in outcomes] == [True, False, True, False, False]
    assert table("all", outcomes) == [
        "all",
        "  cases   2 reproduced of 3 run, of 5",
        "  answers 4 reproduced of 5 compared, of 11",
        "  1 not built: PublishVersion is not built 1",
        "  1 nothing to compare: no answer of it has a recorded call 1",
    ]
    assert details(outcomes)[0] == "bad: b: State: recorded 'Active', got 'Pending'"
