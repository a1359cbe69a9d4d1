"""What sessions are begun with, and hand on to the sessions that are begun with them: tags, a source identity."""

import json
from random import Random
from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException, ValidationException
from lampion.domain.errors import ApiError, InvalidParameterValueException
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.actors import Actor
from lampion.services.sts.errors import PackedPolicyTooLargeException
from lampion.store.iam import IDENTITIES, identity_place
from tests.identities import ACCOUNT, allowing, identity, keep
from tests.unit.services.test_sts_sessions import USER_ARN, Sts

FIRST, SECOND = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("first", "second"))
ALL = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def trust(*actions: str, **condition: Any) -> str:
    """Everybody's, for these actions."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": list(actions), "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def tags(**those: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in those.items()]


class Chain:
    """Two roles and a user, who may begin with either."""

    def __init__(self) -> None:
        self.sts = Sts()

    async def made(self, first: str, second: str = trust(*ALL), **of_first: Any) -> Actor:
        for name, document in (("first", first), ("second", second)):
            more = of_first if name == "first" else {}
            await keep(self.sts.resources, identity(IdentityKind.ROLE, name, trust=document, **more))
        return await self.sts.user()

    async def begun(self, actor: Actor, **members: Any) -> tuple[Any, Actor]:
        answer = await self.sts.assume(actor, **{"RoleArn": FIRST, **members})
        return answer, (await self.sts.principal(answer["Credentials"])).actor

    async def refused(self, kind: type[ApiError], actor: Actor, **members: Any) -> str:
        with pytest.raises(kind) as caught:
            await self.sts.assume(actor, **{"RoleArn": FIRST, **members})
        return caught.value.message.partition(" because no identity-based policy")[0]


def denied(caller: str, action: str, role: str = FIRST) -> str:
    return f"User: {caller} is not authorized to perform: {action} on resource: {role}"


async def test_tags_need_tag_session_and_are_the_sessions() -> None:
    chain = Chain()
    ann = await chain.made(trust("sts:AssumeRole"), tags={"Team": "red", "kept": "k"})
    assert await chain.refused(AccessDeniedException, ann, Tags=tags(team="blue")) == denied(USER_ARN, "sts:TagSession")
    ann = await chain.made(trust("sts:AssumeRole", "sts:TagSession"), tags={"Team": "red", "kept": "k"})
    answer, session = await chain.begun(ann, Tags=tags(team="blue"))
    assert (session.known["aws:principaltag/team"], session.known["aws:principaltag/kept"]) == (("blue",), ("k",))
    assert session.handed_on == {}
    assert 1 <= answer["PackedPolicySize"] <= 100
    assert (await chain.begun(ann))[0]["PackedPolicySize"] is None


async def test_the_trust_policy_decides_about_tags() -> None:
    wanted = {
        "StringEquals": {"aws:RequestTag/team": "blue"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"], "sts:TransitiveTagKeys": ["team"]},
    }
    chain = Chain()
    ann = await chain.made(trust(*ALL, **wanted))
    assert await chain.begun(ann, Tags=tags(team="blue", stage="x"), TransitiveTagKeys=["team"])
    for refused in (
        {},
        {"Tags": tags(team="red")},
        {"Tags": tags(team="blue", other="x")},
        {"Tags": tags(team="blue", stage="x"), "TransitiveTagKeys": ["stage"]},
    ):
        assert await chain.refused(AccessDeniedException, ann, **refused) == denied(USER_ARN, "sts:AssumeRole")


async def test_a_caller_of_the_account_needs_to_be_allowed_tagging_himself() -> None:
    chain = Chain()
    await chain.made(trust(*ALL).replace('"*"', f'"arn:aws:iam::{ACCOUNT}:root"'))
    ann = await chain.sts.user(allowing("sts:AssumeRole"))
    told = await chain.refused(AccessDeniedException, ann, Tags=tags(a="b"))
    assert told == denied(USER_ARN, "sts:TagSession")
    assert await chain.begun(await chain.sts.user(allowing("sts:AssumeRole", "sts:TagSession")), Tags=tags(a="b"))


async def test_transitive_tags_go_on_and_cannot_be_changed() -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL))
    _, first = await chain.begun(ann, Tags=tags(Team="blue", stage="x"), TransitiveTagKeys=["team"])
    assert first.handed_on == {"Team": "blue"}
    _, second = await chain.begun(first, RoleArn=SECOND, Tags=tags(own="y"))
    assert second.handed_on == {"Team": "blue"}
    names = [key for key in second.known if key.startswith("aws:principaltag/")]
    assert sorted(names) == ["aws:principaltag/own", "aws:principaltag/team"]
    told = await chain.refused(InvalidParameterValueException, first, RoleArn=SECOND, Tags=tags(TEAM="red"))
    assert "conflicts with a transitive tag key from the calling session" in told
    _, third = await chain.begun(second)
    assert third.known["aws:principaltag/team"] == ("blue",)
    assert "aws:principaltag/own" not in third.known
    await chain.made(trust(*ALL), trust("sts:AssumeRole"))
    told = await chain.refused(AccessDeniedException, first, RoleArn=SECOND)
    assert told == denied(first.caller.arn, "sts:TagSession", SECOND)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Tags": [*tags(a="1"), *tags(A="2")]}, "Duplicate tag keys found"),
        ({"Tags": tags(**{"aws:a": "1"})}, "reserved prefix aws:"),
        ({"Tags": tags(**{"AWS:a": "1"})}, "reserved prefix aws:"),
        ({"Tags": tags(a="1"), "TransitiveTagKeys": ["b"]}, "must be included in the requested tags"),
        ({"TransitiveTagKeys": ["b"]}, "must be included in the requested tags"),
    ],
)
async def test_tags_that_cannot_be(members: dict[str, Any], words: str) -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL))
    assert words in await chain.refused(InvalidParameterValueException, ann, **members)


async def test_a_chain_gathers_fifty_tags_at_most() -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL))
    forty = {f"k{number}": "v" for number in range(40)}
    _, first = await chain.begun(ann, Tags=tags(**forty), TransitiveTagKeys=list(forty))
    assert await chain.begun(first, RoleArn=SECOND, Tags=tags(**{f"m{number}": "v" for number in range(10)}))
    more = tags(**{f"m{number}": "v" for number in range(11)})
    assert "at most 50" in await chain.refused(InvalidParameterValueException, first, RoleArn=SECOND, Tags=more)


async def test_what_does_not_fit_into_a_token_is_refused() -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL))
    alike = tags(**{f"key-{number}": "x" * 256 for number in range(50)})
    assert 1 <= (await chain.begun(ann, Tags=alike))[0]["PackedPolicySize"] <= 50
    draw = Random(1)
    random = tags(**{draw.randbytes(60).hex(): draw.randbytes(120).hex() for _ in range(50)})
    told = await chain.refused(PackedPolicyTooLargeException, ann, Tags=random)
    assert told.startswith("Packed size of session tags consumes ")
    told = await chain.refused(PackedPolicyTooLargeException, ann, Tags=random, Policy=allowing("*"))
    assert told.startswith("Packed policy consumes ")


async def test_session_policies_are_no_longer_than_on_aws() -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL))
    fits = allowing("s3:Get").ljust(2048)
    assert await chain.begun(ann, Policy=fits)
    assert "consumes 101%" in await chain.refused(PackedPolicyTooLargeException, ann, Policy=f"{fits} ")
    arns = [{"arn": f"arn:aws:iam::aws:policy/p{number}"} for number in range(11)]
    assert await chain.begun(ann, PolicyArns=arns[:10])
    told = await chain.refused(ValidationException, ann, PolicyArns=arns)
    assert told.endswith(
        "at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10"
    )


@pytest.mark.parametrize("given", [{"SerialNumber": "arn:aws:iam::1:mfa/x"}, {"TokenCode": "123456"}])
async def test_who_names_a_device_of_mfa_is_refused(given: dict[str, Any]) -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL))
    assert "MultiFactorAuthentication failed" in await chain.refused(AccessDeniedException, ann, **given)
    with pytest.raises(AccessDeniedException, match="MultiFactorAuthentication failed"):
        await chain.sts.api.get_session_token(chain.sts.context(ann), dict(given))


async def test_a_source_identity_needs_its_own_permission_and_stays() -> None:
    chain = Chain()
    ann = await chain.made(trust("sts:AssumeRole"))
    told = await chain.refused(AccessDeniedException, ann, SourceIdentity="ann")
    assert told == denied(USER_ARN, "sts:SetSourceIdentity")
    ann = await chain.made(trust(*ALL, StringLike={"sts:SourceIdentity": "a*"}))
    assert "sts:AssumeRole" in await chain.refused(AccessDeniedException, ann, SourceIdentity="bob")
    answer, first = await chain.begun(ann, SourceIdentity="ann")
    assert (answer["SourceIdentity"], first.known["aws:sourceidentity"]) == ("ann", ("ann",))
    answer, second = await chain.begun(first, RoleArn=SECOND)
    assert (answer["SourceIdentity"], second.known["aws:sourceidentity"]) == ("ann", ("ann",))
    told = await chain.refused(AccessDeniedException, first, RoleArn=SECOND, SourceIdentity="other")
    assert told == denied(first.caller.arn, "sts:SetSourceIdentity", SECOND)
    await chain.made(trust(*ALL), trust("sts:AssumeRole"))
    told = await chain.refused(AccessDeniedException, first, RoleArn=SECOND)
    assert told == denied(first.caller.arn, "sts:SetSourceIdentity", SECOND)


async def test_the_trust_policy_sees_the_source_identity_that_a_session_has() -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL), trust(*ALL, StringEquals={"sts:SourceIdentity": "ann"}))
    _, first = await chain.begun(ann, SourceIdentity="ann")
    assert await chain.begun(first, RoleArn=SECOND)
    _, without = await chain.begun(ann)
    assert "sts:AssumeRole" in await chain.refused(AccessDeniedException, without, RoleArn=SECOND)


async def test_a_chain_lasts_an_hour_at_most() -> None:
    chain = Chain()
    ann = await chain.made(trust(*ALL), max_session_seconds=43_200)
    _, first = await chain.begun(ann, DurationSeconds=43_200)
    told = await chain.refused(ValidationException, first, DurationSeconds=3601)
    assert "1 hour session limit for roles assumed by role chaining" in told
    assert await chain.begun(first, DurationSeconds=3600)


async def test_a_role_that_is_gone_looks_as_one_that_trusts_nobody_with_each_of_the_actions() -> None:
    chain = Chain()
    await chain.made(trust(*ALL))
    ann = await chain.sts.user(allowing("sts:*"))
    place = identity_place(ACCOUNT, IdentityKind.ROLE, "first")
    await chain.sts.resources.change(lambda stored: stored.delete(IDENTITIES, place))
    told = await chain.refused(AccessDeniedException, ann, Tags=tags(a="b"), SourceIdentity="x")
    assert told == denied(USER_ARN, "sts:AssumeRole")
