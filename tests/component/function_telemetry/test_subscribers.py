"""One environment's subscribers: who is told what, from when on, and through which of its sandboxes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.function_telemetry.events import Event, log_line, platform_event
from lampion.function_telemetry.subscribers import BACKLOG_BYTES, BACKLOG_ITEMS, Subscribers, SubscriptionClosed
from lampion.function_telemetry.subscription import (
    LOGS,
    TELEMETRY,
    Api,
    Buffering,
    Destination,
    InvalidSubscription,
    Protocol,
    Stream,
    Subscription,
)
from tests.component.function_telemetry.receivers import Loopback, Receiver, never, receiving, until

INIT_START = platform_event(1, "platform.initStart", {"phase": "init"})
START = platform_event(2, "platform.start", {"requestId": "r", "version": "1"})
SUBSCRIBED = "platform.telemetrySubscription"


def line(text: str, stream: Stream = Stream.FUNCTION) -> Event:
    return log_line(3, stream, text.encode(), is_json=False)


def wish(receiver: Receiver, *streams: Stream, api: Api = TELEMETRY, schema: str = "") -> Subscription:
    destination = Destination(Protocol.HTTP, receiver.port)
    return Subscription(api, schema or api.schemas[-1], streams or tuple(Stream), destination, Buffering(timeout_ms=25))


@asynccontextmanager
async def told() -> AsyncIterator[tuple[Subscribers, VirtualClock]]:
    clock = VirtualClock()
    subscribers = Subscribers(clock)
    subscribers.attach(Loopback())
    try:
        yield subscribers, clock
    finally:
        await subscribers.detach()
        assert clock.pending == 0


async def test_who_subscribes_is_told_what_was_before() -> None:
    async with receiving() as receiver, told() as (subscribers, clock):
        subscribers.tell(INIT_START)
        subscribers.tell(line("loading"))
        subscribers.subscribe("a", wish(receiver))
        subscribers.tell(START)
        await clock.advance(1)
        await until(lambda: len(receiver.events) == 4)
        assert receiver.kinds == ["platform.initStart", "function", SUBSCRIBED, "platform.start"]
        assert receiver.events[2]["record"] == {
            "name": "a",
            "state": "Subscribed",
            "types": ["platform", "function", "extension"],
        }


async def test_everybody_gets_what_it_asked_for_in_its_own_schema() -> None:
    async with receiving() as platform, receiving() as lines, receiving() as logs, told() as (subscribers, clock):
        subscribers.tell(INIT_START)
        subscribers.subscribe("a", wish(platform, Stream.PLATFORM))
        subscribers.subscribe("b", wish(lines, Stream.EXTENSION, Stream.FUNCTION))
        subscribers.subscribe("c", wish(logs, Stream.PLATFORM, api=LOGS))
        subscribers.close_subscriptions()
        for event in (START, line("f"), line("e", Stream.EXTENSION), platform_event(4, "platform.end", {})):
            subscribers.tell(event)
        await clock.advance(1)
        await until(lambda: len(logs.events) == 5)
        assert platform.kinds == ["platform.initStart", *[SUBSCRIBED] * 3, "platform.start"]
        assert [(found["type"], found["record"]) for found in lines.events] == [("function", "f"), ("extension", "e")]
        assert logs.kinds == [*["platform.logsSubscription"] * 3, "platform.start", "platform.end"]


async def test_after_init_nobody_can_subscribe() -> None:
    async with receiving() as receiver, told() as (subscribers, _):
        assert subscribers
        subscribers.close_subscriptions()
        assert not subscribers
        for api in (TELEMETRY, LOGS):
            with pytest.raises(SubscriptionClosed, match=f"{api.name} API subscription is closed already") as caught:
                subscribers.subscribe("a", wish(receiver, api=api))
            assert caught.value.error_type == f"{api.name}.SubscriptionClosed"


async def test_a_second_subscription_replaces_the_first() -> None:
    async with receiving() as first, receiving() as second, told() as (subscribers, clock):
        subscribers.subscribe("a", wish(first))
        subscribers.subscribe("a", wish(second, Stream.PLATFORM, schema="2022-07-01"))
        subscribers.tell(line("not asked for any more"))
        subscribers.tell(START)
        await clock.advance(1)
        await until(lambda: len(second.events) == 3)
        assert second.kinds == [SUBSCRIBED, SUBSCRIBED, "platform.start"]
        assert [event["record"].get("state") for event in second.events] == ["Subscribed", "Already subscribed", None]
        assert first.events == []


async def test_an_extension_uses_one_of_the_apis() -> None:
    async with receiving() as receiver, told() as (subscribers, _):
        subscribers.subscribe("a", wish(receiver))
        with pytest.raises(InvalidSubscription, match="has subscribed to the Telemetry API"):
            subscribers.subscribe("a", wish(receiver, api=LOGS))
        subscribers.subscribe("b", wish(receiver, api=LOGS))


async def test_subscriptions_outlive_a_failed_init_by_name() -> None:
    async with receiving() as receiver, told() as (subscribers, clock):
        subscribers.subscribe("a", wish(receiver, Stream.PLATFORM))
        await clock.advance(1)
        await until(lambda: len(receiver.events) == 1)
        await subscribers.detach()
        subscribers.tell(platform_event(5, "platform.initReport", {}))
        await clock.advance(60)
        await never(lambda: len(receiver.events) > 1)
        subscribers.attach(Loopback())
        subscribers.subscribe("a", wish(receiver, Stream.PLATFORM))
        await clock.advance(1)
        await until(lambda: len(receiver.events) == 3)
        assert receiver.kinds == [SUBSCRIBED, "platform.initReport", SUBSCRIBED]
        assert receiver.events[-1]["record"]["state"] == "Already subscribed"


async def test_freezing_and_the_end_concern_all() -> None:
    async with receiving() as one, receiving() as other, told() as (subscribers, clock):
        subscribers.subscribe("a", wish(one, Stream.FUNCTION))
        subscribers.subscribe("b", wish(other, Stream.FUNCTION))
        subscribers.pause()
        subscribers.tell(line("x"))
        await clock.advance(60)
        await never(lambda: bool(one.events or other.events))
        subscribers.resume()
        await until(lambda: len(one.events) == len(other.events) == 1)
        subscribers.hurry()
        subscribers.tell(line("y"))
        await until(lambda: len(one.events) == len(other.events) == 2)


@pytest.mark.parametrize(("count", "size_bytes"), [(BACKLOG_ITEMS, 10), (BACKLOG_BYTES // 1024, 1024)])
async def test_what_is_kept_of_an_init_is_so_much_and_no_more(count: int, size_bytes: int) -> None:
    async with receiving() as receiver, told() as (subscribers, clock):
        for number in range(count + 2):
            subscribers.tell(line(f"{number:09}".ljust(size_bytes, "x")))
        wanted = wish(receiver, Stream.FUNCTION)
        subscribers.subscribe("a", replace(wanted, buffering=Buffering(max_bytes=1_048_576)))
        await clock.advance(1)
        await until(lambda: len(receiver.events) >= count)
        await clock.advance(1)
        assert [event["record"][:9] for event in receiver.events] == [f"{number:09}" for number in range(count)]


async def test_what_is_kept_of_a_talkative_init_is_bounded() -> None:
    async with receiving() as receiver, told() as (subscribers, clock):
        subscribers.tell(INIT_START)
        for number in range(50_000):
            subscribers.tell(line(f"{number:06} {'x' * 93}"))
        subscribers.tell(START)
        subscribers.subscribe("a", wish(receiver))
        for _ in range(20):
            await clock.advance(1)
            await never(lambda: False)
        sizes = [len(event["record"]) for event in receiver.events if event["type"] == "function"]
        assert 1000 < len(sizes) <= 10_000
        assert sum(sizes) <= BACKLOG_BYTES
        assert [event["record"][:6] for event in receiver.events[1:4]] == ["000000", "000001", "000002"]
        assert {"platform.initStart", "platform.start"} <= set(receiver.kinds)
