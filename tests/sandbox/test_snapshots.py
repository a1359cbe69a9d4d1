"""Copies of a snapshot are sandboxes like any other: who they are, what they have, how they end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lampion.sandbox.driver import Exit, SandboxError
from lampion.sandbox.guarded import Guarded
from lampion.sandbox.snapshots import snapshotting
from lampion.sandbox.user_ids import HOST_IDS
from tests.sandbox.boxes import (
    CLOCK,
    cgroups_named,
    close,
    eventually,
    owners_of,
    processes_with,
    read,
    spec_of,
    started,
)
from tests.sandbox.conftest import CGROUP_PARENT
from tests.sandbox.origins import code_of, copy_output, sealed, told_by_copy

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may copy a process past its filter")
SLEEP = "print('up', flush=True)\ntime.sleep(600)"


def fields_of(status: str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)


# -- who it is, and what it has --


async def test_a_copy_has_the_user_the_rights_and_the_limits_of_any_function(namespace):
    code = code_of(
        "import pwd, grp, resource as r",
        "print(os.getresuid(), os.getresgid(), os.getgroups(), pwd.getpwuid(os.getuid()).pw_name,"
        " grp.getgrgid(os.getgid()).gr_name)\n"
        "print([r.getrlimit(getattr(r, 'RLIMIT_' + n)) for n in ('CORE', 'MEMLOCK', 'NOFILE', 'NPROC', 'STACK')])\n"
        "print(open('/proc/self/status').read())",
    )
    async with sealed(namespace, code) as snapshot:
        who, limits, status = (await copy_output(snapshot)).split("\n", 2)
    assert who == "(993, 993, 993) (990, 990, 990) [] sbx_user1051 sbx_user1051"
    assert limits == "[(10737418240, 10737418240), (65536, 65536), (1024, 1024), (742, 742), (8388608, -1)]"
    fields = fields_of(status)
    assert {fields[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"], fields["Seccomp_filters"]) == ("1", "2", "1")
    assert (fields["Threads"], fields["TracerPid"]) == ("1", "0")


async def test_no_two_copies_have_the_same_user(namespace):
    async with (
        sealed(namespace, code_of("", SLEEP)) as snapshot,
        started(snapshot, spec_of("")) as one,
        started(snapshot, spec_of("")) as other,
    ):
        for box in (one, other):
            await read(box.output, until=b"up")
        functions = [max(owners_of(box)) for box in (one, other)]
    assert functions[0] != functions[1]
    assert min(functions) >= HOST_IDS.first_id


async def test_a_copy_sees_process_1_itself_and_nobody_else(namespace):
    told = await told_by_copy(
        namespace,
        "(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()) == [1, os.getpid()], os.getppid(),"
        " open('/proc/1/cmdline').read().strip(chr(0)), attempt(os.kill, 1, 9), attempt(open, '/proc/1/mem'),"
        " attempt(os.listdir, '/proc/1/fd'), attempt(os.readlink, '/proc/1/exe'))",
    )
    denied = "PermissionError 13"
    assert told == (True, 1, "/init", "PermissionError 1", denied, denied, denied)


async def test_a_copy_and_its_origin_have_different_process_numbers(namespace):
    """Programs notice by it that they were copied, and reseed their random numbers."""
    assert await told_by_copy(namespace, "os.getpid() != before", init="before = os.getpid()")


async def test_what_init_left_in_tmp_is_there_and_belongs_to_the_copy(namespace):
    init = (
        "os.makedirs('/tmp/a/b'); open('/tmp/a/b/f', 'w').write('x' * 100_000); os.symlink('a/b', '/tmp/l');"
        " os.chmod('/tmp/a/b/f', 0o640); os.mkfifo('/tmp/pipe'); before = os.stat('/tmp/a/b/f').st_mtime_ns"
    )
    told = await told_by_copy(
        namespace,
        "(sorted(os.listdir('/tmp')), len(open('/tmp/l/f').read()), oct(os.stat('/tmp/a/b/f').st_mode),"
        " os.stat('/tmp/a/b/f').st_uid, os.stat('/tmp/a').st_uid, os.lstat('/tmp/l').st_uid,"
        " os.stat('/tmp/a/b/f').st_mtime_ns == before, attempt(open, '/tmp/a/b/f', 'w') and 'written',"
        " oct(os.stat('/tmp').st_mode), os.stat('/tmp').st_uid)",
        init,
    )
    assert told == (["a", "l"], 100_000, "0o100640", 993, 993, 993, True, "written", "0o41777", 0)


async def test_tmp_and_shared_memory_are_private_and_limited_while_all_else_is_read_only(namespace):
    after = """
