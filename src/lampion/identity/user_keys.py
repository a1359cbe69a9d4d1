"""Finds the keys of users: by their ids, which tell the account."""

from lampion.domain.iam.access_key import ACTIVE, UserKey
from lampion.identity.key_ids import account_of
from lampion.store.cached_resources import CachedResources
from lampion.store.iam import USER_KEYS, key_place


class UserKeys:
    """At hand after the first time, and gone at once when they are deleted or made inactive."""

    def __init__(self, resources: CachedResources) -> None:
        self._resources = resources

    async def find(self, access_key_id: str) -> UserKey | None:
        """None for one that isn't there or isn't active."""
        account_id = account_of(access_key_id)
        if account_id is None:
            return None
        key = await self._resources.get(USER_KEYS, key_place(access_key_id, account_id), keeps_absent=False)
        return key if key is not None and key.status == ACTIVE else None
