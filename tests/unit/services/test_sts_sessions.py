"""Who may assume which role, for how long, and what the session may then."""

import dataclasses
import json
from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException, ExpiredTokenException, UnrecognizedClientException
from lampion.aws.errors import ValidationException as Invalid
from lampion.aws.operation import RequestContext
from lampion.aws.sigv4_sign import Signer
from lampion.clock.virtual import VirtualClock
from lampion.domain.errors import ApiError
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.gateway.authentication import Principal, SignedAuthentication
from lampion.http.message import Request, RequestHead
from lampion.identity.actors import Actor
from lampion.identity.request_facts import Asker, Asking
from lampion.services.sts.credentials import StsRooms
from lampion.services.sts.federation import FederationApi
from lampion.services.sts.sessions import SessionsApi
from lampion.store.iam import IDENTITIES, identity_place
from tests.identities import ACCOUNT, allowing, identity, keep, keys_in, resources_in_memory

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/r"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/ann"
REGION = "eu-west-1"


def trusting(principal: Any, **condition: Any) -> str:
    actions = ["sts:AssumeRole", "sts:TagSession"]
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def role(trust: str, *documents: str, **more: Any) -> Identity:
    return identity(IdentityKind.ROLE, "r", *documents, trust=trust, **more)


class Sts:
    """With a user, and signed requests with what it gives out."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.resources = resources_in_memory()
        self.keys = keys_in(self.resources)
        rooms = StsRooms(
            resources=self.resources, temporary=self.keys.temporary, record=self.keys.record, clock=self.clock
        )
        self.api = SessionsApi(rooms)
        self.federation = FederationApi(rooms)
        self.authentication = SignedAuthentication(keys=self.keys, region=REGION, clock=self.clock)

    async def user(self, *documents: str) -> Actor:
        await keep(self.resources, identity(IdentityKind.USER, "ann", *documents))
        actor = await self.keys.directory.user(ACCOUNT, "ID-OF-user-ann")
        assert actor is not None
        return actor

    def context(self, actor: Actor, *, has_session: bool = False) -> RequestContext:
        asking = Asking(RequestHead("POST", "/", "", {}, 0), now_epoch_seconds=1, scheme="http", region=REGION)
        asker = Asker(actor, asking, has_session)
        return RequestContext(account_id=ACCOUNT, region=REGION, principal="key", request_id="id", asker=asker)

    async def assume(self, actor: Actor, *, has_session: bool = False, **more: Any) -> Any:
        members = {"RoleArn": ROLE_ARN, "RoleSessionName": "s", **more}
        return await self.api.assume_role(self.context(actor, has_session=has_session), members)

    async def refusal(self, actor: Actor, **more: Any) -> str:
        with pytest.raises(ApiError) as caught:
            await self.assume(actor, **more)
        assert isinstance(caught.value, AccessDeniedException | Invalid)
        return caught.value.message

    async def principal(self, credentials: dict[str, Any]) -> Principal:
        """Who signs with them."""
        token = credentials["SessionToken"]
        signer = Signer(credentials["AccessKeyId"], credentials["SecretAccessKey"], REGION, session_token=token)
        headers = {"host": "here"}
        added = signer.sign("POST", "/", "", headers, b"", self.clock.now())
        headers |= {name.lower(): value for name, value in added.items()}
        head = RequestHead("POST", "/", "", headers, 0)
        return await self.authentication.verify(self.authentication.read(head), Request(head, b""))


DENIED = f"User: {USER_ARN} is not authorized to perform: sts:AssumeRole on resource: {ROLE_ARN}"


async def test_a_user_that_the_role_trusts_gets_a_session_of_it() -> None:
    sts = Sts()
    await keep(sts.resources, role(trusting({"AWS": USER_ARN}), allowing("lambda:*"), tags={"team": "x"}))
    answer = await sts.assume(await sts.user(), Tags=[{"Key": "stage", "Value": "dev"}])
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": "ID-OF-role-r:s",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s",
    }
    principal = await sts.principal(answer["Credentials"])
    assert (principal.arn, principal.user_id) == (answer["AssumedRoleUser"]["Arn"], "ID-OF-role-r:s")
    known = principal.actor.known
    assert known["aws:principalarn"] == (ROLE_ARN,)
    assert (known["aws:principaltag/team"], known["aws:principaltag/stage"]) == (("x",), ("dev",))
    assert principal.has_session


async def test_whom_it_doesnt_trust_and_what_isnt_there_are_refused_alike() -> None:
    sts = Sts()
    ann = await sts.user(allowing("sts:AssumeRole"))
    assert await sts.refusal(ann) == DENIED
    await keep(sts.resources, role(trusting({"Service": "lambda.amazonaws.com"})))
    assert await sts.refusal(ann) == DENIED


async def test_a_role_that_trusts_the_account_leaves_it_to_the_users_policies() -> None:
    sts = Sts()
    await keep(sts.resources, role(trusting({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})))
    assert (await sts.refusal(await sts.user())).startswith(f"{DENIED} because no identity-based policy allows")
    assert await sts.assume(await sts.user(allowing("sts:AssumeRole", resource=ROLE_ARN)))


async def test_conditions_of_the_trust_policy_look_at_what_is_asked() -> None:
    sts = Sts()
    await keep(sts.resources, role(trusting({"AWS": USER_ARN}, StringEquals={"sts:ExternalId": "secret"})))
    ann = await sts.user()
    assert (await sts.refusal(ann)).startswith(DENIED)
    assert (await sts.refusal(ann, ExternalId="other")).startswith(DENIED)
    assert await sts.assume(ann, ExternalId="secret")


async def test_the_root_assumes_no_role() -> None:
    sts = Sts()
    await keep(sts.resources, role(trusting("*")))
    assert await sts.refusal(sts.keys.directory.root(ACCOUNT)) == "Roles may not be assumed by root accounts."


@pytest.mark.parametrize("arn", ["r", "arn:aws:iam::1:user/r", "arn:aws:sts::1:role/r"])
async def test_what_is_no_roles_arn_is_invalid(arn: str) -> None:
    sts = Sts()
    assert await sts.refusal(await sts.user(), RoleArn=arn) == f"{arn} is invalid"


async def test_a_session_is_as_long_as_the_role_lets_it_be() -> None:
    sts = Sts()
    await keep(sts.resources, role(trusting({"AWS": USER_ARN}), max_session_seconds=7200))
    ann = await sts.user()
    assert "exceeds the MaxSessionDuration" in await sts.refusal(ann, DurationSeconds=7201)
    assert await sts.assume(ann, has_session=True, DurationSeconds=3601)  # keys of GetSessionToken chain nothing
    credentials = (await sts.assume(ann, DurationSeconds=7200))["Credentials"]
    assert credentials["Expiration"] == int(sts.clock.now()) + 7200
    await sts.principal(credentials)
    await sts.clock.advance(7200)
    with pytest.raises(ExpiredTokenException):
        await sts.principal(credentials)


async def test_a_session_is_bounded_by_its_own_policies() -> None:
    sts = Sts()
    await keep(sts.resources, role(trusting({"AWS": USER_ARN}), allowing("*")))
    ann = await sts.user()
    unbounded = (await sts.principal((await sts.assume(ann))["Credentials"])).actor
    assert unbounded.session is None
    read_only = [{"arn": "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"}, {"arn": "arn:aws:iam::aws:policy/Gone"}]
    answer = await sts.assume(ann, Policy=allowing("lambda:Get*"), PolicyArns=read_only)
    bounded = (await sts.principal(answer["Credentials"])).actor
    assert bounded.session is not None
    assert len(bounded.session) == 2
    gone = await sts.assume(ann, PolicyArns=read_only[1:])
    assert (await sts.principal(gone["Credentials"])).actor.session == ()
    with pytest.raises(ApiError, match="Syntax errors in policy"):
        await sts.assume(ann, Policy="{}")


async def test_the_session_of_a_role_that_is_gone_or_another_one_is_of_no_use() -> None:
    sts = Sts()
    first = role(trusting({"AWS": USER_ARN}))
    await keep(sts.resources, first)
    credentials = (await sts.assume(await sts.user()))["Credentials"]
    await keep(sts.resources, dataclasses.replace(first, unique_id="another"))
    with pytest.raises(UnrecognizedClientException):
        await sts.principal(credentials)
    await keep(sts.resources, first)
    await sts.principal(credentials)
    place = identity_place(ACCOUNT, IdentityKind.ROLE, "r")
    await sts.resources.change(lambda stored: stored.delete(IDENTITIES, place))
    with pytest.raises(UnrecognizedClientException):
        await sts.principal(credentials)


async def test_users_and_roots_get_temporary_keys_of_their_own() -> None:
    sts = Sts()
    ann, of_root = await sts.user(allowing("lambda:*")), sts.keys.directory.root(ACCOUNT)
    for actor, seconds in ((ann, 43_200), (of_root, 3600)):
        credentials = (await sts.api.get_session_token(sts.context(actor), {}))["Credentials"]
        assert credentials["Expiration"] == int(sts.clock.now()) + seconds
        principal = await sts.principal(credentials)
        assert (principal.arn, principal.actor.identity) == (actor.caller.arn, actor.identity)
    with pytest.raises(AccessDeniedException, match="session credentials"):
        await sts.api.get_session_token(sts.context(ann, has_session=True), {})


async def test_an_id_tells_the_account() -> None:
    sts = Sts()
    ann = await sts.user()
    credentials = (await sts.api.get_session_token(sts.context(ann), {}))["Credentials"]
    answer = await sts.api.get_access_key_info(sts.context(ann), {"AccessKeyId": credentials["AccessKeyId"]})
    assert answer == {"Account": ACCOUNT}
    with pytest.raises(Invalid):
        await sts.api.get_access_key_info(sts.context(ann), {"AccessKeyId": "not-a-key-of-anybody"})


async def test_a_role_is_assumed_under_its_own_arn_alone() -> None:
    """Else who is denied it would name it with another path."""
    sts = Sts()
    await keep(sts.resources, role(trusting({"AWS": ACCOUNT})))
    ann = await sts.user(allowing("sts:*"), allowing("sts:AssumeRole", resource=ROLE_ARN, effect="Deny"))
    for arn in (ROLE_ARN, f"arn:aws:iam::{ACCOUNT}:role/some/r"):
        assert "is not authorized to perform: sts:AssumeRole" in await sts.refusal(ann, RoleArn=arn)


async def test_keys_of_the_root_last_for_an_hour_at_most() -> None:
    sts = Sts()
    root = sts.keys.directory.root(ACCOUNT)
    for asked, seconds in ({}, 3600), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 129_600}, 3600):
        credentials = (await sts.api.get_session_token(sts.context(root), dict(asked)))["Credentials"]
        assert credentials["Expiration"] == int(sts.clock.now()) + seconds
