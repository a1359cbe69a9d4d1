"""Whoever is made under a name that policies knew gets nothing by it, and who is renamed keeps what he had."""

import dataclasses
import json
from typing import Any

import pytest

from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.kms.grant import Grant
from lampion.domain.kms.key import Key
from lampion.domain.policy import no_policy
from lampion.services.iam.roles import RolesApi
from lampion.services.iam.rooms import IamRooms
from lampion.services.iam.users import UsersApi
from lampion.store.iam import IDENTITIES, identity_place
from lampion.store.kms import GRANTS, KEYS, grant_place, key_place
from lampion.store.policies import POLICIES, policy_place
from lampion.store.resources import Stored
from tests.identities import ACCOUNT, identity, keep, resources_in_memory

OTHER = "210987654321"
CONTEXT = RequestContext(account_id=ACCOUNT, region="us-east-1", principal="key", request_id="id")
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
BOB = f"arn:aws:iam::{ACCOUNT}:user/bob"
FUNCTION = FunctionKey(OTHER, "us-east-1", "f")


def naming(*arns: str, element: str = "Principal") -> dict[str, Any]:
    return {"Effect": "Allow", element: {"AWS": list(arns) if len(arns) > 1 else arns[0]}, "Action": "*"}


class Policies:
    """Of a role, of a key and a function in another account, and a grant, all of which name the same principals."""

    def __init__(self) -> None:
        self.resources = resources_in_memory()
        rooms = IamRooms(
            resources=self.resources,
            clock=VirtualClock(),
            rng=SystemRng(),
            markers=Markers(b"secret of markers"),
            secret=b"secret of the server",
        )
        self.users, self.roles = UsersApi(rooms), RolesApi(rooms)

    async def name(self, *arns: str, element: str = "Principal") -> None:
        document = {"Version": "2012-10-17", "Statement": [naming(*arns, element=element)]}
        await keep(
            self.resources,
            identity(IdentityKind.USER, "ann"),
            identity(IdentityKind.USER, "bob"),
            identity(IdentityKind.ROLE, "r", trust=json.dumps({"Statement": naming(OTHER)})),
            identity(IdentityKind.ROLE, "trusting", trust=json.dumps(document, indent=4)),
        )
        key = Key(
            account_id=OTHER,
            region="us-east-1",
            key_id="k",
            created_epoch_seconds=1,
            policy=json.dumps(document, indent=4),
            materials=(),
        )
        grant = Grant(
            account_id=OTHER,
            region="us-east-1",
            key_id="k",
            grant_id="g",
            created_epoch_seconds=1,
            grantee=arns[0],
            operations=("Encrypt",),
            issuer=arns[0],
            retiring=arns[-1],
        )
        policy = dataclasses.replace(no_policy(FUNCTION, None), document=document, revision_id="before")

        def put(stored: Stored) -> None:
            stored.put(KEYS, key)
            stored.put(GRANTS, grant)
            stored.put(POLICIES, policy)

        await self.resources.change(put)

    async def named(self, element: str = "Principal") -> list[Any]:
        """In the role's trust, the key's policy, the function's policy; and by the grant."""

        def read(stored: Stored) -> list[Any]:
            role = stored.get(IDENTITIES, identity_place(ACCOUNT, IdentityKind.ROLE, "trusting"))
            key = stored.get(KEYS, key_place(OTHER, "us-east-1", "k"))
            policy = stored.get(POLICIES, policy_place(FUNCTION, None))
            grant = stored.get(GRANTS, grant_place(OTHER, "us-east-1", "k", "g"))
            assert role is not None
            assert key is not None
            assert policy is not None
            assert grant is not None
            documents = [json.loads(role.trust), json.loads(key.policy), policy.document]
            return [*(one["Statement"][0][element]["AWS"] for one in documents), [grant.grantee, grant.retiring]]

        return await self.resources.read(read)

    async def trusting(self) -> Identity:
        found = await self.resources.get(IDENTITIES, identity_place(ACCOUNT, IdentityKind.ROLE, "trusting"))
        assert found is not None
        return found


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
async def test_who_is_gone_is_named_by_an_id_that_nobody_has_again(element: str) -> None:
    policies = Policies()
    await policies.name(ANN, ROLE, SESSION, BOB, element=element)
    await policies.users.delete_user(CONTEXT, {"UserName": "ann"})
    after = ["ID-OF-user-ann", ROLE, SESSION, BOB]
    assert await policies.named(element) == [after, after, after, ["ID-OF-user-ann", BOB]]
    await policies.roles.delete_role(CONTEXT, {"RoleName": "r"})
    after = ["ID-OF-user-ann", "ID-OF-role-r", "ID-OF-role-r:s", BOB]
    assert await policies.named(element) == [after, after, after, ["ID-OF-user-ann", BOB]]


async def test_the_name_follows_who_is_renamed_or_moved() -> None:
    policies = Policies()
    await policies.name(ANN)
    await policies.users.update_user(CONTEXT, {"UserName": "ann", "NewUserName": "eve", "NewPath": "/x/"})
    eve = f"arn:aws:iam::{ACCOUNT}:user/x/eve"
    assert await policies.named() == [eve, eve, eve, [eve, eve]]


async def test_policies_that_name_others_stay_to_the_letter() -> None:
    policies = Policies()
    await policies.name(BOB)
    before = await policies.trusting()
    await policies.users.delete_user(CONTEXT, {"UserName": "ann"})
    assert await policies.trusting() == before
    assert "\n" in before.trust


async def test_a_policy_that_changed_is_read_anew() -> None:
    policies = Policies()
    await policies.name(ANN)
    await policies.users.delete_user(CONTEXT, {"UserName": "ann"})
    policy = await policies.resources.get(POLICIES, policy_place(FUNCTION, None))
    assert policy is not None
    assert policy.revision_id != "before"
