"""A victim at 200 requests a second while another function abuses the machine: `python -m tests.escape.neighbour`.

A quiet round stands before each abuse and is its reference. Two quiet rounds one after the other show what noise alone
does; a plain process that uses up one processor, or writes as the abuse of the disk does, shows what this machine does
without Lampion.
"""

import argparse
import asyncio
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.deployment import functions
from tests.escape.open_loop import Caller, Round
from tests.live_server import LiveServer, marked_directory

_ROOT = Path(__file__).resolve().parents[2]
_SOURCE = Path(__file__).parent / "probes" / "python" / "abuse.py"
_VICTIM = "def handler(event, context):\n    return {'ok': True}\n"
_MEMORY_MIB = 1769  # one whole core
_KINDS = ("fork bomb", "memory", "disk", "descriptors", "log", "processor")
_NOISE = "none (noise)"
_FLOOR = "a plain process"
_DISK_FLOOR = "a plain process that writes"
_FILE_BYTES = 512 * 1024 * 1024  # as much as the function's /tmp holds
_LEAD_SECONDS = 0.5
_MOST_RATIO = 2.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the victim's callers send, and how often each abuse is measured."""

    per_second: float
    seconds: float
    repetitions: int


@dataclass(frozen=True, slots=True)
class Pair:
    """An abused round and the quiet one before it."""

    quiet: Round
    abused: Round

    @property
    def ratio(self) -> float:
        return self.tail_ms / self.quiet.percentile(0.99)

    @property
    def tail_ms(self) -> float:
        return self.abused.percentile(0.99)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One abuse beside its quiet references, in as many pairs of rounds as were asked for."""

    kind: str
    pairs: tuple[Pair, ...]

    @property
    def ratio(self) -> float:
        return median(pair.ratio for pair in self.pairs)

    @property
    def errors(self) -> tuple[str, ...]:
        return tuple(error for pair in self.pairs for error in pair.abused.errors)

    def verdict(self, floor: "Comparison | None") -> str:
        """`yes`, `no`, or that the machine alone breaks the promise, and the abuse adds at most as much again."""
        if self.errors:
            return "no"
        if self.ratio <= _MOST_RATIO:
            return "yes"
        is_machine = floor is not None and floor.ratio > _MOST_RATIO and self.to(floor) <= _MOST_RATIO
        return "as the plain process" if is_machine else "no"

    def to(self, floor: "Comparison") -> float:
        """The median of its tails in terms of those beside the plain process in the same repetition."""
        return median(pair.tail_ms / least.tail_ms for pair, least in zip(self.pairs, floor.pairs, strict=True))


@contextmanager
def plain_process(*command: str) -> Iterator[None]:
    """`command` runs while the block does, with the least weight that a user can choose."""
    process = subprocess.Popen(["nice", "-n", "19", *command], start_new_session=True)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def computing() -> AbstractContextManager[None]:
    """One processor is used up."""
    one = str(max(os.sched_getaffinity(0)))
    return plain_process("taskset", "-c", one, sys.executable, "-c", "while True: pass")


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """What the abuse of the disk does, on the disk of `directory`."""
    file = directory / "written"
    code = f"import sys; sys.path.insert(0, {str(_SOURCE.parent)!r}); import abuse; abuse.disk(1e9, {str(file)!r})"
    with plain_process("prlimit", f"--fsize={_FILE_BYTES}", sys.executable, "-B", "-c", code):
        yield
    file.unlink()


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


async def compare(server: LiveServer, kinds: Sequence[str], load: Load) -> list[Comparison]:
    """Each kind after a quiet round, the references first. Then all of it again."""
    client = server.client(read_timeout=120)
    with functions(client, "neighbour") as make:
        victim = make(_VICTIM, MemorySize=_MEMORY_MIB)
        attacker = make(_SOURCE.read_text(), MemorySize=_MEMORY_MIB, Timeout=10)
        beside: dict[str, Callable[[], AbstractContextManager[None]]] = {_NOISE: nullcontext, _FLOOR: computing}
        if "disk" in kinds:
            beside[_DISK_FLOOR] = partial(writing, server.data)
        beside |= {kind: partial(abuse, client, attacker, kind, load.seconds) for kind in kinds}
        pairs: dict[str, list[Pair]] = {kind: [] for kind in beside}
        caller = Caller(server, victim)
        await caller.round(load.per_second, 1.0)  # environments start here, not in the measured rounds
        for _ in range(load.repetitions):
            for kind, begin in beside.items():
                quiet = await caller.round(load.per_second, load.seconds)
                with begin():
                    await asyncio.sleep(_LEAD_SECONDS)
                    pairs[kind].append(Pair(quiet, await caller.round(load.per_second, load.seconds)))
        caller.close()
    client.close()
    return [Comparison(kind, tuple(found)) for kind, found in pairs.items()]


def floor_of(kind: str, found: Sequence[Comparison]) -> Comparison | None:
    """What this machine does beside a process that uses the same of it, and is no function."""
    floor = _DISK_FLOOR if kind in ("disk", _DISK_FLOOR) else _FLOOR
    return next((each for each in found if each.kind == floor), None)


def page(found: Sequence[Comparison], load: Load) -> str:
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
        f"- load: {load.per_second:g} requests a second, open loop, {load.seconds:g} s a round, "
        f"{load.repetitions} pairs of rounds an abuse, all abuses in turn",
        f"- promise: the median of p99 abused / p99 of the quiet round before it is at most {_MOST_RATIO:g}; no error",
        f"- to floor: p99 abused / that beside {_FLOOR}, which has one processor to itself and is no function; "
        f"of disk: / that beside {_DISK_FLOOR}",
        "- milliseconds, from sending to the last byte of the answer; medians of the rounds",
        "",
        "| Beside | p50 quiet | abused | p99 quiet | abused | p99 ratio | of each pair | to floor | errors | holds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        floor = floor_of(each.kind, found)
        to_floor = math.nan if floor is None else each.to(floor)
        figures = [
            f"{median(share_of.percentile(share) for share_of in rounds):.2f}"
            for share in (0.5, 0.99)
            for rounds in zip(*((pair.quiet, pair.abused) for pair in each.pairs), strict=True)
        ]
        ratios = " ".join(f"{pair.ratio:.2f}" for pair in each.pairs)
        cells = [each.kind, *figures, f"{each.ratio:.2f}", ratios, f"{to_floor:.2f}", str(len(each.errors))]
        lines.append(f"| {' | '.join([*cells, each.verdict(floor)])} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.escape.neighbour")
    parser.add_argument("--kind", action="append", choices=_KINDS, help="default: all")
    parser.add_argument("--rate", type=float, default=200.0, metavar="PER_SECOND")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each round")
    parser.add_argument("--repetitions", type=int, default=5, help="pairs of rounds for each abuse")
    parser.add_argument("--result", type=Path, help="write the result page there")
    asked = parser.parse_args()
    load = Load(asked.rate, asked.seconds, asked.repetitions)
    # Open: the caller's signatures would cost more than the victim.
    with marked_directory() as root, LiveServer(data=root / "data", options=("--auth", "open")) as server:
        # Not what is measured: callers of a real server have processors of their own.
        if os.geteuid() == 0:
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        found = asyncio.run(compare(server, asked.kind or _KINDS, load))
    text = page(found, load)
    print(text)
    for each in found:
        for error in each.errors:
            print(f"{each.kind}: {error}")
    if asked.result:
        asked.result.write_text(text)
    return 0 if all(each.verdict(floor_of(each.kind, found)) != "no" for each in found if each.kind in _KINDS) else 1


if __name__ == "__main__":
    raise SystemExit(main())
