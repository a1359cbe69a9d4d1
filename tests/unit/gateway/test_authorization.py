"""What a caller may do with Lambda's API: as his own policies and those of what he asks for have it at that moment."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.iam.identity import IdentityKind
from lampion.gateway.authentication import Principal
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor, service_actor
from lampion.identity.session_keys import SessionKeys
from lampion.store.iam import MANAGED_POLICIES
from tests.identities import ACCOUNT, allowing, identity, keep, managed
from tests.unit.gateway.lambda_api import OTHER_ACCOUNT, Api, F, root


async def test_the_root_may_all_of_its_own_and_nothing_of_others() -> None:
    api = Api()
    assert await api.may(root(api, ACCOUNT))
    assert await api.may(root(api, ACCOUNT), "DeleteFunction")
    assert not await api.may(root(api, OTHER_ACCOUNT), FunctionName=F)
    assert api.refusal.endswith("because no resource-based policy allows the lambda:InvokeFunction action")


async def test_another_account_may_what_the_functions_policy_lets_it() -> None:
    api = Api()
    statement = {"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}, "Action": "lambda:InvokeFunction"}
    await api.permit({**statement, "Resource": F})
    assert await api.may(root(api, OTHER_ACCOUNT), FunctionName=F)
    assert not await api.may(root(api, OTHER_ACCOUNT), "GetFunction", FunctionName=F)
    assert not await api.may(root(api, OTHER_ACCOUNT), FunctionName=F, Qualifier="live")
    await api.permit({**statement, "Resource": f"{F}:live"}, qualifier="live")
    assert await api.may(root(api, OTHER_ACCOUNT), FunctionName=F, Qualifier="live")


async def test_a_user_may_what_policies_in_and_on_it_and_on_its_groups_allow() -> None:
    api = Api()
    user, principal = await api.user(allowing("lambda:InvokeFunction", resource=F))
    assert await api.may(principal)
    assert not await api.may(principal, FunctionName="g")
    assert api.refusal == (
        f"User: {user.arn} is not authorized to perform: lambda:InvokeFunction on resource: {F[:-1]}g "
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )
    await keep(api.resources, identity(IdentityKind.GROUP, "staff", allowing("lambda:Get*")))
    _, principal = await api.user(groups=("staff",))
    assert await api.may(principal, "GetFunction")
    assert not await api.may(principal)
    _, principal = await api.user(attached=("arn:aws:iam::aws:policy/AWSLambda_FullAccess",))
    assert await api.may(principal, "DeleteFunction")


async def test_every_change_of_a_policy_counts_from_the_next_call_on() -> None:
    api = Api()
    user, principal = await api.user(allowing("lambda:*"))
    for _ in range(2):  # the second answer is remembered
        assert await api.may(principal)
    await keep(api.resources, dataclasses.replace(user, inline={"p": allowing("lambda:*", effect="Deny")}))
    assert not await api.may(await api.as_user(user))
    await keep(api.resources, user)
    assert await api.may(await api.as_user(user))
    await api.permit({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": F})
    assert not await api.may(await api.as_user(user))
    assert "with an explicit deny in a resource-based policy" in api.refusal
    assert not await api.may(root(api, ACCOUNT))


async def test_the_functions_policy_speaks_for_latest_as_far_as_its_resources_do() -> None:
    api, anybody = Api(), {"Principal": "*", "Action": "*"}
    _, principal = await api.user(allowing("lambda:*"))
    await api.permit({"Effect": "Deny", "Resource": f"{F}*", **anybody})
    assert not await api.may(principal, Qualifier="$LATEST")
    assert "with an explicit deny in a resource-based policy" in api.refusal
    await api.permit({"Effect": "Allow", "Resource": f"{F}:*", **anybody})
    assert await api.may(root(api, OTHER_ACCOUNT), FunctionName=F, Qualifier="$LATEST")
    assert not await api.may(root(api, OTHER_ACCOUNT), FunctionName=F, Qualifier="1")  # a version has its own
    await api.permit({"Effect": "Allow", "Resource": F, **anybody})
    assert not await api.may(root(api, OTHER_ACCOUNT), FunctionName=F, Qualifier="$LATEST")


async def test_what_was_looked_up_before_a_change_isnt_remembered_after_it() -> None:
    """A request with a large body is still being verified while a policy changes."""
    api = Api()
    user, principal = await api.user(allowing("lambda:*"))
    await keep(api.resources, dataclasses.replace(user, inline={}))
    assert await api.may(principal)  # it came before
    assert not await api.may(await api.as_user(user))
    role = identity(IdentityKind.ROLE, "r", allowing("lambda:*"))
    await keep(api.resources, role)
    key = SessionKeys(SystemRng(), SystemClock()).issue(account_id=ACCOUNT, role=role.arn, session_name="f")
    early = Principal(ACCOUNT, key.access_key_id, await api.directory.session(key))
    await keep(api.resources, dataclasses.replace(role, inline={}))
    assert await api.may(early)
    assert not await api.may(Principal(ACCOUNT, key.access_key_id, await api.directory.session(key)))


async def test_what_depends_on_the_request_is_asked_each_time() -> None:
    api = Api()
    here: dict[str, Any] = {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    _, principal = await api.user(allowing("lambda:InvokeFunction", **here))

    async def may_from(client: str) -> bool:
        head = RequestHead("POST", "/f", "", {}, 0)
        head.client = client
        try:
            await api.authorization.check(principal, "Invoke", {"FunctionName": "f"}, head)
        except AccessDeniedException:
            return False
        return True

    assert [await may_from(one) for one in ("192.0.2.1", "198.51.100.1", "192.0.2.2")] == [True, False, True]


def _iso(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat()


async def test_what_depends_on_a_header_or_on_the_time_is_asked_each_time() -> None:
    api = Api()
    by_mine: dict[str, Any] = {"Condition": {"StringEquals": {"aws:UserAgent": "mine"}}}
    _, principal = await api.user(allowing("lambda:InvokeFunction", **by_mine))

    async def may_with(user_agent: str) -> bool:
        head = RequestHead("POST", "/f", "", {"user-agent": user_agent}, 0)
        try:
            await api.authorization.check(principal, "Invoke", {"FunctionName": "f"}, head)
        except AccessDeniedException:
            return False
        return True

    assert [await may_with(one) for one in ("mine", "yours", "mine")] == [True, False, True]
    soon: dict[str, Any] = {"Condition": {"DateLessThan": {"aws:CurrentTime": _iso(api.clock.now() + 60)}}}
    _, principal = await api.user(allowing("lambda:InvokeFunction", **soon))
    assert await api.may(principal)
    await api.clock.advance(61)
    assert not await api.may(principal)


async def test_a_service_is_believed_for_what_it_asks_and_nobody_else() -> None:
    """With the same key, for the same function: an answer that depends on the source isn't remembered."""
    api = Api()
    permission = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": F, "Principal": "*"}
    await api.permit({**permission, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::mine"}}})

    async def may(actor: Actor, source: str, account_id: str = ACCOUNT) -> bool:
        head = RequestHead("POST", "/f", "", {"x-amz-source-arn": source}, 0)
        principal = Principal(account_id, "one key", actor)
        try:
            await api.authorization.check(principal, "Invoke", {"FunctionName": F}, head)
        except AccessDeniedException:
            return False
        return True

    s3 = service_actor("s3.amazonaws.com")
    sources = ("arn:aws:s3:::mine", "arn:aws:s3:::other", "arn:aws:s3:::mine")
    assert [await may(s3, one) for one in sources] == [True, False, True]
    assert not await may(s3, "arn:aws:s3:::mine", OTHER_ACCOUNT)  # its key is of another account
    assert not await may(api.directory.root(OTHER_ACCOUNT), "arn:aws:s3:::mine", OTHER_ACCOUNT)


async def test_a_boundary_that_is_gone_allows_nothing() -> None:
    api = Api()
    _, principal = await api.user(allowing("lambda:*"), boundary=f"arn:aws:iam::{ACCOUNT}:policy/gone")
    assert not await api.may(principal)
    assert api.refusal.endswith("because no permissions boundary allows the lambda:InvokeFunction action")


async def test_who_gives_a_function_a_role_must_be_allowed_to_pass_it() -> None:
    api, role = Api(), f"arn:aws:iam::{ACCOUNT}:role/r"
    _, principal = await api.user(allowing("lambda:*"))
    assert not await api.may(principal, "CreateFunction", Role=role)
    assert f"is not authorized to perform: iam:PassRole on resource: {role} because" in api.refusal
    to_lambda: dict[str, Any] = {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}
    _, principal = await api.user(allowing("lambda:*"), allowing("iam:PassRole", resource=role, **to_lambda))
    assert await api.may(principal, "CreateFunction", Role=role)
    assert not await api.may(principal, "UpdateFunctionConfiguration", Role=f"{role}2")


async def test_a_functions_session_may_what_its_role_may_and_nothing_without_one() -> None:
    api, arn = Api(), f"arn:aws:sts::{ACCOUNT}:assumed-role/r/f"

    async def session(to: Api = api, account_id: str = ACCOUNT) -> Principal:
        role_arn = f"arn:aws:iam::{ACCOUNT}:role/r"
        key = SessionKeys(SystemRng(), SystemClock()).issue(account_id=account_id, role=role_arn, session_name="f")
        return Principal(account_id, key.access_key_id, await to.directory.session(key))

    assert not await api.may(await session())
    assert api.refusal.startswith(f"User: {arn} is not authorized to perform: lambda:InvokeFunction on resource: {F}")
    await keep(api.resources, identity(IdentityKind.ROLE, "r", allowing("lambda:InvokeFunction")))
    assert await api.may(await session())
    assert not await api.may(await session(), "DeleteFunction")
    assert (await session()).user_id == "ID-OF-role-r:f"
    assert not await api.may(await session(account_id=OTHER_ACCOUNT))  # the role of another account gives nothing
    trusting = Api(functions_may_all=True)
    assert await trusting.may(await session(trusting), "DeleteFunction")


async def test_the_own_managed_policies_of_an_account_hold_in_their_default_version() -> None:
    api = Api()
    made = managed("p", allowing("lambda:GetFunction"), allowing("lambda:InvokeFunction"))
    await api.resources.change(lambda stored: stored.put(MANAGED_POLICIES, made))
    user, principal = await api.user(attached=(made.arn,))
    assert await api.may(principal, "GetFunction")
    assert not await api.may(principal)
    changed = dataclasses.replace(made, default_version_id="v2")
    await api.resources.change(lambda stored: stored.put(MANAGED_POLICIES, changed))
    assert await api.may(await api.as_user(user))


@pytest.mark.parametrize(
    ("trust", "is_taken"),
    [
        ({"Service": "lambda.amazonaws.com"}, True),
        ({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}, True),
        ({"Service": "ec2.amazonaws.com"}, False),
        ({"AWS": ACCOUNT}, False),
    ],
)
async def test_a_functions_role_lets_lambda_assume_it(trust: dict[str, Any], is_taken: bool) -> None:
    api, statement = Api(), {"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}
    role = identity(IdentityKind.ROLE, "r", trust=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    await keep(api.resources, role)
    if is_taken:
        assert await api.may(root(api, ACCOUNT), "CreateFunction", Role=role.arn)
    else:
        with pytest.raises(InvalidParameterValueException, match="cannot be assumed by Lambda"):
            await api.may(root(api, ACCOUNT), "CreateFunction", Role=role.arn)


async def test_a_function_cant_have_the_role_of_another_account() -> None:
    api = Api()
    assert await api.may(root(api, ACCOUNT), "CreateFunction", Role=f"arn:aws:iam::{ACCOUNT}:role/any")
    assert not await api.may(root(api, ACCOUNT), "CreateFunction", Role=f"arn:aws:iam::{OTHER_ACCOUNT}:role/any")
    assert api.refusal == "Cross-account pass role is not allowed."
