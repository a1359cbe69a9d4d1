"""Who sends a request of the distribution API."""

from typing import Protocol

from lampion.clock.clock import Clock
from lampion.domain.image import registry_of_host
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.directory import Directory
from lampion.identity.keys import Keys
from lampion.registry.errors import RegistryError, denied, unauthorized
from lampion.registry.tokens import Bearer, RegistryTokens


class RegistryAccess(Protocol):
    """Knows the caller, whose account's registry he uses."""

    async def caller(self, head: RequestHead) -> tuple[str, Actor]:
        """The account and who it is. Raises RegistryError for who is nobody."""


class TokenAccess:
    """By the token of GetAuthorizationToken, on every request: as its bearer is now."""

    def __init__(self, *, tokens: RegistryTokens, keys: Keys, clock: Clock, region: str, scheme: str) -> None:
        self._tokens = tokens
        self._keys = keys
        self._clock = clock
        self._region = region
        self._scheme = scheme

    async def caller(self, head: RequestHead) -> tuple[str, Actor]:
        bearer = self._tokens.read(head.headers.get("authorization", ""))
        actor = None if bearer is None else await self._actor(bearer)
        if bearer is None or actor is None or actor.caller.account_id is None:
            raise self._unauthorized(head)
        account_id = actor.caller.account_id
        if bearer.expires_epoch_seconds <= self._clock.now():
            raise denied("Your authorization token has expired. Reauthenticate and try again.")
        named = registry_of_host(head.headers.get("host", ""))
        if named is not None and (named.account_id != account_id or named.region != self._region):
            raise denied(f"The token is of another registry than {named.account_id} in {named.region}.")
        return account_id, actor

    async def _actor(self, bearer: Bearer) -> Actor | None:
        """None when the user, the role or the key that asked is gone."""
        keys, key_id = self._keys, bearer.access_key_id
        if bearer.standing is not None:
            return await keys.directory.standing(bearer.standing)
        session = keys.sessions.named(key_id)
        if session is not None:
            return await keys.functions.actor(session)
        user = await keys.users.find(key_id)
        if user is not None:
            return await keys.directory.user(user.account_id, user.user_id)
        root = await keys.roots.find(key_id)
        return None if root is None else keys.directory.root(root.account_id)

    def _unauthorized(self, head: RequestHead) -> RegistryError:
        return unauthorized(f"{self._scheme}://{head.headers.get('host', '')}/")


class OpenAccess:
    """For a server that was started open: everybody is the root of an account, which the host's name may name."""

    def __init__(self, check: "CheckHost", directory: Directory, account_id: str) -> None:
        self._check = check
        self._directory = directory
        self._account_id = account_id

    async def caller(self, head: RequestHead) -> tuple[str, Actor]:
        self._check.read(head)
        named = registry_of_host(head.headers.get("host", ""))
        account_id = self._account_id if named is None else named.account_id
        return account_id, self._directory.root(account_id)


class CheckHost(Protocol):
    """Refuses hosts that a server started open doesn't answer to."""

    def read(self, head: RequestHead) -> object: ...
