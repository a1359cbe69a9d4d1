"""Event invokes that are on disk before they are answered, by as many callers as may share one sync of the disk."""

from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    assert running.take_events is not None
    running.take_events(effort.warm_up_seconds)
    seen = running.take_events(effort.event_seconds)
    return [
        Sample(
            repeat=repeat,
            value=seen.events_per_second,
            p99=seen.p99_microseconds,
            requests=seen.events,
            wrong_answers=seen.wrong_answers,
            requests_per_second=seen.events_per_second,
            cpu_microseconds_per_request=1e6 * seen.cpu_seconds / max(seen.events, 1),
            pss_mib=None if running.warm is None else running.warm.processes.pss_mib(),
            more={"p50 µs": seen.p50_microseconds},
        )
    ]


ASYNC_DURABLE = Workload("async_durable", "events accepted a second", "1/s", "higher", _measure)
