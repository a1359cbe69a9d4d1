"""Who has subscribed to the telemetry of one execution environment, and what has happened before anybody could."""

import asyncio
from typing import TYPE_CHECKING, Final

from lampion.clock.clock import Clock
from lampion.function_telemetry.delivery import Delivery
from lampion.function_telemetry.events import Event, encode_event, subscription_event
from lampion.function_telemetry.senders import Connect
from lampion.function_telemetry.subscription import Api, InvalidSubscription, Stream, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable

BACKLOG_ITEMS: Final = 10_000
BACKLOG_BYTES: Final = 1_048_576
"""What is kept of an Init for those who subscribe in its course; what comes on top isn't told."""


class SubscriptionClosed(Exception):
    """Initialization is over: nobody can subscribe any more."""

    def __init__(self, api: Api) -> None:
        super().__init__(f"{api.name} API subscription is closed already")
        self.error_type = f"{api.name}.SubscriptionClosed"


class Subscribers:
    """The subscriptions of one environment. They outlive its sandboxes, as on Lambda: they are known by name.

    Open during Init, when everything that happens is kept as well, for those who come to subscribe.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deliveries: dict[str, Delivery] = {}
        self._connect: Connect | None = None
        self._backlog: list[Event] = []
        self._backlog_bytes = 0
        self.is_open = True
        self.on_subscribed: Callable[[str, str, Subscription], object] = _nobody_cares

    def __bool__(self) -> bool:
        """Whether anybody is to be told, or may yet be."""
        return self.is_open or bool(self._deliveries)

    def check_open(self, api: Api) -> None:
        """Raises SubscriptionClosed."""
        if not self.is_open:
            raise SubscriptionClosed(api)

    def subscribe(self, name: str, subscription: Subscription) -> None:
        """An extension wants telemetry; another subscription of it is replaced.

        Raises SubscriptionClosed, and InvalidSubscription when it has subscribed to the other API.
        """
        self.check_open(subscription.api)
        delivery = self._deliveries.get(name)
        if delivery is None:
            state = "Subscribed"
            self._begin(name, subscription)
        elif delivery.subscription.api is subscription.api:
            state = "Already subscribed"
            delivery.change(subscription)
        else:
            raise InvalidSubscription(f"the extension has subscribed to the {delivery.subscription.api.name} API")
        self.on_subscribed(name, state, subscription)
        self.tell(subscription_event(int(self._clock.now() * 1000), name, state, subscription))

    def tell(self, event: Event) -> None:
        """Something happened. Returns at once."""
        if self.is_open:
            self._keep(event)
        encoded: dict[str, bytes | None] = {}
        for delivery in self._deliveries.values():
            subscription = delivery.subscription
            if event.stream not in subscription.streams:
                continue
            if not delivery.has_room:
                delivery.refuse(len(event.line))
                continue
            if subscription.schema not in encoded:
                encoded[subscription.schema] = encode_event(event, subscription.schema)
            content = encoded[subscription.schema]
            if content is not None:
                delivery.offer(content)

    def close_subscriptions(self) -> None:
        """Init is over."""
        self.is_open = False
        self._backlog = []

    # -- the sandbox --

    def attach(self, connect: Connect) -> None:
        """A sandbox begins, inside of which `connect` reaches listeners."""
        self._connect = connect
        for delivery in self._deliveries.values():
            delivery.attach(connect)

    async def detach(self) -> None:
        """The sandbox has ended. What was not delivered is, when another one begins."""
        self._connect = None
        await asyncio.gather(*(delivery.detach() for delivery in self._deliveries.values()))

    def pause(self) -> None:
        """The sandbox is frozen."""
        for delivery in self._deliveries.values():
            delivery.pause()

    def resume(self) -> None:
        for delivery in self._deliveries.values():
            delivery.resume()

    def hurry(self) -> None:
        """The sandbox is about to end."""
        for delivery in self._deliveries.values():
            delivery.hurry()

    def _begin(self, name: str, subscription: Subscription) -> None:
        delivery = self._deliveries[name] = Delivery(subscription, self._clock)
        for event in self._backlog:
            content = encode_event(event, subscription.schema) if event.stream in subscription.streams else None
            if content is not None:
                delivery.offer(content)
        if self._connect is not None:
            delivery.attach(self._connect)

    def _keep(self, event: Event) -> None:
        size_bytes = len(event.line)
        is_full = len(self._backlog) >= BACKLOG_ITEMS or self._backlog_bytes + size_bytes > BACKLOG_BYTES
        if not is_full or event.stream is Stream.PLATFORM:
            self._backlog.append(event)
            self._backlog_bytes += size_bytes


def _nobody_cares(name: str, state: str, subscription: Subscription) -> None:
    pass
