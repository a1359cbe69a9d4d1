"""Functions on a system that speaks the AWS Lambda API: create one, wait until it is Active, time its first answer."""

import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.functions import EVENT, HANDLER, MEMORY_MIB, package
from benchmarks.systems.child import DidNotStart
from benchmarks.systems.endpoint import Endpoint, timed_invoke_seconds

ROLE = "arn:aws:iam::123456789012:role/benchmark"
RUNTIME = f"python3.{sys.version_info.minor}"
ACTIVE_SECONDS = 30.0
POLL_SECONDS = 0.005


def create(client: Any, name: str, source: str) -> None:
    """A function that is Active on return. Raises DidNotStart, and what boto3 raises."""
    client.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Role=ROLE,
        Handler=HANDLER,
        Code={"ZipFile": package(source)},
        MemorySize=MEMORY_MIB,
        Timeout=30,
    )
    deadline = time.monotonic() + ACTIVE_SECONDS
    while time.monotonic() < deadline:
        if client.get_function_configuration(FunctionName=name).get("State", "Active") == "Active":
            return
        time.sleep(POLL_SECONDS)
    raise DidNotStart(f"function {name} was not Active within {ACTIVE_SECONDS:.0f} s")


def first_answers(endpoint: Endpoint, client: Any, source: str) -> Callable[[], float]:
    """A callable that creates one more function, with code of its own, and times its first Invoke alone."""
    numbers = itertools.count(1)

    def first_answer_seconds() -> float:
        name = f"first-{next(numbers)}"
        create(client, name, f"# {name}\n{source}")
        return timed_invoke_seconds(endpoint.invoke_request(name, EVENT))

    return first_answer_seconds
