"""Layers in every store: versions newest first, the newest of each layer, and what deletion leaves."""

import pytest

from lampion.domain.function import DeploymentPackage
from lampion.domain.layer import Layer, LayerKey, LayerVersion
from lampion.domain.layer_policy import LayerPolicy, LayerStatement
from lampion.store.functions import Functions
from lampion.store.layers import (
    LAYER_POLICIES,
    LAYER_VERSIONS,
    LAYERS,
    layer_place,
    layer_version_place,
    newest_versions,
    versions_of,
)
from lampion.store.resources import CodeUse, Resources, Stored
from tests.component.store.samples import ACCOUNT, REGION


def key(name: str = "lib", account_id: str = ACCOUNT) -> LayerKey:
    return LayerKey(account_id, REGION, name)


def version(of: LayerKey, number: int, *runtimes: str) -> LayerVersion:
    package = DeploymentPackage(f"sha-{of.name}-{number}", "=", 10, 20)
    return LayerVersion(
        key=of, number=number, package=package, created_epoch_ms=number, compatible_runtimes=runtimes or None
    )


async def publish(resources: Resources, *versions: LayerVersion) -> None:
    def work(stored: Stored) -> None:
        for one in versions:
            stored.put(LAYERS, Layer(one.key, one.number))
            stored.put(LAYER_VERSIONS, one)

    await resources.change(work)


def any_version(_: LayerVersion) -> bool:
    return True


async def numbers(resources: Resources, of: LayerKey, before: int | None = None, limit: int = 1000) -> list[int]:
    found = await resources.read(lambda stored: versions_of(stored, of, any_version, before=before, limit=limit))
    return [one.number for one in found]


async def newest(
    resources: Resources, after: str | None = None, limit: int = 1000, runtime: str | None = None
) -> list[str]:
    def wanted(one: LayerVersion) -> bool:
        return one.is_for(runtime=runtime, architecture=None)

    found = await resources.read(
        lambda stored: newest_versions(stored, ACCOUNT, REGION, wanted, after=after, limit=limit)
    )
    return [f"{one.key.name}:{one.number}" for one in found]


@pytest.mark.parametrize("count", [9, 100, 101, 250])
async def test_versions_come_newest_first_however_many_there_are(resources: Resources, count: int):
    await publish(resources, *(version(key(), number) for number in range(1, count + 1)), version(key("lib2"), 7))
    assert await numbers(resources, key()) == list(range(count, 0, -1))
    assert await numbers(resources, key(), before=9, limit=3) == [8, 7, 6]
    assert await numbers(resources, key(), before=1) == []


async def test_a_value_comes_back_as_it_was(resources: Resources):
    one = LayerVersion(
        key=key(),
        number=10**18,
        package=DeploymentPackage("a", "b", 1, 2),
        created_epoch_ms=3,
        description="é",
        compatible_runtimes=(),
        compatible_architectures=("arm64",),
        license_info="MIT",
    )
    statement = LayerStatement(sid="s", action="a", principal="*", organization_id="o-1")
    policy = LayerPolicy(key=key(), number=10**18, revision_id="r", statements=(statement,))

    def put(stored: Stored) -> None:
        stored.put(LAYER_VERSIONS, one)
        stored.put(LAYER_POLICIES, policy)

    await resources.change(put)
    place = layer_version_place(key(), 10**18)
    assert await resources.read(lambda stored: stored.get(LAYER_VERSIONS, place)) == one
    assert await resources.read(lambda stored: stored.get(LAYER_POLICIES, place)) == policy


async def test_the_newest_wanted_version_of_each_layer_by_name(resources: Resources):
    for name in (f"l{number:03d}" for number in range(205)):
        await publish(resources, version(key(name), 1, "python3.12"), version(key(name), 2))
    await publish(resources, version(key("other", "210987654321"), 1))
    names = [f"l{number:03d}" for number in range(205)]
    assert await newest(resources) == [f"{name}:2" for name in names]
    assert await newest(resources, runtime="python3.12", limit=150) == [f"{name}:1" for name in names[:150]]
    assert await newest(resources, after="l202") == ["l203:2", "l204:2"]
    assert await newest(resources, runtime="nodejs20.x") == []


async def test_a_layer_without_versions_is_not_among_them_but_its_count_stays(resources: Resources):
    await publish(resources, version(key("a"), 1), version(key("b"), 1))
    await resources.change(lambda stored: stored.delete(LAYER_VERSIONS, layer_version_place(key("a"), 1)))
    assert await newest(resources) == ["b:1"]
    assert await resources.read(lambda stored: stored.get(LAYERS, layer_place(key("a")))) == Layer(key("a"), 1)


async def test_the_code_of_versions_is_counted_and_in_use(functions: Functions, resources: Resources):
    await publish(resources, version(key("a"), 1), version(key("a"), 2))
    assert await functions.packages_in_use() == {"sha-a-1", "sha-a-2"}
    assert await resources.read(lambda stored: stored.code_use(ACCOUNT, REGION)) == CodeUse(0, 20)
    await resources.change(lambda stored: stored.delete(LAYER_VERSIONS, layer_version_place(key("a"), 1)))
    assert await functions.packages_in_use() == {"sha-a-2"}
    assert await resources.read(lambda stored: stored.code_use(ACCOUNT, REGION)) == CodeUse(0, 10)
