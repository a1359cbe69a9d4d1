"""boto3 against a live server: what a machine has no room for waits for a while, and is then throttled."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.deployment import creation, unique_name, wait_active
from tests.live_server import LiveServer

CODE = """
import time
def handler(event, context):
    block = bytearray(event.get("mib", 0) << 20)
    time.sleep(event.get("seconds", 0))
    return [int(context.memory_limit_in_mb), len(block) >> 20]
"""


def deployed(client: Any, **configuration: Any) -> str:
    name = unique_name("capacity")
    client.create_function(**creation(name, CODE, Timeout=20, **configuration))
    wait_active(client, name)
    return name


def run(client: Any, name: str, **event: float) -> Any:
    """What the function returned, its error, or the whole answer of who was throttled."""
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    except client.exceptions.TooManyRequestsException as error:
        return error.response
    return json.load(answer["Payload"])


def test_functions_together_never_may_use_more_memory_than_there_is_for_them(
    start_server: Callable[..., LiveServer],
) -> None:
    client = start_server("--function-memory-bytes", "300MiB").client(max_pool_connections=4)
    name = deployed(client)
    with ThreadPoolExecutor(3) as callers:
        begun = time.monotonic()
        found = list(callers.map(lambda _: run(client, name, seconds=1), range(3)))
        assert found == [[128, 0]] * 3
        assert 2 <= time.monotonic() - begun < 10, "two at once, and then the third"


def test_who_waits_in_vain_is_throttled_and_told_when_to_come_again(start_server: Callable[..., LiveServer]) -> None:
    server = start_server("--function-memory-bytes", "128MiB", "--capacity-wait-seconds", "1")
    client = server.client(max_pool_connections=4)
    first, second = deployed(client), deployed(client)
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(run, client, first, seconds=4)
        time.sleep(0.5)
        refused = run(client, second)
        assert refused["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert (refused["Error"]["Code"], refused["Error"]["Message"]) == ("TooManyRequestsException", "Rate Exceeded.")
        assert (refused["Reason"], refused["retryAfterSeconds"]) == ("ConcurrentInvocationLimitExceeded", "1")
        assert running.result() == [128, 0]
    assert run(client, second) == [128, 0]


def test_idle_environments_count_what_they_have_used_and_give_way(start_server: Callable[..., LiveServer]) -> None:
    client = start_server("--function-memory-bytes", "400MiB").client()
    names = [deployed(client) for _ in range(5)]
    for _ in range(2):
        for name in names:
            assert run(client, name) == [128, 0]
    streams = [run(client, name, mib=100) for name in names]
    assert streams == [[128, 100]] * 5


def test_a_function_that_may_use_more_than_there_is_runs_and_ends_when_it_does(
    start_server: Callable[..., LiveServer],
) -> None:
    client = start_server("--function-memory-bytes", "256MiB").client()
    name = deployed(client, MemorySize=1024)
    assert run(client, name, mib=100) == [1024, 100]
    assert run(client, name, mib=600)["errorType"] == "Runtime.ExitError"


def test_requests_in_a_second_are_ten_for_each_unit_of_concurrency(lambda_client: Any) -> None:
    name = deployed(lambda_client)
    assert run(lambda_client, name) == [128, 0]
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    begun = time.monotonic()
    answers = [run(lambda_client, name) for _ in range(40)]
    seconds = time.monotonic() - begun
    refused = [one for one in answers if isinstance(one, dict)]
    ran = len(answers) - len(refused)
    assert 10 <= ran <= 10 + 10 * seconds + 1
    for one in refused:
        assert (one["Reason"], one["retryAfterSeconds"]) == ("ReservedFunctionInvocationRateLimitExceeded", "1")
    assert refused
    lambda_client.delete_function(FunctionName=name)
