"""A yes that is remembered is forgotten with whatever it depends on, and only so many are remembered."""

import dataclasses
from typing import Any

import pytest

from lampion.http.message import RequestHead
from lampion.store.iam import MANAGED_POLICIES
from lampion.store.policies import POLICIES
from tests.identities import allowing, managed
from tests.unit.gateway.lambda_api import Api, F


async def test_another_version_of_a_managed_policy_counts_from_the_next_call_on() -> None:
    api = Api()
    policy = managed("p", allowing("lambda:InvokeFunction"), allowing("lambda:GetFunction"))
    await api.resources.change(lambda stored: stored.put(MANAGED_POLICIES, policy))
    user, principal = await api.user(attached=(policy.arn,))
    assert await api.may(principal)
    changed = dataclasses.replace(policy, default_version_id="v2")
    await api.resources.change(lambda stored: stored.put(MANAGED_POLICIES, changed))
    assert not await api.may(await api.as_user(user))


async def test_a_yes_isnt_remembered_when_the_functions_policy_changes_while_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Api()
    _, principal = await api.user(allowing("lambda:*"))
    find = api.resources.get

    async def find_slowly(kind: Any, *place: Any, **more: Any) -> Any:
        found = await find(kind, *place, **more)
        if kind is POLICIES:
            monkeypatch.setattr(api.resources, "get", find)
            await api.permit({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": F})
        return found

    monkeypatch.setattr(api.resources, "get", find_slowly)
    assert await api.may(principal)  # by the policy that was found before
    assert not await api.may(principal)


async def test_no_more_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lampion.gateway.authorization._CAPACITY", 2)
    api = Api()
    _, principal = await api.user(allowing("lambda:*"))
    for number in range(5):
        assert await api.may(principal, FunctionName=f"f{number}")
    assert 0 < len(vars(api.authorization)["_allowed"]) <= 2


async def test_a_long_query_that_means_nothing_isnt_remembered() -> None:
    api = Api()
    _, principal = await api.user(allowing("lambda:*"))
    head = RequestHead("POST", "/f", "x" * 1024, {}, 0)
    await api.authorization.check(principal, "Invoke", {"FunctionName": "f"}, head)
    assert not vars(api.authorization)["_allowed"]
