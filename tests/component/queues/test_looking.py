"""GET /_lampion/queues: what is told of queues, in pages, and to whom."""

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.console.queues import COUNTED_TO
from lampion.domain.errors import ResourceNotFoundException
from lampion.store.entries import Change, Postponed
from tests.component.queues.stage import RESULTS, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage(VirtualClock())


async def test_queues_are_listed_with_what_they_hold(stage: Stage):
    now = stage.queues.time.epoch_ms()
    first, later, failing = [await stage.put_event("hello", number) for number in range(3)]
    await stage.entries.apply(Change(of=later, postponed=Postponed(later, now + 60_000, await document(stage, later))))
    await stage.fail(failing)
    await stage.put_delivery(9)
    page = await stage.get()
    assert page["next"] == "delivery:"
    (events,) = page["queues"]
    first_told = events.pop("first")
    assert events == {"kind": "events", "name": "hello", "running": 0, "due": 1, "later": 1, "failed": 1}
    assert (first_told["sequence"], first_told["request_id"], first_told["attempts"]) == (first, "request-0", 0)
    rest = await stage.get("", {"after": page["next"]})
    (deliveries,) = rest["queues"]
    assert (deliveries["kind"], deliveries["name"], deliveries["due"], rest["next"]) == ("deliveries", RESULTS, 1, None)
    assert deliveries["first"]["function_arn"].endswith("function:hello:$LATEST")


async def document(stage: Stage, sequence: int) -> bytes:
    return next(one.entry.document for one in await stage.every_entry() if one.entry.sequence == sequence)


async def test_many_queues_come_in_pages(stage: Stage):
    for number in range(230):
        await stage.put_event(f"f{number:03}", number)
    names: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await stage.get("", after)
        assert len(page["queues"]) <= 100
        names += [queue["name"] for queue in page["queues"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert names == [f"f{number:03}" for number in range(230)]


async def test_a_count_stops_at_a_limit(stage: Stage):
    for number in range(COUNTED_TO + 5):
        await stage.put_event("hello", number)
    page = await stage.get()
    assert (page["queues"][0]["due"], page["counted_to"]) == (COUNTED_TO + 1, COUNTED_TO)


async def test_what_runs_is_not_counted_as_due(stage: Stage):
    for number in range(3):
        await stage.put_event("hello", number)
    await stage.queues.open()
    await stage.queues.events.next()
    (queue,) = (await stage.get())["queues"]
    assert (queue["running"], queue["due"]) == (1, 2)
    await stage.queues.close()


async def test_entries_come_in_pages_with_the_start_of_their_payload(stage: Stage):
    sequences = [await stage.put_event("hello", number, b'"' + b"x" * 1000 + b'"') for number in range(5)]
    page = await stage.get("hello", {"limit": 3})
    assert [one["sequence"] for one in page["waiting"]] == sequences[:3]
    one = page["waiting"][0]
    assert (one["payload_bytes"], len(one["payload"]), one["payload_is_whole"]) == (1002, 256, False)
    rest = await stage.get("hello", {"limit": 3, "after": page["next"]})
    assert [one["sequence"] for one in rest["waiting"]] == sequences[3:]
    assert rest["next"] is None
    whole = await stage.get("hello", {"payload": "whole", "limit": 100})
    assert len(whole["waiting"]) == 4, "whole payloads may be large"
    assert (len(whole["waiting"][0]["payload"]), whole["waiting"][0]["payload_is_whole"]) == (1002, True)


async def test_a_character_that_is_cut_is_left_out(stage: Stage):
    await stage.put_event("hello", 1, b'"' + "\u20ac".encode() * 200 + b'"')
    (one,) = (await stage.get("hello"))["waiting"]
    assert one["payload"] == '"' + "\u20ac" * 85


async def test_what_failed_comes_latest_first_in_pages(stage: Stage):
    for number in range(5):
        await stage.fail(await stage.put_event("hello", number))
    page = await stage.get("hello", {"show": "failed", "limit": 2})
    assert [one["request_id"] for one in page["failed"]] == ["request-4", "request-3"]
    assert {one["ending"] for one in page["failed"]} == {"RetriesExhausted"}
    rest = await stage.get("hello", {"show": "failed", "limit": 9, "after": page["next"]})
    assert [one["request_id"] for one in rest["failed"]] == ["request-2", "request-1", "request-0"]
    assert (await stage.get("hello"))["waiting"] == []


async def test_a_function_without_events_has_an_empty_queue_and_a_stranger_none(stage: Stage):
    stage.functions.creations["quiet"] = "first"
    assert (await stage.get("quiet"))["waiting"] == []
    for name in ("stranger", RESULTS):
        with pytest.raises(ResourceNotFoundException):
            await stage.get(name)


async def test_another_account_sees_nothing(stage: Stage):
    await stage.put_event("hello", 1)
    await stage.put_delivery(1)
    for after in ({}, {"after": "delivery:"}):
        assert (await stage.get("", after, account="999999999999"))["queues"] == []
    for name in ("hello", RESULTS):
        with pytest.raises(ResourceNotFoundException):
            await stage.get(name, account="999999999999")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "9" * 40},
        {"after": "1"},
        {"after": "1.x"},
        {"after": "1." + "9" * 30},
        {"after": "\u0661.1"},
        {"show": "failed", "after": "x"},
    ],
)
async def test_what_can_not_be_meant_is_refused(stage: Stage, query: dict[str, str]):
    await stage.put_event("hello", 1)
    with pytest.raises(ValueError, match=r"number above 0|gave as next"):
        await stage.get("hello", query)


async def test_a_list_goes_on_only_where_one_stopped(stage: Stage):
    with pytest.raises(ValueError, match="gave as next"):
        await stage.get("", {"after": "elsewhere:hello"})
