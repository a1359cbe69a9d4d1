"""Rooms for operations that only store, over the store's twin in memory."""

from typing import Any, cast

from lampion.api.function_rooms import FunctionRooms
from lampion.aws.operation import RequestContext
from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.function import Function
from lampion.store.memory_resources import MemoryResources
from tests.component.store.samples import ACCOUNT, REGION


class Settled:
    """Takes note of what is to be settled."""

    def __init__(self) -> None:
        self.functions: list[Function] = []

    def settle(self, function: Function) -> None:
        self.functions.append(function)


def rooms(resources: MemoryResources, deployments: Settled | None = None) -> FunctionRooms:
    unused = cast("Any", None)
    return FunctionRooms(
        functions=unused,
        resources=cast("Any", resources),
        lookup=unused,
        deployments=cast("Any", deployments),
        images=unused,
        runtimes=unused,
        snapshots=unused,
        environments=unused,
        clock=VirtualClock(),
        rng=SeededRng(1),
    )


def caller(account_id: str = ACCOUNT, region: str = REGION) -> RequestContext:
    return RequestContext(account_id, region, f"arn:aws:iam::{account_id}:root", "request-1")
