"""Batches: when they are full, when they are due, and what is lost when nobody takes them."""

import json
import random

import pytest

from lampion.function_telemetry.buffer import BATCHES, Buffer
from lampion.function_telemetry.subscription import Buffering

LIMITS = Buffering(max_items=3, max_bytes=100, timeout_ms=1000)


def notice(records: int, size_bytes: int) -> bytes:
    return b"dropped %d %d" % (records, size_bytes)


def buffer(limits: Buffering = LIMITS) -> Buffer:
    return Buffer(limits, notice)


def took(held: Buffer, now: float = 0.0) -> list[bytes]:
    batch = list(held.take(now))
    held.delivered()
    return batch


def test_nothing_is_due_where_nothing_is() -> None:
    held = buffer()
    assert (held.due_in(0.0), held.is_empty, held.has_room) == (None, True, True)


def test_a_batch_is_due_when_its_first_event_has_waited() -> None:
    held = buffer()
    held.add(b"a", 10.0)
    held.add(b"b", 10.9)
    assert held.due_in(10.9) == pytest.approx(0.1)
    assert held.due_in(12.0) == 0.0
    assert took(held) == [b"a", b"b"]
    assert held.is_empty
    held.add(b"c", 20.0)
    assert held.due_in(20.0) == 1.0


@pytest.mark.parametrize(
    ("count", "size", "due"), [(2, 1, 1.0), (3, 1, 0.0), (1, 99, 1.0), (1, 100, 0.0), (2, 50, 0.0)]
)
def test_a_batch_is_due_when_it_is_full(count: int, size: int, due: float) -> None:
    held = buffer()
    for _ in range(count):
        held.add(b"x" * size, 0.0)
    assert held.due_in(0.0) == due


def test_batches_keep_to_their_limits_and_to_the_order() -> None:
    held = buffer()
    for name in b"abcde":
        held.add(bytes([name]), 0.0)
    assert took(held) == [b"a", b"b", b"c"]
    assert held.due_in(0.5) == 0.5  # the rest has waited as long
    assert took(held) == [b"d", b"e"]
    for size in (60, 30, 20):
        held.add(b"x" * size, 0.0)
    assert [len(event) for event in took(held)] == [60, 30]
    assert [len(event) for event in took(held)] == [20]


def test_an_event_of_any_size_gets_through_alone() -> None:
    held = buffer()
    held.add(b"x" * 1000, 0.0)
    held.add(b"y", 0.0)
    assert [len(event) for event in took(held)] == [1000]
    assert took(held) == [b"dropped 1 1"]


def test_what_is_under_way_is_held_until_it_is_delivered() -> None:
    held = buffer()
    for _ in range(3):
        held.add(b"x" * 30, 0.0)
    assert len(held.take(0.0)) == 3
    assert (held.held_bytes, held.is_empty, held.due_in(0.0)) == (90, True, None)
    assert len(held.under_way) == 3
    held.delivered()
    assert (held.held_bytes, list(held.under_way)) == (0, [])


def test_what_finds_no_room_is_told_of_where_it_is_missing() -> None:
    held = buffer()
    for name in b"abcdefgh":
        held.add(bytes([name]) * 5, 0.0)
    assert not held.has_room
    held.drop(7, 0.0)
    assert took(held) == [b"aaaaa", b"bbbbb", b"ccccc"]
    held.add(b"i", 0.0)
    assert took(held) == [b"ddddd", b"eeeee", b"fffff"]
    assert took(held) == [b"dropped 3 17", b"i"]
    assert held.is_empty


def test_dropped_events_are_told_of_even_if_no_others_follow() -> None:
    held = buffer()
    held.drop(9, 5.0)
    assert held.due_in(5.0) == 1.0
    assert took(held) == [b"dropped 1 9"]
    assert held.is_empty


def test_limits_may_change() -> None:
    held = buffer()
    held.add(b"a", 0.0)
    held.limits = Buffering(1, 100, 1000)
    assert held.due_in(0.0) == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_memory_is_bounded_and_nothing_is_lost_unsaid(seed: int) -> None:
    chance = random.Random(seed)
    held = buffer()
    offered, now = 0, 0.0
    received: list[bytes] = []
    for _ in range(400):
        now += chance.random()
        step = chance.random()
        if step < 0.7:
            held.add(json.dumps([offered, "x" * chance.randrange(40)]).encode(), now)
            offered += 1
        elif held.due_in(now) == 0.0 and not held.under_way:
            held.take(now)
        elif held.under_way:
            received += held.under_way
            held.delivered()
        assert held.held_bytes <= BATCHES * LIMITS.max_bytes + len(notice(999, 99999))
    received += held.under_way
    held.delivered()
    while not held.is_empty:
        received += took(held, now)
    expected = 0
    for event in received:
        if event.startswith(b"dropped"):
            expected += int(event.split()[1])
        else:
            assert json.loads(event)[0] == expected
            expected += 1
    assert expected == offered
