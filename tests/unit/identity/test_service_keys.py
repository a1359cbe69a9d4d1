"""Keys that stand for services: whose they are, and how many there may be."""

import pytest

from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.iam.service_key import KEYS_MAX, service_name
from lampion.identity.key_ids import RANDOM_BYTES, SERVICE_PREFIX, USER_PREFIX, key_id
from lampion.identity.service_keys import ServiceKeyring, ServiceKeys
from lampion.identity.user_keys import UserKeys
from tests.identities import ACCOUNT, resources_in_memory

OTHER = "210987654321"


async def test_a_key_is_of_the_account_that_made_it() -> None:
    resources = resources_in_memory()
    keyring, keys = ServiceKeyring(resources, VirtualClock(), SystemRng()), ServiceKeys(resources)
    key = await keyring.make(ACCOUNT, "s3.amazonaws.com")
    assert await keys.find(key.access_key_id) == key
    assert (await keyring.of(ACCOUNT), await keyring.of(OTHER)) == ([key], [])
    assert not await keyring.remove(OTHER, key.access_key_id)
    assert await keyring.remove(ACCOUNT, key.access_key_id)
    assert not await keyring.remove(ACCOUNT, key.access_key_id)
    assert await keys.find(key.access_key_id) is None
    assert key.secret_access_key not in repr(key)


async def test_ids_that_nobody_has_fill_no_memory() -> None:
    """Whoever makes some up is no caller: what is kept is for these."""
    resources = resources_in_memory()
    keys, users = ServiceKeys(resources), UserKeys(resources)
    for number in range(5):
        assert await keys.find(key_id(SERVICE_PREFIX, ACCOUNT, bytes((number,) * RANDOM_BYTES))) is None
        assert await users.find(key_id(USER_PREFIX, ACCOUNT, bytes((number,) * RANDOM_BYTES))) is None
    assert not vars(resources)["_cached"]


async def test_an_account_has_no_more_than_some() -> None:
    keyring = ServiceKeyring(resources_in_memory(), VirtualClock(), SystemRng())
    for _ in range(KEYS_MAX):
        await keyring.make(ACCOUNT, "s3.amazonaws.com")
    with pytest.raises(ValueError, match="at most"):
        await keyring.make(ACCOUNT, "s3.amazonaws.com")
    await keyring.make(OTHER, "s3.amazonaws.com")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("s3", "s3.amazonaws.com"),
        ("s3.amazonaws.com", "s3.amazonaws.com"),
        ("delivery.logs.amazonaws.com", "delivery.logs.amazonaws.com"),
    ],
)
def test_services_have_short_names(text: str, name: str) -> None:
    assert service_name(text) == name


@pytest.mark.parametrize("text", ["", "*", "S3", "s3.example.org", "arn:aws:iam::123456789012:root", "123456789012 "])
def test_others_are_no_services(text: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a service"):
        service_name(text)
