"""boto3 against a live server: what is configured for event invocations, by function, version and alias."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.refusals import refusal
from tests.deployment import Functions, arn_of, creation, wait_active
from tests.live_server import LiveServer

NOTHING = "def handler(event, context): return None\n"
QUEUE, TOPIC = (f"arn:aws:{service}:us-east-1:123456789012:{service}-1" for service in ("sqs", "sns"))
INVALID, MISSING = "InvalidParameterValueException", "ResourceNotFoundException"
NO_FUNCTION = (404, MISSING, "The function doesn't exist.")


def unconfigured(name: str, qualifier: str = ":$LATEST") -> tuple[int, str, str]:
    return 404, MISSING, f"The function {arn_of(name, qualifier)} doesn't have an EventInvokeConfig"


def published(client: Any, name: str) -> str:
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """A configuration without what differs from one answer to the next."""
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "LastModified")}


def listed(client: Any, name: str) -> list[str]:
    found = client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    return [one["FunctionArn"].rpartition(":")[2] for one in found]


def test_put_replaces_all_and_update_what_it_names(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(NOTHING)
    put = lambda_client.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnSuccess": {"Destination": QUEUE}},
    )
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert abs(datetime.now(UTC) - put["LastModified"]) < timedelta(minutes=1)
    expected = {
        "FunctionArn": arn_of(name, ":$LATEST"),
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {"OnSuccess": {"Destination": QUEUE}, "OnFailure": {}},
    }
    assert told(put) == expected
    got = lambda_client.get_function_event_invoke_config(FunctionName=name)
    assert (told(got), got["LastModified"]) == (expected, put["LastModified"])
    updated = lambda_client.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2)
    assert told(updated) == {**expected, "MaximumRetryAttempts": 2}
    assert updated["LastModified"] >= put["LastModified"]
    moved = {"OnFailure": {"Destination": TOPIC}}
    updated = lambda_client.update_function_event_invoke_config(FunctionName=name, DestinationConfig=moved)
    assert told(updated)["DestinationConfig"] == {"OnSuccess": {}, **moved}
    assert told(updated)["MaximumEventAgeInSeconds"] == 60
    put = lambda_client.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=21_600)
    assert told(put) == {
        "FunctionArn": arn_of(name, ":$LATEST"),
        "MaximumEventAgeInSeconds": 21_600,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
    }


def test_function_version_and_alias_have_their_own(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING))
    spellings: list[dict[str, str]] = [
        {"FunctionName": f"{name}:live"},
        {"FunctionName": name, "Qualifier": "1"},
        {"FunctionName": arn_of(name)},
    ]
    for retries, spelling in enumerate(spellings):
        lambda_client.put_function_event_invoke_config(**spelling, MaximumRetryAttempts=retries)
    assert listed(lambda_client, name) == ["$LATEST", "1", "live"]
    for qualifier, retries in (("live", 0), ("1", 1), ("$LATEST", 2)):
        found = lambda_client.get_function_event_invoke_config(FunctionName=name, Qualifier=qualifier)
        assert (found["FunctionArn"], found["MaximumRetryAttempts"]) == (arn_of(name, f":{qualifier}"), retries)
    pages = [
        [one["FunctionArn"].rpartition(":")[2] for one in page["FunctionEventInvokeConfigs"]]
        for page in lambda_client.get_paginator("list_function_event_invoke_configs").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 2}
        )
    ]
    assert pages == [["$LATEST", "1"], ["live"]]
    assert refusal(lambda_client.list_function_event_invoke_configs, FunctionName=name, Marker="nonsense")[:2] == (
        400,
        INVALID,
    )


def test_a_configuration_goes_with_what_it_is_of(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING))
    for qualifier in ("$LATEST", "1", "live"):
        lambda_client.put_function_event_invoke_config(FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=0)
    lambda_client.delete_alias(FunctionName=name, Name="live")
    assert listed(lambda_client, name) == ["$LATEST", "1"]
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert listed(lambda_client, name) == ["$LATEST"]
    deleted = lambda_client.delete_function_event_invoke_config(FunctionName=name)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(lambda_client.delete_function_event_invoke_config, FunctionName=name) == unconfigured(name)
    assert refusal(lambda_client.get_function_event_invoke_config, FunctionName=name) == unconfigured(name)
    lambda_client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    lambda_client.delete_function(FunctionName=name)
    make_function(NOTHING, FunctionName=name)
    assert listed(lambda_client, name) == []


def test_destinations_are_functions_that_exist_and_not_itself(lambda_client: Any, make_function: Functions) -> None:
    name, other = make_function(NOTHING), published(lambda_client, make_function(NOTHING))
    put = lambda_client.put_function_event_invoke_config

    def success(destination: str) -> dict[str, Any]:
        return {"FunctionName": name, "DestinationConfig": {"OnSuccess": {"Destination": destination}}}

    for qualifier in ("", ":$LATEST", ":1", ":live"):
        kept = put(**success(arn_of(other, qualifier)))["DestinationConfig"]
        assert kept["OnSuccess"] == {"Destination": arn_of(other, qualifier)}
    elsewhere = arn_of(other).replace("us-east-1", "eu-west-1")
    for missing in (arn_of("missing"), arn_of(other, ":2"), arn_of(other, ":none"), elsewhere):
        assert refusal(put, **success(missing)) == (
            400,
            INVALID,
            f"The destination ARN {missing} is invalid.",
        )
    itself = (400, INVALID, "You can't specify the function as a destination for itself.")
    assert refusal(put, **success(arn_of(name))) == itself
    assert refusal(lambda_client.update_function_event_invoke_config, **success(arn_of(name, ":$LATEST"))) == itself
    found = lambda_client.get_function_event_invoke_config(FunctionName=name)["DestinationConfig"]
    assert found == {"OnSuccess": {"Destination": arn_of(other, ":live")}, "OnFailure": {}}
    lambda_client.delete_function(FunctionName=other)  # what is kept isn't looked at again
    assert lambda_client.get_function_event_invoke_config(FunctionName=name)["DestinationConfig"] == found


def test_what_is_wrong_is_refused_and_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING))
    put, update = (
        lambda_client.put_function_event_invoke_config,
        lambda_client.update_function_event_invoke_config,
    )
    nothing = (400, INVALID, "You must specify at least one of error handling or destination setting.")
    for call in (put, update):
        assert refusal(call, FunctionName=name) == nothing
        assert refusal(call, FunctionName="missing", MaximumRetryAttempts=0) == NO_FUNCTION
        for qualifier in ("2", "none"):
            assert refusal(call, FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=0) == NO_FUNCTION
        for wrong in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 21_601}):
            assert refusal(call, FunctionName=name, **wrong)[:2] == (400, "ValidationException")
        twice = {"FunctionName": f"{name}:live", "Qualifier": "1", "MaximumRetryAttempts": 0}
        assert refusal(call, **twice) == (
            400,
            INVALID,
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    assert refusal(update, FunctionName=name, MaximumRetryAttempts=0) == unconfigured(name)
    assert refusal(lambda_client.list_function_event_invoke_configs, FunctionName="missing") == NO_FUNCTION
    assert listed(lambda_client, name) == []


def test_configurations_survive_kill_9(private_server: LiveServer) -> None:
    client = private_server.client()
    client.create_function(**creation("kept", NOTHING))
    wait_active(client, "kept")
    about = {"FunctionName": "kept", "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}}
    put = client.put_function_event_invoke_config(**about, MaximumRetryAttempts=1)
    client = private_server.restart().client()
    got = client.get_function_event_invoke_config(FunctionName="kept")
    assert (told(got), got["LastModified"]) == (told(put), put["LastModified"])
