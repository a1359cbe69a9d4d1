"""The root key is made once, looks like a key, and is found fast."""

import asyncio
import re

from lampion.clock.rng import SeededRng, SystemRng
from lampion.identity.access_keys import AccessKeyring
from lampion.store.access_keys import AccessKey
from lampion.store.memory import MemoryAccessKeys

ACCOUNT = "123456789012"


class CountingKeys(MemoryAccessKeys):
    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def get(self, access_key_id: str) -> AccessKey | None:
        self.reads += 1
        return await super().get(access_key_id)


async def test_the_first_call_makes_a_root_key_and_later_ones_give_the_same():
    keys = MemoryAccessKeys()
    made = await AccessKeyring(keys, SystemRng()).root(ACCOUNT)
    assert re.fullmatch(r"LKIA[A-Z2-7]{16}", made.access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", made.secret_access_key)
    assert (made.account_id, made.is_root) == (ACCOUNT, True)
    assert await AccessKeyring(keys, SystemRng()).root(ACCOUNT) == made


async def test_two_accounts_have_two_keys():
    keyring = AccessKeyring(MemoryAccessKeys(), SystemRng())
    one, two = await keyring.root(ACCOUNT), await keyring.root("999999999999")
    assert one.access_key_id != two.access_key_id
    assert one.secret_access_key != two.secret_access_key


async def test_many_first_calls_agree_on_one_key():
    keys = MemoryAccessKeys()
    rings = [AccessKeyring(keys, SystemRng()) for _ in range(10)]
    made = await asyncio.gather(*(ring.root(ACCOUNT) for ring in rings))
    assert len(set(made)) == 1


async def test_an_id_that_is_taken_is_not_used_again():
    keys = MemoryAccessKeys()
    other = await AccessKeyring(keys, SeededRng(1)).root("999999999999")
    mine = await AccessKeyring(keys, SeededRng(1)).root(ACCOUNT)
    assert mine.access_key_id != other.access_key_id


async def test_a_key_is_read_once_and_an_unknown_one_every_time():
    keys = CountingKeys()
    made = await AccessKeyring(keys, SystemRng()).root(ACCOUNT)
    keyring = AccessKeyring(keys, SystemRng())
    assert keyring.find_cached(made.access_key_id) is None
    assert await keyring.find(made.access_key_id) == made
    assert await keyring.find(made.access_key_id) == made
    assert keyring.find_cached(made.access_key_id) == made
    assert keys.reads == 1
    for _ in range(2):
        assert await keyring.find("LKIANOBODY0000000000") is None
    assert keys.reads == 3


async def test_the_cache_is_bounded():
    keys = MemoryAccessKeys()
    keyring = AccessKeyring(keys, SystemRng(), capacity=3)
    made = [await keyring.root(f"{number:012}") for number in range(5)]
    assert [key for key in made if keyring.find_cached(key.access_key_id)] == made[2:]
    assert await keyring.find(made[0].access_key_id) == made[0]
