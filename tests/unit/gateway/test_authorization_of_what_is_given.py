"""What an operation brings, gives or changes is asked for as well, however it is spelt."""

import dataclasses
import json
from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.domain.arn import FunctionKey
from lampion.domain.event_source_mapping import EventSourceMapping, Transition
from lampion.domain.iam.identity import IdentityKind
from lampion.gateway.authentication import Principal
from lampion.http.message import RequestHead
from lampion.store.event_source_mappings import EVENT_SOURCE_MAPPINGS
from tests.identities import ACCOUNT, allowing, identity, keep
from tests.unit.environments.pool_stage import function as sample
from tests.unit.gateway.lambda_api import OTHER_ACCOUNT, REGION, Api, F


async def test_a_role_is_passed_for_one_function_alone_where_a_policy_says_so() -> None:
    api, role = Api(), f"arn:aws:iam::{ACCOUNT}:role/r"
    for_f: dict[str, Any] = {"Condition": {"ArnLike": {"iam:AssociatedResourceArn": F}}}
    _, principal = await api.user(allowing("lambda:*"), allowing("iam:PassRole", resource=role, **for_f))
    assert await api.may(principal, "CreateFunction", Role=role)
    assert not await api.may(principal, "CreateFunction", FunctionName="g", Role=role)


@pytest.mark.parametrize("role", ["arn::iam::{}:role/r", "arn:aws:iam::{}:roler", "arn:aws:iam::{}:role/r/"])
async def test_no_spelling_of_a_role_goes_without_being_passed(role: str) -> None:
    api = Api()
    _, principal = await api.user(allowing("lambda:*"))
    assert not await api.may(principal, "CreateFunction", Role=role.format(ACCOUNT))
    assert "is not authorized to perform: iam:PassRole" in api.refusal
    _, principal = await api.user(allowing("lambda:*", "iam:PassRole"))
    assert await api.may(principal, "CreateFunction", Role=role.format(ACCOUNT))


@pytest.mark.parametrize("key", ["iam:ResourceTag/Power", "aws:ResourceTag/power"])
async def test_the_tags_of_a_role_decide_whether_it_is_passed(key: str) -> None:
    api = Api()
    strong: dict[str, Any] = {"Condition": {"StringEquals": {key: "much"}}}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = identity(IdentityKind.ROLE, "r", trust=json.dumps({"Statement": trust}), tags={"Power": "much"})
    await keep(api.resources, role)
    _, principal = await api.user(allowing("lambda:*", "iam:*"), allowing("iam:PassRole", effect="Deny", **strong))
    assert not await api.may(principal, "CreateFunction", Role=role.arn)
    await keep(api.resources, dataclasses.replace(role, tags={"Power": "little"}))
    assert await api.may(principal, "CreateFunction", Role=role.arn)


async def test_a_role_of_another_path_isnt_the_one_that_has_the_name() -> None:
    api = Api()
    tagged: dict[str, Any] = {"Condition": {"StringEquals": {"iam:ResourceTag/Power": "little"}}}
    role = identity(IdentityKind.ROLE, "r", path="/weak/", trust='{"Statement": []}', tags={"Power": "little"})
    await keep(api.resources, role)
    elsewhere = f"arn:aws:iam::{ACCOUNT}:role/strong/r"
    _, principal = await api.user(allowing("lambda:*"), allowing("iam:PassRole", **tagged))
    assert not await api.may(principal, "CreateFunction", Role=elsewhere)
    _, principal = await api.user(allowing("lambda:*", "iam:PassRole"))
    assert await api.may(principal, "CreateFunction", Role=elsewhere)  # nobody asks r whom it trusts


async def test_what_is_longer_than_any_roles_arn_isnt_compared_with_roles() -> None:
    api = Api()
    long = f"arn:aws:iam::{OTHER_ACCOUNT}:role/{'a/' * 5000}r"
    _, principal = await api.user(allowing("lambda:*"))
    assert not await api.may(principal, "CreateFunction", Role=long)
    assert "is not authorized to perform: iam:PassRole" in api.refusal
    _, principal = await api.user(allowing("lambda:*", "iam:PassRole"))
    assert await api.may(principal, "CreateFunction", Role=long)


