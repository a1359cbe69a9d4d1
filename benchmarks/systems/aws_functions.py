"""Functions on a system that speaks the AWS Lambda API: create them, wait until Active, time their first answers."""

import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.functions import EVENT, HANDLER, MEMORY_MIB
from benchmarks.systems.child import DidNotStart
from benchmarks.systems.endpoint import Endpoint, InvokeRequest, timed_invoke_seconds
from benchmarks.systems.system import FirstAnswer

ROLE = "arn:aws:iam::123456789012:role/benchmark"
RUNTIME = f"python3.{sys.version_info.minor}"
ACTIVE_SECONDS = 60.0
POLL_SECONDS = 0.005
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Kind:
    """Functions that differ in nothing but their names. With `snap_start`, a version is published and invoked."""

    runtime: str
    package: bytes = field(repr=False)
    snap_start: bool = False
    timeout_seconds: int = 30
    memory_mib: int = MEMORY_MIB
    handler: str = HANDLER


def create(client: Any, name: str, kind: Kind) -> None:
    """A function that is Active on return. Raises DidNotStart, and what boto3 raises."""
    begin_to_create(client, name, kind)
    wait_active(client, name)


def begin_to_create(client: Any, name: str, kind: Kind) -> None:
    more: dict[str, Any] = {"SnapStart": {"ApplyOn": "PublishedVersions"}, "Publish": True} if kind.snap_start else {}
    client.create_function(
        FunctionName=name,
        Runtime=kind.runtime,
        Role=ROLE,
        Handler=kind.handler,
        Code={"ZipFile": kind.package},
        MemorySize=kind.memory_mib,
        Timeout=kind.timeout_seconds,
        **more,
    )


def wait_active(client: Any, name: str, qualifier: str = "$LATEST") -> dict[str, Any]:
    """Its configuration. Raises DidNotStart when it isn't Active in time, or never will be."""
    deadline = time.monotonic() + ACTIVE_SECONDS
    while time.monotonic() < deadline:
        told: dict[str, Any] = client.get_function_configuration(FunctionName=name, Qualifier=qualifier)
        if told.get("State", "Active") == "Active":
            return told
        if told["State"] == "Failed":
            raise DidNotStart(f"function {name} failed: {told.get('StateReason')}")
        time.sleep(POLL_SECONDS)
    raise DidNotStart(f"function {name} was not Active within {ACTIVE_SECONDS:.0f} s")


class Fleet:
    """New functions, of which each batch replaces the ones before: their environments must not linger."""

    def __init__(self, endpoint: Endpoint, client: Any) -> None:
        self._endpoint = endpoint
        self._client = client
        self._names: list[str] = []

    def new_functions(self, kind: Kind, count: int) -> list[InvokeRequest]:
        """A request to each of `count` functions that are Active and have no environment."""
        self._delete_all()
        return self._create(kind, count)

    def first_answers(self, kinds: Mapping[str, Kind], count: int) -> dict[str, Sequence[FirstAnswer]]:
        """New functions of each kind, to be asked once each."""
        self._delete_all()
        return {
            name: [partial(timed_invoke_seconds, request) for request in self._create(kind, count)]
            for name, kind in kinds.items()
        }

    def _create(self, kind: Kind, count: int) -> list[InvokeRequest]:
        names = [f"first-{next(_numbers)}" for _ in range(count)]
        self._names += names
        for name in names:
            begin_to_create(self._client, name, kind)
        version = "1" if kind.snap_start else None
        for name in names:
            wait_active(self._client, name, version or "$LATEST")
        return [self._endpoint.invoke_request(name, EVENT, version) for name in names]

    def _delete_all(self) -> None:
        names, self._names = self._names, []
        for name in names:
            self._client.delete_function(FunctionName=name)


def optimization_status(client: Any, kind: Kind) -> str:
    """What a published version of that kind says of its snapshot: On or Off; or why there can be none."""
    name = f"snapshot-{next(_numbers)}"
    try:
        begin_to_create(client, name, kind)
        told = wait_active(client, name, "1")
    except (DidNotStart, client.exceptions.ClientError) as error:
        return str(error)
    status: str = told["SnapStart"]["OptimizationStatus"]
    return status
