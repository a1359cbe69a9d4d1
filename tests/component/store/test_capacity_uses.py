"""Which functions use a capacity provider: noted with the functions themselves, and gone with them."""

from dataclasses import replace

import pytest

from lampion.domain.capacity_provider import CapacityProvider, CapacityUse, provider_arn
from lampion.domain.errors import FunctionVersionsPerCapacityProviderLimitExceededException, ResourceNotFoundException
from lampion.domain.function import Function
from lampion.store.capacity_providers import CAPACITY_PROVIDERS, CAPACITY_USES, note_capacity_use
from lampion.store.resources import Resources, Stored, every
from tests.component.store.samples import ACCOUNT, REGION, delete, function


def provider(name: str) -> CapacityProvider:
    return CapacityProvider(
        account_id=ACCOUNT,
        region=REGION,
        name=name,
        vpc_config={},
        permissions_config={},
        instance_requirements={},
        scaling_config={},
        last_modified_epoch_ms=0,
    )


def on(name: str, provider_name: str, version: str = "$LATEST", region: str = REGION) -> Function:
    arn = provider_arn(ACCOUNT, region, provider_name)
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": arn}}
    made = function(name)
    return replace(made, version=version, configuration=replace(made.configuration, capacity_provider_config=config))


async def note(resources: Resources, *functions: Function) -> None:
    def work(stored: Stored) -> None:
        for one in functions:
            note_capacity_use(stored, one)

    await resources.change(work)


async def users(resources: Resources, name: str) -> list[tuple[str, str]]:
    def work(stored: Stored) -> list[CapacityUse]:
        return list(stored.found(CAPACITY_USES, ACCOUNT, REGION, by=provider_arn(ACCOUNT, REGION, name), limit=200))

    return [(use.key.name, use.version) for use in await resources.read(work)]


@pytest.fixture
async def providers(resources: Resources) -> Resources:
    for made in (provider("p"), provider("q"), replace(provider("far"), region="eu-west-1")):
        await resources.change(lambda stored, made=made: stored.put(CAPACITY_PROVIDERS, made))  # type: ignore[misc]
    return resources


async def test_a_function_and_its_versions_use_what_each_is_configured_with(providers: Resources) -> None:
    await note(providers, on("f", "p"), on("f", "p", "1"), on("g", "q"), function("plain"))
    await note(providers, on("f", "q"))
    assert await users(providers, "p") == [("f", "1")]
    assert await users(providers, "q") == [("f", "$LATEST"), ("g", "$LATEST")]


async def test_a_deleted_function_or_version_uses_nothing(providers: Resources) -> None:
    latest, first = on("f", "p"), on("f", "p", "1")
    await providers.change(lambda stored: stored.insert_function(latest, published=first))
    await note(providers, latest, first)
    assert await delete(providers, latest.key, "1")
    assert await users(providers, "p") == [("f", "$LATEST")]
    assert await delete(providers, latest.key)
    assert await users(providers, "p") == []


@pytest.mark.parametrize("absent", [on("f", "absent"), on("f", "far", region="eu-west-1")])
async def test_a_provider_must_be_there(providers: Resources, absent: Function) -> None:
    with pytest.raises(ResourceNotFoundException):
        await note(providers, absent)
    assert await providers.read(lambda stored: every(stored, CAPACITY_USES, ACCOUNT, REGION)) == []


async def test_a_provider_takes_a_hundred_and_those_stay_welcome(providers: Resources) -> None:
    hundred = [on("f", "p", str(number)) for number in range(1, 101)]
    await note(providers, *hundred)
    await note(providers, hundred[0])
    with pytest.raises(FunctionVersionsPerCapacityProviderLimitExceededException):
        await note(providers, on("f", "p"))
    assert len(await users(providers, "p")) == 100
    await note(providers, on("f", "q", "1"), on("f", "p"))
    assert len(await users(providers, "p")) == 100
