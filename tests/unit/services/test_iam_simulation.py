"""The simulator says what the doors would, and why."""

import asyncio
import json
import time
from typing import Any

import pytest

from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.errors import ApiError
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.directory import Directory
from lampion.identity.evaluation import Policies, Request
from lampion.identity.simulation import Simulated, simulate
from lampion.services.iam.rooms import IamRooms
from lampion.services.iam.simulation import SimulationApi
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

CONTEXT = RequestContext(account_id=ACCOUNT, region="us-east-1", principal="key", request_id="id")
F = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
HERE = {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}


class Simulator:
    def __init__(self) -> None:
        self.resources = resources_in_memory()
        rooms = IamRooms(
            resources=self.resources,
            clock=VirtualClock(),
            rng=SystemRng(),
            markers=Markers(b"secret of markers"),
            secret=b"s",
        )
        self.api = SimulationApi(rooms, Directory(self.resources))

    async def of(self, arn: str, *actions: str, **more: Any) -> Any:
        members = {"PolicySourceArn": arn, "ActionNames": list(actions), **more}
        return await self.api.simulate_principal_policy(CONTEXT, members)

    async def custom(self, *documents: str, **more: Any) -> Any:
        members: dict[str, Any] = {"PolicyInputList": list(documents), "ActionNames": ["lambda:InvokeFunction"], **more}
        return await self.api.simulate_custom_policy(CONTEXT, members)


def decisions(answer: Any) -> list[tuple[str, str, str]]:
    return [
        (one["EvalActionName"], one["EvalResourceName"], one["EvalDecision"]) for one in answer["EvaluationResults"]
    ]


async def test_every_action_is_asked_of_every_resource() -> None:
    simulator = Simulator()
    await keep(
        simulator.resources,
        identity(IdentityKind.USER, "ann", allowing("lambda:*", resource=F), groups=("staff",)),
        identity(IdentityKind.GROUP, "staff", allowing("lambda:DeleteFunction", effect="Deny")),
    )
    answer = await simulator.of(ANN, "lambda:InvokeFunction", "lambda:DeleteFunction", ResourceArns=[F, f"{F}2"])
    assert decisions(answer) == [
        ("lambda:InvokeFunction", F, "allowed"),
        ("lambda:InvokeFunction", f"{F}2", "implicitDeny"),
        ("lambda:DeleteFunction", F, "explicitDeny"),
        ("lambda:DeleteFunction", f"{F}2", "explicitDeny"),
    ]
    matched = [one["MatchedStatements"] for one in answer["EvaluationResults"]]
    assert matched[0] == [{"SourcePolicyId": "user_ann_p0", "SourcePolicyType": "user"}]
    assert matched[1] == []
    assert matched[2] == [{"SourcePolicyId": "group_staff_p0", "SourcePolicyType": "group"}]


async def test_what_the_request_says_and_what_it_leaves_out_is_told() -> None:
    simulator = Simulator()
    document = allowing("lambda:InvokeFunction", **HERE)  # type: ignore[arg-type]
    without = (await simulator.custom(document))["EvaluationResults"][0]
    assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["aws:sourceip"])
    entry = {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["192.0.2.1"], "ContextKeyType": "ip"}
    told = (await simulator.custom(document, ContextEntries=[entry]))["EvaluationResults"][0]
    assert (told["EvalDecision"], told["MissingContextValues"]) == ("allowed", [])
    keys = await simulator.api.get_context_keys_for_custom_policy(CONTEXT, {"PolicyInputList": [document]})
    assert keys == {"ContextKeyNames": ["aws:sourceip"]}


async def test_boundaries_and_policies_of_resources_count() -> None:
    simulator = Simulator()
    inside = allowing("lambda:InvokeFunction")
    bounded = await simulator.custom(inside, PermissionsBoundaryPolicyInputList=[allowing("sqs:*")])
    result = bounded["EvaluationResults"][0]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    statement = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "lambda:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    answer = await simulator.custom(allowing("sqs:*"), ResourcePolicy=policy, CallerArn=ANN, ResourceOwner=ACCOUNT)
    assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed"


