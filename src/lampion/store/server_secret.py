"""The server's own secret, of which what it seals and signs is made: no key of an account, so that no account's root,
and nobody who got hold of one, can make what counts in others: temporary keys, links to code, markers, grant tokens.
"""

from dataclasses import dataclass, field
from typing import Final

from lampion.clock.rng import Rng
from lampion.store.cached_resources import CachedResources
from lampion.store.resources import Kind, Place, Stored

_RANDOM_BYTES: Final = 32
_PLACE: Final = Place("", "", "server", "secret")
"""Of the whole store, whatever the account."""


@dataclass(frozen=True, slots=True)
class ServerSecret:
    """As text; it never shows in a repr."""

    value: str = field(repr=False)


SERVER_SECRETS: Final = Kind("server-secret", ServerSecret, place=lambda _: _PLACE)


async def server_secret(resources: CachedResources, rng: Rng) -> ServerSecret:
    """Made by the first call ever, durably."""
    fresh = ServerSecret(rng.token(_RANDOM_BYTES).hex())

    def kept(stored: Stored) -> ServerSecret:
        present = stored.get(SERVER_SECRETS, _PLACE)
        if present is not None:
            return present
        stored.put(SERVER_SECRETS, fresh)
        return fresh

    present = await resources.get(SERVER_SECRETS, _PLACE, keeps_absent=False)
    return await resources.change(kept) if present is None else present
