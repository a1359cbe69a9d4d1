"""boto3 against a live server: the life of a function, and the errors that a program must be able to tell apart."""

import base64
import hashlib
import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.sources import ECHO, FAIL, GREET, TELL_CONTEXT
from tests.deployment import RUNTIME, Functions, creation, unique_name, wait_updated, zipped
from tests.live_server import LiveServer


def invoke(client: Any, name: str, event: object = None, **arguments: Any) -> Any:
    """The answer, its payload read and parsed."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **arguments)
    text = answer["Payload"].read()
    return {**answer, "Payload": json.loads(text) if text else None}


def test_a_function_is_created_pending_and_becomes_active(lambda_client: Any, make_function: Functions) -> None:
    package = zipped(ECHO)
    name = unique_name("create")
    created = lambda_client.create_function(**creation(name, ECHO, Description="echo", MemorySize=256, Timeout=7))

    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["FunctionArn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert created["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    assert (created["CodeSize"], created["MemorySize"], created["Timeout"]) == (len(package), 256, 7)
    assert (created["State"], created["Version"], created["Runtime"]) == ("Pending", "$LATEST", RUNTIME)

    lambda_client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    current = lambda_client.get_function_configuration(FunctionName=name)
    assert (current["State"], current["LastUpdateStatus"]) == ("Active", "Successful")
    assert current["RevisionId"] != created["RevisionId"]
    lambda_client.delete_function(FunctionName=name)


def test_invoke_answers_payload_version_and_log_tail(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO)
    answer = invoke(lambda_client, name, {"n": [1, 2.5, None, "ü"]}, LogType="Tail")

    assert answer["StatusCode"] == 200
    assert answer["Payload"] == {"heard": {"n": [1, 2.5, None, "ü"]}}
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    request_id = answer["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert f"START RequestId: {request_id} Version: $LATEST" in lines
    assert "heard {'n': [1, 2.5, None, 'ü']}" in lines
    assert f"END RequestId: {request_id}" in lines
    assert any(line.startswith(f"REPORT RequestId: {request_id}\tDuration: ") for line in lines)


def test_no_log_comes_without_asking_for_it(lambda_client: Any, make_function: Functions) -> None:
    assert "LogResult" not in invoke(lambda_client, make_function(ECHO))


def test_a_handler_error_is_an_answer_marked_unhandled(lambda_client: Any, make_function: Functions) -> None:
    answer = invoke(lambda_client, make_function(FAIL))

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["Payload"]["errorType"] == "ValueError"
    assert answer["Payload"]["errorMessage"] == "no such luck"
    assert answer["Payload"]["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert any('raise ValueError("no such luck")' in line for line in answer["Payload"]["stackTrace"])


def test_the_handler_sees_context_client_context_and_environment(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(TELL_CONTEXT, Environment={"Variables": {"COLOUR": "teal"}}, MemorySize=192)
    context = base64.b64encode(json.dumps({"custom": {"tenant": "blue"}}).encode()).decode()
    answer = invoke(lambda_client, name, ClientContext=context)

    assert answer["Payload"] == {
        "custom": {"tenant": "blue"},
        "arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        "memory": "192",
        "version": "$LATEST",
        "request_id": answer["ResponseMetadata"]["RequestId"],
        "colour": "teal",
    }


def test_a_dry_run_runs_nothing(lambda_client: Any, make_function: Functions) -> None:
    answer = invoke(lambda_client, make_function(FAIL), InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"]) == (204, None)
    assert "FunctionError" not in answer


def test_updated_code_answers_the_next_invoke(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO)
    invoke(lambda_client, name)
    updated = lambda_client.update_function_code(FunctionName=name, ZipFile=zipped(GREET))
    assert updated["LastUpdateStatus"] == "InProgress"
    wait_updated(lambda_client, name)

    assert invoke(lambda_client, name, {"name": "Ada"})["Payload"] == {"greeting": "hello Ada"}


def test_updated_configuration_reaches_the_next_invoke(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(TELL_CONTEXT, Environment={"Variables": {"COLOUR": "teal"}}, Description="first")
    assert invoke(lambda_client, name)["Payload"]["colour"] == "teal"
    lambda_client.update_function_configuration(
        FunctionName=name, MemorySize=256, Environment={"Variables": {"COLOUR": "ochre"}}
    )
    wait_updated(lambda_client, name)

    payload = invoke(lambda_client, name)["Payload"]
    assert (payload["colour"], payload["memory"]) == ("ochre", "256")
    assert lambda_client.get_function_configuration(FunctionName=name)["Description"] == "first"


def test_an_update_of_an_outdated_revision_is_refused(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO)
    outdated = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    lambda_client.update_function_configuration(FunctionName=name, Description="second")
    wait_updated(lambda_client, name)

    with pytest.raises(lambda_client.exceptions.PreconditionFailedException):
        lambda_client.update_function_configuration(FunctionName=name, Description="third", RevisionId=outdated)
    assert lambda_client.get_function_configuration(FunctionName=name)["Description"] == "second"


def test_the_code_location_downloads_the_zip_that_was_uploaded(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO, Tags={"team": "lamps"})
    found = lambda_client.get_function(FunctionName=name)

    assert found["Tags"] == {"team": "lamps"}
    with urllib.request.urlopen(found["Code"]["Location"]) as download:
        assert download.read() == zipped(ECHO)


def test_names_may_be_arns_and_partial_arns(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO)
    spellings = [name, f"123456789012:{name}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}"]
    for spelling in [*spellings, f"{name}:$LATEST"]:
        assert lambda_client.get_function(FunctionName=spelling)["Configuration"]["FunctionName"] == name
        assert invoke(lambda_client, spelling, 1)["Payload"] == {"heard": 1}


def test_the_list_comes_in_pages(start_server: Any) -> None:
    client = start_server().client()
    names = [f"page-{letter}" for letter in "abcde"]
    for name in names:
        client.create_function(**creation(name, ECHO))

    pages = list(client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert [[function["FunctionName"] for function in page["Functions"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    client.close()


def test_a_deleted_function_is_gone(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO)
    assert lambda_client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] in (200, 204)

    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    for operation, missing in (
        (lambda_client.get_function, arn),
        (lambda_client.invoke, f"{arn}:$LATEST"),
        (lambda_client.delete_function, arn),
    ):
        with pytest.raises(lambda_client.exceptions.ResourceNotFoundException) as refusal:
            operation(FunctionName=name)
        assert refusal.value.response["Error"]["Message"] == f"Function not found: {missing}"
    listed = lambda_client.get_paginator("list_functions").paginate()
    assert name not in [function["FunctionName"] for page in listed for function in page["Functions"]]


def test_a_name_can_be_taken_only_once(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(ECHO)
    with pytest.raises(lambda_client.exceptions.ResourceConflictException) as refusal:
        lambda_client.create_function(**creation(name, GREET))
    assert refusal.value.response["Error"]["Message"] == f"Function already exist: {name}"
    assert invoke(lambda_client, name, 1)["Payload"] == {"heard": 1}


def test_a_value_out_of_range_is_named(live_server: LiveServer) -> None:
    client = live_server.client(parameter_validation=False)
    with pytest.raises(ClientError) as refusal:
        client.create_function(**creation(unique_name("bad"), ECHO, Timeout=0))
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert refusal.value.response["Error"]["Message"] == (
        "1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )
    client.close()


def test_a_payload_that_is_not_json_is_refused(lambda_client: Any, make_function: Functions) -> None:
    with pytest.raises(lambda_client.exceptions.InvalidRequestContentException):
        lambda_client.invoke(FunctionName=make_function(ECHO), Payload=b"{not json")


def test_a_wrong_secret_is_refused(live_server: LiveServer) -> None:
    import boto3

    server = live_server.server
    client = boto3.client(
        "lambda",
        endpoint_url=server.url,
        region_name=server.region,
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key="not-the-secret",
    )
    with pytest.raises(ClientError) as refusal:
        client.list_functions()
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    client.close()
