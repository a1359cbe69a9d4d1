"""Queued events, all due, of one function: how fast they run to their ends."""

from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    assert running.drain is not None
    seen = running.drain(effort.drained_events)
    return [
        Sample(
            repeat=repeat,
            value=seen.events_per_second,
            requests=seen.events,
            wrong_answers=seen.wrong_answers,
            cpu_microseconds_per_request=1e6 * seen.cpu_seconds / max(seen.events, 1),
            pss_mib=seen.pss_mib,
        )
    ]


ASYNC_DRAIN = Workload("async_drain", "queued events run to their ends a second", "1/s", "higher", _measure)
