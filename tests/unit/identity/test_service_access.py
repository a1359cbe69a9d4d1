"""Whether a service may invoke a function, as the function's policy has it at that moment."""

import dataclasses
import json
from typing import Any

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.policy import Permission, no_policy, statement_of
from lampion.identity.service_access import ServiceAccess, ServiceInvocation
from lampion.store.policies import POLICIES, policy_place
from tests.identities import ACCOUNT, resources_in_memory

KEY = FunctionKey(ACCOUNT, "eu-west-1", "f")
RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/daily"
BY_RULE = ServiceInvocation(service="events.amazonaws.com", function_arn=KEY.arn, source_arn=RULE)


class Functions:
    """One function, whose policy can be put."""

    def __init__(self) -> None:
        self.resources = resources_in_memory()
        self.clock = VirtualClock()
        self.access = ServiceAccess(self.resources, self.clock)

    async def permit(self, qualifier: str | None = None, condition: Any = None, **members: Any) -> None:
        policy = no_policy(KEY, qualifier)
        permission = Permission(
            statement_id="s",
            **{"action": "lambda:InvokeFunction", "principal": "events.amazonaws.com", "source_arn": RULE, **members},
        )
        statement = statement_of(permission, policy.arn)
        if condition is not None:
            statement["Condition"] = condition
        document = {"Version": "2012-10-17", "Statement": [statement]}
        put = dataclasses.replace(policy, document=document, revision_id=json.dumps(document))
        await self.resources.change(lambda stored: stored.put(POLICIES, put))

    async def may(self, asked: ServiceInvocation = BY_RULE, **changed: Any) -> bool:
        """The same the first time and when it is remembered."""
        asked = dataclasses.replace(asked, **changed)
        first = await self.access.denial(asked)
        assert await self.access.denial(asked) == first
        return first is None


async def test_without_a_word_from_the_policy_it_is_denied_as_aws_says_it() -> None:
    functions = Functions()
    assert await functions.access.denial(BY_RULE) == (
        f"User: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: {KEY.arn} "
        "because no resource-based policy allows the lambda:InvokeFunction action"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"service": "s3.amazonaws.com"},
        {"source_arn": f"{RULE}-2"},
        {"source_arn": None},
        {"source_account": "210987654321"},
        {"source_account": None},
        {"function_arn": FunctionKey(ACCOUNT, "eu-west-1", "g").arn},
        {"function_arn": FunctionKey("210987654321", "eu-west-1", "f").arn},
        {"function_arn": f"{KEY.arn}:live"},
    ],
)
async def test_the_neighbour_is_denied(changed: dict[str, Any]) -> None:
    functions = Functions()
    await functions.permit(source_account=ACCOUNT)
    asked = dataclasses.replace(BY_RULE, source_account=ACCOUNT)
    assert await functions.may(asked)
    assert not await functions.may(asked, **changed)


async def test_an_alias_has_a_policy_of_its_own() -> None:
    functions = Functions()
    await functions.permit("live")
    assert await functions.may(function_arn=f"{KEY.arn}:live")
    assert not await functions.may()


async def test_a_change_of_the_policy_counts_from_the_next_question_on() -> None:
    functions = Functions()
    assert not await functions.may()
    await functions.permit()
    assert await functions.may()
    await functions.permit(source_arn=f"{RULE}-2")
    assert not await functions.may()
    await functions.permit()
    await functions.resources.change(lambda stored: stored.delete(POLICIES, policy_place(KEY, None)))
    assert not await functions.may()


async def test_an_answer_by_a_policy_that_changed_meanwhile_isnt_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = Functions()
    await functions.permit()
    find = functions.resources.get

    async def find_slowly(kind: Any, *place: Any, **more: Any) -> Any:
        found = await find(kind, *place, **more)
        monkeypatch.setattr(functions.resources, "get", find)
        await functions.permit(principal="s3.amazonaws.com")
        return found

    monkeypatch.setattr(functions.resources, "get", find_slowly)
    assert await functions.access.denial(BY_RULE) is None
    assert await functions.access.denial(BY_RULE) is not None


async def test_no_more_answers_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lampion.identity.service_access._CAPACITY", 2)
    functions = Functions()
    for number in range(5):
        await functions.may(source_arn=f"{RULE}-{number}")
    assert 0 < len(vars(functions.access)["_answers"]) <= 2


async def test_an_answer_that_depends_on_the_time_isnt_kept() -> None:
    functions = Functions()
    later = functions.clock.now() + 100
    await functions.permit(condition={"NumericLessThan": {"aws:EpochTime": str(int(later))}})
    assert await functions.may()
    await functions.clock.advance(200)
    assert not await functions.may()


@pytest.mark.parametrize("text", ["f", f"{ACCOUNT}:f", RULE, ""])
async def test_it_is_asked_by_arn_only(text: str) -> None:
    with pytest.raises(ValueError, match="function"):
        await Functions().access.denial(dataclasses.replace(BY_RULE, function_arn=text))
