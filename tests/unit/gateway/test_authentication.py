"""Who asks with a large body: it is hashed in a thread beside other work, by the rules of small ones."""

import asyncio
import dataclasses

import pytest

from lampion.aws.errors import ExpiredTokenException, InvalidSignatureException, UnrecognizedClientException
from lampion.aws.sigv4_sign import Signer
from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.iam.identity import IdentityKind
from lampion.gateway.authentication import HASHED_APART_BYTES, Principal, SignedAuthentication
from lampion.http.message import Request, RequestHead
from lampion.identity.service_keys import ServiceKeyring
from lampion.identity.session_keys import Runner
from lampion.store.iam import USER_KEYS
from tests.identities import ACCOUNT, identity, keep, key_of, keys_in, resources_in_memory

REGION = "us-east-1"
SIZES = (HASHED_APART_BYTES - 1, HASHED_APART_BYTES, 4 * HASHED_APART_BYTES)


class Door:
    """Keys, and requests signed with them. `looks` counts what was done meanwhile."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.resources = resources_in_memory()
        self.keys = keys_in(self.resources)
        self.authentication = SignedAuthentication(keys=self.keys, region=REGION, clock=self.clock)
        self.looks = 0

    async def signer(self) -> Signer:
        key = await self.keys.roots.root(ACCOUNT)
        return Signer(key.access_key_id, key.secret_access_key, REGION)

    def session_signer(self, lifetime_seconds: float = 3600) -> Signer:
        role = f"arn:aws:iam::{ACCOUNT}:role/r"
        key = self.keys.sessions.issue(
            account_id=ACCOUNT, role=role, session_name="f", lifetime_seconds=lifetime_seconds
        )
        return Signer(key.access_key_id, key.secret_access_key, REGION, session_token=key.session_token)

    async def verify(self, signer: Signer, signed: bytes, sent: bytes, **more: str) -> Principal:
        headers = {"host": "here", **more}
        added = signer.sign("POST", "/", "", headers, signed, self.clock.now())
        headers |= {name.lower(): value for name, value in added.items()}
        head = RequestHead("POST", "/", "", headers, len(sent))
        return await self.authentication.verify(self.authentication.read(head), Request(head, sent), self.look)

    def look(self) -> None:
        self.looks += 1


@pytest.mark.parametrize("size", SIZES)
async def test_a_true_signature_is_taken_and_large_bodies_are_looked_at_meanwhile(size: int) -> None:
    door, body = Door(), b"x" * size
    principal = await door.verify(await door.signer(), body, body)
    assert (principal.account_id, principal.session) == (ACCOUNT, None)
    assert door.looks == (1 if size >= HASHED_APART_BYTES else 0)
    session = (await door.verify(door.session_signer(), body, body)).session
    assert session is not None
    assert session.account_id == ACCOUNT


@pytest.mark.parametrize("size", SIZES)
async def test_another_body_or_secret_or_declared_hash_is_refused(size: int) -> None:
    door, body = Door(), b"x" * size
    signer = await door.signer()
    with pytest.raises(InvalidSignatureException):
        await door.verify(signer, body, body[:-1] + b"y")
    with pytest.raises(InvalidSignatureException):
        await door.verify(dataclasses.replace(signer, secret_access_key="another"), body, body)
    with pytest.raises(InvalidSignatureException):
        await door.verify(signer, body, body, **{"x-amz-content-sha256": "0" * 64})
    with pytest.raises(InvalidSignatureException):
        await door.verify(door.session_signer(), body, body[:-1] + b"y")


@pytest.mark.parametrize("size", SIZES)
async def test_nobody_looks_at_what_a_stranger_sends(size: int) -> None:
    door, body = Door(), b"x" * size
    with pytest.raises(UnrecognizedClientException):
        await door.verify(Signer("LKIANOBODY", "secret", REGION), body, body)
    with pytest.raises(UnrecognizedClientException):
        await door.verify(dataclasses.replace(door.session_signer(), session_token="another"), body, body)
    assert door.looks == 0


async def test_a_functions_expired_key_is_told_so_and_one_that_is_void_is_unknown() -> None:
    door = Door()
    assert (await door.verify(door.session_signer(), b"", b"")).has_session
    with pytest.raises(ExpiredTokenException, match="token included in the request is expired"):
        await door.verify(door.session_signer(0), b"", b"")
    runner = Runner(FunctionKey(ACCOUNT, REGION, "gone"), "$LATEST", "creation")
    key = door.keys.sessions.issue(account_id=ACCOUNT, role="arn:x/r", session_name="gone", runner=runner)
    signer = Signer(key.access_key_id, key.secret_access_key, REGION, session_token=key.session_token)
    with pytest.raises(UnrecognizedClientException, match="token included in the request is invalid"):
        await door.verify(signer, b"", b"")


async def test_others_are_served_while_a_large_body_is_hashed() -> None:
    door, body = Door(), b"x" * 64 * HASHED_APART_BYTES
    verifying = asyncio.ensure_future(door.verify(await door.signer(), body, body))
    turns = 0
    while not verifying.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100


async def test_a_users_key_is_the_users_as_long_as_it_is_active_and_he_is_there() -> None:
    door, ann = Door(), identity(IdentityKind.USER, "ann")
    await keep(door.resources, ann)
    key = await key_of(door.resources, ann)
    signer = Signer(key.access_key_id, key.secret_access_key, REGION)
    principal = await door.verify(signer, b"", b"")
    assert (principal.arn, principal.user_id) == (ann.arn, ann.unique_id)
    await keep(door.resources, dataclasses.replace(ann, path="/staff/"))
    assert (await door.verify(signer, b"", b"")).arn == f"arn:aws:iam::{ACCOUNT}:user/staff/ann"
    with pytest.raises(InvalidSignatureException):
        await door.verify(Signer(key.access_key_id, "wrong", REGION), b"", b"")
    inactive = dataclasses.replace(key, status="Inactive")
    await door.resources.change(lambda stored: stored.put(USER_KEYS, inactive))
    with pytest.raises(UnrecognizedClientException):
        await door.verify(signer, b"", b"")


async def test_who_is_made_again_under_a_name_doesnt_get_the_old_keys() -> None:
    door, ann = Door(), identity(IdentityKind.USER, "ann")
    await keep(door.resources, ann)
    key = await key_of(door.resources, ann)
    await keep(door.resources, dataclasses.replace(ann, unique_id="another"))
    with pytest.raises(UnrecognizedClientException):
        await door.verify(Signer(key.access_key_id, key.secret_access_key, REGION), b"", b"")


async def test_a_services_key_is_known_only_where_services_are_taken() -> None:
    door = Door()
    keyring = ServiceKeyring(door.resources, door.clock, SystemRng())
    key = await keyring.make(ACCOUNT, "s3.amazonaws.com")
    signer = Signer(key.access_key_id, key.secret_access_key, REGION)
    with pytest.raises(UnrecognizedClientException):
        await door.verify(signer, b"", b"")
    door.authentication = SignedAuthentication(keys=door.keys, region=REGION, clock=door.clock, takes_services=True)
    principal = await door.verify(signer, b"", b"")
    assert (principal.account_id, principal.arn, principal.session) == (ACCOUNT, "s3.amazonaws.com", None)
    with pytest.raises(InvalidSignatureException):
        await door.verify(dataclasses.replace(signer, secret_access_key="another"), b"", b"")
    assert await keyring.remove(ACCOUNT, key.access_key_id)
    with pytest.raises(UnrecognizedClientException):
        await door.verify(signer, b"", b"")


@pytest.mark.parametrize("key_id", ["", "LKIA", "AKIAIOSFODNN7EXAMPLE", "LKIA" + "Z" * 16, "LKIA0000000000000000", "é"])
async def test_ids_that_are_no_keys_of_this_server_are_unknown(key_id: str) -> None:
    door = Door()
    assert await door.keys.users.find(key_id) is None
