"""Functions that a result can't go to: those that it can get it as their event, without any delivery."""

from lampion.domain.delivery import Delivery
from lampion.domain.limits import EVENT_PAYLOAD_BYTES
from lampion.invoke.targets.target import TargetRefused


class FunctionTarget:
    """See invoke.targets.target.Target."""

    async def deliver(self, delivery: Delivery) -> None:
        if len(delivery.body) > EVENT_PAYLOAD_BYTES:
            raise TargetRefused(f"a result of {len(delivery.body)} bytes is more than an event of a function may hold")
        raise TargetRefused(f"{delivery.destination_arn} is in another account or region: results don't go there")