async def test_a_capacity_providers_role_is_passed_as_well() -> None:
    api, members = Api(), {"CapacityProviderName": "c"}
    operator = {"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}
    _, principal = await api.user(allowing("lambda:*"))

    async def may(principal: Principal) -> bool:
        head = RequestHead("POST", "/", "", {}, 0)
        asked = {**members, "PermissionsConfig": operator}
        try:
            await api.authorization.check(principal, "CreateCapacityProvider", asked, head)
        except AccessDeniedException as error:
            return "iam:PassRole" not in error.message
        return True

    assert not await may(principal)
    _, principal = await api.user(allowing("lambda:*", "iam:PassRole"))
    assert await may(principal)


async def test_what_is_made_with_tags_and_layers_must_be_allowed_to_be_tagged_and_to_use_them() -> None:
    api, layer = Api(), f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l:1"
    _, principal = await api.user(allowing("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"))
    assert await api.may(principal, "CreateFunction")
    assert not await api.may(principal, "CreateFunction", Tags={"team": "x"})
    assert f"lambda:TagResource on resource: {F} because" in api.refusal
    for operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        assert not await api.may(principal, operation, Layers=[layer])
        assert f"lambda:GetLayerVersion on resource: {layer} because" in api.refusal
    only_x: dict[str, Any] = {"Condition": {"StringEquals": {"aws:RequestTag/team": "x"}}}
    _, principal = await api.user(
        allowing("lambda:CreateFunction"),
        allowing("lambda:TagResource", resource=F, **only_x),
        allowing("lambda:GetLayerVersion", resource=layer),
    )
    assert await api.may(principal, "CreateFunction", Tags={"team": "x"}, Layers=[layer])
    assert not await api.may(principal, "CreateFunction", Tags={"team": "y"})
    assert not await api.may(principal, "CreateFunction", Layers=[f"{layer}1"])


async def test_a_functions_policy_says_nothing_of_the_layers_it_is_given() -> None:
    api, layer = Api(), f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l:1"
    user, principal = await api.user()
    await api.permit({"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "lambda:*", "Resource": "*"})
    assert await api.may(principal, "UpdateFunctionConfiguration")
    assert not await api.may(principal, "UpdateFunctionConfiguration", Layers=[layer])


async def test_a_qualifier_in_the_name_is_no_way_around_what_is_denied_for_the_function() -> None:
    api = Api()
    _, principal = await api.user(allowing("lambda:*"), allowing("lambda:*", resource=F, effect="Deny"))
    for name in ("f", "f:$LATEST", "f:live", F.replace("arn:aws:", "arn:aws-cn:"), f"{ACCOUNT}:function:f:1"):
        assert not await api.may(principal, "UpdateFunctionCode", FunctionName=name)
    _, principal = await api.user(allowing("lambda:*", resource=f"{F}:*"))
    assert not await api.may(principal, "CreateFunction", FunctionName="f:live")
    assert await api.may(principal, FunctionName="f:live")


async def test_tags_of_a_function_decide_and_every_change_of_them_counts_from_the_next_call_on() -> None:
    api = Api()
    blue: dict[str, Any] = {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "blue"}}}
    _, principal = await api.user(allowing("lambda:*", **blue))
    assert not await api.may(principal)
    function = dataclasses.replace(sample(), key=FunctionKey(ACCOUNT, REGION, "f"), tags={"team": "blue"})
    await api.resources.change(lambda stored: stored.insert_function(function))
    for _ in range(2):
        assert await api.may(principal)
        assert await api.may(principal, Qualifier="live")
    changed = dataclasses.replace(function, tags={"team": "red"}, revision_id="other")
    await api.resources.change(
        lambda stored: stored.replace_function(changed, expected_revision_id=function.revision_id)
    )
    assert not await api.may(principal)


async def test_the_tags_of_anothers_function_show_in_no_refusal() -> None:
    api, told = Api(), set()
    theirs = FunctionKey(OTHER_ACCOUNT, REGION, "f")
    await api.resources.change(
        lambda stored: stored.insert_function(dataclasses.replace(sample(), key=theirs, tags={"team": "blue"}))
    )
    for team in ("blue", "red"):
        guessed: dict[str, Any] = {"Condition": {"StringEquals": {"aws:ResourceTag/team": team}}}
        _, principal = await api.user(allowing("lambda:*"), allowing("lambda:*", effect="Deny", **guessed))
        assert not await api.may(principal, "GetFunction", FunctionName=theirs.arn)
        told.add(api.refusal)
    assert len(told) == 1


async def test_another_spelling_of_a_tags_key_changes_nothing() -> None:
    """Keys of a function's tags differ by case, condition keys don't: who may add tags would say what his team is."""
    api = Api()
    blue: dict[str, Any] = {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "blue"}}}
    _, principal = await api.user(allowing("lambda:*", **blue))
    function = dataclasses.replace(
        sample(), key=FunctionKey(ACCOUNT, REGION, "f"), tags={"Team": "red", "team": "blue", "TEAM": "blue"}
    )
    await api.resources.change(lambda stored: stored.insert_function(function))
    assert not await api.may(principal)


async def test_a_mapping_is_changed_only_by_who_may_for_its_function_and_for_the_new_one() -> None:
    api = Api()
    mapping = EventSourceMapping(
        account_id=ACCOUNT,
        region=REGION,
        uuid="u",
        spec_name="sqs",
        source="queue",
        function=FunctionKey(ACCOUNT, REGION, "f"),
        qualifier=None,
        settings={},
        is_enabled=True,
        transition=Transition.CREATING,
        changed_at_ms=1,
    )
    await api.resources.change(lambda stored: stored.put(EVENT_SOURCE_MAPPINGS, mapping))

    async def may(principal: Principal, operation: str, **members: str) -> bool:
        try:
            head = RequestHead("POST", "/", "", {}, 0)
            await api.authorization.check(principal, operation, {"UUID": mapping.uuid, **members}, head)
        except AccessDeniedException:
            return False
        return True

    for own, is_allowed in (("f", True), ("g", False)):
        of_own: dict[str, Any] = {"Condition": {"ArnEquals": {"lambda:FunctionArn": f"{F[:-1]}{own}"}}}
        _, principal = await api.user(allowing("lambda:*EventSourceMapping", **of_own))
        for operation in ("GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"):
            assert await may(principal, operation) is is_allowed
        for name in ("f", "g"):
            is_both = is_allowed and name == own
            assert await may(principal, "UpdateEventSourceMapping", FunctionName=name) is is_both
    of_both: dict[str, Any] = {"Condition": {"ArnEquals": {"lambda:FunctionArn": [F, f"{F[:-1]}g"]}}}
    _, principal = await api.user(allowing("lambda:*EventSourceMapping", **of_both))
    assert await may(principal, "UpdateEventSourceMapping", FunctionName="g")


async def test_long_queries_that_mean_nothing_arent_remembered() -> None:
    api = Api()
    _, principal = await api.user(allowing("lambda:*"))
    for query in ("a" * 100, "a" * 10_000):
        head = RequestHead("POST", "/f", query, {}, 0)
        await api.authorization.check(principal, "Invoke", {"FunctionName": "f"}, head)
    kept: dict[tuple[str, ...], str] = vars(api.authorization)["_allowed"]
    assert [len(key[3]) for key in kept] == [100]
