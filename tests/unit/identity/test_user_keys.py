"""Keys of users: found by their ids while they are active; what strangers make up is not remembered."""

import dataclasses
from typing import Any

import pytest

from lampion.domain.iam.identity import IdentityKind
from lampion.identity.key_ids import USER_PREFIX, key_id
from lampion.identity.user_keys import UserKeys
from lampion.store.iam import USER_KEYS, key_place
from tests.identities import ACCOUNT, identity, key_of, resources_in_memory


async def test_a_key_counts_until_it_is_made_inactive_or_deleted() -> None:
    resources = resources_in_memory()
    keys = UserKeys(resources)
    key = await key_of(resources, identity(IdentityKind.USER, "ann"))
    for _ in range(2):
        assert await keys.find(key.access_key_id) == key
    inactive = dataclasses.replace(key, status="Inactive")
    await resources.change(lambda stored: stored.put(USER_KEYS, inactive))
    assert await keys.find(key.access_key_id) is None
    await resources.change(lambda stored: stored.put(USER_KEYS, key))
    assert await keys.find(key.access_key_id) == key
    await resources.change(lambda stored: stored.delete(USER_KEYS, key_place(key.access_key_id, ACCOUNT)))
    assert await keys.find(key.access_key_id) is None


@pytest.mark.parametrize("access_key_id", ["", "LKIA", "LKIA0000000000000000", "AKIAIOSFODNN7EXAMPLE", "\u00e9" * 20])
async def test_what_can_be_no_key_is_none(access_key_id: str) -> None:
    assert await UserKeys(resources_in_memory()).find(access_key_id) is None


async def test_keys_that_are_not_there_take_no_memory() -> None:
    resources = resources_in_memory()
    keys = UserKeys(resources)
    for number in range(3):
        assert await keys.find(key_id(USER_PREFIX, ACCOUNT, bytes([number] * 5))) is None
    cached: dict[Any, Any] = vars(resources)["_cached"]
    assert len(cached) == 0
