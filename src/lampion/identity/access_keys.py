"""Access keys of this server's accounts: made once, then looked up at every signed request."""

import base64
from collections import OrderedDict
from typing import Final

from lampion.clock.rng import Rng
from lampion.store.access_keys import AccessKey, AccessKeys
from lampion.store.functions import AlreadyExists

_ID_PREFIX: Final = "LKIA"
"""Long-term key of Lampion, as AWS's own begin with AKIA; never mistaken for one of AWS."""
_ID_RANDOM_BYTES: Final = 10
_SECRET_RANDOM_BYTES: Final = 30
_CAPACITY: Final = 10_000


class AccessKeyring:
    """Finds keys, and makes an account's root key when it has none."""

    def __init__(self, keys: AccessKeys, rng: Rng, *, capacity: int = _CAPACITY) -> None:
        self._keys = keys
        self._rng = rng
        self._capacity = capacity
        self._cached: OrderedDict[str, AccessKey] = OrderedDict()

    async def root(self, account_id: str) -> AccessKey:
        """The account's root key; the first call ever makes it, durably."""
        key = await self._keys.root(account_id)
        if key is None:
            key = self._new(account_id, is_root=True)
            try:
                await self._keys.insert(key)
            except AlreadyExists:
                key = await self._keys.root(account_id)
                if key is None:  # the id was taken, 1 in 2**80
                    return await self.root(account_id)
        return self._keep(key)

    def find_cached(self, access_key_id: str) -> AccessKey | None:
        """The key when it is at hand; None says nothing about whether it exists."""
        return self._cached.get(access_key_id)

    async def find(self, access_key_id: str) -> AccessKey | None:
        """The key of that id. Unknown ids aren't remembered: who invents them would fill the memory."""
        cached = self._cached.get(access_key_id)
        if cached is not None:
            return cached
        key = await self._keys.get(access_key_id)
        return None if key is None else self._keep(key)

    def _keep(self, key: AccessKey) -> AccessKey:
        self._cached[key.access_key_id] = key
        if len(self._cached) > self._capacity:
            self._cached.popitem(last=False)
        return key

    def _new(self, account_id: str, *, is_root: bool) -> AccessKey:
        """20 upper-case letters and digits, and a secret of 40 characters, as AWS's are."""
        access_key_id = _ID_PREFIX + base64.b32encode(self._rng.token(_ID_RANDOM_BYTES)).decode()
        secret = base64.b64encode(self._rng.token(_SECRET_RANDOM_BYTES)).decode()
        return AccessKey(access_key_id, secret, account_id, is_root)
