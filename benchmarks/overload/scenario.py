"""One overload of one function, from its peak rate to its recovery."""

import resource
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.functions import EVENT, MEMORY_MIB, package
from benchmarks.measure import open_loop
from benchmarks.measure.open_loop import Seen
from benchmarks.systems import queue_file
from benchmarks.systems.aws_functions import RUNTIME, Kind, create
from benchmarks.systems.endpoint import WrongAnswer, invoke
from benchmarks.systems.event_intake import until
from benchmarks.systems.lampion_server import Server
from benchmarks.systems.system import WarmFunction
from benchmarks.workloads.warm import under_load, warm_environments

TIMES_PEAK = 3.0
EVENT_EVERY = 10
"""One request of so many is an event."""

CONNECTIONS = 16
MOST_CONNECTIONS = 6000
SYNC, EVENTS = "invokes", "events"
REFUSED = (429, 503)
_SETTLE_SECONDS = 1.0
_AFTERWARDS_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A function whose rate is bounded by `bound`; `reserved` is its reserved concurrency."""

    name: str
    bound: str
    source: str
    memory_mib: int = MEMORY_MIB
    reserved: int | None = None


BUSY = """
import time

def handler(event, context):
    end = time.thread_time() + 0.002
    while time.thread_time() < end:
        pass
    return event
"""
RESTING = """
import time

def handler(event, context):
    time.sleep(0.02)
    return event
"""
SCENARIOS = (
    Scenario("busy", "the processor: each invoke takes 2 ms of it", BUSY),
    Scenario(
        "resting",
        f"reserved concurrency of {CONNECTIONS}: each invoke sleeps 20 ms",
        RESTING,
        memory_mib=256,
        reserved=CONNECTIONS,
    ),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Processors in use, in cores: by the load, and by the server and all that runs its functions."""

    load: float
    system: float


@dataclass(frozen=True, slots=True)
class Peak:
    """Right answers a second, and what that took."""

    rate: float
    use: Use


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen. Rates are per second, of invokes and events together; memory is the server's own, in MiB.

    `use` is that while requests left; the load of the peak is another program, and sends less.
    `events_ended` ended while requests left; `events_not_well` were accepted and didn't end well, or not at all.
    Afterwards: seconds until an invoke was answered, until all events had ended, and the rate then.
    """

    scenario: Scenario
    peak: float
    peak_use: Use
    seen: Seen
    use: Use
    events_ended: int
    memory_before_mib: float
    memory_peak_mib: float
    first_answer_seconds: float
    drained_seconds: float
    rate_after: float
    events_not_well: int

    @property
    def goodput(self) -> float:
        return (self.seen.in_time[SYNC] + self.events_ended) / self.seen.took_seconds

    @property
    def yield_share(self) -> float:
        """Goodput for each second of processor that the load left to the system, as a share of the peak's."""
        return (self.goodput / self.use.system) / (self.peak / self.peak_use.system)

    @property
    def refused(self) -> int:
        return self.seen.count(SYNC, *REFUSED) + self.seen.count(EVENTS, *REFUSED)

    @property
    def neither(self) -> int:
        """Requests that were neither done nor accepted nor refused."""
        done = self.seen.count(SYNC, 200) + self.seen.count(EVENTS, 202)
        return self.seen.sent - done - self.refused


