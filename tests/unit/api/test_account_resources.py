"""Code signing configurations and capacity providers are an account's own, and no more than it may have."""

from dataclasses import replace

import pytest

from lampion.api.capacity_providers import CapacityProvidersApi
from lampion.api.code_signing import CodeSigningConfigsApi
from lampion.aws.pagination import Markers
from lampion.domain.capacity_provider import CapacityProvider
from lampion.domain.errors import CapacityProviderLimitExceededException, ResourceNotFoundException
from lampion.store.capacity_providers import CAPACITY_PROVIDERS
from lampion.store.memory_resources import MemoryResources, MemoryTables
from lampion.store.resources import Stored
from tests.component.store.samples import ACCOUNT, REGION
from tests.unit.api.stored_rooms import caller, rooms

MARKERS = Markers(b"0123456789abcdef")
PROVIDER = {
    "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []},
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::123456789012:role/r"},
}


async def test_another_accounts_configuration_is_not_there() -> None:
    api = CodeSigningConfigsApi(rooms(MemoryResources(MemoryTables())), markers=MARKERS)
    publishers = {"AllowedPublishers": {"SigningProfileVersionArns": ["arn"]}}
    made = (await api.create_code_signing_config(caller(), publishers))["CodeSigningConfig"]
    named = {"CodeSigningConfigArn": made["CodeSigningConfigArn"]}
    assert (await api.get_code_signing_config(caller(), named))["CodeSigningConfig"] == made
    for stranger in (caller(account_id="210987654321"), caller(region="eu-west-1")):
        for call in (
            api.get_code_signing_config,
            api.update_code_signing_config,
            api.delete_code_signing_config,
        ):
            with pytest.raises(ResourceNotFoundException):
                await call(stranger, named)
        assert (await api.list_code_signing_configs(stranger, {}))["CodeSigningConfigs"] == []


async def test_an_account_has_a_thousand_providers_in_a_region_and_no_more() -> None:
    resources = MemoryResources(MemoryTables())
    api = CapacityProvidersApi(rooms(resources), markers=MARKERS)
    first = CapacityProvider(
        account_id=ACCOUNT,
        region=REGION,
        name="p-0",
        vpc_config={},
        permissions_config={},
        instance_requirements={},
        scaling_config={},
        last_modified_epoch_ms=0,
    )

    def fill(stored: Stored) -> None:
        for number in range(999):
            stored.put(CAPACITY_PROVIDERS, replace(first, name=f"p-{number}"))

    await resources.change(fill)
    await api.create_capacity_provider(caller(), {"CapacityProviderName": "last", **PROVIDER})
    with pytest.raises(CapacityProviderLimitExceededException):
        await api.create_capacity_provider(caller(), {"CapacityProviderName": "one-more", **PROVIDER})
    await api.create_capacity_provider(caller(region="eu-west-1"), {"CapacityProviderName": "one-more", **PROVIDER})
    await api.delete_capacity_provider(caller(), {"CapacityProviderName": "p-7"})
    await api.create_capacity_provider(caller(), {"CapacityProviderName": "one-more", **PROVIDER})
