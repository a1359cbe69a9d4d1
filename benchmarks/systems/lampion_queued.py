"""Lampion with events in its durable queue: a server that keeps so many while more come, and one that runs them all."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.functions import ECHO, ECHO_THAT_HOLDS, EVENT, package
from benchmarks.systems import queue_file
from benchmarks.systems.aws_functions import RUNTIME, Kind, create
from benchmarks.systems.endpoint import invoke
from benchmarks.systems.event_intake import over_http, until
from benchmarks.systems.lampion_server import ROOM_FOR_ALL, Server, data_directory, serving, versions
from benchmarks.systems.system import Drained, EventIntake, Intake, Running, Scratch, WarmFunction

HOLDS = "holds"
HOLD_SECONDS = 800
_BUSY_SECONDS = 20.0
_DRAIN_SECONDS = 300.0
_LOOK_SECONDS = 0.02
_LEFT_OUT = 0.1
"""Of the events: while these run, environments are started."""


class LampionQueued:
    """So many events wait for another day, and what comes waits too: its function may run once, and is busy."""

    workloads = frozenset({"async_durable"})

    def __init__(self, name: str, queued: int) -> None:
        self.name = name
        self._queued = queued

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return versions()

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        data = data_directory(scratch)
        with serving(scratch) as server:
            create(server.endpoint.client(), HOLDS, Kind(RUNTIME, package(ECHO_THAT_HOLDS), timeout_seconds=900))
        queue_file.fill(queue_file.file_in(data), HOLDS, self._queued, due_in_seconds=queue_file.FAR_SECONDS)
        with serving(scratch) as server:
            _keep_busy(server)
            function = WarmFunction(server.endpoint, HOLDS, server.tree)
            yield Running(warm=function, take_events=nothing_lost(over_http(function), queue_file.file_in(data)))


def _keep_busy(server: Server) -> None:
    """From now on no event of the function can run."""
    client = server.endpoint.client()
    client.put_function_concurrency(FunctionName=HOLDS, ReservedConcurrentExecutions=1)
    client.invoke(
        FunctionName=HOLDS, InvocationType="Event", Payload=json.dumps({"hold_seconds": HOLD_SECONDS}).encode()
    )

    def is_busy() -> bool:
        try:
            client.invoke(FunctionName=HOLDS, Payload=EVENT)
        except client.exceptions.TooManyRequestsException:
            return True
        return False

    until(is_busy, _BUSY_SECONDS, f"{HOLDS} wasn't busy")
    client.close()


def nothing_lost(take_in: EventIntake, file: Path) -> EventIntake:
    """Counts as wrong what was answered 202 and isn't on disk."""

    def counted(seconds: int) -> Intake:
        before = queue_file.depth(file)
        seen = take_in(seconds)
        lost = seen.events - seen.wrong_answers - (queue_file.depth(file) - before)
        return seen if lost <= 0 else seen.with_lost(lost)

    return counted


class LampionDrain:
    """A queue of events that are all due, and a server that begins to run them as soon as it is started."""

    name = "lampion_drain"
    workloads = frozenset({"async_drain"})

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return versions()

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        with serving(scratch) as server:
            create(server.endpoint.client(), "echo", Kind(RUNTIME, package(ECHO)))
            invoke(server.endpoint.invoke_request("echo", EVENT))
        yield Running(drain=lambda events: _drain(scratch, events))


def _drain(scratch: Scratch, events: int) -> Drained:
    file = queue_file.file_in(data_directory(scratch))
    before = queue_file.ended(file)
    queue_file.fill(file, "echo", events, due_in_seconds=0)
    with serving(scratch, ROOM_FOR_ALL) as server:
        first = _wait_for(file, before + int(events * _LEFT_OUT))
        began, used_before = time.perf_counter(), server.tree.cpu_seconds()
        last = _wait_for(file, before + events)
        took, used = time.perf_counter() - began, server.tree.cpu_seconds() - used_before
        pss_mib = server.tree.pss_mib()
        wrong = abs(events - (last - before)) + queue_file.depth(file) + abs(last - queue_file.succeeded(file))
    return Drained(last - first, wrong, (last - first) / took, used, pss_mib)


def _wait_for(file: Path, ends: int) -> int:
    """How many have ended when it are at least `ends`."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    while (seen := queue_file.ended(file)) < ends:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seen} of {ends} events ended within {_DRAIN_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
    return seen