def measure(server: Server, scenario: Scenario, seconds: float) -> Figures:
    """All of it, on a running server. Raises TimeoutError when it doesn't recover."""
    function, file = _function(server, scenario), queue_file.file_in(server.data)
    warm_environments(function, CONNECTIONS)
    _peak(function, 1)
    peak = _peak(function, max(2, round(seconds / 2)))
    time.sleep(_SETTLE_SECONDS)
    ended_before, well_before = queue_file.ended(file), queue_file.succeeded(file)
    memory_before_mib = server.tree.begin_root_peak()
    meter = _Meter(server)
    with _Recovery(function, file) as recovery:

        def at_end() -> None:
            recovery.begin()
            meter.stop()

        plan = open_loop.Plan(
            kinds=_kinds(function),
            rate=TIMES_PEAK * peak.rate,
            seconds=seconds,
            connections=MOST_CONNECTIONS,
            at_end=at_end,
        )
        seen = open_loop.run(plan)
        accepted = seen.count(EVENTS, 202)
        drained_seconds = recovery.until_ended(ended_before + accepted)
        first_answer_seconds = recovery.first_answer_seconds()
    memory_peak_mib = server.tree.root_peak_mib()
    rate_after = _peak(function, 2).rate
    return Figures(
        scenario=scenario,
        peak=peak.rate,
        peak_use=peak.use,
        seen=seen,
        use=meter.use,
        events_ended=recovery.ended_at_end - ended_before,
        memory_before_mib=memory_before_mib,
        memory_peak_mib=memory_peak_mib,
        first_answer_seconds=first_answer_seconds,
        drained_seconds=drained_seconds,
        rate_after=rate_after,
        events_not_well=accepted - min(accepted, queue_file.succeeded(file) - well_before),
    )


def _function(server: Server, scenario: Scenario) -> WarmFunction:
    client = server.endpoint.client()
    create(client, scenario.name, Kind(RUNTIME, package(scenario.source), memory_mib=scenario.memory_mib))
    if scenario.reserved is not None:
        client.put_function_concurrency(FunctionName=scenario.name, ReservedConcurrentExecutions=scenario.reserved)
    client.close()
    return WarmFunction(server.endpoint, scenario.name, server.tree)


def _peak(function: WarmFunction, seconds: int) -> Peak:
    """Right answers a second, as many at once as there are warm environments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seen, system_seconds = under_load(function, CONNECTIONS, seconds)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    load_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rate = seen.requests_per_second * (1 - seen.wrong_answers / max(seen.requests, 1))
    return Peak(rate, Use(load_seconds / seconds, system_seconds / seconds))


class _Meter:
    """Processor time from now on until `stop`, in which nothing but the load runs in this process."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._before = self._read()
        self.use = Use(0.0, 0.0)

    def stop(self) -> None:
        (began, *before), (ended, *after) = self._before, self._read()
        load, system = ((late - early) / (ended - began) for early, late in zip(before, after, strict=True))
        self.use = Use(load, system)

    def _read(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), self._server.tree.cpu_seconds()


def _kinds(function: WarmFunction) -> list[open_loop.Kind]:
    """In turns: so many invokes, and an event."""
    name = function.function_name
    sync = open_loop.Kind(SYNC, function.endpoint.invoke_request(name, EVENT), 200, EVENT)
    event = open_loop.Kind(EVENTS, function.endpoint.event_request(name, EVENT), 202, b"")
    return [*[sync] * (EVENT_EVERY - 1), event]


class _Recovery:
    """What happens from the last request on: `begin` is called then, and asks for answers in a thread of its own."""

    def __init__(self, function: WarmFunction, file: Path) -> None:
        self._request = function.endpoint.invoke_request(function.function_name, EVENT)
        self._file = file
        self._asking = ThreadPoolExecutor(1)
        self._answered: Future[float] | None = None
        self._began = 0.0
        self.ended_at_end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._asking.shutdown(wait=True, cancel_futures=True)

    def begin(self) -> None:
        self._began = time.perf_counter()
        self._answered = self._asking.submit(self._until_answered)
        self.ended_at_end = queue_file.ended(self._file)

    def first_answer_seconds(self) -> float:
        assert self._answered is not None
        return self._answered.result()

    def until_ended(self, count: int) -> float:
        """Seconds from the last request until so many events have ended."""
        what = f"not all of {count} events ended"
        until(lambda: queue_file.ended(self._file) >= count, _AFTERWARDS_SECONDS, what)
        return time.perf_counter() - self._began

    def _until_answered(self) -> float:
        def is_answered() -> bool:
            try:
                return invoke(self._request) == EVENT
            except (WrongAnswer, OSError):
                return False

        until(is_answered, _AFTERWARDS_SECONDS, "no invoke was answered")
        return time.perf_counter() - self._began