async def test_roles_and_groups_are_asked_by_their_arns() -> None:
    simulator = Simulator()
    await keep(
        simulator.resources,
        identity(IdentityKind.ROLE, "r", allowing("s3:*"), trust=allowing()),
        identity(IdentityKind.GROUP, "g", allowing("s3:*")),
    )
    for path in ("role/r", "group/g"):
        answer = await simulator.of(f"arn:aws:iam::{ACCOUNT}:{path}", "s3:GetObject")
        assert decisions(answer) == [("s3:GetObject", "*", "allowed")]


async def test_results_come_in_pages() -> None:
    simulator, actions = Simulator(), [f"s3:Get{number}" for number in range(5)]
    await keep(simulator.resources, identity(IdentityKind.USER, "ann"))
    first = await simulator.of(ANN, *actions, MaxItems=3)
    second = await simulator.of(ANN, *actions, MaxItems=3, Marker=first["Marker"])
    assert (first["IsTruncated"], second["IsTruncated"]) == (True, False)
    shown = [one["EvalActionName"] for one in first["EvaluationResults"] + second["EvaluationResults"]]
    assert shown == actions


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (ANN, f"Invalid Entity Arn: {ANN} does not exist."),
        ("arn:aws:iam::210987654321:user/ann", "does not clearly define entity type and name"),
        ("arn:aws:s3:::bucket", "does not clearly define entity type and name"),
    ],
)
async def test_who_isnt_there_cant_be_asked(arn: str, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        await Simulator().of(arn, "s3:GetObject")


@pytest.mark.parametrize("policy", ["{", "[]", "{}", '{"Statement": 5}', '{"Statement": [{}]}', "[" * 10_000])
async def test_a_malformed_policy_of_a_resource_is_refused(policy: str) -> None:
    with pytest.raises(ApiError, match="malformed"):
        await Simulator().custom(allowing("s3:*"), ResourcePolicy=policy)


@pytest.mark.parametrize(
    "asked",
    [
        {"ActionNames": ["s3:GetObject"] * 101, "ResourceArns": ["arn:aws:s3:::a"] * 100},
        {"ActionNames": ["s3:GetObject"] * 20_000, "ResourceArns": ["arn:aws:s3:::a"] * 20_000},
        {"PolicyInputList": [allowing("s3:*") + " " * 100_000] * 3},
        {"PermissionsBoundaryPolicyInputList": [allowing("s3:*") + " " * 270_000]},
        {"ResourcePolicy": allowing("s3:*") + " " * 270_000},
        {"PolicyInputList": [allowing("s3:*") + " " * 100_000], "ActionNames": ["s3:A"] * 1000, "MaxItems": 1000},
    ],
)
async def test_what_would_keep_the_server_busy_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        await Simulator().custom(**{"PolicyInputList": [allowing("s3:*")], **asked})
    assert "too much to simulate at once" in caught.value.message


async def test_one_simulation_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that callers don't fill all threads, which other work needs."""
    running, together = list[int](), list[int]()

    def simulate_slowly(request: Request, policies: Policies) -> Simulated:
        running.append(1)
        together.append(len(running))
        time.sleep(0.02)
        running.pop()
        return simulate(request, policies)

    monkeypatch.setattr("lampion.services.iam.simulation.simulate", simulate_slowly)
    on = Simulator()
    await asyncio.gather(*(on.custom(allowing("s3:*")) for _ in range(3)))
    assert together == [1, 1, 1]


async def test_the_server_goes_on_while_it_simulates() -> None:
    """The largest that is taken, in a thread."""
    statements = [{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*" + "a?" * 20} for _ in range(1800)]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    simulating = asyncio.ensure_future(
        Simulator().custom(document, ActionNames=["s3:GetObject"] * 20, ResourceArns=["arn:aws:s3:::" + "a" * 2000])
    )
    turns = 0
    while not simulating.done():
        await asyncio.sleep(0)
        turns += 1
    assert len((await simulating)["EvaluationResults"]) == 20
    assert turns > 20
