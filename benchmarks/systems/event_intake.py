"""Ways to take events in for a while: a Lambda API under load, or a program that does it by itself and tells."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.functions import LARGER_EVENT
from benchmarks.measure import load
from benchmarks.systems.system import EventIntake, Intake, WarmFunction

CONNECTIONS = 64
"""Callers at once: as many events may share one sync of the disk."""

_GRACE_SECONDS = 60


def over_http(function: WarmFunction, connections: int = CONNECTIONS) -> EventIntake:
    """Event invokes of 900 bytes, each answered 202 with nothing."""

    def take_in(seconds: int) -> Intake:
        request = function.endpoint.event_request(function.function_name, LARGER_EVENT)
        post = load.Post(request.url, request.headers, request.body, expected=b"", expected_status=202)
        used_before = function.processes.cpu_seconds()
        seen = load.run(post, connections, seconds)
        used = function.processes.cpu_seconds() - used_before
        return Intake(
            events=seen.requests,
            wrong_answers=seen.wrong_answers,
            events_per_second=seen.requests_per_second,
            p50_microseconds=seen.p50_microseconds,
            p99_microseconds=seen.p99_microseconds,
            cpu_seconds=used,
        )

    return take_in


def by_program(argv: Sequence[object], environ: Mapping[str, str], *more: object) -> EventIntake:
    """`argv`, the seconds, and what follows them; the last line it writes tells what it did."""

    def take_in(seconds: int) -> Intake:
        words = [str(word) for word in (*argv, seconds, *more)]
        done = subprocess.run(
            words, env=dict(environ), cwd="/", capture_output=True, text=True, timeout=seconds + _GRACE_SECONDS
        )
        if done.returncode != 0:
            raise load.LoadError(f"it ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
        told = json.loads(done.stdout.strip().rpartition("\n")[2])
        return Intake(
            events=told["events"],
            wrong_answers=0,
            events_per_second=told["events"] / told["seconds"],
            p50_microseconds=told["p50"],
            p99_microseconds=told["p99"],
            cpu_seconds=told["cpu_seconds"],
        )

    return take_in


def until(ask: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until it says yes. Raises TimeoutError with `what` hasn't come about."""
    deadline = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {seconds:.0f} s")
        time.sleep(0.02)
