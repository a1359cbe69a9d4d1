"""boto3 against a live server: aliases, what they point to, how they are named, listed, run and deleted."""

import json
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.refusals import refused
from tests.deployment import Functions, arn_of, wait_updated

TELL = """
def handler(event, context):
    return {"version": context.function_version, "arn": context.invoked_function_arn}
"""


def published(client: Any, make: Functions, versions: int) -> str:
    """A function with so many versions."""
    name = make(TELL)
    for number in range(versions):
        client.update_function_configuration(FunctionName=name, Description=f"no. {number}")
        wait_updated(client, name)
        client.publish_version(FunctionName=name)
    return name


def told(client: Any, name: str, **arguments: Any) -> dict[str, Any]:
    answer = client.invoke(FunctionName=name, **arguments)
    assert "FunctionError" not in answer
    return {**json.load(answer["Payload"]), "executed": answer["ExecutedVersion"]}


def test_an_alias_runs_what_it_points_to(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 2)
    created = lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="now")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (created["AliasArn"], created["FunctionVersion"]) == (arn_of(name, ":live"), "1")
    for spelling, arguments in ((name, {"Qualifier": "live"}), (f"{name}:live", {}), (arn_of(name, ":live"), {})):
        assert told(lambda_client, spelling, **arguments) == {
            "version": "1",
            "executed": "1",
            "arn": arn_of(name, ":live"),
        }
    moved = lambda_client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert (moved["FunctionVersion"], moved["Description"]) == ("2", "now")
    assert moved["RevisionId"] != created["RevisionId"]
    assert told(lambda_client, name, Qualifier="live")["executed"] == "2"
    lambda_client.create_alias(FunctionName=name, Name="head", FunctionVersion="$LATEST")
    assert told(lambda_client, name, Qualifier="head")["executed"] == "$LATEST"


def test_what_is_asked_of_an_alias_is_answered_of_its_version(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 1)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    found = lambda_client.get_function(FunctionName=name, Qualifier="live")["Configuration"]
    assert (found["Version"], found["FunctionArn"]) == ("1", arn_of(name, ":live"))
    found = lambda_client.get_function_configuration(FunctionName=f"{name}:live")
    assert (found["Version"], found["FunctionArn"]) == ("1", arn_of(name, ":live"))


def test_invocations_are_shared_by_weight(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 2)
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    created = lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    assert created["RoutingConfig"] == routing
    ran = Counter(told(lambda_client, name, Qualifier="live")["executed"] for _ in range(100))
    assert set(ran) == {"1", "2"}
    assert 20 <= ran["2"] <= 80  # a fair coin misses that once in 10^9 tests
    none = lambda_client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in none
    assert {told(lambda_client, name, Qualifier="live")["executed"] for _ in range(20)} == {"1"}
    lambda_client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    assert {told(lambda_client, name, Qualifier="live")["executed"] for _ in range(20)} == {"2"}


def test_aliases_are_listed_by_name_page_by_page(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 2)
    for number in range(7):
        lambda_client.create_alias(FunctionName=name, Name=f"a{number}", FunctionVersion=str(1 + number % 2))
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    lambda_client.update_alias(FunctionName=name, Name="a0", RoutingConfig=routing)
    pages = lambda_client.get_paginator("list_aliases")
    walked = [page["Aliases"] for page in pages.paginate(FunctionName=name, PaginationConfig={"PageSize": 3})]
    assert [[alias["Name"] for alias in page] for page in walked] == [["a0", "a1", "a2"], ["a3", "a4", "a5"], ["a6"]]
    of_two = lambda_client.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]
    assert [alias["Name"] for alias in of_two] == ["a0", "a1", "a3", "a5"]
    first = lambda_client.list_aliases(FunctionName=name, MaxItems=2)
    lambda_client.delete_alias(FunctionName=name, Name="a1")
    rest = lambda_client.list_aliases(FunctionName=name, MaxItems=2, Marker=first["NextMarker"])
    assert [alias["Name"] for alias in rest["Aliases"]] == ["a2", "a3"]
    assert refused(lambda_client.list_aliases, FunctionName=name, Marker="AAAA") == (
        "InvalidParameterValueException",
        "Invalid pagination token",
    )


def test_a_version_in_use_is_kept_and_an_alias_is_no_version(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 2)
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    for version in ("1", "2"):
        assert refused(lambda_client.delete_function, FunctionName=name, Qualifier=version) == (
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [live]",
        )
    assert refused(lambda_client.delete_function, FunctionName=name, Qualifier="live")[0] == (
        "InvalidParameterValueException"
    )
    lambda_client.delete_alias(FunctionName=name, Name="live")
    lambda_client.delete_alias(FunctionName=name, Name="live")  # as AWS: nothing to delete is no error
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert refused(lambda_client.invoke, FunctionName=name, Qualifier="live") == (
        "ResourceNotFoundException",
        f"Function not found: {arn_of(name, ':live')}",
    )


def test_aliases_go_with_their_function(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 1)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    lambda_client.delete_function(FunctionName=name)
    missing = ("ResourceNotFoundException", f"Cannot find alias arn: {arn_of(name, ':live')}")
    assert refused(lambda_client.get_alias, FunctionName=name, Name="live") == missing
    make_function(TELL, FunctionName=name)
    assert refused(lambda_client.get_alias, FunctionName=name, Name="live") == missing
    assert lambda_client.list_aliases(FunctionName=name)["Aliases"] == []


def test_a_refused_update_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function, 2)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    before = lambda_client.get_alias(FunctionName=name, Name="live")
    wrong: list[dict[str, Any]] = [
        {"FunctionVersion": "9"},
        {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}},
        {"RoutingConfig": {"AdditionalVersionWeights": {"9": 0.5}}},
        {"RevisionId": "11111111-1111-1111-1111-111111111111", "FunctionVersion": "2"},
    ]
    for change in wrong:
        with pytest.raises(ClientError):
            lambda_client.update_alias(FunctionName=name, Name="live", **change)
        after = lambda_client.get_alias(FunctionName=name, Name="live")
        assert {**after, "ResponseMetadata": None} == {**before, "ResponseMetadata": None}
    assert refused(lambda_client.create_alias, FunctionName=f"{name}:1", Name="x", FunctionVersion="1")[0] == (
        "InvalidParameterValueException"
    )


def test_an_alias_survives_a_restart(start_server: Any) -> None:
    server = start_server()
    client = server.client()
    with_function = Functions(client, "restart")
    name = published(client, with_function, 1)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    server.kill()
    server.start()
    client = server.client()
    assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    assert told(client, name, Qualifier="live")["executed"] == "1"
