"""Six megabytes of JSON in and out, one invoke after the other, beside the SHA-256 that a signature needs of them.

The function copies bytes, so that what is measured is the server; one that gets Python's objects and returns them is
measured in turn.
"""

import hashlib
import json
import time
from dataclasses import replace
from statistics import quantiles

from benchmarks.functions import ECHO
from benchmarks.measure.exchange import Exchange, connected
from benchmarks.raw_functions import ECHO_OF_BYTES
from benchmarks.results import BESIDE_SHA256, WITH_PYTHON_OBJECTS, Sample
from benchmarks.systems.system import Running, WarmFunction
from benchmarks.workloads.workload import Effort, Workload

PAYLOAD_BYTES = 6_000_000
_ROOM_BYTES = 2 * PAYLOAD_BYTES
WARM_UP_CALLS = 3


def payload() -> bytes:
    """Records, some of whose text is beyond ASCII."""
    record = {"id": 1_000_000, "price": 12.5, "tags": ["a", "b"], "text": "The quick brown fox, " * 8 + "größer als €"}
    text = json.dumps(record, ensure_ascii=False)
    size = len(text.encode()) + 2
    count = (PAYLOAD_BYTES - 2) // size
    return json.dumps([record] * count, ensure_ascii=False).encode()


class _Kind:
    """One function: its request, and what was measured of it."""

    def __init__(self, name: str, function: WarmFunction, event: bytes) -> None:
        self.name = name
        self._function = function
        self._request = function.endpoint.invoke_request(function.function_name, event)
        self.seconds: list[float] = []
        self.wrong_answers = 0
        self.cpu_seconds = 0.0

    def ask(self, exchange: Exchange, *, counts: bool) -> None:
        used_before = self._function.processes.cpu_seconds()
        answer = exchange.ask(self._request)
        used = self._function.processes.cpu_seconds() - used_before
        if counts:
            self.seconds.append(answer.seconds)
            self.cpu_seconds += used
            self.wrong_answers += answer.status != 200 or not _same(answer.body, self._request.body)

    def sample(self, repeat: int, grown_mib: float) -> Sample:
        cpu_microseconds = 1e6 * self.cpu_seconds / len(self.seconds)
        found = _sample(repeat, self.name, self.seconds)
        more = {**found.more, "server grew by MiB": grown_mib}
        return replace(
            found, wrong_answers=self.wrong_answers, cpu_microseconds_per_request=cpu_microseconds, more=more
        )


def _same(answer: bytes, event: bytes) -> bool:
    """Bytes for bytes, or another spelling of the same."""
    return answer == event or json.loads(answer) == json.loads(event)


def _sample(repeat: int, kind: str, seconds: list[float]) -> Sample:
    cuts = quantiles(seconds, n=20, method="inclusive")
    return Sample(repeat=repeat, value=cuts[9] * 1e3, kind=kind, requests=len(seconds), more={"p95 ms": cuts[18] * 1e3})


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    assert running.function_of is not None
    event, copying, objects = payload(), running.function_of(ECHO_OF_BYTES), running.function_of(ECHO)
    kinds = [_Kind("", copying, event), _Kind(WITH_PYTHON_OBJECTS, objects, event)]
    hashing: list[float] = []
    before_mib = copying.processes.begin_root_peak()
    with connected(copying.endpoint.url, _ROOM_BYTES) as exchange:
        for call in range(-WARM_UP_CALLS, effort.payload_calls):
            began = time.perf_counter()
            hashlib.sha256(event).digest()
            if call >= 0:
                hashing.append(time.perf_counter() - began)
            for kind in kinds:
                kind.ask(exchange, counts=call >= 0)
    grown_mib = copying.processes.root_peak_mib() - before_mib
    return [*(kind.sample(repeat, grown_mib) for kind in kinds), _sample(repeat, BESIDE_SHA256, hashing)]


PAYLOAD_6MB = Workload("payload_6mb", "p50 of an invoke with 6 MB in and out", "ms", "lower", _measure)
