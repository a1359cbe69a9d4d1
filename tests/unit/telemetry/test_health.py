"""Problems come and go by name, keep their age, and are logged once each."""

import logging
import threading

import pytest

from lampion.clock.virtual import VirtualClock
from lampion.telemetry.health import Health, Problem


async def test_a_problem_lasts_until_the_room_is_well_again(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock(epoch=1000.0)
    health = Health(clock)
    assert health.problems == []
    health.well("store")
    with caplog.at_level(logging.WARNING):
        health.failing("store", "disk is full")
        await clock.advance(5)
        health.failing("store", "disk is full")
        health.failing("events", "slow")
        health.failing("store", "disk is broken")
        assert health.problems == [Problem("store", "disk is broken", 1000.0), Problem("events", "slow", 1005.0)]
        health.well("store")
        health.well("store")
        assert [problem.name for problem in health.problems] == ["events"]
        health.well("events")
    assert health.problems == []
    assert [record.message for record in caplog.records] == [
        "failing: store: disk is full",
        "failing: events: slow",
        "failing: store: disk is broken",
        "well again after 5.0 s: store",
        "well again after 0.0 s: events",
    ]


def test_rooms_report_from_threads() -> None:
    health = Health(VirtualClock())

    def report(name: str) -> None:
        for _ in range(500):
            health.failing(name, "x")
            assert name in [problem.name for problem in health.problems]
            health.well(name)

    threads = [threading.Thread(target=report, args=(f"room-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert health.problems == []
