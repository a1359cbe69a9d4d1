"""The keys of one sandbox: those that it starts with, and those that follow them where it can ask for others."""

from collections.abc import Callable
from typing import Final, Protocol

from lampion.environments.environ import SessionCredentials
from lampion.identity.session_keys import LIFETIME_SECONDS, SessionKey

ASKED_LIFETIME_SECONDS: Final = 6 * 3600.0
_RENEWED_BEFORE_SECONDS: Final = 20 * 60.0
"""Clients of AWS's ask anew when keys last for 15 minutes more, or less."""


class Roles(Protocol):
    """Knows the roles of functions."""

    async def role_id(self, account_id: str, role_arn: str) -> str:
        """The unique id of the role; empty when it isn't here."""

    async def counts(self, session: SessionKey) -> bool:
        """Whether the key is still good for anything: its function is there, in the role of then."""


class LentKeys:
    """At its beginning there is one."""

    def __init__(
        self, issue: Callable[[float], SessionKey], roles: Roles, asked_lifetime_seconds: float | None
    ) -> None:
        """`issue` makes keys that last for so many seconds; `asked_lifetime_seconds` is None for a sandbox that can't
        ask for others.
        """
        self._issue = issue
        self._roles = roles
        self._asked_lifetime_seconds = asked_lifetime_seconds
        self.all = [issue(LIFETIME_SECONDS if asked_lifetime_seconds is None else asked_lifetime_seconds)]

    @property
    def newest(self) -> SessionKey:
        return self.all[-1]

    @property
    def end_epoch_seconds(self) -> float | None:
        """When the sandbox will have none that are valid; None when it gets others."""
        return self.newest.expires_epoch_seconds if self._asked_lifetime_seconds is None else None

    async def count(self) -> bool:
        """Whether they are good for anything."""
        return await self._roles.counts(self.newest)

    def current(self, now_epoch_seconds: float) -> SessionKey:
        """New ones some time before the others expire; those stay valid until they do."""
        lifetime_seconds = self._asked_lifetime_seconds
        assert lifetime_seconds is not None, "nobody asks"
        left_seconds = self.newest.expires_epoch_seconds - now_epoch_seconds
        if left_seconds < min(_RENEWED_BEFORE_SECONDS, lifetime_seconds / 2):
            self.all.append(self._issue(lifetime_seconds))
        return self.newest


def credentials_of(key: SessionKey) -> SessionCredentials:
    return SessionCredentials(key.access_key_id, key.secret_access_key, key.session_token)
