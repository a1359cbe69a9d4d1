"""boto3's Invoke, one after the other: what a user feels beyond boto3's own cost, which the raw echo shows."""

import time
from statistics import quantiles

from benchmarks.functions import EVENT
from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload

WARM_UP_CALLS = 10


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    function = running.warm
    assert function is not None
    client = function.endpoint.client()
    seconds: list[float] = []
    wrong_answers = 0
    for call in range(-WARM_UP_CALLS, effort.boto3_calls):
        if call == 0:
            used_before = function.processes.cpu_seconds()
        began = time.perf_counter()
        answer = client.invoke(FunctionName=function.function_name, Payload=EVENT)
        payload = answer["Payload"].read()
        if call >= 0:
            seconds.append(time.perf_counter() - began)
            wrong_answers += payload != EVENT or "FunctionError" in answer
    cpu_seconds = function.processes.cpu_seconds() - used_before
    client.close()
    cuts = quantiles(seconds, n=100, method="inclusive")
    return [
        Sample(
            repeat=repeat,
            value=cuts[49] * 1e3,
            p99=cuts[98] * 1e3,
            requests=len(seconds),
            wrong_answers=wrong_answers,
            requests_per_second=len(seconds) / sum(seconds),
            cpu_microseconds_per_request=1e6 * cpu_seconds / len(seconds),
            pss_mib=function.processes.pss_mib(),
        )
    ]


BOTO3_FELT = Workload("boto3_felt", "boto3 p50 less the raw echo's", "ms", "lower", _measure)
