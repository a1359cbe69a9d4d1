"""Follows the roles: when one is deleted or made anew, environments that run in it are replaced."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from lampion.store.cached_resources import Change
from lampion.store.iam import GLOBAL, IDENTITIES

_KINDS: Final = frozenset((IDENTITIES.name,))


class RoleChanges:
    """Notes accounts whose identities changed, and looks after their environments."""

    def __init__(self, renew: Callable[[str], Awaitable[object]]) -> None:
        """`renew` replaces what runs with void keys in an account."""
        self._renew = renew
        self._noted: set[str] = set()
        self._has_some = asyncio.Event()

    def note(self, change: Change) -> None:
        if change.region == GLOBAL and change.touches(_KINDS):
            self._noted.add(change.account_id)
            self._has_some.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._has_some.wait()
            self._has_some.clear()
            while self._noted:
                await self._renew(self._noted.pop())
