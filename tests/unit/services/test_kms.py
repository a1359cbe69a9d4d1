"""Who may use a key besides what clients can show: sessions, boundaries, services on one's behalf; keys that go."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.iam.identity import IdentityKind
from lampion.domain.kms.errors import InvalidCiphertextException, NotFoundException
from lampion.domain.kms.grant import Grant
from lampion.domain.kms.key import Key
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.key_access import Asked, KeyAccess, facts_of_context
from lampion.identity.key_places import FilePlace
from lampion.identity.master_key import MasterKeys
from lampion.identity.request_facts import Asker, Asking
from lampion.identity.statements import read_policy
from lampion.services.kms.encryption import EncryptionApi
from lampion.services.kms.keys import KeysApi
from lampion.services.kms.rooms import KmsRooms
from lampion.services.kms.states import StatesApi
from lampion.store.kms import ALIASES, GRANTS, KEYS, key_place
from lampion.store.resources import every
from tests.identities import ACCOUNT, Session, allowing, identity, keep, keys_in, resources_in_memory

REGION = "us-east-1"
DAY = 86_400.0
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
VIA = f"lambda.{REGION}.amazonaws.com"


class Kms:
    """KMS in memory, with a key of the account."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.resources = resources_in_memory()
        self.directory = keys_in(self.resources).directory
        self.file = folder / "master"
        self.keys = self.started()
        self.rooms = KmsRooms(
            resources=self.resources,
            keys=self.keys,
            access=KeyAccess(self.resources),
            clock=self.clock,
            rng=SystemRng(),
            markers=Markers(b"s" * 16),
        )
        self.access = self.rooms.access

    def started(self) -> EncryptionKeys:
        """As another server on the same store."""
        masters = MasterKeys(place=FilePlace(self.file), resources=self.resources, rng=SystemRng())
        return EncryptionKeys(resources=self.resources, masters=masters, clock=self.clock, rng=SystemRng())

    @property
    def root(self) -> Actor:
        return self.directory.root(ACCOUNT)

    def asker(self, actor: Actor) -> Asker:
        head = RequestHead("POST", "/", "", {}, 0)
        asking = Asking(head, now_epoch_seconds=self.clock.now(), scheme="http", region=REGION)
        return Asker(actor, asking, has_session=False)

    def context(self, actor: Actor) -> RequestContext:
        return RequestContext(
            account_id=ACCOUNT, region=REGION, principal="k", request_id="id", asker=self.asker(actor)
        )

    async def key(self, **members: Any) -> Key:
        made = await KeysApi(self.rooms).create_key(self.context(self.root), members)
        found = await self.keys.get(ACCOUNT, REGION, made["KeyMetadata"]["KeyId"])
        assert found is not None
        return found

    async def schedule(self, key: Key, days: int) -> None:
        members = {"KeyId": key.key_id, "PendingWindowInDays": days}
        await StatesApi(self.rooms).schedule_key_deletion(self.context(self.root), members)

    async def may(self, actor: Actor, operation: str, key: Key, **asked: Any) -> bool:
        try:
            await self.access.check(self.asker(actor), operation, key, Asked(**asked))
        except AccessDeniedException:
            return False
        return True

    async def grant(self, key: Key, grantee: str, *operations: str) -> None:
        made = Grant(
            account_id=key.account_id,
            region=key.region,
            key_id=key.key_id,
            grant_id="g",
            created_epoch_seconds=0,
            grantee=grantee,
            operations=operations,
            issuer=f"arn:aws:iam::{key.account_id}:root",
        )
        await self.resources.change(lambda stored: stored.put(GRANTS, made))


@pytest.fixture
def kms(tmp_path: Path) -> Kms:
    return Kms(tmp_path)


