"""What a sandbox may call this server with, for as long as it lives: keys of its own, and a door."""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from lampion.domain.function import Function
from lampion.environments.environ import SessionCredentials
from lampion.identity.session_keys import SessionKey, SessionKeys
from lampion.sandbox.driver import Sandbox


class Door(Protocol):
    """A listening socket that is being served."""

    async def close(self) -> None: ...


class Doors(Protocol):
    """Serves the AWS API on a listening socket, which it owns from then on."""

    def open(self, listener: socket.socket) -> Door: ...


@dataclass(frozen=True, slots=True)
class _Lent:
    key: SessionKey
    door: Door | None


class ServerAccess:
    """Lends to sandboxes at their start and takes back at their end."""

    def __init__(self, sessions: SessionKeys, doors: Doors) -> None:
        self._sessions = sessions
        self._doors = doors
        self._lent: dict[str, _Lent] = {}

    async def start(self, function: Function, start: Callable[[SessionCredentials], Awaitable[Sandbox]]) -> Sandbox:
        """What `start` gives; it is called with fresh credentials of the function's role."""
        key = self._sessions.issue(
            account_id=function.key.account_id, role=function.configuration.role, session_name=function.key.name
        )
        try:
            sandbox = await start(SessionCredentials(key.access_key_id, key.secret_access_key, key.session_token))
        except BaseException:
            self._sessions.revoke(key)
            raise
        door = None if sandbox.gateway is None else self._doors.open(sandbox.gateway)
        self._lent[sandbox.sandbox_id] = _Lent(key, door)
        return sandbox

    async def end(self, sandbox: Sandbox) -> None:
        """The sandbox has ended. Idempotent."""
        lent = self._lent.pop(sandbox.sandbox_id, None)
        if lent is None:
            return
        self._sessions.revoke(lent.key)
        if lent.door is not None:
            await lent.door.close()
