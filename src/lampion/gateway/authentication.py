"""Who sends a request: by signature, or by name only where the server was started open."""

import asyncio
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from lampion.aws.errors import AccessDeniedException, ExpiredTokenException, UnrecognizedClientException
from lampion.aws.sigv4 import Claim, Verifier, check, check_hash
from lampion.clock.clock import Clock
from lampion.domain.iam.access_key import UserKey
from lampion.http.message import Request, RequestHead
from lampion.identity.actors import Actor, service_actor
from lampion.identity.directory import Directory
from lampion.identity.key_ids import SERVICE_PREFIX
from lampion.identity.keys import Keys
from lampion.identity.session_keys import SessionKey
from lampion.identity.temporary_keys import Expired

HASHED_APART_BYTES: Final = 512 * 1024
"""A body of this size is hashed in a thread: handing it over costs less than the event loop's time."""
_UNKNOWN_CLIENT: Final = "The security token included in the request is invalid."

Meanwhile = Callable[[], object]


class Principal(msgspec.Struct, frozen=True):
    """The caller: its account, the access key it used, who it is to policies, and the session when that is a
    function's key. A service's account is that of its key: the only one whose functions it reaches.
    """

    account_id: str
    access_key_id: str
    actor: Actor
    session: SessionKey | None = None
    has_session: bool = False
    """Whether the key is temporary."""

    @property
    def arn(self) -> str:
        """As AWS's messages name the caller."""
        return self.actor.caller.arn

    @property
    def user_id(self) -> str:
        """aws:userid."""
        return self.actor.user_id


class Authentication(Protocol):
    """Two steps, so that a stranger is refused before its body is read."""

    def read(self, head: RequestHead) -> Any:
        """The claim in a request's head. Raises AWS's error for one that can't be true."""

    async def verify(self, claim: Any, request: Request, meanwhile: Meanwhile | None = None) -> Principal:
        """Who it is. Raises AWS's error when the claim is false. `meanwhile`: called while a large body takes time."""


class SignedAuthentication:
    """Signature Version 4 on every request, in the header or the query."""

    def __init__(
        self,
        *,
        keys: Keys,
        region: str,
        clock: Clock,
        service: str = "lambda",
        also_region: str | None = None,
        takes_services: bool = False,
    ) -> None:
        """`takes_services`: whether keys that stand for services of AWS are known at this door."""
        self._keys = keys
        self._takes_services = takes_services
        self._verifier = Verifier(region, service, also_region)
        self._clock = clock

    def read(self, head: RequestHead) -> Claim:
        return self._verifier.read_credential(head.method, head.path, head.query, head.headers, self._clock.now())

    async def verify(self, claim: Claim, request: Request, meanwhile: Meanwhile | None = None) -> Principal:
        secret, principal = await self._find(claim)
        if len(request.body) < HASHED_APART_BYTES:
            check(claim, secret, request.body)
        else:
            await _check_large(claim, secret, request.body, meanwhile)
        return principal

    async def _find(self, claim: Claim) -> tuple[str, Principal]:
        """The secret that the request has to be signed with, and who has it. Raises UnrecognizedClientException."""
        keys, key_id = self._keys, claim.access_key_id
        if claim.security_token is not None:
            return await self._find_session(claim, claim.security_token)
        if key_id.startswith(SERVICE_PREFIX):
            return await self._find_service(key_id)
        root = keys.roots.find_cached(key_id)
        if root is None:
            user = await keys.users.find(key_id)
            if user is not None:
                return user.secret_access_key, await self._user(user)
            root = await keys.roots.find(key_id)
        if root is None:
            raise UnrecognizedClientException(_UNKNOWN_CLIENT)
        return root.secret_access_key, Principal(root.account_id, key_id, keys.directory.root(root.account_id))

    async def _find_service(self, key_id: str) -> tuple[str, Principal]:
        key = await self._keys.services.find(key_id) if self._takes_services else None
        if key is None:
            raise UnrecognizedClientException(_UNKNOWN_CLIENT)
        return key.secret_access_key, Principal(key.account_id, key_id, service_actor(key.service))

    async def _find_session(self, claim: Claim, token: str) -> tuple[str, Principal]:
        keys, key_id = self._keys, claim.access_key_id
        try:
            session = keys.sessions.find(key_id, token)
            lent = None if session is not None else await keys.lent.find(key_id, token, self._clock.now())
        except Expired:
            raise ExpiredTokenException("The security token included in the request is expired") from None
        if session is not None:
            actor = await keys.functions.actor(session)
            if actor is None:
                raise UnrecognizedClientException(_UNKNOWN_CLIENT)
            return session.secret_access_key, Principal(session.account_id, key_id, actor, session, has_session=True)
        if lent is None or lent.actor.standing is None:
            raise UnrecognizedClientException(_UNKNOWN_CLIENT)
        account_id = lent.actor.standing.account_id
        return lent.secret_access_key, Principal(account_id, key_id, lent.actor, has_session=True)

    async def _user(self, key: UserKey) -> Principal:
        actor = await self._keys.directory.user(key.account_id, key.user_id)
        if actor is None:
            raise UnrecognizedClientException(_UNKNOWN_CLIENT)
        return Principal(key.account_id, key.access_key_id, actor)


