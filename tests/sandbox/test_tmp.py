"""/tmp of the `namespace` driver: as large as asked for, on a disk and not in the function's memory, and its own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.disks import Disks, geometry
from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.spec import ORDERS_FD, Mount, Template, WorkerStart
from tests.sandbox.boxes import (
    CLOCK,
    HAS_DISKS,
    INTERPRETER,
    PREFIX,
    disks_in,
    eventually,
    output_of,
    patiently,
    read,
    run,
    spec_of,
    started,
)
from tests.sandbox.conftest import CGROUP_PARENT
from tests.sandbox.test_death import HOLDER, ROOT, launchers

MIB = 1 << 20
needs_disks = pytest.mark.skipif(not HAS_DISKS, reason="loop devices are for root, on a machine that has them")

FILL = """
import os
block = b"Lampion!" * (1 << 17)
file = os.open("/tmp/full", os.O_CREAT | os.O_WRONLY)
size = 0
try:
    while True: size += os.write(file, block)
except OSError as error: print(size, error.strerror, flush=True)
"""
HAVE_90_MIB = """
import mmap
more = mmap.mmap(-1, 90 << 20)
for at in range(0, 90 << 20, 4096): more[at] = 1
print("alive", flush=True)
"""


@needs_disks
async def test_a_function_of_128_mb_fills_its_tmp_and_keeps_its_memory(namespace):
    async with started(namespace, spec_of(FILL + HAVE_90_MIB, memory_mib=128)) as sandbox:
        output = (await read(sandbox.output)).decode()
        assert await sandbox.wait() == Exit(0)
        size, rest = output.split(" ", 1)
        assert rest == "No space left on device\nalive\n"
        assert 512 * MIB <= int(size) <= 525 * MIB
        assert 90 * MIB < sandbox.max_memory_bytes() <= 128 * MIB


@needs_disks
async def test_writing_through_memory_maps_is_no_use_of_memory_either(namespace):
    code = """if True:
        import mmap, os, signal
        with open('/tmp/mapped', 'wb+') as file:
            file.truncate(600 << 20)
            pages = mmap.mmap(file.fileno(), 600 << 20)
        for at in range(0, 400 << 20, 4096): pages[at] = 1
        print(all(pages[at] for at in range(0, 400 << 20, 1 << 16)), flush=True)
        if os.fork() == 0:
            for at in range(400 << 20, 600 << 20, 4096): pages[at] = 1
        print(signal.Signals(os.wait()[1] & 127).name)"""
    # What doesn't fit ends who writes it as on any full disk: a bus error, no lack of memory.
    assert await output_of(namespace, code, memory_mib=128) == "True\nSIGBUS\n"


@needs_disks
async def test_the_number_of_files_is_limited_and_costs_no_memory(namespace):
    code = """if True:
        import os
        count = 0
        try:
            for directory in range(1000):
                os.mkdir(f'/tmp/{directory}')
                for name in range(1000):
                    os.mknod(f'/tmp/{directory}/{name}'); count += 1
        except OSError as error: print(count, error.strerror)"""
    count, reason = (await output_of(namespace, code, memory_mib=128)).split(" ", 1)
    assert reason == "No space left on device\n"
    assert 60_000 < int(count) < 70_000


@needs_disks
async def test_a_storm_of_syncs_is_served_at_once(namespace):
    code = """if True:
        import os, time
        worst = 0
        for name in range(300):
            file = os.open(f'/tmp/{name}', os.O_CREAT | os.O_WRONLY)
            begin = time.monotonic()
            os.write(file, b'x' * 5000); os.fsync(file)
            worst = max(worst, time.monotonic() - begin); os.close(file)
        print(worst)"""
    assert float(await output_of(namespace, code)) < 1


@needs_disks
@pytest.mark.parametrize("tmp_mib", [512, 513, 1000, 10_240])
async def test_tmp_is_as_large_as_asked_for_empty_and_like_any_tmp(namespace, tmp_mib):
    code = """if True:
        import os
        space, status = os.statvfs('/tmp'), os.stat('/tmp')
        print(space.f_bavail * space.f_frsize, oct(status.st_mode), status.st_uid, status.st_gid, os.listdir('/tmp'))
        print(open('/proc/self/mountinfo').read().partition(' /tmp ')[2].split()[0])"""
    seen, options = (await output_of(namespace, code, tmp_mib=tmp_mib)).splitlines()
    size, rest = seen.split(" ", 1)
    assert tmp_mib * MIB <= int(size) < 1.02 * tmp_mib * MIB
    assert rest == "0o41777 0 0 []"
    assert options == "rw,nosuid,nodev,noatime"


@pytest.mark.parametrize("tmp_mib", range(512, 10_241, 512))
def test_the_size_of_a_disk_is_what_can_be_stored_and_what_that_needs(tmp_mib):
    wanted = geometry(tmp_mib)
    assert 1.01 < wanted.blocks * 4096 / (tmp_mib * MIB) < 1.06
    assert wanted.inodes == tmp_mib * 128


@needs_disks
async def test_two_functions_have_two_disks(namespace, scratch):
    async with started(namespace, spec_of(FILL + "import time; time.sleep(60)")) as sandbox:
        await read(sandbox.output, until=b"No space")
        code = "import os; print(os.listdir('/tmp')); open('/tmp/x', 'wb').write(b'x' * (9 << 20)); print('written')"
        assert await output_of(namespace, code) == "[]\nwritten\n"
        assert disks_in(scratch) != []


@needs_disks
async def test_nothing_of_a_disk_is_on_the_next_one(namespace, scratch):
    write = "f = open('/tmp/secret', 'wb'); f.write(b'Lampion secret! ' * (1 << 20)); f.flush(); import os; os.fsync(f)"
    wait = "; print('up', flush=True); import time; time.sleep(60)"
    async with started(namespace, spec_of(write + wait)) as sandbox:
        await read(sandbox.output, until=b"up")
        assert await asyncio.to_thread(_has_secret, disks_in(scratch)[0])
    assert await eventually(lambda: disks_in(scratch) == [])
    # Space is taken on the next one, but nothing written to it.
    take = "f = open('/tmp/space', 'wb'); import os; os.posix_fallocate(f.fileno(), 0, 500 << 20)"
    async with started(namespace, spec_of(take + wait)) as sandbox:
        await read(sandbox.output, until=b"up")
        assert not await asyncio.to_thread(_has_secret, disks_in(scratch)[0])


def _has_secret(device: Path) -> bool:
    with device.open("rb") as disk:
        return any(b"Lampion secret!" in piece for piece in iter(lambda: disk.read(4 * MIB), b""))


@needs_disks
async def test_a_full_disk_keeps_nobody_waiting_at_the_end_and_is_gone_soon(namespace, scratch):
    mounts = Path("/proc/self/mountinfo").read_text()
    async with started(namespace, spec_of(FILL + "import time; time.sleep(60)", memory_mib=1024)) as sandbox:
        await read(sandbox.output, until=b"No space")
        assert Path("/proc/self/mountinfo").read_text() == mounts
        assert list(scratch.iterdir()) == []
        begin = time.monotonic()
        assert await sandbox.stop(0) == Exit(None, signal.SIGKILL)
        stopped_seconds = time.monotonic() - begin
    assert await eventually(lambda: disks_in(scratch) == [])
    assert stopped_seconds < max(1, (time.monotonic() - begin) / 2)


WORKER = f"""
import os
orders = b""
while piece := os.read({ORDERS_FD}, 65536): orders += piece
space = os.statvfs("/tmp")
print(space.f_bavail * space.f_frsize >> 20, os.listdir("/tmp"))
open("/tmp/mine", "w").close()
"""


@needs_disks
@pytest.mark.parametrize("tmp_mib", [512, 700])
async def test_a_prepared_sandbox_gets_the_disk_that_its_function_wants(namespace, scratch, tmp_mib):
    worker = (INTERPRETER, "-I", "-S", "-c", WORKER)
    template = Template(worker=worker, start=WorkerStart.BOOT, environ=(), mounts=(Mount(PREFIX, "/var/lang"),))
    namespace.expect(template)
    # All that are in stock have a disk before there is a function.
    assert await eventually(lambda: len(disks_in(scratch)) == 4)
    for _ in range(6):
        ending, output = await run(namespace, replace(spec_of("", tmp_mib=tmp_mib), template=template))
        assert ending == Exit(0), output
        size, files = output.split(" ", 1)
        assert tmp_mib <= int(size) < tmp_mib * 1.02
        assert files == "[]\n"


@needs_disks
async def test_launchers_killed_at_any_moment_leave_no_disk(namespace, scratch):
    mounts = Path("/proc/self/mountinfo").read_text()
    await output_of(namespace, "print(1)")
    for number in range(40):
        assert await eventually(lambda: launchers() == [])
        start = asyncio.create_task(output_of(namespace, "import time; time.sleep(600)"))
        assert await eventually(lambda: len(launchers()) > 0)
        await asyncio.sleep(number / 10_000)
        for pid in launchers():
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(patiently(10)):
            assert isinstance((await asyncio.gather(start, return_exceptions=True))[0], Exception)
    assert await eventually(lambda: disks_in(scratch) == [])
    assert Path("/proc/self/mountinfo").read_text() == mounts


@needs_disks
def test_a_full_disk_of_the_host_is_an_error_for_who_writes_and_for_nobody_else():
    """In a mount namespace of its own: the host's disk is a file system of 64 MB there."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-", dir="/var/tmp") as name:
        image = Path(name, "image")
        with image.open("wb") as file:
            file.truncate(64 * MIB)
        mke2fs = shutil.which("mke2fs", path="/usr/sbin:/sbin:/usr/bin:/bin")
        subprocess.run([str(mke2fs), "-q", "-F", "-t", "ext4", str(image)], check=True, timeout=30)
        small = Path(name, "small")
        small.mkdir()
        commands = (
            f'mount -o loop "{image}" "{small}" && exec "{sys.executable}" "{HOLDER}" full "{CGROUP_PARENT}" "$0"'
        )
        done = subprocess.run(
            ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", commands, str(small)],
            env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stderr == ""
    given_back, writer, *others = done.stdout.splitlines()
    assert given_back == "given back True"
    # The first is told by a sync; the second from then on, if it was the file system itself that couldn't be written.
    assert writer.removeprefix("the writer: ") in (
        "Input/output error",
        "Read-only file system",
        "No space left on device",
    )
    assert others == ["another function: 0", "afterwards: 0"]


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's functions never have disks")
async def test_where_there_are_no_disks_tmp_is_memory_and_the_doctor_says_so(scratch):
    with tempfile.TemporaryDirectory(prefix="lampion-test-", dir="/dev/shm") as memory:
        for directory, mend in ((None, "--privileged"), (Path(memory), "--data DIR")):
            driver = NamespaceDriver(CLOCK, CGROUP_PARENT, scratch=directory)
            code = "print(open('/proc/self/mountinfo').read().partition(' /tmp ')[2].split()[2:4])"
            assert await output_of(driver, code) == "['tmpfs', 'tmpfs']\n"
            (finding,) = [one for one in driver.capabilities().findings if one.name == "tmp-in-memory"]
            assert "counts as their memory" in finding.effect
            assert mend in finding.mend
            await driver.close()


async def test_missing_tools_are_named_with_the_package_that_has_them(scratch, monkeypatch):
    monkeypatch.setattr("lampion.sandbox.disks._TOOL_PATH", "")
    disks = Disks(scratch)
    assert disks.problem() == "there is no mke2fs: apt-get install e2fsprogs"
    assert await disks.of(512) is None
    disks.close()


@needs_disks
async def test_many_sizes_hold_few_images(scratch):
    disks = Disks(scratch)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    first = await disks.of(512)
    for size in range(513, 513 + 70):
        assert await disks.of(size) is not None
    assert len(os.listdir("/proc/self/fd")) - before <= 64  # noqa: PTH208
    assert await disks.of(512) == first
    disks.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@needs_disks
async def test_a_disk_that_cannot_be_made_is_an_error_that_names_the_step(namespace, scratch, monkeypatch):
    await output_of(namespace, "print(1)")
    disk = await namespace._preparation.beginnings.disks.of(512)
    broken = replace(disk, directory=str(scratch / "missing"), size_bytes=1 << 30)
    monkeypatch.setattr(namespace._preparation.beginnings.disks, "ready", lambda tmp_mib: broken)
    with pytest.raises(SandboxError, match=r"disk .*missing: No such file or directory"):
        await namespace.start(spec_of(""))