def session(*, may_all: bool = False) -> Actor:
    return Session(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", ROLE, may_all=may_all).actor


async def test_a_role_is_bounded_by_boundary_and_session_also_by_a_grant(kms: Kms) -> None:
    key = await kms.key()
    await kms.grant(key, ROLE, "Decrypt")
    plain = session()
    assert await kms.may(plain, "Decrypt", key)
    assert not await kms.may(plain, "Encrypt", key)
    encrypting = read_policy(json.loads(allowing("kms:Encrypt")))
    assert not await kms.may(replace(plain, boundary=encrypting), "Decrypt", key)
    assert not await kms.may(replace(plain, session=(encrypting,)), "Decrypt", key)
    denying = read_policy(json.loads(allowing("kms:*", effect="Deny")))
    assert not await kms.may(replace(plain, identity=(denying,)), "Decrypt", key)
    assert not await kms.may(replace(plain, session=(denying,)), "Decrypt", key)


async def test_a_grant_to_an_account_is_for_its_policies_to_hand_on(kms: Kms) -> None:
    nobodys = json.dumps(
        {"Statement": {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:PutKeyPolicy", "Resource": "*"}}
    )
    key = await kms.key(Policy=nobodys, BypassPolicyLockoutSafetyCheck=True)
    await kms.grant(key, f"arn:aws:iam::{ACCOUNT}:root", "Decrypt")
    await keep(
        kms.resources, identity(IdentityKind.USER, "may", allowing("kms:Decrypt")), identity(IdentityKind.USER, "not")
    )
    may, may_not = [await kms.directory.user_named(ACCOUNT, name) for name in ("may", "not")]
    assert may is not None
    assert may_not is not None
    assert await kms.may(may, "Decrypt", key)
    assert not await kms.may(may_not, "Decrypt", key)


async def test_lambdas_own_key_is_used_through_lambda_alone(kms: Kms) -> None:
    made = await KeysApi(kms.rooms).describe_key(kms.context(kms.root), {"KeyId": "alias/aws/lambda"})
    key = await kms.keys.get(ACCOUNT, REGION, made["KeyMetadata"]["KeyId"])
    assert key is not None
    for actor in (kms.root, session()):
        assert await kms.may(actor, "Decrypt", key, context={}, via_service=VIA)
        assert not await kms.may(actor, "Decrypt", key, context={})
        assert not await kms.may(actor, "Decrypt", key, context={}, via_service=f"s3.{REGION}.amazonaws.com")
        assert not await kms.may(actor, "DisableKey", key, via_service=VIA)
    other = Session("arn:aws:sts::210987654321:assumed-role/r/s", "arn:aws:iam::210987654321:role/r", may_all=True)
    assert not await kms.may(other.actor, "Decrypt", key, context={}, via_service=VIA)


async def test_many_that_ask_for_lambdas_key_at_once_get_one(kms: Kms) -> None:
    describe, context = KeysApi(kms.rooms).describe_key, kms.context(kms.root)
    answers = await asyncio.gather(*(describe(context, {"KeyId": "alias/aws/lambda"}) for _ in range(5)))
    assert len({answer["KeyMetadata"]["KeyId"] for answer in answers}) == 1
    assert len(await kms.keys.all(ACCOUNT, REGION)) == 1


async def test_a_key_goes_with_all_that_is_its_own_when_a_server_starts(kms: Kms) -> None:
    going, staying = await kms.key(), await kms.key()
    for key in (going, staying):
        await kms.grant(key, ROLE, "Decrypt")
    await kms.schedule(going, 7)
    await kms.clock.advance(7 * DAY - 1)
    await kms.started().open()
    assert await kept(kms) == ({going.key_id, staying.key_id}, 2)
    await kms.clock.advance(1)
    await kms.started().open()
    assert await kept(kms) == ({staying.key_id}, 1)


async def test_a_key_goes_when_it_is_looked_for_after_its_time(kms: Kms) -> None:
    key = await kms.key()
    blob = (await kms.keys.encrypt(key, b"secret", {})).blob
    await kms.schedule(key, 7)
    await kms.clock.advance(7 * DAY)
    assert await kms.keys.get(ACCOUNT, REGION, key.key_id) is None
    assert await kept(kms) == (set(), 0)
    with pytest.raises(AccessDeniedException, match="the resource associated with this ciphertext"):
        await EncryptionApi(kms.rooms).decrypt(kms.context(kms.root), {"CiphertextBlob": blob})
    with pytest.raises(NotFoundException):
        await StatesApi(kms.rooms).cancel_key_deletion(kms.context(kms.root), {"KeyId": key.key_id})


async def test_who_saw_a_key_before_it_was_rescued_does_not_delete_it(kms: Kms) -> None:
    key = await kms.key()
    await kms.schedule(key, 7)
    seen = await kms.keys.get(ACCOUNT, REGION, key.key_id)
    assert seen is not None
    await StatesApi(kms.rooms).cancel_key_deletion(kms.context(kms.root), {"KeyId": key.key_id})
    await kms.clock.advance(7 * DAY)
    await kms.keys._delete([seen])
    assert await kept(kms) == ({key.key_id}, 0)


async def test_a_change_that_comes_when_the_time_has_come_brings_nothing_back(kms: Kms) -> None:
    key = await kms.key()
    await kms.schedule(key, 7)
    await kms.clock.advance(7 * DAY)
    with pytest.raises(NotFoundException):
        await kms.rooms.change(key, lambda present: replace(present, description="back"))


async def test_material_of_one_key_is_of_no_use_to_another(kms: Kms) -> None:
    """Whoever can write the store can't make one key decrypt what another encrypted."""
    one, other = await kms.key(), await kms.key()
    blob = (await kms.keys.encrypt(one, b"secret", {})).blob
    swapped = replace(one, materials=other.materials)
    with pytest.raises(InvalidCiphertextException):
        kms.keys.decrypt(swapped, kms.keys.read(blob), {})
    renamed = replace(other, key_id=one.key_id)
    with pytest.raises(InvalidCiphertextException):
        kms.keys.decrypt(renamed, kms.keys.read(blob), {})


async def test_material_that_is_due_is_made_once_by_many_at_once(kms: Kms) -> None:
    key = await kms.key()
    due = await kms.rooms.change(
        key, lambda one: replace(one, rotation_days=90, rotation_epoch_seconds=kms.clock.now())
    )
    made = await asyncio.gather(*(kms.keys.encrypt(due, b"p", {}) for _ in range(5)))
    fresh = await kms.keys.get(ACCOUNT, REGION, key.key_id)
    assert fresh is not None
    assert len(fresh.materials) == 2
    assert {one.material_id for one in made} == {fresh.materials[-1].id}
    assert [kms.keys.decrypt(fresh, kms.keys.read(one.blob), {}) for one in made] == [b"p"] * 5


async def test_a_refused_creation_leaves_no_key(kms: Kms) -> None:
    with pytest.raises(AccessDeniedException):
        await KeysApi(kms.rooms).create_key(kms.context(session()), {})
    assert await kept(kms) == (set(), 0)
    assert not kms.file.exists()


async def kept(kms: Kms) -> tuple[set[str], int]:
    """Ids of the keys that are stored, and how many grants."""
    keys = await kms.resources.read(lambda stored: every(stored, KEYS, ACCOUNT, REGION))
    grants = await kms.resources.read(lambda stored: every(stored, GRANTS, ACCOUNT, REGION))
    aliases = await kms.resources.read(lambda stored: every(stored, ALIASES, ACCOUNT, REGION))
    assert {alias.key_id for alias in aliases} <= {key.key_id for key in keys}
    assert all(KEYS.place(key) == key_place(ACCOUNT, REGION, key.key_id) for key in keys)
    return {key.key_id for key in keys}, len(grants)


def test_no_key_of_a_context_hides_one_that_differs_by_case() -> None:
    """A policy that denies what is of one tenant would be got around by another key after it."""
    facts = facts_of_context({"Tenant": "secret", "tenant": "mine"})
    assert facts["kms:encryptioncontext:tenant"] == ["secret", "mine"]
    assert facts["kms:encryptioncontextkeys"] == ["Tenant", "tenant"]


@pytest.mark.parametrize(
    "condition",
    [
        {"Null": {"kms:KeySpec": "false"}},
        {"StringLike": {"aws:ResourceTag/Team": "*"}},
        {"StringLike": {"kms:ResourceAliases": "*"}},
    ],
)
async def test_policies_of_another_account_learn_nothing_of_a_key(kms: Kms, condition: dict[str, Any]) -> None:
    """A denial under a condition told by its sentence whether the key was there, and was as the condition had it."""
    key = await kms.key(Tags=[{"TagKey": "Team", "TagValue": "red"}])
    policies = allowing("kms:*"), allowing("kms:*", effect="Deny", Condition=condition)
    other = replace(
        kms.directory.root("210987654321"), identity=tuple(read_policy(json.loads(one)) for one in policies)
    )
    context = msgspec.structs.replace(kms.context(other), account_id="210987654321")
    told = set()
    for arn in (key.arn, f"{key.arn[:-4]}0000"):
        with pytest.raises(AccessDeniedException) as caught:
            await KeysApi(kms.rooms).describe_key(context, {"KeyId": arn})
        told.add(caught.value.message.replace(arn, "ARN"))
    assert len(told) == 1
