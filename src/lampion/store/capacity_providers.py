"""Where capacity providers are kept: by account; and with each function, under its versions, which one it uses."""

from typing import Final

from lampion.domain.capacity_provider import (
    VERSIONS_PER_PROVIDER_MAX,
    CapacityProvider,
    CapacityUse,
    check_room_for_version,
    provider_not_found,
    used_provider,
)
from lampion.domain.function import Function
from lampion.store.resources import Kind, Place, Stored

CAPACITY_PROVIDERS: Final = Kind(
    "capacity-provider",
    CapacityProvider,
    place=lambda provider: Place.of_account(provider.account_id, provider.region, provider.name),
)
CAPACITY_USES: Final = Kind(
    "capacity-use",
    CapacityUse,
    place=lambda use: Place.of_function(use.key, use.version),
    found_by=lambda use: use.provider_arn,
)


def provider_place(arn: str) -> Place:
    """Where the provider of this ARN is; the model has checked the ARN's shape."""
    _, _, _, region, account_id, _, name = arn.split(":")
    return Place.of_account(account_id, region, name)


def note_capacity_use(stored: Stored, function: Function) -> None:
    """Call whenever a function or version is stored: so that a provider in use is known to be.

    Raises ResourceNotFoundException for a provider that doesn't exist, FunctionVersionsPerCapacityProviderLimit-
    ExceededException for one that has no room.
    """
    arn = used_provider(function.configuration)
    if arn is None:
        return
    key, place = function.key, provider_place(arn)
    here = (place.account_id, place.region) == (key.account_id, key.region)
    if not here or stored.get(CAPACITY_PROVIDERS, place) is None:
        raise provider_not_found(arn)
    use = CapacityUse(key, function.version, arn)
    users = stored.found(CAPACITY_USES, key.account_id, key.region, by=arn, limit=VERSIONS_PER_PROVIDER_MAX + 1)
    check_room_for_version(arn, len([one for one in users if one != use]))
    stored.put(CAPACITY_USES, use)
