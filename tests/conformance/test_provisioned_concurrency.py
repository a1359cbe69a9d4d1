"""boto3 against a live server: provisioned concurrency of versions and aliases, and what it may be."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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


def state(client: Any, name: str, qualifier: str) -> tuple[int, int, str]:
    """Allocated, available, status."""
    found = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    allocated = found["AllocatedProvisionedConcurrentExecutions"]
    return allocated, found["AvailableProvisionedConcurrentExecutions"], found["Status"]


def wait_until(client: Any, name: str, qualifier: str, expected: tuple[int, int, str]) -> None:
    deadline = time.monotonic() + 20
    while (found := state(client, name, qualifier)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_a_configuration_is_answered_as_aws_does(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(NOTHING), 1)
    version = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    put = provision(lambda_client, name, "1", 5)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    modified = datetime.strptime(put["LastModified"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs(datetime.now(modified.tzinfo) - modified) < timedelta(minutes=1)
    del put["ResponseMetadata"]
    about = {"RequestedProvisionedConcurrentExecutions": 5, "LastModified": put["LastModified"]}
    assert put == {**about, **counts(0), "Status": "IN_PROGRESS"}
    wait_until(lambda_client, name, "1", (5, 5, "READY"))
    got = lambda_client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
    del got["ResponseMetadata"]
    assert got == {**about, **counts(5), "Status": "READY"}
    listed = lambda_client.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert listed == [{"FunctionArn": arn_of(name, ":1"), **got}]
    renewed = lambda_client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert renewed["RevisionId"] != version["RevisionId"]


def counts(ready: int) -> dict[str, int]:
    return {
        "AllocatedProvisionedConcurrentExecutions": ready,
        "AvailableProvisionedConcurrentExecutions": ready,
    }


WHO = """
import os, time, uuid
ME = [str(uuid.uuid4()), os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    if event.get("exit"):
        os._exit(1)
    return ME
"""


def who(client: Any, name: str, **event: Any) -> list[str]:
    """The environment that answered, and how it came to be."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer
    return list(json.load(answer["Payload"]))


def test_invocations_find_environments_that_are_there_and_spill_over(start_server: Callable[..., LiveServer]) -> None:
    client = start_server().client(max_pool_connections=8)
    name = published(client, deployed(client, WHO), 1)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    provision(client, name, "live", 2)
    wait_until(client, name, "live", (2, 2, "READY"))
    with ThreadPoolExecutor(3) as callers:
        three = list(callers.map(lambda _: who(client, f"{name}:live", seconds=0.7), range(3)))
        assert sorted(how for _, how in three) == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"]
        assert len({one for one, _ in three}) == 3
    ahead = {one for one, how in three if how == "provisioned-concurrency"}
    assert {who(client, f"{name}:1")[0] for _ in range(4)} <= ahead, "and before one that was started on demand"
    assert who(client, name)[1] == "on-demand"
    assert state(client, name, "live") == (2, 2, "READY")


def test_what_is_busy_is_not_available(start_server: Callable[..., LiveServer]) -> None:
    client = start_server().client(max_pool_connections=4)
    name = published(client, deployed(client, WHO), 1)
    provision(client, name, "1", 2)
    wait_until(client, name, "1", (2, 2, "READY"))
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(who, client, f"{name}:1", seconds=1)
        wait_until(client, name, "1", (2, 1, "READY"))
        running.result()
    wait_until(client, name, "1", (2, 2, "READY"))


def test_one_that_dies_is_replaced(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function(WHO), 1)
    provision(lambda_client, name, "1", 1)
    wait_until(lambda_client, name, "1", (1, 1, "READY"))
    before = who(lambda_client, f"{name}:1")
    answer = lambda_client.invoke(FunctionName=f"{name}:1", Payload=b'{"exit": true}')
    assert b"Runtime.ExitError" in answer["Payload"].read()
    wait_until(lambda_client, name, "1", (1, 1, "READY"))
    after = who(lambda_client, f"{name}:1")
    assert (after[0] != before[0], after[1]) == (True, "provisioned-concurrency")


def test_raised_lowered_and_deleted(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client(max_pool_connections=4)
    name = published(client, deployed(client, WHO), 1)
    for wanted in (1, 3, 2):
        provision(client, name, "1", wanted)
        wait_until(client, name, "1", (wanted, wanted, "READY"))
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    deadline = time.monotonic() + 10
    while who(client, f"{name}:1")[1] != "on-demand":
        assert time.monotonic() < deadline
    provision(client, name, "1", 1)
    wait_until(client, name, "1", (1, 1, "READY"))
    client.delete_function(FunctionName=name)


def test_when_the_alias_moves_the_old_ones_stay_until_there_are_new_ones(
    lambda_client: Any, make_function: Functions
) -> None:
    name = published(lambda_client, make_function(WHO), 2)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    provision(lambda_client, name, "live", 1)
    wait_until(lambda_client, name, "live", (1, 1, "READY"))
    old = who(lambda_client, f"{name}:live")
    lambda_client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    seen = set()
    while (found := state(lambda_client, name, "live")) != (1, 1, "READY"):
        seen.add(found)
    assert seen <= {(1, 1, "IN_PROGRESS")}
    new = who(lambda_client, f"{name}:live")
    assert (new != old, new[1]) == (True, "provisioned-concurrency")
    deadline = time.monotonic() + 10
    while who(lambda_client, f"{name}:1") == old:
        assert time.monotonic() < deadline


def test_a_function_whose_init_fails_is_told(lambda_client: Any, make_function: Functions) -> None:
    name = published(lambda_client, make_function("raise RuntimeError('no')"), 1)
    provision(lambda_client, name, "1", 2)
    wait_until(lambda_client, name, "1", (0, 0, "FAILED"))
    found = lambda_client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert found["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert b"no" in lambda_client.invoke(FunctionName=f"{name}:1")["Payload"].read()


def test_a_server_that_starts_again_allocates_again(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    client = server.client()
    name = published(client, deployed(client, WHO), 1)
    provision(client, name, "1", 2)
    wait_until(client, name, "1", (2, 2, "READY"))
    client = server.restart().client()
    wait_until(client, name, "1", (2, 2, "READY"))
    assert who(client, f"{name}:1")[1] == "provisioned-concurrency"


def test_a_host_without_room_for_so_many_says_so(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--max-environments", "2").client()
    name = published(client, deployed(client, WHO), 1)
    provision(client, name, "1", 3)
    wait_until(client, name, "1", (2, 2, "FAILED"))
    found = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert "--max-environments" in found["StatusReason"]
    provision(client, name, "1", 2)
    wait_until(client, name, "1", (2, 2, "READY"))


def deployed(client: Any, code: str) -> str:
    name = unique_name("provisioned")
    client.create_function(**creation(name, code))
    wait_active(client, name)
    return name


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
