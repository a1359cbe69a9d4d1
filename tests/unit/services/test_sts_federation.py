"""Federated users: who they are, what they may, and for how long."""

from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException, ExpiredTokenException, UnrecognizedClientException
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.iam.errors import MalformedPolicyDocumentException
from lampion.domain.iam.identity import IdentityKind
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.callers import CallerKind
from lampion.identity.evaluation import Request, evaluate
from lampion.identity.request_facts import Asking, Known
from lampion.identity.statements import Policy, read_policy
from lampion.store.iam import IDENTITIES, identity_place
from tests.identities import ACCOUNT, allowing, identity, keep
from tests.unit.services.test_sts_sessions import REGION, USER_ARN, Sts

BOB = f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"


async def federated(sts: Sts, actor: Actor, **members: Any) -> tuple[Any, Actor]:
    answer = await sts.federation.get_federation_token(sts.context(actor), {"Name": "Bob", **members})
    return answer, (await sts.principal(answer["Credentials"])).actor


def may(actor: Actor, action: str, *of_resource: Policy) -> bool:
    head = RequestHead("POST", "/", "", {}, 0)
    known = Known(Asking(head, now_epoch_seconds=1, scheme="http", region=REGION), actor.known)
    request = Request(caller=actor.caller, action=action, resource="*", known=known)
    return evaluate(request, actor.policies(of_resource, ACCOUNT)).is_allowed


def granting(principal: str) -> Policy:
    return read_policy({"Statement": {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "*"}})


async def test_he_has_a_name_of_his_own() -> None:
    sts = Sts()
    await keep(sts.resources, identity(IdentityKind.USER, "ann", tags={"team": "red", "kept": "k"}))
    ann = await sts.keys.directory.user(ACCOUNT, "ID-OF-user-ann")
    assert ann is not None
    answer, bob = await federated(sts, ann, Tags=[{"Key": "Team", "Value": "blue"}])
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:Bob", "Arn": BOB}
    assert answer["PackedPolicySize"] >= 1
    assert (bob.caller.kind, bob.caller.arn, bob.user_id) == (CallerKind.FEDERATED_USER, BOB, f"{ACCOUNT}:Bob")
    assert {key: value[0] for key, value in bob.known.items() if key != "aws:tokenissuetime"} == {
        "aws:principalaccount": ACCOUNT,
        "aws:principalarn": BOB,
        "aws:principaltype": "FederatedUser",
        "aws:userid": f"{ACCOUNT}:Bob",
        "aws:principaltag/team": "blue",
        "aws:principaltag/kept": "k",
        "aws:multifactorauthpresent": "false",
    }


async def test_he_may_what_both_the_user_and_his_policies_allow() -> None:
    sts = Sts()
    ann = await sts.user(allowing("lambda:*", "sqs:SendMessage"))
    _, bob = await federated(sts, ann, Policy=allowing("lambda:Get*", "s3:*"))
    assert [may(bob, one) for one in ("lambda:GetFunction", "lambda:Invoke", "sqs:SendMessage", "s3:Get")] == [
        *(True, False, False, False),
    ]
    arns = [{"arn": "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"}]
    _, bob = await federated(sts, ann, PolicyArns=arns)
    assert (may(bob, "lambda:GetFunction"), may(bob, "lambda:DeleteFunction")) == (True, False)


async def test_without_policies_he_may_only_what_is_granted_to_himself() -> None:
    sts = Sts()
    _, bob = await federated(sts, await sts.user(allowing("*")))
    assert bob.session == ()
    assert not may(bob, "lambda:GetFunction")
    assert may(bob, "lambda:GetFunction", granting(BOB))
    assert not may(bob, "lambda:GetFunction", granting(USER_ARN)), "bounded by his session"
    assert not may(bob, "lambda:GetFunction", granting(f"arn:aws:sts::{ACCOUNT}:federated-user/Eve"))


async def test_what_the_user_may_no_longer_he_may_no_longer() -> None:
    sts = Sts()
    answer, bob = await federated(sts, await sts.user(allowing("*")), Policy=allowing("*"))
    assert may(bob, "lambda:GetFunction")
    await sts.user(allowing("lambda:GetFunction", effect="Deny"))
    assert not may((await sts.principal(answer["Credentials"])).actor, "lambda:GetFunction")
    place = identity_place(ACCOUNT, IdentityKind.USER, "ann")
    await sts.resources.change(lambda stored: stored.delete(IDENTITIES, place))
    with pytest.raises(UnrecognizedClientException):
        await sts.principal(answer["Credentials"])


@pytest.mark.parametrize(("given", "expected"), [(None, 43_200), (900, 900), (129_600, 129_600)])
async def test_his_time(given: int | None, expected: int) -> None:
    sts = Sts()
    members = {} if given is None else {"DurationSeconds": given}
    answer, _ = await federated(sts, await sts.user(), **members)
    assert answer["Credentials"]["Expiration"] == int(sts.clock.now()) + expected
    await sts.clock.advance(expected)
    with pytest.raises(ExpiredTokenException):
        await sts.principal(answer["Credentials"])


async def test_the_root_makes_one_too_for_an_hour_at_most() -> None:
    sts = Sts()
    root = sts.keys.directory.root(ACCOUNT)
    answer, bob = await federated(sts, root, DurationSeconds=7200, Policy=allowing("lambda:Get*"))
    assert answer["Credentials"]["Expiration"] == int(sts.clock.now()) + 3600
    assert (bob.caller.arn, bob.caller.role_arn) == (BOB, None)
    assert (may(bob, "lambda:GetFunction"), may(bob, "lambda:DeleteFunction")) == (True, False)


async def test_who_has_a_session_makes_none() -> None:
    sts = Sts()
    ann = await sts.user()
    with pytest.raises(AccessDeniedException, match="Cannot call GetFederationToken with session credentials"):
        await sts.federation.get_federation_token(sts.context(ann, has_session=True), {"Name": "Bob"})


async def test_what_is_wrong_is_refused() -> None:
    sts = Sts()
    ann = await sts.user()
    with pytest.raises(MalformedPolicyDocumentException):
        await federated(sts, ann, Policy="{}")
    with pytest.raises(InvalidParameterValueException, match="Duplicate"):
        await federated(sts, ann, Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])
