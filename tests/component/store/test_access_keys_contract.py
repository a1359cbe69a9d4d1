"""What every store of access keys promises."""

import asyncio

import pytest

from lampion.store.access_keys import AccessKey, AccessKeys
from lampion.store.functions import AlreadyExists

ROOT = AccessKey("LKIAAAAAAAAAAAAAAAAA", "secret/+é", "123456789012", is_root=True)
OTHER = AccessKey("LKIABBBBBBBBBBBBBBBB", "s2", "123456789012", is_root=False)


async def test_keys_come_back_by_id_and_the_root_key_by_account(access_keys: AccessKeys):
    await access_keys.insert(OTHER)
    await access_keys.insert(ROOT)
    assert await access_keys.get(ROOT.access_key_id) == ROOT
    assert await access_keys.get(OTHER.access_key_id) == OTHER
    assert await access_keys.root("123456789012") == ROOT
    assert await access_keys.root("999999999999") is None
    assert await access_keys.get("lkiaaaaaaaaaaaaaaaaa") is None


async def test_a_taken_id_is_refused(access_keys: AccessKeys):
    await access_keys.insert(OTHER)
    with pytest.raises(AlreadyExists):
        await access_keys.insert(AccessKey(OTHER.access_key_id, "another", "999999999999", is_root=False))
    assert await access_keys.get(OTHER.access_key_id) == OTHER


async def test_an_account_has_one_root_key_whoever_is_first(access_keys: AccessKeys):
    keys = [AccessKey(f"LKIA{number:016}", "s", "123456789012", is_root=True) for number in range(20)]
    outcomes = await asyncio.gather(*map(access_keys.insert, keys), return_exceptions=True)
    winners = [made for made, outcome in zip(keys, outcomes, strict=True) if outcome is None]
    assert len(winners) == 1
    assert await access_keys.root("123456789012") == winners[0]
    await access_keys.insert(AccessKey("LKIAOTHERACCOUNT0000", "s", "999999999999", is_root=True))


async def test_a_secret_shows_in_no_repr_and_no_error(access_keys: AccessKeys):
    await access_keys.insert(ROOT)
    assert ROOT.secret_access_key not in repr(await access_keys.get(ROOT.access_key_id))
    with pytest.raises(AlreadyExists) as refused:
        await access_keys.insert(ROOT)
    assert ROOT.secret_access_key not in str(refused.value)
