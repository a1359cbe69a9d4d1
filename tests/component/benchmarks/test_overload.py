"""The overload really runs: what is refused is refused, and every event that was accepted ends."""

import os
from dataclasses import replace

from benchmarks.measure.open_loop import Seen
from benchmarks.overload.page import MOST_GROWTH_MIB
from benchmarks.overload.scenario import EVENTS, SCENARIOS, SYNC, measure
from benchmarks.systems.lampion_server import serving
from benchmarks.systems.system import Scratch


def told(seen: Seen) -> int:
    return sum(sum(ends.values()) for ends in seen.ends.values())


def test_an_overloaded_function_refuses_what_it_cannot_do_and_loses_no_event(tmp_path):
    output = os.open(os.devnull, os.O_WRONLY)
    resting = next(scenario for scenario in SCENARIOS if scenario.reserved is not None)
    # so long that the rate is what the concurrency says, however busy this machine is
    resting = replace(resting, source=resting.source.replace("sleep(0.02)", "sleep(0.2)"))
    with serving(Scratch(tmp_path, output), ()) as server:
        figures = measure(server, resting, 1.0)
    os.close(output)

    assert 10 < figures.peak <= 16 / 0.2
    assert figures.seen.count(SYNC, 429) > 0
    assert figures.seen.in_time[SYNC] > 0
    assert figures.seen.count(EVENTS, 202) > 0
    assert figures.events_not_well == 0
    assert told(figures.seen) == figures.seen.sent
    assert figures.memory_peak_mib >= figures.memory_before_mib > 1
    assert figures.memory_peak_mib - figures.memory_before_mib < MOST_GROWTH_MIB
