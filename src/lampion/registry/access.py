"""Whose registry a request of the distribution API may use."""

from typing import Protocol

from lampion.clock.clock import Clock
from lampion.domain.image import registry_of_host
from lampion.http.message import RequestHead
from lampion.identity.access_keys import AccessKeyring
from lampion.registry.errors import RegistryError, denied, unauthorized
from lampion.registry.tokens import read_authorization


class RegistryAccess(Protocol):
    """Knows the account that a request acts for."""

    async def account(self, head: RequestHead) -> str:
        """Raises RegistryError for who hasn't any."""


class TokenAccess:
    """By the token of GetAuthorizationToken, on every request."""

    def __init__(self, *, keys: AccessKeyring, clock: Clock, region: str, scheme: str) -> None:
        self._keys = keys
        self._clock = clock
        self._region = region
        self._scheme = scheme

    async def account(self, head: RequestHead) -> str:
        token = read_authorization(head.headers.get("authorization", ""))
        if token is None:
            raise self._unauthorized(head)
        key = self._keys.find_cached(token.access_key_id) or await self._keys.find(token.access_key_id)
        if key is None or not token.is_sealed_with(key.secret_access_key):
            raise self._unauthorized(head)
        if token.expires_epoch_seconds <= self._clock.now():
            raise denied("Your authorization token has expired. Reauthenticate and try again.")
        named = registry_of_host(head.headers.get("host", ""))
        if named is not None and (named.account_id != key.account_id or named.region != self._region):
            raise denied(f"The token is of another registry than {named.account_id} in {named.region}.")
        return key.account_id

    def _unauthorized(self, head: RequestHead) -> RegistryError:
        return unauthorized(f"{self._scheme}://{head.headers.get('host', '')}/")


class OpenAccess:
    """For a server that was started open: the host's name may name the account."""

    def __init__(self, check: "CheckHost", account_id: str) -> None:
        self._check = check
        self._account_id = account_id

    async def account(self, head: RequestHead) -> str:
        self._check.read(head)
        named = registry_of_host(head.headers.get("host", ""))
        return self._account_id if named is None else named.account_id


class CheckHost(Protocol):
    """Refuses hosts that a server started open doesn't answer to."""

    def read(self, head: RequestHead) -> object: ...
