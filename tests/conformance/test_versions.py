"""boto3 against a live server: published versions, how they are named, listed, run, deleted; SnapStart's state."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.recorded.replay import CannotRun, ask_until_settled
from tests.deployment import Functions, arn_of, creation, unique_name, wait_active, wait_updated, zipped
from tests.live_server import LiveServer

TELL = """
import os

def handler(event, context):
    print("this is", "WORD")
    return {
        "word": "WORD",
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "stream": context.log_stream_name,
        "initialization": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "colour": os.environ.get("COLOUR"),
        "memory": context.memory_limit_in_mb,
    }
"""
SNAP_START = {"ApplyOn": "PublishedVersions"}
SNAP_START_RUNTIME = "python3.12"


def tell(word: str) -> str:
    return TELL.replace("WORD", word)


def invoke(client: Any, name: str, **arguments: Any) -> dict[str, Any]:
    answer = client.invoke(FunctionName=name, **arguments)
    assert "FunctionError" not in answer
    return {**json.load(answer["Payload"]), "executed": answer["ExecutedVersion"]}


def update(client: Any, name: str, word: str, **arguments: Any) -> Any:
    answer = client.update_function_code(FunctionName=name, ZipFile=zipped(tell(word)), **arguments)
    wait_updated(client, name)
    return answer


def versions(client: Any, name: str) -> list[str]:
    return [version["Version"] for version in client.list_versions_by_function(FunctionName=name)["Versions"]]


@pytest.fixture
def snap_started(lambda_client: Any) -> Iterator[str]:
    """A function with SnapStart, of a runtime that has it; skips where nothing runs that."""
    name = unique_name("snap-started")
    lambda_client.create_function(**creation(name, tell("it"), Runtime=SNAP_START_RUNTIME, SnapStart=SNAP_START))
    try:
        ask_until_settled(lambda_client, "GetFunction", {"FunctionName": name})
        yield name
    except CannotRun as error:
        pytest.skip(f"{error.status.value}: {error.reason}")
    finally:
        lambda_client.delete_function(FunctionName=name)


def test_a_version_keeps_code_and_configuration_whatever_latest_becomes(
    lambda_client: Any, make_function: Functions
) -> None:
    name = make_function(tell("first"), MemorySize=128, Environment={"Variables": {"COLOUR": "red"}})
    first = lambda_client.publish_version(FunctionName=name, Description="the first")
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (first["Version"], first["Description"], first["State"]) == ("1", "the first", "Active")
    assert first["FunctionArn"] == arn_of(name, ":1")

    changes = {"MemorySize": 256, "Description": "new", "Environment": {"Variables": {"COLOUR": "blue"}}}
    lambda_client.update_function_configuration(FunctionName=name, **changes)
    wait_updated(lambda_client, name)
    update(lambda_client, name, "second")

    told = invoke(lambda_client, name, Qualifier="1")
    assert (told["word"], told["colour"], told["memory"]) == ("first", "red", "128")
    told = invoke(lambda_client, name)
    assert (told["word"], told["colour"], told["memory"]) == ("second", "blue", "256")
    kept = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert {member: first[member] for member in first if member != "ResponseMetadata"} == {
        member: kept[member] for member in kept if member != "ResponseMetadata"
    }


@pytest.mark.parametrize(
    ("spelling", "qualifier", "executed", "invoked"),
    [
        ("{name}", None, "$LATEST", ""),
        ("{name}", "$LATEST", "$LATEST", ":$LATEST"),
        ("{name}", "1", "1", ":1"),
        ("{name}:1", None, "1", ":1"),
        ("{name}:1", "1", "1", ":1"),
        ("123456789012:function:{name}:1", None, "1", ":1"),
        ("arn:aws:lambda:us-east-1:123456789012:function:{name}:1", None, "1", ":1"),
        ("arn:aws:lambda:us-east-1:123456789012:function:{name}", "1", "1", ":1"),
    ],
)
def test_every_spelling_of_a_version_runs_it(
    lambda_client: Any, make_function: Functions, spelling: str, qualifier: str | None, executed: str, invoked: str
) -> None:
    name = make_function(tell("it"))
    lambda_client.publish_version(FunctionName=name)
    arguments = {"Qualifier": qualifier} if qualifier else {}
    told = invoke(lambda_client, spelling.format(name=name), **arguments)
    assert (told["executed"], told["version"], told["arn"]) == (executed, executed, arn_of(name, invoked))
    found = lambda_client.get_function(FunctionName=spelling.format(name=name), **arguments)["Configuration"]
    assert (found["Version"], found["FunctionArn"]) == (executed, arn_of(name, invoked))


def test_a_versions_log_names_it(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("it"))
    lambda_client.publish_version(FunctionName=name)
    for qualifier, stream in (("1", r"\[1\]"), ("$LATEST", r"\[\$LATEST\]")):
        told = invoke(lambda_client, name, Qualifier=qualifier)
        assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{stream}[0-9a-f]{{32}}", told["stream"])
        assert told["initialization"] == "on-demand"


def test_publishing_without_a_change_answers_the_last_version(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("it"))
    first = lambda_client.publish_version(FunctionName=name, Description="first")
    latest = lambda_client.get_function_configuration(FunctionName=name)
    again = lambda_client.publish_version(FunctionName=name, Description="again")
    assert (again["Version"], again["Description"], again["RevisionId"]) == ("1", "first", first["RevisionId"])
    assert lambda_client.get_function_configuration(FunctionName=name)["RevisionId"] == latest["RevisionId"]
    same = update(lambda_client, name, "it", Publish=True)
    assert (same["Version"], same["RevisionId"]) == ("1", first["RevisionId"])
    assert versions(lambda_client, name) == ["$LATEST", "1"]


def test_a_number_is_never_given_again(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("it"))
    for _ in range(2):
        lambda_client.publish_version(FunctionName=name)
        newest = versions(lambda_client, name)[-1]
        lambda_client.delete_function(FunctionName=name, Qualifier=newest)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "3"
    assert versions(lambda_client, name) == ["$LATEST", "3"]


def test_publishing_with_a_creation_and_with_an_update(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("first"), Publish=True)
    assert versions(lambda_client, name) == ["$LATEST", "1"]
    updated = update(lambda_client, name, "second", Publish=True)
    assert (updated["Version"], updated["FunctionArn"], updated["State"]) == ("2", arn_of(name, ":2"), "Pending")
    words = [invoke(lambda_client, name, Qualifier=version)["word"] for version in ("1", "2", "$LATEST")]
    assert words == ["first", "second", "second"]


def test_only_a_function_that_exists_is_published(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("it"))
    with pytest.raises(lambda_client.exceptions.ResourceNotFoundException) as refusal:
        lambda_client.publish_version(FunctionName=f"{name}-other")
    assert refusal.value.response["Error"]["Message"] == f"Function not found: {arn_of(f'{name}-other')}"
    with pytest.raises(lambda_client.exceptions.InvalidParameterValueException, match="permitted on Lambda functions"):
        lambda_client.publish_version(FunctionName=f"{name}:1")


@pytest.mark.parametrize("qualifier", ["7", "live", "01"])
def test_what_is_neither_version_nor_alias_is_not_found(
    lambda_client: Any, make_function: Functions, qualifier: str
) -> None:
    name = make_function(tell("it"), Publish=True)
    for operation in (lambda_client.get_function, lambda_client.get_function_configuration, lambda_client.invoke):
        with pytest.raises(lambda_client.exceptions.ResourceNotFoundException) as refusal:
            operation(FunctionName=name, Qualifier=qualifier)
        assert refusal.value.response["Error"]["Message"] == f"Function not found: {arn_of(name, f':{qualifier}')}"


def test_deleting_a_version_leaves_the_others(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("first"), Publish=True)
    update(lambda_client, name, "second", Publish=True)
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert versions(lambda_client, name) == ["$LATEST", "2"]
    with pytest.raises(lambda_client.exceptions.ResourceNotFoundException):
        lambda_client.invoke(FunctionName=name, Qualifier="1")
    assert invoke(lambda_client, f"{name}:2")["word"] == "second"
    with pytest.raises(lambda_client.exceptions.InvalidParameterValueException) as refusal:
        lambda_client.delete_function(FunctionName=name, Qualifier="$LATEST")
    assert refusal.value.response["Error"]["Message"] == (
        "$LATEST version cannot be deleted without deleting the function."
    )


def test_deleting_a_function_deletes_its_versions(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("old"), Publish=True)
    assert invoke(lambda_client, name, Qualifier="1")["word"] == "old"
    lambda_client.delete_function(FunctionName=name)
    with pytest.raises(lambda_client.exceptions.ResourceNotFoundException):
        lambda_client.get_function(FunctionName=name, Qualifier="1")
    make_function(tell("new"), FunctionName=name, Publish=True)
    assert versions(lambda_client, name) == ["$LATEST", "1"]
    assert invoke(lambda_client, name, Qualifier="1")["word"] == "new"


def test_versions_and_functions_are_listed_in_pages(start_server: Any) -> None:
    client = start_server().client()
    for name in ("a", "b"):
        client.create_function(**creation(name, tell("0")))
        wait_active(client, name)
    for number in range(1, 5):
        update(client, "a", str(number), Publish=True)
    paging = {"PaginationConfig": {"PageSize": 2}}
    listed = client.get_paginator("list_versions_by_function").paginate(FunctionName="a", **paging)
    assert [[one["Version"] for one in page["Versions"]] for page in listed] == [["$LATEST", "1"], ["2", "3"], ["4"]]

    pages = client.get_paginator("list_functions")
    shown = [
        one["FunctionArn"] for page in pages.paginate(FunctionVersion="ALL", **paging) for one in page["Functions"]
    ]
    expected = [arn_of("a", f":{version}") for version in ("$LATEST", "1", "2", "3", "4")]
    assert shown == [*expected, arn_of("b", ":$LATEST")]
    assert [one["FunctionArn"] for page in pages.paginate(**paging) for one in page["Functions"]] == [
        arn_of("a"),
        arn_of("b"),
    ]
    marker = client.list_functions(MaxItems=1, FunctionVersion="ALL")["NextMarker"]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Invalid pagination token"):
        client.list_functions(Marker=marker)
    client.close()


def test_tags_are_the_functions_on_every_version(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(tell("it"), Publish=True, Tags={"team": "blue"})
    for qualifier in ("1", "$LATEST"):
        assert lambda_client.get_function(FunctionName=name, Qualifier=qualifier)["Tags"] == {"team": "blue"}


def test_versions_survive_kill_9(private_server: LiveServer) -> None:
    client = private_server.client()
    client.create_function(**creation("kept", tell("first"), Publish=True))
    wait_active(client, "kept")
    update(client, "kept", "second", Publish=True)
    before = client.list_versions_by_function(FunctionName="kept")["Versions"]
    private_server.restart()
    client = private_server.client()
    assert client.list_versions_by_function(FunctionName="kept")["Versions"] == before
    assert [invoke(client, "kept", Qualifier=version)["word"] for version in ("1", "2")] == ["first", "second"]
    update(client, "kept", "third", Publish=True)
    assert versions(client, "kept") == ["$LATEST", "1", "2", "3"]
    client.close()


def test_snap_start_tells_the_truth_about_its_snapshot(lambda_client: Any, snap_started: str) -> None:
    """Only root can take snapshots: an ordinary user's versions do a full Init, and say that they aren't optimized."""
    name = snap_started
    off = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    true = {**off, "OptimizationStatus": "On"} if os.geteuid() == 0 else off
    assert lambda_client.get_function_configuration(FunctionName=name)["SnapStart"] == off
    published = lambda_client.publish_version(FunctionName=name)
    assert (published["State"], published["StateReasonCode"]) == ("Pending", "Creating")
    assert published["StateReason"] == "The function is being created."
    waiter = lambda_client.get_waiter("published_version_active")
    waiter.wait(FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 0.05})
    found = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (found["State"], found["LastUpdateStatus"], found["SnapStart"]) == ("Active", "Successful", true)
    initialization = "on-demand" if true == off else "snap-start"
    assert invoke(lambda_client, name, Qualifier="1")["initialization"] == initialization


def test_snap_start_is_refused_where_aws_has_none(lambda_client: Any, make_function: Functions) -> None:
    exception = lambda_client.exceptions.InvalidParameterValueException
    with pytest.raises(exception) as refusal:
        lambda_client.create_function(**creation("old", tell("it"), Runtime="python3.11", SnapStart=SNAP_START))
    words = "python3.11 is not supported for SnapStart enabled functions."
    assert refusal.value.response["Error"]["Message"] == words
    name = make_function(tell("it"))
    with pytest.raises(exception, match="EphemeralStorage greater than 512 MB is not supported for SnapStart"):
        lambda_client.update_function_configuration(
            FunctionName=name, Runtime="python3.12", SnapStart=SNAP_START, EphemeralStorage={"Size": 513}
        )
