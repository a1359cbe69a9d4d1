"""A function is stored in the transaction that finds its layers: one that is deleted meanwhile is never given out."""

from dataclasses import replace
from typing import Any, cast

import pytest

from lampion.api.function_rooms import FunctionRooms
from lampion.domain.errors import InvalidParameterValueException, ResourceConflictException
from lampion.domain.function import DeploymentPackage, Function
from lampion.domain.layer import LayerKey, LayerVersion
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.layers import LAYER_VERSIONS, layer_version_place
from lampion.store.memory import MemoryFunctions
from lampion.store.memory_resources import MemoryResources
from tests.component.store.samples import ACCOUNT, REGION, function

LAYER = LayerVersion(
    key=LayerKey(ACCOUNT, REGION, "lib"), number=1, package=DeploymentPackage("a" * 64, "=", 1, 1), created_epoch_ms=0
)


class Settling:
    """Remembers what it was told to settle."""

    def __init__(self) -> None:
        self.settled: list[Function] = []

    def settle(self, function: Function) -> None:
        self.settled.append(function)


class Rooms:
    """The rooms behind a function's operations, as far as storing it goes."""

    def __init__(self) -> None:
        unused = cast("Any", None)
        stored = MemoryFunctions()
        self.functions = CachedFunctions(stored)
        self.resources = CachedResources(MemoryResources(stored.tables), self.functions)
        self.settling = Settling()
        self.rooms = FunctionRooms(
            functions=self.functions,
            resources=self.resources,
            lookup=unused,
            deployments=cast("Any", self.settling),
            images=unused,
            runtimes=unused,
            snapshots=unused,
            environments=unused,
            clock=unused,
            rng=unused,
        )

    async def publish(self) -> None:
        await self.resources.change(lambda stored: stored.put(LAYER_VERSIONS, LAYER))

    async def delete(self) -> None:
        place = layer_version_place(LAYER.key, LAYER.number)
        await self.resources.change(lambda stored: stored.delete(LAYER_VERSIONS, place))


def layered(plain: Function, **changes: object) -> Function:
    configuration = replace(plain.configuration, layers=(LAYER.attached(),))
    return replace(plain, configuration=configuration, **changes)  # type: ignore[arg-type]


async def test_a_new_function_gets_only_what_is_there() -> None:
    on = Rooms()
    created = layered(function())
    with pytest.raises(InvalidParameterValueException, match=rf"^Layer version {LAYER.arn} does not exist\.$"):
        await on.rooms.commit_new(created, published=None, signing_arn=None)
    assert await on.functions.get(created.key) is None
    assert on.settling.settled == []
    await on.publish()
    await on.rooms.commit_new(created, published=None, signing_arn=None)
    assert await on.functions.get(created.key) == created
    assert on.settling.settled == [created]


async def test_an_update_gets_only_what_is_there_and_keeps_what_it_had() -> None:
    on, before = Rooms(), function(settled=True)
    await on.functions.insert(before)
    changed = layered(before, revision_id="r2")
    with pytest.raises(InvalidParameterValueException):
        await on.rooms.commit_update(before, changed)
    assert await on.functions.get(before.key) == before
    await on.publish()
    await on.rooms.commit_update(before, changed)
    await on.delete()
    later = replace(changed, revision_id="r3")
    await on.rooms.commit_update(changed, later)
    assert await on.functions.get(before.key) == later


async def test_an_update_that_came_too_late_is_a_conflict() -> None:
    on, before = Rooms(), function(settled=True)
    await on.functions.insert(replace(before, revision_id="another"))
    with pytest.raises(ResourceConflictException):
        await on.rooms.commit_update(before, replace(before, revision_id="r2"))
    assert on.settling.settled == []
