"""What a target is: something that takes a delivery, says that it can't now, or says that it never will."""

from collections.abc import Mapping
from typing import Protocol

from lampion.domain.delivery import Delivery
from lampion.domain.resource_arn import is_arn, service_of


class TargetUnavailable(Exception):
    """Not now: no way there, no answer, throttled, or a fault that the operator or the service can mend."""


class TargetRefused(Exception):
    """Never: no such queue, not allowed, too large. Sending the same again would get the same answer."""


class Target(Protocol):
    """A kind of destination."""

    async def deliver(self, delivery: Delivery) -> None:
        """Returns once the target has taken it. Raises TargetUnavailable or TargetRefused, in words for a user.

        A delivery may be repeated, under the same id and with the same body.
        """


class Targets:
    """All kinds of destinations, found by the service in an ARN; itself a Target."""

    def __init__(self, of_service: Mapping[str, Target]) -> None:
        self._of_service = of_service

    async def deliver(self, delivery: Delivery) -> None:
        service = service_of(delivery.destination_arn)
        target = self._of_service.get(service)
        if target is None or not is_arn(delivery.destination_arn):
            raise TargetRefused(f"{delivery.destination_arn}: results can't be sent to the service {service!r}")
        await target.deliver(delivery)
