"""The first answer of a new function, by runtime, beside what AWS's own runtimes take to initialise.

Functions of all runtimes are asked in turn, one at a time; the first turn isn't counted (as in cold_first).
"""

import re
import time
from typing import Final

from benchmarks.functions import EVENT
from benchmarks.results import AWS_INIT, OUR_INIT, Sample
from benchmarks.systems.endpoint import InvokeRequest, invoke_logged
from benchmarks.systems.system import Running
from benchmarks.workloads.cold_first import PAUSE_SECONDS, REST_SECONDS
from benchmarks.workloads.workload import Effort, Workload

AWS_INIT_P50_MS: Final = {
    "python3.13": 84.6,
    "nodejs22.x": 140.0,
    "java21": 239.0,
    "ruby3.4": 228.0,
    "dotnet8": 251.0,
    "provided.al2023": 16.0,
}
"""Init Duration of a small function, 128 MB, x86_64: computed from the data of github.com/maxday/lambda-perf over
30 days up to 2026-08-22. That of provided.al2023 is a program in Rust."""

_INIT: Final = re.compile(r"Init Duration: ([\d.]+) ms")


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    assert running.new_by_runtime is not None
    by_runtime = running.new_by_runtime(1 + effort.first_answers_per_repeat)
    time.sleep(REST_SECONDS)
    samples = []
    for number, turn in enumerate(zip(*by_runtime.values(), strict=True)):
        for runtime, request in zip(by_runtime, turn, strict=True):
            sample = _first_answer(runtime, request, repeat)
            if number > 0:
                samples.append(sample)
            time.sleep(PAUSE_SECONDS)
    return samples


def _first_answer(runtime: str, request: InvokeRequest, repeat: int) -> Sample:
    began = time.perf_counter()
    answer = invoke_logged(request)
    seconds = time.perf_counter() - began
    init = _INIT.search(answer.log)
    of_aws = published(runtime)
    return Sample(
        repeat=repeat,
        value=seconds * 1e3,
        kind=runtime,
        wrong_answers=0 if _is_echo(answer.body) and init is not None else 1,
        more={
            **({} if init is None else {OUR_INIT: float(init[1])}),
            **({} if of_aws is None else {AWS_INIT: of_aws}),
        },
    )


def published(row: str) -> float | None:
    """Of the runtime; of one that another version serves here, that of its language."""
    runtime, _, close = row.partition(" on ")
    language = runtime.rstrip("0123456789.x")
    return next(
        (ms for known, ms in AWS_INIT_P50_MS.items() if known == runtime or (close and language in known)), None
    )


def _is_echo(body: bytes) -> bool:
    """Whatever spaces a language writes between the same members."""
    return body.replace(b" ", b"") == EVENT.replace(b" ", b"")


COLD_RUNTIMES = Workload("cold_runtimes", "first answer of a new function, by runtime", "ms", "lower", _measure)
