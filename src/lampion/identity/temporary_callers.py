"""Whom temporary keys of STS stand for. To open a token and to look up its role takes longer than all the rest of a
request's identity, so what was found stays at hand: until the key expires, or something of IAM changes in its account.
"""

from typing import Final, NamedTuple

from lampion.identity.actors import Actor
from lampion.identity.directory import Directory
from lampion.identity.temporary_keys import Expired, TemporaryKeys

_CAPACITY: Final = 1024


class TemporaryCaller(NamedTuple):
    """With what he signs, until when, and who he is."""

    secret_access_key: str
    expires_epoch_seconds: float
    actor: Actor


class TemporaryCallers:
    """By their keys, together with the tokens of these."""

    def __init__(self, temporary: TemporaryKeys, directory: Directory) -> None:
        self._temporary = temporary
        self._directory = directory
        self._known: dict[tuple[str, str], TemporaryCaller] = {}

    async def find(self, access_key_id: str, token: str, now_epoch_seconds: float) -> TemporaryCaller | None:
        """None for a key that isn't this server's, and for one whose role or user is gone. Raises Expired."""
        key = (access_key_id, token)
        known = self._known.get(key)
        if known is not None and not known.actor.epoch.is_over:
            if known.expires_epoch_seconds <= now_epoch_seconds:
                del self._known[key]
                raise Expired
            return known
        opened = self._temporary.open(access_key_id, token, now_epoch_seconds)
        actor = None if opened is None else await self._directory.standing(opened[1])
        if opened is None or actor is None:
            return None
        secret, standing = opened
        found = TemporaryCaller(secret, standing.expires_epoch_seconds, actor)
        if len(self._known) >= _CAPACITY:
            self._known.clear()
        self._known[key] = found
        return found