async def _check_large(claim: Claim, secret: str, body: bytes, meanwhile: Meanwhile | None) -> None:
    loop = asyncio.get_running_loop()
    has_begun = asyncio.Event()

    def hashed() -> str:
        loop.call_soon_threadsafe(has_begun.set)
        return sha256(body).hexdigest()

    hashing = loop.run_in_executor(None, hashed)
    if meanwhile is not None:
        await has_begun.wait()  # else the thread would wait for the interpreter until `meanwhile` is over
        meanwhile()
    check_hash(claim, secret, await hashing)


class OpenAuthentication:
    """No verification, for throw-away use on loopback: a 12-digit access key names the account.

    The Host header must be a loopback name, so that a web page whose name was pointed here gets nothing; and requests
    that a browser sends for a page are refused, whatever page it is: any function may have made it.
    """

    _LOOPBACK = re.compile(r"(?:localhost|[a-z0-9.-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?", re.IGNORECASE)
    _ACCESS_KEY = re.compile(r"(?:Credential=|X-Amz-Credential=)([A-Za-z0-9]{1,128})")
    _ACCOUNT = re.compile(r"\d{12}")

    def __init__(self, *, account_id: str, directory: Directory, is_for_pages: bool = False) -> None:
        """`is_for_pages`: for function URLs, which pages may call as their CORS allows it. What doesn't ask a browser
        first, having no header Authorization, is refused there, too.
        """
        self._account_id = account_id
        self._directory = directory
        self._is_for_pages = is_for_pages

    def read(self, head: RequestHead) -> str:
        if self._LOOPBACK.fullmatch(head.headers.get("host", "")) is None:
            raise AccessDeniedException("A server started with --auth open answers only to loopback names.")
        if _is_of_page(head) and not (self._is_for_pages and "authorization" in head.headers):
            raise AccessDeniedException("A server started with --auth open answers to no web page.")
        found = self._ACCESS_KEY.search(head.headers.get("authorization", "") or head.query)
        return "" if found is None else found[1]

    async def verify(self, claim: str, request: Request, meanwhile: Meanwhile | None = None) -> Principal:
        account_id = claim if self._ACCOUNT.fullmatch(claim) else self._account_id
        return Principal(account_id, claim, self._directory.root(account_id))


def _is_of_page(head: RequestHead) -> bool:
    """Whether a browser sends it, and not because its user typed the address. No other client has these headers."""
    return "origin" in head.headers or head.headers.get("sec-fetch-site", "none") != "none"
