"""POST /_lampion/queues/<name>: bringing back and dropping, whole, once, and in steps."""

from collections.abc import Mapping
from typing import Final

import msgspec
import pytest

from lampion.clock.virtual import VirtualClock
from lampion.domain.errors import ResourceNotFoundException
from lampion.invoke.event_entries import decode_event
from lampion.store.entries import Change
from lampion.store.errors import StoreError
from lampion.telemetry.metrics import summed
from tests.component.queues.stage import ACCOUNT, REGION, RESULTS, Stage, queue_of


@pytest.fixture
def stage() -> Stage:
    made = Stage(VirtualClock())
    made.functions.creations["hello"] = "first"
    return made


async def failed(stage: Stage, count: int, name: str = "hello", payload: bytes = b"{}") -> None:
    for number in range(count):
        await stage.fail(await stage.put_event(name, number, payload))


async def waiting(stage: Stage, name: str = "hello") -> list[str]:
    page = await stage.entries.page(queue_of(name), after=None, limit=9999, payload_bytes=0)
    return [msgspec.json.decode(one.entry.document)["request_id"] for one in page]


REDRIVE_ALL: Final = {"action": "redrive", "all": True}
PURGE_WAITING: Final = {"action": "purge", "what": "waiting"}
PURGE_FAILED: Final = {"action": "purge", "what": "failed"}


async def all_steps(stage: Stage, name: str, counted: str, order: Mapping[str, object]) -> list[int]:
    counts, following = [], None
    while True:
        answer = await stage.post(name, {**order, "next": following})
        counts.append(answer[counted])
        following = answer["next"]
        if following is None:
            return counts


def dropped(stage: Stage, name: str = "hello") -> dict[str, int]:
    return dict(summed(one for one in stage.metrics.series(ACCOUNT, REGION) if one.key.name == name).counts)


async def test_one_event_is_brought_back_by_its_request_id_as_if_it_were_new(stage: Stage):
    await failed(stage, 3)
    stage.functions.creations["hello"] = "second"
    assert await stage.post("hello", {"action": "redrive", "request_id": "request-1"}) == {"redriven": 1, "next": None}
    (seen,) = await stage.entries.page(queue_of("hello"), after=None, limit=9, payload_bytes=9)
    event = decode_event(seen.entry)
    assert (event.request_id, event.attempts, event.creation_id) == ("request-1", 0, "second")
    assert event.accepted_epoch_ms == seen.entry.due_epoch_ms == stage.queues.time.epoch_ms()
    with pytest.raises(ResourceNotFoundException, match="request id request-1"):
        await stage.post("hello", {"action": "redrive", "request_id": "request-1"})
    assert await waiting(stage) == ["request-1"]


async def test_one_is_brought_back_by_its_number_and_only_from_its_own_queue(stage: Stage):
    await failed(stage, 3)
    stage.functions.creations["other"] = "first"
    await failed(stage, 1, "other")
    (_, middle, _) = (await stage.get("hello", {"show": "failed"}))["failed"]
    with pytest.raises(ResourceNotFoundException, match="number 99"):
        await stage.post("hello", {"action": "redrive", "number": 99})
    with pytest.raises(ResourceNotFoundException, match="number"):
        await stage.post("other", {"action": "redrive", "number": middle["number"]})
    with pytest.raises(ResourceNotFoundException, match="request id"):
        await stage.post("other", {"action": "redrive", "request_id": "request-2"})
    assert (await stage.post("hello", {"action": "redrive", "number": middle["number"]}))["redriven"] == 1
    assert await waiting(stage) == ["request-1"]


async def test_all_are_brought_back_in_steps_the_earliest_first(stage: Stage):
    await failed(stage, 1203)
    assert await all_steps(stage, "hello", "redriven", REDRIVE_ALL) == [500, 500, 203]
    assert await waiting(stage) == [f"request-{number}" for number in range(1203)]
    assert await all_steps(stage, "hello", "redriven", REDRIVE_ALL) == [0]


async def test_a_step_copies_no_more_than_some_megabytes(stage: Stage):
    await failed(stage, 20, payload=b"x" * 1_000_000)
    assert await all_steps(stage, "hello", "redriven", REDRIVE_ALL) == [8, 8, 4]


async def test_a_payload_larger_than_a_step_is_brought_back_alone(stage: Stage):
    await failed(stage, 2, payload=b"x" * 9_000_000)
    assert await all_steps(stage, "hello", "redriven", REDRIVE_ALL) == [1, 1]


async def test_what_fails_meanwhile_is_not_part_of_it(stage: Stage):
    await failed(stage, 500)
    step = await stage.post("hello", REDRIVE_ALL)
    await stage.fail(await stage.put_event("hello", 1000))
    answer = await stage.post("hello", {**REDRIVE_ALL, "next": step["next"]})
    assert (step["redriven"], answer) == (500, {"redriven": 0, "next": None})
    assert len((await stage.get("hello", {"show": "failed"}))["failed"]) == 1


async def test_events_are_not_brought_back_for_a_function_that_is_not_there(stage: Stage):
    await failed(stage, 1)
    del stage.functions.creations["hello"]
    with pytest.raises(ResourceNotFoundException, match="Function not found"):
        await stage.post("hello", REDRIVE_ALL)
    assert len((await stage.get("hello", {"show": "failed"}))["failed"]) == 1


