"""Measures, inside the guest, how the namespace driver's limits hold under cgroup version 2. Written as JSON."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import CLOCK, cgroup_of, read, run, spec_of, started

_MIB_PER_CORE: Final = 1769
_WINDOW_SECONDS: Final = 10.0
_PARENT: Final = "lampion-test-figures"
_SPIN: Final = "print('up', flush=True)\nwhile True: pass"
_EAT: Final = """if True:
    import os, time
    pid = os.fork()
    if pid == 0:
        pieces = []
        while True: pieces.append(bytearray(b'x' * (1 << 20)))
    os.waitpid(pid, 0); print('child ended', flush=True); time.sleep(600)"""
_FORK: Final = """if True:
    import os, signal, time
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    print('up', flush=True); signal.sigwait({signal.SIGUSR1})
    try:
        while True:
            if os.fork() == 0: time.sleep(600)
    except BlockingIOError: print('full', flush=True); time.sleep(600)"""


async def processor_share(driver: NamespaceDriver, memory_mib: int) -> str:
    """Of a function that never rests, once INIT is over, by the kernel's own account."""
    wanted = memory_mib / _MIB_PER_CORE
    async with started(driver, spec_of(_SPIN, cpu_cores=wanted, memory_mib=memory_mib)) as sandbox:
        await read(sandbox.output, until=b"up")
        sandbox.limit_cpu()
        cgroup = cgroup_of("cpu", _PARENT)
        await asyncio.sleep(1)
        begin, used = time.monotonic(), _counter(cgroup / "cpu.stat", "usage_usec")
        await asyncio.sleep(_WINDOW_SECONDS)
        used = _counter(cgroup / "cpu.stat", "usage_usec") - used
        share = used / 1e6 / (time.monotonic() - begin)
        return (
            f"{share:.1%} of a core in {_WINDOW_SECONDS:g} s, wanted {wanted:.1%}; cpu.max {_text(cgroup / 'cpu.max')}"
        )


async def memory(driver: NamespaceDriver) -> str:
    """A child asks for more than there is; the function lives on, so that its cgroup can be read."""
    async with started(driver, spec_of(_EAT, memory_mib=64)) as sandbox:
        await read(sandbox.output, until=b"child ended")
        cgroup = cgroup_of("memory", _PARENT)
        events = {name: _counter(cgroup / "memory.events", name) for name in ("max", "oom", "oom_kill")}
        told = ", ".join(f"{name} {count}" for name, count in events.items())
        return (
            f"memory.max {_text(cgroup / 'memory.max')}, memory.peak {sandbox.max_memory_bytes()}; memory.events {told}"
        )


async def death_by_memory(driver: NamespaceDriver) -> str:
    ending, _ = await run(driver, spec_of("b = bytearray(b'x' * (256 << 20))", memory_mib=64))
    return f"signal {ending.signal}, out of memory: {ending.out_of_memory}"


async def processes(driver: NamespaceDriver) -> str:
    """With a lower limit than the driver's, as the resource limit that the function also has would refuse first."""
    async with started(driver, spec_of(_FORK, max_processes=20)) as sandbox:
        await read(sandbox.output, until=b"up")
        cgroup = cgroup_of("pids", _PARENT)
        limit = _text(cgroup / "pids.max")
        (cgroup / "pids.max").write_text("11")
        os.kill(int(_text(cgroup / "cgroup.procs").split()[-1]), signal.SIGUSR1)
        await read(sandbox.output, until=b"full")
        current, refused = _text(cgroup / "pids.current"), _counter(cgroup / "pids.events", "max")
        return (
            f"pids.max {limit}, as process 1 counts; lowered to 11: pids.current {current}, pids.events max {refused}"
        )


async def freezing(driver: NamespaceDriver) -> str:
    """Of the kernel, on a cgroup that the driver made."""
    async with started(driver, spec_of(_SPIN)) as sandbox:
        await read(sandbox.output, until=b"up")
        cgroup = cgroup_of("cpu", _PARENT)
        begin = time.monotonic()
        (cgroup / "cgroup.freeze").write_text("1")
        while not _counter(cgroup / "cgroup.events", "frozen"):
            await asyncio.sleep(0)
        frozen_ms = (time.monotonic() - begin) * 1e3
        used = _counter(cgroup / "cpu.stat", "usage_usec")
        await asyncio.sleep(1)
        used_frozen = _counter(cgroup / "cpu.stat", "usage_usec") - used
        (cgroup / "cgroup.freeze").write_text("0")
        await asyncio.sleep(1)
        used_thawed = _counter(cgroup / "cpu.stat", "usage_usec") - used - used_frozen
        return f"frozen after {frozen_ms:.1f} ms; {used_frozen} us of CPU in 1 s frozen, {used_thawed} us in 1 s thawed"


FIGURES: Final[dict[str, Callable[[NamespaceDriver], Awaitable[str]]]] = {
    "CPU share of a 128 MB function": lambda driver: processor_share(driver, 128),
    "CPU share of a 512 MB function": lambda driver: processor_share(driver, 512),
    "A child over 64 MiB": memory,
    "A function over 64 MiB": death_by_memory,
    "20 processes allowed": processes,
    "cgroup.freeze": freezing,
}


async def measure() -> dict[str, str]:
    """Every figure; of one that can't be had, why."""
    found = {}
    driver = NamespaceDriver(CLOCK, _PARENT)
    holds = driver.capabilities()
    limits = {"memory": holds.memory_limit, "CPU": holds.cpu_limit}
    told = ", ".join(f"{name} limit {'yes' if is_held else 'no'}" for name, is_held in limits.items())
    found["The driver says"] = f"grade {holds.grade}, {told}"
    for name, figure in FIGURES.items():
        try:
            found[name] = await figure(driver)
        except Exception as error:
            found[name] = f"not measured: {type(error).__name__} {error}"
    await driver.close()
    return found


def _counter(file: Path, name: str) -> int:
    return int(dict(line.split() for line in file.read_text().splitlines())[name])


def _text(file: Path) -> str:
    return file.read_text().strip()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(measure())))
