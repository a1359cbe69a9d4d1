"""What containers of an OCI runtime keep beyond the contract of every driver: limits, walls, and their end."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.driver import Exit, Grade, SandboxError
from lampion.sandbox.drivers.oci import OciDriver
from lampion.sandbox.spec import Mount, Network, NetworkMode
from lampion.sandbox.user_ids import HOST_IDS
from tests.sandbox.boxes import (
    CLOCK,
    cgroups_named,
    eventually,
    output_of,
    owners_of,
    processes_with,
    read,
    spec_of,
    started,
)
from tests.sandbox.conftest import CGROUP_PARENT, make_oci
from tests.sandbox.test_isolation import TRY
from tests.sandbox.test_limits import EAT

ROOT = Path(__file__).parent.parent.parent
SLEEP = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
async def limiting():
    """A driver whose runtime sets limits on this machine: runc does with either version of cgroups."""
    driver = make_oci("runc")
    if not driver.capabilities().memory_limit:
        await driver.close()
        pytest.skip("this machine gives us no cgroups with a memory limit")
    yield driver
    await driver.close()
    assert cgroups_named(CGROUP_PARENT) == []


async def attempts(driver, expression: str, **more):
    """The value of an expression that may call `attempt`, which tells the error instead of raising it."""
    return eval(await output_of(driver, f"{TRY}\nprint(repr({expression}))", **more))


async def test_too_much_memory_ends_the_function_and_is_told_from_another_sigkill(limiting):
    async with started(limiting, spec_of(EAT, memory_mib=64)) as sandbox:
        output = await read(sandbox.output)
        assert await sandbox.wait() == Exit(None, signal.SIGKILL, out_of_memory=True)
        assert 60 << 20 <= sandbox.max_memory_bytes() <= 64 << 20
    assert 40 <= int(output.split()[-1]) < 64


async def test_a_stopped_sandbox_is_not_out_of_memory(limiting):
    code = f"""if True:
        import os, time
        if os.fork() == 0:
            exec({EAT!r})
        os.wait(); print('survived', flush=True); time.sleep(60)"""
    async with started(limiting, spec_of(code, memory_mib=64)) as sandbox:
        await read(sandbox.output, until=b"survived")
        assert await sandbox.stop(0) == Exit(None, signal.SIGKILL, out_of_memory=False)


async def test_the_number_of_processes_is_limited(limiting):
    code = """if True:
        import os, time
        started = 0
        try:
            for _ in range(100):
                if os.fork() == 0: time.sleep(60)
                started += 1
        except BlockingIOError: pass
        print(started)"""
    assert await output_of(limiting, code, max_processes=20) == "19\n"


async def test_a_whole_core_is_allowed_until_the_share_is_set(limiting):
    async with started(limiting, spec_of("import time; time.sleep(60)", cpu_cores=0.2)) as sandbox:
        (directory,) = {Path(path) for path in cgroups_named(CGROUP_PARENT) if any(Path(path).glob("cpu.[cm][fa]*"))}
        (file,) = (path for name in ("cpu.cfs_quota_us", "cpu.max") if (path := directory / name).exists())
        assert file.read_text().split()[0] == "100000"
        sandbox.limit_cpu()
        assert file.read_text().split()[0] == "20000"


async def test_findings_say_what_the_runtime_does_not_limit(oci):
    """The truth about it: where it says that it limits, it has made a cgroup with that controller."""
    told = oci.capabilities()
    names = {finding.name for finding in told.findings}
    assert told.grade is (Grade.BASIC if names else Grade.STRONG)
    async with started(oci, spec_of("import time; time.sleep(60)")):
        made = [Path(path) for path in cgroups_named(CGROUP_PARENT)]
    has_memory = any(path.parts[4:] and "memory" in path.parts[:5] for path in made)
    if Path("/sys/fs/cgroup/memory").is_dir():
        assert told.memory_limit == has_memory == ("cgroup-memory" not in names)


async def test_the_function_is_nobody_on_the_host_and_can_become_nobody_else(oci):
    code = """if True:
        import os, pwd, time
        print(os.getresuid(), os.getresgid(), pwd.getpwuid(os.getuid()).pw_name, flush=True)
        print([line.split(':')[1].strip() for line in open('/proc/self/status')
               if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:'))], flush=True)
        time.sleep(60)"""
    async with started(oci, spec_of(code)) as one, started(oci, spec_of(code)) as other:
        told = [(await read(box.output, until=b"]\n")).decode().splitlines() for box in (one, other)]
        owners = [owners_of(box) for box in (one, other)]
    assert told[0] == told[1] == ["(993, 993, 993) (990, 990, 990) sbx_user1051", str(["0" * 16] * 5 + ["1", "2"])]
    assert len(owners[0]) == len(owners[1]) == 1
    assert owners[0] != owners[1]
    assert min(owners[0] | owners[1]) >= HOST_IDS.first_id


async def test_what_the_filter_of_system_calls_refuses(oci):
    code = f"""{TRY}
import ctypes, errno, fcntl, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    return errno.errorcode.get(ctypes.get_errno(), 'done') if libc.syscall(number, *arguments) < 0 else 'done'
print(repr((
    call(272, 0x10000000), call(165, 0, 0, 0, 0, 0), call(101, 0, 0, 0, 0), call(435, 0, 0), call(162),
    attempt(socket.socket, socket.AF_NETLINK), attempt(socket.socket, socket.AF_INET6) != '',
    call(16, 0, ctypes.c_ulong(0x5412), b'x'), call(16, 0, ctypes.c_ulong(0x100005412), b'x'),
    call(157, 22, 2, 0), call(157, ctypes.c_ulong((1 << 32) + 22), 2, 0),
    call(56, 0x10000000, 0, 0, 0, 0), call(317, 1, 0, 0),
    os.waitpid(os.fork() or os._exit(0), 0)[1])))"""
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers of system calls in this test are those of x86-64")
    told = eval(await output_of(oci, code))
    assert told == (
        *("EPERM", "EPERM", "EPERM", "ENOSYS", "done"),
        *("OSError 97", True),
        *("EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM"),
        0,
    )


@pytest.mark.parametrize("path", ["/", "/etc", "/usr", "/var/task", "/var/lang", "/opt", "/dev", "/proc/sys/kernel"])
async def test_nothing_but_tmp_can_be_written(oci, task, path):
    answer = await attempts(oci, f"attempt(open, '{path}/new', 'w')", task=task)
    assert answer in ("OSError 30", "PermissionError 13", "FileNotFoundError 2")
    assert not list(task.iterdir())


async def test_the_host_is_out_of_sight(oci, task):
    paths = [
        "/root",
        "/work",
        "/home",
        "/var/lib",
        "/etc/shadow",
        str(task),
        "/proc/1/root/etc",
        "/dev/vda",
        "/dev/mem",
    ]
    told = await attempts(
        oci,
        f"([p for p in {paths!r} if os.access(p, os.F_OK)], os.uname().nodename, os.listdir('/tmp'),"
        f" attempt(os.kill, {os.getpid()}, 0), os.listdir('/sys'),"
        " [len(open(p, 'rb').read(9)) for p in ('/proc/kallsyms', '/proc/timer_list', '/proc/interrupts')],"
        " attempt(os.listdir, '/proc/1/fd'), attempt(open, '/proc/1/environ'))",
        task=task,
    )
    denied = "PermissionError 13"
    assert told == ([], "localhost", [], "ProcessLookupError 3", [], [0, 0, 0], denied, denied)


async def test_there_is_no_network_but_loopback(oci):
    code = f"""{TRY}
import socket
print(repr((
    [line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]],
    attempt(socket.create_connection, ('192.0.2.1', 80), 5),
    attempt(socket.create_connection, ('127.0.0.1', 22), 5))))"""
    assert eval(await output_of(oci, code)) == (["lo"], "OSError 101", "ConnectionRefusedError 111")


async def test_tmp_ends_at_its_size(oci):
    code = """if True:
        written = 0
        try:
            with open('/tmp/big', 'wb', buffering=0) as file:
                while True: written += file.write(bytes(1 << 20))
        except OSError as error: print(written >> 20, error.errno)"""
    assert await output_of(oci, code, tmp_mib=20) == "20 28\n"


@pytest.mark.parametrize(
    "target", ["relative", "/opt/../etc", "/opt//x", "/usr/no/such/place", "", "/", "/proc", "/tmp/x"]
)
async def test_mounts_at_impossible_places_are_refused(oci, task, target):
    with pytest.raises(SandboxError, match="no place for a mount"):
        await oci.start(replace(spec_of(""), mounts=(Mount(task, target),)))


async def test_a_network_beyond_the_server_is_refused(oci):
    spec = replace(spec_of(""), network=Network(NetworkMode.EGRESS))
    with pytest.raises(SandboxError, match="network"):
        await oci.start(spec)


async def test_a_killed_keeper_takes_its_container_along_and_the_driver_cleans_up(oci):
    mark = f"oci-orphan-{os.getpid()}"
    async with started(oci, spec_of(SLEEP, environ={"MARK": mark})) as sandbox:
        await read(sandbox.output, until=b"up")
        (keeper,) = keepers_of(os.getpid())
        os.kill(keeper, signal.SIGKILL)
        assert await sandbox.wait() == Exit(None, signal.SIGKILL)
        assert await eventually(lambda: processes_with(mark) == [])
        assert await eventually(lambda: left_behind() == [])


@pytest.fixture(params=["crun", "runc"])
async def holder(request: pytest.FixtureRequest) -> AsyncIterator[tuple[asyncio.subprocess.Process, OciDriver, str]]:
    """A server's stand-in that holds two containers, another server with the same settings, and their mark."""
    await make_oci(request.param).close()
    mark = f"lampion-test-oci-{os.getpid()}"
    process = await hold(request.param, mark)
    driver = OciDriver(CLOCK, (request.param,), mark)
    yield process, driver, mark
    if process.returncode is None:
        process.kill()
        await process.wait()
    await driver.close()
    assert await eventually(lambda: cgroups_named(mark) == [])
    assert not Path("/run", f"{mark}-oci").exists()
    # Whose keeper was killed is reaped by the machine's process 1, when that gets round to it.
    assert await eventually(lambda: members_of(mark) == [], seconds=30)


async def test_nothing_outlives_a_server_that_is_killed(holder):
    process, other, mark = holder
    assert len(processes_with(f"MARK={mark}")) == 2 * 2, "process 1 and the function of each"
    process.kill()
    await process.wait()
    assert await eventually(lambda: processes_with(f"MARK={mark}") == [])
    assert await eventually(lambda: cgroups_named(mark) == [])
    assert await other.sweep() == 0


async def test_what_a_dead_server_and_its_keepers_left_is_swept_and_nothing_else(holder):
    process, living, mark = holder
    keepers = keepers_of(process.pid)
    assert len(keepers) == 2
    assert await living.sweep() == 0, "while the server lives"
    os.kill(process.pid, signal.SIGSTOP)  # it must not clean up after its keepers
    for keeper in keepers:
        os.kill(keeper, signal.SIGKILL)
    process.kill()
    await process.wait()
    async with started(living, spec_of(SLEEP)) as running:
        await read(running.output, until=b"up")
        assert await living.sweep() == 2
        assert await living.sweep() == 0
        assert await running.stop(0) == Exit(None, signal.SIGKILL)
    assert processes_with(f"MARK={mark}") == []


async def test_a_runtime_that_is_not_there_is_named_with_the_way_to_get_one():
    driver = OciDriver(CLOCK, ("no-such-runtime",), CGROUP_PARENT)
    told = driver.capabilities()
    await driver.close()
    assert told.grade is Grade.NONE
    (finding,) = told.findings
    if os.geteuid() == 0:
        assert "no-such-runtime" in finding.effect
        assert finding.mend == "apt-get install crun"
    else:
        assert finding.mend == "start the server as root"


def keepers_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, children) if b"keeper.py" in Path(f"/proc/{child}/cmdline").read_bytes()]


def members_of(mark: str) -> list[str]:
    """Processes, dead ones too, whose cgroup's name has `mark` in it."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            if mark in file.read_text():
                found.append(file.parent.name)
    return found


def left_behind() -> list[str]:
    """Bundles of this test's drivers, and cgroups of their containers."""
    bundles = [str(path) for path in Path("/run").glob(f"{CGROUP_PARENT}-oci/*/{CGROUP_PARENT}-*")]
    return bundles + cgroups_named(CGROUP_PARENT)


async def hold(runtime: str, mark: str) -> asyncio.subprocess.Process:
    """A server's stand-in that holds two containers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "oci_holder.py"),
        runtime,
        mark,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"holding\n"
    return process