async def test_deliveries_are_brought_back_as_they_were(stage: Stage):
    sequence = await stage.put_delivery(1)
    (before,) = await stage.entries.page(queue_of(RESULTS), after=None, limit=1, payload_bytes=99)
    await stage.fail(sequence)
    assert (await stage.post(RESULTS, REDRIVE_ALL))["redriven"] == 1
    (again,) = await stage.entries.page(queue_of(RESULTS), after=None, limit=9, payload_bytes=99)
    assert (again.entry.document, again.entry.payload) == (before.entry.document, before.entry.payload)
    assert again.entry.due_epoch_ms == stage.queues.time.epoch_ms()


async def test_what_waits_is_dropped_with_one_terminal_record_each(stage: Stage):
    for number in range(1203):
        await stage.put_event("hello", number)
    await stage.put_event("other", 1)
    assert await all_steps(stage, "hello", "purged", PURGE_WAITING) == [500, 500, 203]
    endings = list(stage.entries.endings.values())
    assert sorted(one.request_id for one in endings) == sorted(f"request-{number}" for number in range(1203))
    assert {(one.ending, one.payload, one.document) for one in endings} == {("Purged", None, None)}
    assert dropped(stage) == {"AsyncEventsDropped": 1203}
    assert (await waiting(stage), await waiting(stage, "other")) == ([], ["request-1"])
    assert await all_steps(stage, "hello", "purged", PURGE_WAITING) == [0]
    assert len(stage.entries.endings) == 1203


async def test_what_comes_meanwhile_is_not_dropped(stage: Stage):
    for number in range(500):
        await stage.put_event("hello", number)
    step = await stage.post("hello", PURGE_WAITING)
    await stage.put_event("hello", 1000)
    answer = await stage.post("hello", {**PURGE_WAITING, "next": step["next"]})
    assert (step["purged"], answer) == (500, {"purged": 0, "next": None})
    assert await waiting(stage) == ["request-1000"]


async def test_what_runs_goes_on_to_its_own_end(stage: Stage):
    for number in range(3):
        await stage.put_event("hello", number)
    await stage.queues.open()
    running = await stage.queues.events.next()
    assert (await stage.post("hello", PURGE_WAITING))["purged"] == 2
    assert await waiting(stage) == ["request-0"]
    assert await stage.queues.settle(Change(of=running.sequence))
    stage.queues.events.done(running)
    assert stage.queues.events.running(queue_of("hello")) == 0
    await stage.queues.close()


async def test_dropped_deliveries_count_as_undelivered(stage: Stage):
    await stage.put_delivery(1)
    assert (await stage.post(RESULTS, PURGE_WAITING))["purged"] == 1
    assert dropped(stage) == {"DestinationDeliveryFailures": 1}
    (ending,) = stage.entries.endings.values()
    assert (ending.ending, ending.request_id) == ("Purged", "request-1")


async def test_a_disk_that_refuses_leaves_the_rest_to_run(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    sequences = [await stage.put_event("hello", number) for number in range(3)]
    apply = stage.entries.apply

    async def refuse_one(change: Change) -> object:
        if change.of == sequences[1]:
            raise StoreError("the disk is full")
        return await apply(change)

    await stage.queues.open()
    monkeypatch.setattr(stage.entries, "apply", refuse_one)
    with pytest.raises(StoreError, match="full"):
        await stage.post("hello", PURGE_WAITING)
    assert dropped(stage) == {"AsyncEventsDropped": 2}
    left = await stage.queues.events.next()
    assert left.sequence == sequences[1]
    await stage.queues.close()


async def test_what_is_kept_is_dropped_and_its_endings_stay(stage: Stage):
    await failed(stage, 1203)
    await failed(stage, 1, "other")
    assert await all_steps(stage, "hello", "purged", PURGE_FAILED) == [500, 500, 203, 0]
    assert (await stage.get("hello", {"show": "failed"}))["failed"] == []
    assert len((await stage.get("other", {"show": "failed"}))["failed"]) == 1
    assert len(stage.entries.endings) == 1204
    assert await all_steps(stage, "hello", "redriven", REDRIVE_ALL) == [0]


async def test_another_account_orders_nothing(stage: Stage):
    await stage.put_event("hello", 1)
    for order in (PURGE_WAITING, REDRIVE_ALL):
        with pytest.raises(ResourceNotFoundException):
            await stage.post("hello", order, account="999999999999")
    assert await waiting(stage) == ["request-1"]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"action": "explode"},
        {"action": "redrive"},
        {"action": "redrive", "all": True, "request_id": "x"},
        {"action": "redrive", "number": 1, "request_id": "x"},
        {"action": "redrive", "number": "x"},
        {"action": "redrive", "all": True, "next": "1"},
        {"action": "redrive", "all": True, "more": 1},
        {"action": "purge"},
        {"action": "purge", "what": "all"},
        {"action": "purge", "what": "waiting", "next": "1.1"},
        {"action": "purge", "what": "failed", "next": "-1"},
    ],
)
async def test_what_can_not_be_meant_is_refused_and_nothing_is_done(stage: Stage, order: dict[str, object]):
    await stage.put_event("hello", 1)
    await failed(stage, 1)
    with pytest.raises(ValueError):  # noqa: PT011 - the words are msgspec's in part
        await stage.post("hello", order)
    assert await waiting(stage) == ["request-1"]
    assert len((await stage.get("hello", {"show": "failed"}))["failed"]) == 1


async def test_an_order_without_a_queue_is_refused(stage: Stage):
    with pytest.raises(ValueError, match="Name the queue"):
        await stage.post("", PURGE_WAITING)
