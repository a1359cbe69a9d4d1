"""Many idle warm sandboxes: what each takes of the memory, what all take of the processor, and whom they slow down."""

import time

from benchmarks.functions import EVENT
from benchmarks.measure import burst
from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.warm import under_load
from benchmarks.workloads.workload import Effort, Workload

REST_SECONDS = 2.0
AT_ONCE = 20


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    function, new_functions = running.warm, running.new_functions
    assert function is not None
    assert new_functions is not None
    requests = new_functions(effort.idle_sandboxes)
    processes = function.processes
    under_load(function, 1, effort.warm_up_seconds)
    with_one, _ = under_load(function, 1, effort.warm_seconds)
    time.sleep(REST_SECONDS)
    before_mib, server_before_mib = processes.pss_mib(), processes.root_pss_mib()
    wrong_answers = 0
    for start in range(0, len(requests), AT_ONCE):
        wrong_answers += burst.send(requests[start : start + AT_ONCE], EVENT).wrong_answers
    time.sleep(REST_SECONDS)
    count = len(requests)
    after_mib, server_after_mib = processes.pss_mib(), processes.root_pss_mib()
    used_before = processes.cpu_seconds()
    time.sleep(effort.idle_seconds)
    idle_cpu_seconds = processes.cpu_seconds() - used_before
    under_load(function, 1, effort.warm_up_seconds)
    with_all, _ = under_load(function, 1, effort.warm_seconds)
    return [
        Sample(
            repeat=repeat,
            value=(after_mib - before_mib) / count,
            requests=count,
            wrong_answers=wrong_answers + with_one.wrong_answers + with_all.wrong_answers,
            pss_mib=after_mib,
            more={
                "sandboxes": count,
                "of which server MiB each": (server_after_mib - server_before_mib) / count,
                "idle CPU % of a core": 100 * idle_cpu_seconds / effort.idle_seconds,
                "c1 p50 µs, one": with_one.p50_microseconds,
                "c1 p50 µs, all": with_all.p50_microseconds,
                "c1 p50, all / one": with_all.p50_microseconds / max(with_one.p50_microseconds, 1e-9),
            },
        )
    ]


DENSITY = Workload("density", "memory (PSS) of an idle warm sandbox", "MiB", "lower", _measure)
