"""Many functions that have no environment are invoked at once: how many sandboxes a second come to answer."""

import time
from statistics import quantiles

from benchmarks.functions import EVENT
from benchmarks.measure import burst
from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload

REST_SECONDS = 1.0


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    function, new_functions = running.warm, running.new_functions
    assert function is not None
    assert new_functions is not None
    requests = new_functions(effort.burst_functions)
    time.sleep(REST_SECONDS)
    used_before = function.processes.cpu_seconds()
    seen = burst.send(requests, EVENT)
    used = function.processes.cpu_seconds() - used_before
    count = len(requests)
    cuts = quantiles(seen.seconds, n=100, method="inclusive")
    return [
        Sample(
            repeat=repeat,
            value=count / seen.total_seconds,
            requests=count,
            wrong_answers=seen.wrong_answers,
            pss_mib=function.processes.pss_mib(),
            more={
                "first answer p50 ms": cuts[49] * 1e3,
                "first answer p99 ms": cuts[98] * 1e3,
                "CPU ms/sandbox": used * 1e3 / count,
            },
        )
    ]


COLD_BURST = Workload("cold_burst", "sandboxes a second when many functions come at once", "1/s", "higher", _measure)