def fill(path):
    written = 0
    try:
        with open(path, 'wb', buffering=0) as file:
            while True: written += file.write(bytes(1 << 20))
    except OSError as error: return written >> 20, error.errno
print(repr((fill('/tmp/x'), os.listdir('/dev/shm'), attempt(open, '/dev/shm/x', 'w') and 'written',
            [attempt(open, p + '/x', 'w') for p in ('/', '/etc', '/var/task', '/usr', '/var/lampion')])))"""
    async with sealed(
        namespace,
        code_of("open('/dev/shm/init', 'w')", after),
    ) as snapshot:
        for _ in range(2):
            told = eval(await copy_output(snapshot, tmp_mib=5))
            assert told[:3] == ((5, 28), [], "written")
            assert set(told[3]) <= {"OSError 30", "PermissionError 13", "FileNotFoundError 2"}


async def test_memory_is_limited_and_its_exhaustion_is_told(namespace):
    code = code_of("", "x = b''\nwhile True: x += bytes(1 << 20)")
    async with sealed(namespace, code) as snapshot:
        async with started(snapshot, spec_of("", memory_mib=64)) as box:
            async with asyncio.timeout(30):
                assert await box.wait() == Exit(None, signal.SIGKILL, out_of_memory=True)
            assert 32 << 20 < box.max_memory_bytes() <= 64 << 20
        hierarchies = len(namespace._preparation.beginnings.layout.hierarchies())
        assert await eventually(lambda: len(cgroups_named(CGROUP_PARENT)) == 3 * hierarchies)
        assert snapshot.is_usable


async def test_processes_are_limited_for_each_copy_alone(namespace):
    code = code_of(
        "",
        "count = 0\ntry:\n while True:\n  if os.fork() == 0: time.sleep(600)\n  count += 1\n"
        "except OSError as error: print(count, error.errno, flush=True)\ntime.sleep(600)",
    )
    async with sealed(namespace, code) as snapshot, started(snapshot, spec_of("", max_processes=20)) as one:
        assert (await read(one.output, until=b"\n")).decode() == "19 11\n"
        async with started(snapshot, spec_of("", max_processes=20)) as other:
            assert (await read(other.output, until=b"\n")).decode() == "19 11\n"


async def test_the_cpu_limit_comes_with_the_end_of_restoring(namespace):
    async with sealed(namespace, code_of("", SLEEP)) as snapshot, started(snapshot, spec_of("", cpu_cores=0.25)) as box:
        quota = [Path(path, "cpu.cfs_quota_us") for path in cgroups_named(CGROUP_PARENT)]
        assert "25000" not in {file.read_text().strip() for file in quota if file.exists()}
        box.limit_cpu()
        assert "25000" in {file.read_text().strip() for file in quota if file.exists()}


async def test_output_and_telemetry_are_its_own(namespace):
    code = code_of(
        "copy = os.dup(1); os.set_inheritable(copy, True)",
        "os.write(1, b'out'); os.write(2, b'err'); os.write(3, b'frame'); os.write(copy, b'again')",
    )
    async with sealed(namespace, code) as snapshot, started(snapshot, spec_of("")) as box:
        assert await read(box.output) == b"outerragain"
        assert await read(box.telemetry) == b"frame"


async def test_its_runtime_api_is_its_own(namespace):
    code = code_of("", "s = socket.create_connection(('127.0.0.1', 9001)); print(s.recv(9))")
    async with (
        sealed(namespace, code) as snapshot,
        started(snapshot, spec_of("")) as one,
        started(snapshot, spec_of("")) as other,
    ):
        loop = asyncio.get_running_loop()
        for box, word in ((other, b"other"), (one, b"one")):
            async with asyncio.timeout(20):
                connection, _ = await loop.sock_accept(box.runtime_api)
            connection.send(word)
            connection.close()
        assert (await read(one.output), await read(other.output)) == (b"b'one'\n", b"b'other'\n")


async def test_connections_made_in_init_are_dead_and_not_those_of_the_origin(namespace):
    init = (
        "server = socket.create_server(('127.0.0.1', 8080)); client = socket.create_connection(('127.0.0.1', 8080));"
        " accepted, _ = server.accept(); one, other = socket.socketpair()"
    )
    told = await told_by_copy(
        namespace,
        "(attempt(client.send, b'x'), client.recv(1), attempt(server.accept), one.recv(1), attempt(one.send, b'x'),"
        " attempt(socket.create_connection, ('127.0.0.1', 8080)), os.get_inheritable(client.fileno()))",
        init,
    )
    assert told[:2] == ("BrokenPipeError 32", b"")
    assert told[2].startswith("OSError")
    assert told[3:] == (b"", "BrokenPipeError 32", "ConnectionRefusedError 111", False)


# -- how it ends --


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        ("os._exit(7)", Exit(7)),
        ("sys.exit()", Exit(0)),
        ("os.kill(os.getpid(), 9)", Exit(None, signal.SIGKILL)),
        ("os.kill(os.getpid(), 15)", Exit(None, signal.SIGTERM)),
        ("os.abort()", Exit(None, signal.SIGABRT)),
    ],
)
async def test_its_end_is_told(namespace, last, ending):
    async with sealed(namespace, code_of("", last)) as snapshot, started(snapshot, spec_of("")) as box:
        async with asyncio.timeout(20):
            assert await box.wait() == ending


async def test_children_that_init_ignored_are_still_noticed_by_process_1(namespace):
    """Who ignores SIGCHLD never learns how a child ended; process 1 inherits what Init ignored."""
    code = code_of("import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)", "os._exit(5)")
    async with sealed(namespace, code) as snapshot, started(snapshot, spec_of("")) as box:
        async with asyncio.timeout(20):
            assert await box.wait() == Exit(5)


async def test_it_is_asked_to_stop_and_killed_when_it_does_not(namespace):
    code = code_of(
        "import signal",
        "signal.signal(15, lambda *_: __import__('os').write(1, b'asked\\n'))\nprint('up', flush=True)\n"
        "while True: time.sleep(600)",
    )
    async with sealed(namespace, code) as snapshot, started(snapshot, spec_of("")) as box:
        await read(box.output, until=b"up")
        assert await box.stop(2) == Exit(None, signal.SIGKILL)
        assert b"asked" in await read(box.output)


async def test_everything_it_started_ends_with_it(namespace):
    mark = f"lampion-test-copy-{os.getpid()}"
    code = code_of(
        "", "import subprocess\nsubprocess.Popen(['/bin/sleep', '600'])\nprint('up', flush=True)\nos._exit(0)"
    )
    async with sealed(namespace, code, environ={"MARK": mark}) as snapshot, started(snapshot, spec_of("")) as box:
        async with asyncio.timeout(20):
            assert await box.wait() == Exit(0)
        assert len(processes_with(mark)) == 1, "the one that is held"
    assert await eventually(lambda: processes_with(mark) == [])


async def test_copies_outlive_the_closing_of_their_snapshot_and_the_death_of_its_process(namespace):
    mark = f"lampion-test-held-{os.getpid()}"
    code = code_of("", "print('up', flush=True)\nsys.stdin = None\ntime.sleep(1.5)\nprint('still up')")
    async with sealed(namespace, code, environ={"MARK": mark}) as snapshot, started(snapshot, spec_of("")) as box:
        await read(box.output, until=b"up")
        held = [pid for pid in processes_with(mark) if is_traced(pid)]
        assert len(held) == 1
        os.kill(held[0], signal.SIGKILL)
        assert await eventually(lambda: not snapshot.is_usable)
        with pytest.raises(SandboxError):
            await snapshot.start(spec_of(""))
        await snapshot.close()
        assert await read(box.output) == b"still up\n"
        assert await box.wait() == Exit(0)


def is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


async def test_a_held_process_never_runs(namespace):
    mark = f"lampion-test-still-{os.getpid()}"
    async with sealed(namespace, code_of("", "pass"), environ={"MARK": mark}) as snapshot:
        for _ in range(3):
            await copy_output(snapshot)
        (held,) = processes_with(mark)
        assert "State:\tt (tracing stop)" in Path(f"/proc/{held}/status").read_text()
        os.kill(held, signal.SIGCONT)
        time.sleep(0.05)
        assert "State:\tt (tracing stop)" in Path(f"/proc/{held}/status").read_text()


async def test_starts_at_once_are_served_one_after_the_other(namespace):
    async with sealed(namespace, code_of("", "print(os.getpid() > 1)")) as snapshot:
        told = await asyncio.gather(*(copy_output(snapshot) for _ in range(8)))
    assert told == ["True\n"] * 8


async def test_starts_that_nobody_waits_for_leave_nothing(namespace):
    async with sealed(namespace, code_of("", SLEEP)) as snapshot:
        for delay in (0, 0.001, 0.003, 0.006):
            start = asyncio.create_task(snapshot.start(spec_of("")))
            await asyncio.sleep(delay)
            start.cancel()
            result = (await asyncio.gather(start, return_exceptions=True))[0]
            if not isinstance(result, BaseException):
                await result.stop(0)
                close(result)
        assert await copy_output_of_next(snapshot) == b"up"
    shared = 2 * len(namespace._preparation.beginnings.layout.hierarchies())
    assert await eventually(lambda: len(cgroups_named(CGROUP_PARENT)) == shared)


async def copy_output_of_next(snapshot) -> bytes:
    async with started(snapshot, spec_of("")) as box:
        return (await read(box.output, until=b"up"))[:2]


async def test_a_driver_that_is_closed_ends_copies_and_snapshots(namespace):
    mark = f"lampion-test-closed-{os.getpid()}"
    async with sealed(namespace, code_of("", SLEEP), environ={"MARK": mark}) as snapshot:
        box = await snapshot.start(spec_of(""))
        assert await eventually(lambda: len(processes_with(mark)) == 2)
        await namespace.close()
        assert processes_with(mark) == []
        close(box)


async def test_a_copy_that_cannot_be_made_costs_neither_the_snapshot_nor_anything_else(namespace):
    async with sealed(namespace, code_of("", "print('up')")) as snapshot:
        (limit,) = [Path(path, "pids.max") for path in cgroups_named(CGROUP_PARENT) if is_of_sandbox(path, "pids.max")]
        before = limit.read_text()
        limit.write_text("2")  # process 1 of the origin, and the one that is held
        with pytest.raises(SandboxError, match="a process can't be copied: Resource temporarily unavailable"):
            await snapshot.start(spec_of(""))
        limit.write_text(before)
        with pytest.raises(SandboxError, match="a process can't be copied: Resource temporarily unavailable"):
            await snapshot.start(spec_of("", max_processes=0))  # process 1 of the copy is one already
        assert snapshot.is_usable
        assert await copy_output(snapshot) == "up\n"


def is_of_sandbox(path: str, file: str) -> bool:
    """Whether processes are limited there."""
    return Path(path, file).exists() and Path(path, "cgroup.procs").read_text() != ""


async def test_a_killed_supervisor_takes_snapshot_and_copies_along(namespace):
    mark = f"lampion-test-supervisor-{os.getpid()}"
    async with (
        sealed(namespace, code_of("", SLEEP), environ={"MARK": mark}) as snapshot,
        started(snapshot, spec_of("")) as box,
    ):
        await read(box.output, until=b"up")
        (held,) = [pid for pid in processes_with(mark) if is_traced(pid)]
        tracer = fields_of(Path(f"/proc/{held}/status").read_text())["TracerPid"]
        os.kill(int(tracer), signal.SIGKILL)
        async with asyncio.timeout(10):
            assert (await box.wait()).signal == signal.SIGKILL
        assert await eventually(lambda: processes_with(mark) == [])
        assert not snapshot.is_usable
        with pytest.raises(SandboxError):
            await snapshot.start(spec_of(""))


HOLDER = """
import asyncio, sys
from lampion.sandbox.drivers.namespace import NamespaceDriver
from tests.sandbox.boxes import CLOCK, read, spec_of
from tests.sandbox.origins import code_of, sealed
async def main():
    driver = NamespaceDriver(CLOCK, sys.argv[1])
    code = code_of("", "print('up', flush=True)\\ntime.sleep(600)")
    async with sealed(driver, code, environ={"MARK": sys.argv[1]}) as snapshot:
        for _ in range(2):
            await read((await snapshot.start(spec_of(""))).output, until=b"up")
        print("holding", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_nothing_outlives_a_server_that_is_killed():
    mark = f"lampion-test-killed-{os.getpid()}"
    root = Path(__file__).parent.parent.parent
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLDER,
        mark,
        env={"PYTHONPATH": f"{root / 'src'}:{root}", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    async with asyncio.timeout(30):
        assert await server.stdout.readline() == b"holding\n"
    assert len([pid for pid in processes_with(mark) if pid != server.pid]) == 3
    server.kill()
    await server.wait()
    assert await eventually(lambda: processes_with(mark) == [] and cgroups_named(mark) == [], seconds=8)


# -- who offers it --


async def test_only_drivers_that_can_offer_snapshots(namespace, tmp_path):
    from lampion.sandbox.drivers.process import ProcessDriver

    assert snapshotting(namespace) is namespace
    assert snapshotting(ProcessDriver(CLOCK)) is None
    assert snapshotting(Guarded(ProcessDriver(CLOCK), CLOCK)) is None
