"""A victim at 200 requests a second while another function abuses the machine: `python -m tests.escape.neighbour`.

Open loop: requests leave on schedule, whatever the answers do, and their time counts from when they were due. A quiet
round stands before each abuse and is its reference; two quiet rounds one after the other show what noise alone does.
"""

import argparse
import asyncio
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lampion.clock.clock import SystemClock
from tests.deployment import functions
from tests.live_server import LiveServer, marked_directory

_ROOT = Path(__file__).resolve().parents[2]
_SOURCE = Path(__file__).parent / "probes" / "python" / "abuse.py"
_VICTIM = "def handler(event, context):\n    return {'ok': True}\n"
_MEMORY_MIB = 1769  # one whole core
_KINDS = ("fork bomb", "memory", "disk", "descriptors", "log", "processor")
_CLOCK = SystemClock()
_PATIENCE_SECONDS = 10.0
_MOST_RATIO = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """What the victim's callers saw."""

    latencies_ms: tuple[float, ...]
    errors: tuple[str, ...]
    """What came instead of the right answer."""

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


@dataclass(frozen=True, slots=True)
class Comparison:
    """One abuse beside its quiet reference."""

    kind: str
    quiet: Round
    abused: Round

    @property
    def ratio(self) -> float:
        return self.abused.percentile(0.99) / self.quiet.percentile(0.99)

    @property
    def holds(self) -> bool:
        return self.ratio <= _MOST_RATIO and not self.abused.errors


class Caller:
    """Kept connections to one function on a server that checks no signatures."""

    def __init__(self, server: LiveServer, name: str) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        path = f"/2015-03-31/functions/{name}/invocations"
        self._request = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def round(self, rate: float, seconds: float) -> Round:
        """`rate` requests a second for `seconds`."""
        beginning = _CLOCK.monotonic()
        calls = []
        for number in range(int(rate * seconds)):
            due = beginning + number / rate
            await asyncio.sleep(max(0.0, due - _CLOCK.monotonic()))
            calls.append(asyncio.create_task(self._call(due)))
        outcomes = await asyncio.gather(*calls)
        taken = tuple(1000 * outcome for outcome in outcomes if isinstance(outcome, float))
        return Round(taken, tuple(outcome for outcome in outcomes if isinstance(outcome, str)))

    async def _call(self, due: float) -> float | str:
        """Seconds from when it was due; anything but the right answer as text."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reader, writer = self._kept() or await asyncio.open_connection(*self._address)
                writer.write(self._request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            return f"{error!r} after {_CLOCK.monotonic() - due:.3f} s"
        self._idle.append((reader, writer))
        is_right = head.startswith(b"HTTP/1.1 200") and b"x-amz-function-error" not in head.lower() and b"ok" in body
        return _CLOCK.monotonic() - due if is_right else f"{head!r} {body[:200]!r}"

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection that is still open: the server closes those that have been idle for long."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


@contextmanager
def abuse(client: Any, name: str, kind: str, seconds: float) -> Iterator[None]:
    """One invocation after the other of the abusing function while the block runs; how they end is their own affair."""
    is_over = threading.Event()
    payload = f'{{"kind": "{kind}", "seconds": {min(5.0, seconds)}}}'

    def repeat() -> None:
        while not is_over.is_set():
            with suppress(ClientError, BotoCoreError):
                client.invoke(FunctionName=name, Payload=payload)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


async def compare(server: LiveServer, kinds: Sequence[str], rate: float, seconds: float) -> list[Comparison]:
    """Each kind after a quiet round; first of all a quiet round after a quiet round."""
    client = server.client(read_timeout=120)
    with functions(client, "neighbour") as make:
        victim = make(_VICTIM, MemorySize=_MEMORY_MIB)
        attacker = make(_SOURCE.read_text(), MemorySize=_MEMORY_MIB, Timeout=10)
        caller = Caller(server, victim)
        await caller.round(rate, 1.0)  # environments start here, not in the measured rounds
        found = [Comparison("none (noise)", await caller.round(rate, seconds), await caller.round(rate, seconds))]
        for kind in kinds:
            quiet = await caller.round(rate, seconds)
            with abuse(client, attacker, kind, seconds):
                await asyncio.sleep(0.5)
                found.append(Comparison(kind, quiet, await caller.round(rate, seconds)))
        caller.close()
    client.close()
    return found


def page(found: Sequence[Comparison], rate: float, seconds: float) -> str:
    """The text of the result page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    lines = [
        "# A function beside an abusive one",
        "",
        f"- command: `python -m tests.escape.neighbour {' '.join(sys.argv[1:])}`",
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
        f"- commit: {commit}",
        f"- machine: {os.cpu_count()} processors; both functions with MemorySize {_MEMORY_MIB}",
        f"- load: {rate:g} requests a second, open loop, {seconds:g} s a round",
        f"- promise: p99 at most {_MOST_RATIO:g} times that of the quiet round before it, and no error",
        "",
        "| Abuse | p50 quiet, ms | p50 abused | p99 quiet | p99 abused | p99 ratio | errors | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        figures = (each.quiet.percentile(0.5), each.abused.percentile(0.5))
        tails = (each.quiet.percentile(0.99), each.abused.percentile(0.99), each.ratio)
        cells = [each.kind, *(f"{figure:.2f}" for figure in (*figures, *tails)), str(len(each.abused.errors))]
        lines.append(f"| {' | '.join([*cells, 'yes' if each.holds else '**no**'])} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.escape.neighbour")
    parser.add_argument("--kind", action="append", choices=_KINDS, help="default: all")
    parser.add_argument("--rate", type=float, default=200.0, metavar="PER_SECOND")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each round")
    parser.add_argument("--result", type=Path, help="write the result page there")
    asked = parser.parse_args()
    # Open: the caller's signatures would cost more than the victim.
    with marked_directory() as root, LiveServer(data=root / "data", options=("--auth", "open")) as server:
        # Not what is measured: callers of a real server have processors of their own.
        if os.geteuid() == 0:
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        found = asyncio.run(compare(server, asked.kind or _KINDS, asked.rate, asked.seconds))
    text = page(found, asked.rate, asked.seconds)
    print(text)
    for each in found:
        for error in each.abused.errors:
            print(f"{each.kind}: {error}")
    if asked.result:
        asked.result.write_text(text)
    return 0 if all(each.holds for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
