"""The keys that stand for services: made, listed, removed, and looked for by their ids, which tell the account."""

import base64
from collections.abc import Sequence
from typing import Final

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.iam.service_key import KEYS_MAX, ServiceKey, check_room_for_service_key
from lampion.identity.key_ids import RANDOM_BYTES, SERVICE_PREFIX, account_of, key_id
from lampion.store.cached_resources import CachedResources
from lampion.store.iam import GLOBAL, SERVICE_KEY_OWNER, SERVICE_KEYS, service_key_place
from lampion.store.resources import Resources, Stored

_SECRET_RANDOM_BYTES: Final = 30


class ServiceKeys:
    """At hand after the first time, and gone at once when they are removed."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources

    async def find(self, access_key_id: str) -> ServiceKey | None:
        """Of an id that begins with SERVICE_PREFIX; None where there is no such key."""
        account_id = account_of(access_key_id)
        if account_id is None:
            return None
        return await self._resources.get(SERVICE_KEYS, service_key_place(access_key_id, account_id), keeps_absent=False)


class ServiceKeyring:
    """Makes, lists and removes them."""

    def __init__(self, resources: Resources, clock: Clock, rng: Rng) -> None:
        self._resources = resources
        self._clock = clock
        self._rng = rng

    async def make(self, account_id: str, service: str) -> ServiceKey:
        """A new key, durably. Raises ValueError where there are too many."""
        key = ServiceKey(
            account_id=account_id,
            access_key_id=key_id(SERVICE_PREFIX, account_id, self._rng.token(RANDOM_BYTES)),
            secret_access_key=base64.b64encode(self._rng.token(_SECRET_RANDOM_BYTES)).decode(),
            service=service,
            created_epoch_seconds=int(self._clock.now()),
        )

        def make(stored: Stored) -> None:
            check_room_for_service_key(len(_of(stored, account_id)))
            stored.put(SERVICE_KEYS, key)

        await self._resources.change(make)
        return key

    async def of(self, account_id: str) -> Sequence[ServiceKey]:
        """In the order of their ids."""
        return await self._resources.read(lambda stored: _of(stored, account_id))

    async def remove(self, account_id: str, access_key_id: str) -> bool:
        """Whether there was such a key. It counts for no request that comes from now on."""
        place = service_key_place(access_key_id, account_id)
        return await self._resources.change(lambda stored: stored.delete(SERVICE_KEYS, place))


def _of(stored: Stored, account_id: str) -> Sequence[ServiceKey]:
    return stored.page(SERVICE_KEYS, account_id, GLOBAL, owner=SERVICE_KEY_OWNER, limit=KEYS_MAX)
