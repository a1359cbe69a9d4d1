"""Sixteen connections on sixteen warm environments: how many invokes a second."""

from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.warm import sample, under_load, warm_environments
from benchmarks.workloads.workload import Effort, Workload

CONNECTIONS = 16


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    function = running.warm
    assert function is not None
    warm_environments(function, CONNECTIONS)
    under_load(function, CONNECTIONS, effort.warm_up_seconds)
    seen, cpu_seconds = under_load(function, CONNECTIONS, effort.warm_seconds)
    return [sample(function, repeat, seen, cpu_seconds, seen.requests_per_second)]


WARM_C16 = Workload("warm_c16", "invokes a second over 16 connections", "1/s", "higher", _measure)
