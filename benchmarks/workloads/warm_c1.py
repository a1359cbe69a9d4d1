"""One connection, one invoke after the other: how long an invoke of a warm function takes."""

from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.warm import sample, under_load
from benchmarks.workloads.workload import Effort, Workload


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    function = running.warm
    assert function is not None
    under_load(function, 1, effort.warm_up_seconds)
    seen, cpu_seconds = under_load(function, 1, effort.warm_seconds)
    return [sample(function, repeat, seen, cpu_seconds, seen.p50_microseconds)]


WARM_C1 = Workload("warm_c1", "p50 of an invoke over one connection", "µs", "lower", _measure)
