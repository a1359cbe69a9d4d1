"""Load on a warm function: what warm_c1 and warm_c16 share."""

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.functions import EVENT
from benchmarks.measure import load
from benchmarks.results import Sample
from benchmarks.systems.endpoint import invoke
from benchmarks.systems.system import WarmFunction

SETTLE_SECONDS = 0.2
"""Between two loads: wrk leaves an invoke under way when it stops, and RIE crashes when the next one overlaps it."""


def warm_environments(function: WarmFunction, count: int) -> None:
    """`count` invokes at once, so that a system that gives each an environment has as many afterwards."""
    request = function.endpoint.invoke_request(function.function_name, EVENT)
    with ThreadPoolExecutor(count) as callers:
        for answer in [callers.submit(invoke, request) for _ in range(count)]:
            answer.result()


def under_load(function: WarmFunction, connections: int, seconds: int) -> tuple[load.Load, float]:
    """What the load saw, and the CPU seconds that the whole system used for it."""
    request = function.endpoint.invoke_request(function.function_name, EVENT)
    post = load.Post(request.url, request.headers, request.body, expected=invoke(request))
    used_before = function.processes.cpu_seconds()
    seen = load.run(post, connections, seconds)
    used = function.processes.cpu_seconds() - used_before
    time.sleep(SETTLE_SECONDS)
    return seen, used


def sample(function: WarmFunction, repeat: int, seen: load.Load, cpu_seconds: float, value: float) -> Sample:
    """A sample with everything that a load tells."""
    return Sample(
        repeat=repeat,
        value=value,
        p99=seen.p99_microseconds,
        requests=seen.requests,
        wrong_answers=seen.wrong_answers,
        requests_per_second=seen.requests_per_second,
        cpu_microseconds_per_request=1e6 * cpu_seconds / max(seen.requests, 1),
        pss_mib=function.processes.pss_mib(),
    )
