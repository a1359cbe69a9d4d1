"""Provisioned concurrency where the state of a version decides, which a live server passes through too fast."""

from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.api.function_rooms import FunctionRooms
from lampion.api.provisioned_concurrency import ProvisionedConcurrencyApi
from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.rng import SeededRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.errors import ResourceConflictException
from lampion.domain.function import Function
from lampion.domain.provisioned_concurrency import Allocation, ProvisionedConcurrency, Status
from lampion.domain.version import counted, published
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.concurrency import provisioned_of
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources, MemoryTables
from tests.component.store.samples import ACCOUNT, REGION, function, key

CONTEXT = RequestContext(account_id=ACCOUNT, region=REGION, principal="key", request_id="id")
REQUEST = {"FunctionName": "hello", "Qualifier": "1", "ProvisionedConcurrentExecutions": 1}


@pytest.fixture
def resources() -> CachedResources:
    tables = MemoryTables()
    return CachedResources(MemoryResources(tables), CachedFunctions(MemoryFunctions(tables)))


class NothingYet:
    """Nothing was allocated for any configuration."""

    def allocation(self, config: ProvisionedConcurrency, version: str) -> Allocation:
        return Allocation(0, 0, Status.IN_PROGRESS)


def provisioned(resources: CachedResources) -> ProvisionedConcurrencyApi:
    unused = cast("Any", None)
    rooms = FunctionRooms(
        functions=unused,
        resources=cast("Any", resources),
        lookup=unused,
        deployments=unused,
        images=unused,
        runtimes=unused,
        snapshots=unused,
        environments=unused,
        clock=VirtualClock(),
        rng=SeededRng(1),
    )
    return ProvisionedConcurrencyApi(rooms, allocations=NothingYet(), markers=Markers(bytes(16)), limit=1000)


async def test_a_version_that_is_being_made_is_left_alone(resources: CachedResources) -> None:
    """Whoever makes it active expects its RevisionId."""
    latest = counted(function(settled=True), revision_id="r")
    active = published(latest, description=None, revision_id="v")
    pending = replace(active, state=function().state, last_update_status=None)
    await resources.change(lambda stored: stored.insert_function(latest, published=pending))
    api = provisioned(resources)
    with pytest.raises(ResourceConflictException) as caught:
        await api.put_provisioned_concurrency_config(CONTEXT, REQUEST)
    assert caught.value.message == (
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )
    assert await kept(resources) == (pending, 0)
    await resources.change(lambda stored: stored.replace_function(active, expected_revision_id="v"))
    await api.put_provisioned_concurrency_config(CONTEXT, REQUEST)
    version, configurations = await kept(resources)
    assert replace(version, revision_id="v") == active
    assert (version.revision_id != "v", configurations) == (True, 1)


async def kept(resources: CachedResources) -> tuple[Function, int]:
    """Version 1, and how many configurations the function has."""
    version = await resources.read(lambda stored: stored.function(key(), "1"))
    assert version is not None
    return version, len(await resources.read(lambda stored: provisioned_of(stored, key())))
