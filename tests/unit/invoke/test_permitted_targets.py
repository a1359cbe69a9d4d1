"""Results go where the function's role may send them, and are refused in AWS's words where it may not."""

from typing import Any

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import LATEST, FunctionKey
from lampion.domain.delivery import Delivery, Purpose
from lampion.domain.function import DeploymentPackage, Function, FunctionConfiguration, LoggingConfig, State
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.directory import Directory
from lampion.identity.role_permissions import RolePermissions
from lampion.invoke.targets.permitted import PermittedTargets
from lampion.invoke.targets.s3 import object_key
from lampion.invoke.targets.target import TargetRefused
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

KEY = FunctionKey(ACCOUNT, "us-east-1", "f")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
BUCKET = "arn:aws:s3:::b"
CONFIGURATION = FunctionConfiguration(role=ROLE, logging=LoggingConfig("/aws/lambda/f"))
FUNCTION = Function(
    key=KEY,
    configuration=CONFIGURATION,
    package=DeploymentPackage("ab", "cd", 1),
    revision_id="1",
    last_modified_epoch_ms=0,
    state=State.ACTIVE,
)


class Stage:
    """One function, and targets that take everything."""

    def __init__(self, *, functions_may_all: bool = False) -> None:
        self.resources = resources_in_memory()
        self.versions: list[str] = []
        self.taken: list[str] = []
        directory = Directory(self.resources, functions_may_all=functions_may_all)
        permissions = RolePermissions(directory, VirtualClock())
        self.targets = PermittedTargets(self, functions=self, permissions=permissions)

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None:
        self.versions.append(version)
        return FUNCTION if key == KEY else None

    async def deliver(self, delivery: Delivery) -> None:
        self.taken.append(delivery.destination_arn)

    async def may(self, *documents: str, **more: Any) -> None:
        await keep(self.resources, identity(IdentityKind.ROLE, "r", *documents, **more))


def delivery(destination_arn: str, function_arn: str = KEY.qualified_arn("live")) -> Delivery:
    return Delivery(
        id="6f8e",
        destination_arn=destination_arn,
        purpose=Purpose.ON_SUCCESS,
        function_arn=function_arn,
        request_id="r",
        body=b"{}",
        ended_epoch_ms=0,
    )


@pytest.mark.parametrize(
    ("destination", "action", "resource"),
    [
        (QUEUE, "sqs:SendMessage", QUEUE),
        (f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:t"),
        (
            f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/b",
            "events:PutEvents",
            f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/b",
        ),
        (BUCKET, "s3:PutObject", f"{BUCKET}/{object_key(delivery(BUCKET))}"),
    ],
)
async def test_each_kind_of_target_has_its_action(destination: str, action: str, resource: str) -> None:
    stage = Stage()
    await stage.may(allowing(action, resource=resource))
    await stage.targets.deliver(delivery(destination))
    assert stage.taken == [destination]
    await stage.may(allowing(action, resource=f"{resource}2"))
    with pytest.raises(TargetRefused) as refused:
        await stage.targets.deliver(delivery(destination))
    assert str(refused.value) == (
        f"User: {ROLE} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    assert stage.taken == [destination]


@pytest.mark.parametrize(
    ("condition", "is_taken"),
    [
        ({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}, False),
        ({"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}, True),
        ({"StringNotEquals": {"aws:ResourceAccount": "210987654321"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"NumericLessThan": {"aws:EpochTime": "1"}}, True),
        ({"NumericGreaterThan": {"aws:EpochTime": "1"}}, False),
    ],
)
async def test_denials_look_at_where_and_when_it_is_sent(condition: Any, is_taken: bool) -> None:
    stage = Stage()
    await stage.may(allowing("sqs:SendMessage"), allowing("*", effect="Deny", Condition=condition))
    if not is_taken:
        with pytest.raises(TargetRefused, match="with an explicit deny"):
            await stage.targets.deliver(delivery(QUEUE))
        return
    await stage.targets.deliver(delivery(QUEUE))
    assert stage.taken == [QUEUE]


async def test_of_a_role_that_isnt_here_nothing_is_known_and_nothing_refused() -> None:
    stage = Stage()
    await stage.targets.deliver(delivery(QUEUE))
    await keep(stage.resources, identity(IdentityKind.ROLE, "r", path="/other/"))
    await stage.targets.deliver(delivery(QUEUE))
    assert len(stage.taken) == 2


async def test_where_functions_may_all_nothing_is_refused() -> None:
    stage = Stage(functions_may_all=True)
    await stage.may()
    await stage.targets.deliver(delivery(QUEUE))
    assert stage.taken == [QUEUE]


async def test_what_a_function_that_is_gone_has_left_is_sent() -> None:
    stage = Stage()
    await stage.may()
    gone = FunctionKey(ACCOUNT, "us-east-1", "gone").qualified_arn("1")
    await stage.targets.deliver(delivery(QUEUE, gone))
    assert stage.taken == [QUEUE]


async def test_the_role_is_that_of_the_version_and_of_an_alias_that_of_the_function() -> None:
    stage = Stage()
    for qualifier in ("7", "live", LATEST):
        await stage.targets.deliver(delivery(QUEUE, KEY.qualified_arn(qualifier)))
    assert stage.versions == ["7", LATEST, LATEST]
