"""boto3 against a live server: what functions reserve, that it holds, and what an account is told of it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.conformance.refusals import refusal
from tests.deployment import Functions, arn_of, creation, unique_name, wait_active, wait_updated, zipped
from tests.live_server import LiveServer

SLEEP = """
import time
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    return "slept"
"""
ACCOUNT_FULL, FUNCTION_FULL = "ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"


def throttled(answer: Any) -> str:
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert (answer["Error"]["Message"], answer["Type"]) == ("Rate Exceeded.", "User")
    return str(answer["Reason"])


def run(client: Any, name: str, **arguments: Any) -> str:
    """What the function returned, or by which limit it was throttled."""
    try:
        answer = client.invoke(FunctionName=name, **arguments)
    except client.exceptions.TooManyRequestsException as error:
        return throttled(error.response)
    assert "FunctionError" not in answer
    return str(json.load(answer["Payload"]))


def test_a_function_with_nothing_reserved_is_off_until_that_ends(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(SLEEP)
    assert "ReservedConcurrentExecutions" not in lambda_client.get_function_concurrency(FunctionName=name)
    assert "Concurrency" not in lambda_client.get_function(FunctionName=name)
    put = lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert put["ReservedConcurrentExecutions"] == 0
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for spelling in (name, f"{name}:1", f"{name}:live"):
        assert run(lambda_client, spelling) == FUNCTION_FULL
    for spelling in (name, f"{name}:1"):
        found = lambda_client.get_function(FunctionName=spelling)
        assert found["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert lambda_client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    deleted = lambda_client.delete_function_concurrency(FunctionName=name)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert run(lambda_client, name) == "slept"
    lambda_client.delete_function_concurrency(FunctionName=name)  # nothing left to delete: no error


def test_reservations_go_with_their_function(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(SLEEP)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert run(lambda_client, name) == FUNCTION_FULL
    lambda_client.delete_function(FunctionName=name)
    make_function(SLEEP, FunctionName=name)
    assert run(lambda_client, name) == "slept"
    assert "ReservedConcurrentExecutions" not in lambda_client.get_function_concurrency(FunctionName=name)


def test_what_is_wrong_is_refused_and_changes_nothing(lambda_client: Any, make_function: Functions) -> None:
    name = make_function(SLEEP)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    put = lambda_client.put_function_concurrency
    missing = (404, "ResourceNotFoundException", f"Function not found: {arn_of('missing', ':$LATEST')}")
    assert refusal(put, FunctionName="missing", ReservedConcurrentExecutions=1) == missing
    assert refusal(lambda_client.delete_function_concurrency, FunctionName="missing") == missing
    status, code, message = refusal(lambda_client.get_function_concurrency, FunctionName="missing")
    assert (status, code, message) == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {arn_of('missing')}",
    )
    for call, more in (
        (put, {"ReservedConcurrentExecutions": 1}),
        (lambda_client.get_function_concurrency, {}),
        (lambda_client.delete_function_concurrency, {}),
    ):
        for qualifier in (":$LATEST", ":1", ":live"):
            status, code, message = refusal(call, FunctionName=name + qualifier, **more)
            assert (status, code) == (400, "InvalidParameterValueException")
            assert message.startswith("This operation is permitted on Lambda functions only.")
    assert refusal(put, FunctionName=name, ReservedConcurrentExecutions=901) == (
        400,
        "InvalidParameterValueException",
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100].",
    )
    assert lambda_client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7


@contextmanager
def running(client: Any, *names: str) -> Iterator[list[Future[str]]]:
    """So many invocations at once, each of which lasts four seconds; the block begins when they run."""
    with ThreadPoolExecutor(len(names)) as callers:
        begun = time.monotonic()
        runs = [callers.submit(run, client, name, Payload=b'{"seconds": 4}') for name in names]
        time.sleep(0.5)
        yield runs
        assert time.monotonic() - begun < 4, "the block took longer than the invocations around it"


def deployed(client: Any) -> str:
    name = unique_name("concurrency")
    client.create_function(**creation(name, SLEEP, Timeout=10))
    wait_active(client, name)
    return name


def test_what_is_reserved_holds_on_invoke(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--concurrency-limit", "102")
    client = server.client(max_pool_connections=8)
    careful, other = deployed(client), deployed(client)
    client.put_function_concurrency(FunctionName=careful, ReservedConcurrentExecutions=2)
    assert {run(client, careful), run(client, other)} == {"slept"}
    with running(client, careful, careful) as runs:
        assert run(client, careful) == FUNCTION_FULL
        assert run(client, other) == "slept"
    assert [one.result() for one in runs] == ["slept", "slept"]
    assert run(client, careful) == "slept"


def test_others_never_take_what_is_reserved(start_server: Callable[..., LiveServer]) -> None:
    """Reserved while the limit was higher: it leaves one invocation to all others."""
    server = start_server("--concurrency-limit", "102")
    careful, other = deployed(server.client()), deployed(server.client())
    server.client().put_function_concurrency(FunctionName=careful, ReservedConcurrentExecutions=2)
    server.stop()
    server.options = ("--concurrency-limit", "3")
    client = server.start().client(max_pool_connections=8)
    settings = client.get_account_settings()["AccountLimit"]
    assert (settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"]) == (3, 1)
    with running(client, other) as runs:
        assert run(client, other) == ACCOUNT_FULL
        assert run(client, careful) == "slept"
    assert [one.result() for one in runs] == ["slept"]


def test_a_burst_never_runs_more_than_is_reserved(
    lambda_client: Any, make_function: Functions, live_server: LiveServer
) -> None:
    name = make_function(SLEEP, Timeout=10)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    client = live_server.client(max_pool_connections=12)
    start = threading.Barrier(12)

    def call(_: int) -> str:
        start.wait()
        return run(client, name, Payload=b'{"seconds": 3}')

    with ThreadPoolExecutor(12) as callers:
        ends = list(callers.map(call, range(12)))
    assert sorted(ends) == [FUNCTION_FULL] * 9 + ["slept"] * 3


def test_the_account_is_told_its_limits_and_what_it_uses(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--concurrency-limit", "500").client()
    fresh = client.get_account_settings()
    assert fresh["AccountLimit"] == {
        "TotalCodeSize": 80_530_636_800,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 500,
        "UnreservedConcurrentExecutions": 500,
    }
    assert fresh["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
    name, size = deployed(client), len(zipped(SLEEP))
    assert client.get_account_settings()["AccountUsage"] == {"TotalCodeSize": size, "FunctionCount": 1}
    client.update_function_configuration(FunctionName=name, Description="changed")
    wait_updated(client, name)
    assert client.get_account_settings()["AccountUsage"] == {"TotalCodeSize": size, "FunctionCount": 1}
    client.publish_version(FunctionName=name)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=123)
    used = client.get_account_settings()
    assert used["AccountUsage"] == {"TotalCodeSize": 2 * size, "FunctionCount": 1}
    assert used["AccountLimit"]["UnreservedConcurrentExecutions"] == 377
    client.delete_function(FunctionName=name)
    assert client.get_account_settings() | {"ResponseMetadata": 0} == fresh | {"ResponseMetadata": 0}


def test_reservations_survive_kill_9(private_server: LiveServer) -> None:
    client = private_server.client()
    name = deployed(client)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    client = private_server.restart().client()
    assert run(client, name) == FUNCTION_FULL
