"""Limits of the `namespace` driver: they hold, and what breaks them is told apart from everything else."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from lampion.sandbox.driver import Exit
from tests.sandbox.boxes import cgroup_of, eventually, may_have_cgroups, output_of, read, run, spec_of, started
from tests.sandbox.conftest import CGROUP_PARENT

pytestmark = pytest.mark.skipif(not may_have_cgroups(), reason="no cgroup is delegated to this user")

QUOTAS = {"cpu.cfs_quota_us": "100000\n", "cpu.max": "100000 100000\n"}
"""One whole core, in the words of cgroup versions 1 and 2."""

EAT = """
import mmap
pieces = []
while True:
    piece = mmap.mmap(-1, 4 << 20); pieces.append(piece)
    for page in range(0, 4 << 20, 4096): piece[page] = 1
    print(len(pieces) * 4, flush=True)
"""


async def test_too_much_memory_ends_the_function_and_is_told_from_another_sigkill(namespace):
    ending, output = await run(namespace, spec_of(EAT, memory_mib=64))
    assert ending == Exit(None, signal.SIGKILL, out_of_memory=True)
    assert 40 <= int(output.split()[-1]) < 64


async def test_memory_use_never_exceeds_the_limit(namespace):
    async with started(namespace, spec_of(EAT, memory_mib=64)) as sandbox:
        await sandbox.wait()
        assert 60 << 20 <= sandbox.max_memory_bytes() <= 64 << 20


async def test_a_child_that_needs_too_much_memory_does_not_end_the_function(namespace):
    code = f"""if True:
        import os, sys
        if os.fork() == 0:
            exec({EAT!r})
        print('child', os.wait()[1] & 127, flush=True)
        os._exit(9)"""
    ending, output = await run(namespace, spec_of(code, memory_mib=64))
    assert ending == Exit(9)
    assert output.endswith("child 9\n")


async def test_a_stopped_sandbox_is_not_out_of_memory(namespace):
    code = f"""if True:
        import os, time
        if os.fork() == 0:
            exec({EAT!r})
        os.wait(); print('survived', flush=True); time.sleep(60)"""
    async with started(namespace, spec_of(code, memory_mib=64)) as sandbox:
        await read(sandbox.output, until=b"survived")
        assert await sandbox.stop(0) == Exit(None, signal.SIGKILL, out_of_memory=False)


async def test_the_number_of_processes_is_limited(namespace):
    code = """if True:
        import os, time
        started = 0
        try:
            for _ in range(100):
                if os.fork() == 0: time.sleep(60)
                started += 1
        except BlockingIOError: pass
        print(started)"""
    assert await output_of(namespace, code, max_processes=20) == "19\n"


async def test_processes_of_one_function_are_not_counted_for_another(namespace):
    code = """if True:
        import os, time
        started = 0
        try:
            while True:
                if os.fork() == 0: time.sleep(60)
                started += 1
        except BlockingIOError: print(started, flush=True)
        time.sleep(60)"""
    async with contextlib.AsyncExitStack() as stack:
        specs = [spec_of(code, max_processes=20) for _ in range(3)]
        boxes = [await stack.enter_async_context(started(namespace, spec)) for spec in specs]
        assert [await read(box.output, until=b"\n") for box in boxes] == [b"19\n"] * 3


async def test_the_cgroup_limits_the_number_of_processes_too(namespace):
    spec = spec_of("import time; time.sleep(60)", max_processes=20, sandbox_id="crowd")
    async with started(namespace, spec):
        limit = int((cgroup_of("pids", CGROUP_PARENT) / "pids.max").read_text())
        assert limit == 20 + 1, "process 1 of the sandbox is not the function's"


async def test_the_number_of_open_files_is_limited(namespace):
    code = """if True:
        import os
        count = 0
        try:
            while True: os.dup(0); count += 1
        except OSError as error: print(count, error.errno)"""
    assert await output_of(namespace, code, max_open_files=64) == "60 24\n"


async def test_the_share_of_a_processor_holds_from_the_moment_it_is_set(namespace):
    spin = """if True:
        import time
        print('spinning', flush=True)
        while True: pass"""

    async with started(namespace, spec_of(spin, cpu_cores=0.2)) as sandbox:
        await read(sandbox.output, until=b"spinning")
        sandbox.limit_cpu()
        cgroup = cgroup_of("cpu", CGROUP_PARENT)
        assert await eventually(lambda: "nr_throttled 0" not in (cgroup / "cpu.stat").read_text())
        pid = (cgroup / "cgroup.procs").read_text().split()[-1]
        begin, begin_ticks = time.monotonic(), _processor_seconds(int(pid))
        await asyncio.sleep(1.5)
        share = (_processor_seconds(int(pid)) - begin_ticks) / (time.monotonic() - begin)
        # A cap, not a promise: on a busy machine it gets less.
        assert 0.02 < share < 0.3


async def test_one_whole_core_is_the_limit_before_that(namespace):
    async with started(namespace, spec_of("import time; time.sleep(60)", cpu_cores=0.1)):
        cgroup = cgroup_of("cpu", CGROUP_PARENT)
        told = {file: (cgroup / file).read_text() for file in QUOTAS if (cgroup / file).exists()}
        assert told.items() <= QUOTAS.items()
        assert len(told) == 1


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


SPIN = """
import os, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print('spinning', flush=True)
def used_until(end):
    while time.monotonic() < end: pass
    return time.process_time()
start = time.monotonic()
before = used_until(start + 0.5)
print(used_until(start + 1.5) - before, flush=True)
"""


async def test_a_sandbox_that_gives_way_leaves_a_processor_to_one_that_does_not(namespace):
    async with started(namespace, spec_of(SPIN)) as polite, started(namespace, spec_of(SPIN)) as other:
        polite.give_way(to_others=True)
        used = [float((await read(each.output)).split()[-1]) for each in (polite, other)]
        assert used[0] < 0.3 * used[1]
