"""boto3 against a live server: provisioned concurrency of versions and aliases, and what it may be."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conformance.recorded.replay import CannotRun, ask_until_settled
from tests.conformance.refusals import refusal
from tests.deployment import Functions, arn_of, creation, unique_name, wait_active, wait_updated
from tests.live_server import LiveServer

NOTHING = "def handler(event, context): return None\n"
CONFLICT, INVALID, MISSING = "ResourceConflictException", "InvalidParameterValueException", "ResourceNotFoundException"
ON_ALIAS = (
    409,
    CONFLICT,
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
)


def published(client: Any, name: str, versions: int) -> str:
    for number in range(versions):
        client.update_function_configuration(FunctionName=name, Description=f"no. {number}")
        wait_updated(client, name)
        client.publish_version(FunctionName=name)
    return name


def provision(client: Any, name: str, qualifier: str, executions: int = 1) -> Any:
    return client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=executions
    )


def requested(client: Any, name: str) -> dict[str, int]:
    """What is provisioned, by the end of the ARN."""
    found = client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    return {one["FunctionArn"].rpartition(":")[2]: one["RequestedProvisionedConcurrentExecutions"] for one in found}


def test_a_configuration_is_kept_and_nothing_is_claimed_of_it(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 1)
    version = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    put = provision(lambda_client, name, "1", 5)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    modified = datetime.strptime(put["LastModified"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs(datetime.now(modified.tzinfo) - modified) < timedelta(minutes=1)
    counts = {
        "RequestedProvisionedConcurrentExecutions": 5,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "AvailableProvisionedConcurrentExecutions": 0,
        "LastModified": put["LastModified"],
    }
    del put["ResponseMetadata"]
    assert put == {**counts, "Status": "IN_PROGRESS"}
    got = lambda_client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
    del got["ResponseMetadata"]
    reason = got.pop("StatusReason")
    assert "doesn't initialize execution environments ahead of invocations yet" in reason
    assert got == {**counts, "Status": "FAILED"}
    listed = lambda_client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert listed == [{"FunctionArn": arn_of(name, ":1"), "StatusReason": reason, **got}]
    renewed = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert renewed["RevisionId"] != version["RevisionId"]
    assert lambda_client.invoke(FunctionName=name, Qualifier="1")["ExecutedVersion"] == "1"


def test_a_version_has_one_configuration(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 2)
    for alias in ("live", "next"):
        lambda_client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
    put = lambda_client.put_provisioned_concurrency_config
    get = lambda_client.get_provisioned_concurrency_config
    about = {"FunctionName": name, "ProvisionedConcurrentExecutions": 1}
    provision(lambda_client, name, "1")
    assert refusal(put, Qualifier="live", **about) == ON_ALIAS
    lambda_client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    not_found = (
        404,
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )
    assert refusal(get, FunctionName=name, Qualifier="1") == not_found
    provision(lambda_client, name, "live")
    assert refusal(put, Qualifier="1", **about) == (
        409,
        CONFLICT,
        "Version is pointed by a Provisioned Concurrency alias",
    )
    assert refusal(put, Qualifier="next", **about) == ON_ALIAS
    assert refusal(get, FunctionName=name, Qualifier="1") == not_found
    provision(lambda_client, name, "2")
    assert refusal(lambda_client.update_alias, FunctionName=name, Name="live", FunctionVersion="2") == ON_ALIAS
    assert lambda_client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    lambda_client.update_alias(FunctionName=name, Name="next", FunctionVersion="2")
    assert requested(lambda_client, name) == {"2": 1, "live": 1}


def test_a_configuration_moves_with_its_alias_and_goes_with_it(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 2)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    provision(lambda_client, name, "live", 3)
    lambda_client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert requested(lambda_client, name) == {"live": 3}
    provision(lambda_client, name, "1", 2)
    lambda_client.delete_alias(FunctionName=name, Name="live")
    get = lambda_client.get_provisioned_concurrency_config
    assert refusal(get, FunctionName=name, Qualifier="live") == (
        404,
        MISSING,
        f"Cannot find alias arn: {arn_of(name, ':live')}",
    )
    assert requested(lambda_client, name) == {"1": 2}
    lambda_client.delete_function(FunctionName=name, Qualifier="1")
    assert requested(lambda_client, name) == {}


def test_where_nothing_can_be_provisioned(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 2)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    lambda_client.create_alias(FunctionName=name, Name="both", FunctionVersion="1", RoutingConfig=weights)
    lambda_client.create_alias(FunctionName=name, Name="head", FunctionVersion="$LATEST")
    unpublished = (
        400,
        INVALID,
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
    no_alias = (404, MISSING, f"Cannot find alias arn: {arn_of(name, ':none')}")
    no_version = (404, MISSING, f"Function not found: {arn_of(name, ':3')}")
    for qualifier, expected in (
        ("$LATEST", unpublished),
        ("head", unpublished),
        ("both", (400, INVALID, "Alias with weights can not be used with Provisioned Concurrency")),
        ("none", no_alias),
        ("3", no_version),
    ):
        about = {"FunctionName": name, "Qualifier": qualifier, "ProvisionedConcurrentExecutions": 1}
        assert refusal(lambda_client.put_provisioned_concurrency_config, **about) == expected
    for call in (
        lambda_client.get_provisioned_concurrency_config,
        lambda_client.delete_provisioned_concurrency_config,
    ):
        assert refusal(call, FunctionName=name, Qualifier="$LATEST") == (
            400,
            INVALID,
            "The function resource provided must be an alias or a published version.",
        )
        assert refusal(call, FunctionName=name, Qualifier="none") == no_alias
        assert refusal(call, FunctionName=name, Qualifier="3") == no_version
    listing = lambda_client.list_provisioned_concurrency_configs
    assert refusal(listing, FunctionName="missing") == (
        404,
        MISSING,
        f"Function not found: {arn_of('missing')}",
    )
    assert requested(lambda_client, name) == {}
    deleted = lambda_client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.fixture
def snap_started(lambda_client: Any) -> Iterator[str]:
    """A function whose version 1 has SnapStart; skips where nothing runs its runtime."""
    name = unique_name("provisioned")
    about = {"Runtime": "python3.12", "SnapStart": {"ApplyOn": "PublishedVersions"}}
    lambda_client.create_function(**creation(name, NOTHING, **about))
    try:
        ask_until_settled(lambda_client, "GetFunction", {"FunctionName": name})
        lambda_client.publish_version(FunctionName=name)
        yield name
    except CannotRun as error:
        pytest.skip(f"{error.status.value}: {error.reason}")
    finally:
        lambda_client.delete_function(FunctionName=name)


def test_a_version_with_snap_start_is_not_provisioned(lambda_client: Any, snap_started: str) -> None:
    about = {"FunctionName": snap_started, "Qualifier": "1", "ProvisionedConcurrentExecutions": 1}
    status, code, message = refusal(lambda_client.put_provisioned_concurrency_config, **about)
    assert (status, code) == (400, INVALID)
    assert "SnapStart" in message
    assert requested(lambda_client, snap_started) == {}


def test_a_function_provisions_no_more_than_it_reserves(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 2)
    put, reserve = lambda_client.put_provisioned_concurrency_config, lambda_client.put_function_concurrency
    reserve(FunctionName=name, ReservedConcurrentExecutions=5)
    provision(lambda_client, name, "1", 3)
    provision(lambda_client, name, "2", 2)
    above = (
        400,
        INVALID,
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
    )
    assert refusal(put, FunctionName=name, Qualifier="2", ProvisionedConcurrentExecutions=3) == above
    assert requested(lambda_client, name) == {"1": 3, "2": 2}
    below = refusal(reserve, FunctionName=name, ReservedConcurrentExecutions=4)
    assert below[:2] == (400, INVALID)
    assert lambda_client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 5
    lambda_client.delete_function_concurrency(FunctionName=name)
    provision(lambda_client, name, "2", 3)
    assert requested(lambda_client, name) == {"1": 3, "2": 3}


def test_an_account_keeps_something_unprovisioned(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--concurrency-limit", "110").client()
    names = []
    for _ in range(2):
        names.append(unique_name("provisioned"))
        client.create_function(**creation(names[-1], NOTHING))
        wait_active(client, names[-1])
        client.publish_version(FunctionName=names[-1])
    first, second = names
    provision(client, first, "1", 6)
    about = {"FunctionName": second, "Qualifier": "1"}
    assert refusal(client.put_provisioned_concurrency_config, ProvisionedConcurrentExecutions=5, **about) == (
        400,
        INVALID,
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100].",
    )
    status, code, _ = refusal(client.put_function_concurrency, FunctionName=second, ReservedConcurrentExecutions=5)
    assert (status, code) == (400, INVALID)
    provision(client, second, "1", 4)
    assert requested(client, second) == {"1": 4}


def test_a_list_goes_on_where_it_stopped(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 5)
    for version in "12345":
        provision(lambda_client, name, version, int(version))
    seen: list[list[str]] = []
    marker: dict[str, str] = {}
    while True:
        page = lambda_client.list_provisioned_concurrency_configs(FunctionName=name, MaxItems=2, **marker)
        seen.append([one["FunctionArn"].rpartition(":")[2] for one in page["ProvisionedConcurrencyConfigs"]])
        if seen == [["1", "2"]]:
            lambda_client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="2")
            lambda_client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="4")
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert seen == [["1", "2"], ["3", "5"]]
    wrong = refusal(lambda_client.list_provisioned_concurrency_configs, FunctionName=name, Marker="nonsense")
    assert wrong[:2] == (400, INVALID)
