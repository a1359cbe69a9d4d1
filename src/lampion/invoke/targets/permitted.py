"""Targets that are asked only where the function's role may use them: on AWS it is the role that sends results."""

from typing import Final, Protocol

from lampion.domain.arn import LATEST, FunctionKey, parse_function_reference
from lampion.domain.delivery import Delivery
from lampion.domain.function import Function
from lampion.domain.resource_arn import service_of
from lampion.invoke.targets.s3 import object_key
from lampion.invoke.targets.target import Target, TargetRefused

ACTIONS: Final = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
    "lambda": "lambda:InvokeFunction",
}
"""Lambda developer guide, "Adding a destination": what the execution role needs."""


class Permissions(Protocol):
    """Knows what roles may."""

    async def denial(self, account_id: str, role_arn: str, action: str, resource: str) -> str | None: ...


class Functions(Protocol):
    """Knows functions and their versions."""

    async def get(self, key: FunctionKey, version: str = LATEST) -> Function | None: ...


class PermittedTargets:
    """See invoke.targets.target.Target."""

    def __init__(self, inner: Target, *, functions: Functions, permissions: Permissions) -> None:
        self._inner = inner
        self._functions = functions
        self._permissions = permissions

    async def deliver(self, delivery: Delivery) -> None:
        arn = delivery.destination_arn
        action = ACTIONS.get(service_of(arn))
        role_arn = await self._role_of(delivery)
        if action is not None and role_arn is not None:
            resource = f"{arn}/{object_key(delivery)}" if action == ACTIONS["s3"] else arn
            account_id = delivery.function_arn.split(":")[4]
            denial = await self._permissions.denial(account_id, role_arn, action, resource)
            if denial is not None:
                raise TargetRefused(denial)
        await self._inner.deliver(delivery)

    async def _role_of(self, delivery: Delivery) -> str | None:
        """None when the function is gone: what it left is sent as it was meant."""
        reference = parse_function_reference(delivery.function_arn)
        key = FunctionKey(reference.account_id or "", reference.region or "", reference.name)
        qualifier = reference.qualifier or LATEST
        version = qualifier if qualifier == LATEST or qualifier.isdecimal() else LATEST
        function = await self._functions.get(key, version)
        return None if function is None else function.configuration.role
