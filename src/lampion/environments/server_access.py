"""What a sandbox may call this server with, for as long as it lives: keys of its own, and a door."""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from lampion.clock.clock import Clock
from lampion.domain.function import Function
from lampion.environments.environ import SessionCredentials
from lampion.environments.lent_keys import ASKED_LIFETIME_SECONDS, LentKeys, Roles, credentials_of
from lampion.environments.session import OfferedCredentials
from lampion.identity.session_keys import Runner, SessionKey, SessionKeys
from lampion.sandbox.driver import Sandbox

_ORIGIN_SECONDS: Final = 60.0
"""What is told of keys that end with the snapshot's origin: who has them in its memory asks anew after restoring."""


class Door(Protocol):
    """A listening socket that is being served."""

    async def close(self) -> None: ...


class Doors(Protocol):
    """Serves the AWS API on a listening socket, which it owns from then on."""

    def open(self, listener: socket.socket) -> Door: ...


@dataclass(frozen=True, slots=True)
class _Lent:
    keys: LentKeys
    door: Door | None


class ServerAccess:
    """Lends to sandboxes at their start and takes back at their end."""

    def __init__(
        self,
        sessions: SessionKeys,
        doors: Doors,
        roles: Roles,
        clock: Clock,
        *,
        asked_lifetime_seconds: float = ASKED_LIFETIME_SECONDS,
    ) -> None:
        """`clock` is that of the keys."""
        self._sessions = sessions
        self._doors = doors
        self._roles = roles
        self._clock = clock
        self._asked_lifetime_seconds = asked_lifetime_seconds
        self._lent: dict[str, _Lent] = {}

    async def start(self, function: Function, start: Callable[[SessionCredentials], Awaitable[Sandbox]]) -> Sandbox:
        """What `start` gives; it is called with fresh keys of the function's role, for its environment variables."""
        keys = await self._keys(function, None)
        return await self._started(keys, lambda: start(credentials_of(keys.newest)))

    async def start_asking(
        self,
        function: Function,
        authorization_token: str,
        start: Callable[[OfferedCredentials], Awaitable[Sandbox]],
        *,
        is_origin: bool = False,
    ) -> Sandbox:
        """The same for one that asks for its keys, with the token, and does so again before they expire."""
        keys = await self._keys(function, self._asked_lifetime_seconds)
        offered = OfferedCredentials(authorization_token, partial(self._current, keys, is_origin))
        return await self._started(keys, lambda: start(offered))

    def keys_of(self, sandbox: Sandbox) -> LentKeys | None:
        """What the sandbox was lent, until its end."""
        lent = self._lent.get(sandbox.sandbox_id)
        return None if lent is None else lent.keys

    async def end(self, sandbox: Sandbox) -> None:
        """The sandbox has ended. Idempotent."""
        lent = self._lent.pop(sandbox.sandbox_id, None)
        if lent is None:
            return
        self._revoke(lent.keys)
        if lent.door is not None:
            await lent.door.close()

    async def _keys(self, function: Function, asked_lifetime_seconds: float | None) -> LentKeys:
        key, role = function.key, function.configuration.role
        role_id = await self._roles.role_id(key.account_id, role)

        def issue(lifetime_seconds: float) -> SessionKey:
            return self._sessions.issue(
                account_id=key.account_id,
                role=role,
                session_name=key.name,
                lifetime_seconds=lifetime_seconds,
                role_id=role_id,
                runner=Runner(key, function.version, function.creation_id),
            )

        return LentKeys(issue, self._roles, asked_lifetime_seconds)

    async def _started(self, keys: LentKeys, start: Callable[[], Awaitable[Sandbox]]) -> Sandbox:
        try:
            sandbox = await start()
        except BaseException:
            self._revoke(keys)
            raise
        door = None if sandbox.gateway is None else self._doors.open(sandbox.gateway)
        self._lent[sandbox.sandbox_id] = _Lent(keys, door)
        return sandbox

    def _current(self, keys: LentKeys, is_origin: bool) -> tuple[SessionCredentials, float]:
        """With the seconds for which they are good."""
        now = self._clock.now()
        key = keys.current(now)
        return credentials_of(key), _ORIGIN_SECONDS if is_origin else key.expires_epoch_seconds - now

    def _revoke(self, keys: LentKeys) -> None:
        for key in keys.all:
            self._sessions.revoke(key)
