"""What a function in the `namespace` driver's sandbox can't see, change or reach."""

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.machine import kernel_version
from lampion.sandbox.spec import Mount
from lampion.sandbox.user_ids import HOST_IDS
from tests.sandbox.boxes import CLOCK, output_of, owners_of, read, run, spec_of, started

TRY = """
import os, sys
def attempt(action, *arguments):
    try: return action(*arguments) or 'done'
    except Exception as error: return type(error).__name__ + ' ' + str(getattr(error, 'errno', ''))
"""


async def attempts(namespace, expression: str, **more):
    """The value of an expression that may call `attempt`, which tells the error instead of raising it."""
    return eval(await output_of(namespace, f"{TRY}\nprint(repr({expression}))", **more))


@pytest.mark.parametrize("path", ["/", "/etc", "/usr", "/usr/lib", "/var/task", "/var/lang", "/opt", "/dev", "/home"])
async def test_nothing_but_tmp_can_be_written(namespace, task, path):
    answer = await attempts(namespace, f"attempt(open, '{path}/new', 'w')", task=task)
    assert answer in ("OSError 30", "PermissionError 13", "FileNotFoundError 2")
    assert not list(task.iterdir())


async def test_existing_files_cannot_be_changed_even_where_their_modes_allow_it(namespace, task):
    code = task / "code.py"
    code.write_text("original")
    code.chmod(0o666)
    task.chmod(0o777)
    told = await attempts(
        namespace,
        "(attempt(open, '/var/task/code.py', 'w'), attempt(os.unlink, '/var/task/code.py'),"
        " attempt(os.chmod, '/var/task/code.py', 0o777))",
        task=task,
    )
    assert told == ("OSError 30",) * 3
    assert code.read_text() == "original"


async def test_tmp_is_private_open_to_all_and_ends_at_its_size(namespace):
    code = f"""{TRY}
mode = oct(os.stat('/tmp').st_mode)
written = 0
try:
    with open('/tmp/big', 'wb', buffering=0) as file:
        while True: written += file.write(bytes(1 << 20))
except OSError as error: number = error.errno
print(repr((mode, written, number, os.listdir('/tmp'))))"""
    mode, written, number, names = eval(await output_of(namespace, code, tmp_mib=20))
    assert (mode, number, names) == (oct(stat.S_IFDIR | 0o1777), 28, ["big"])
    assert written == 20 << 20


async def test_the_next_sandbox_finds_nothing_of_the_last_ones_tmp(namespace):
    write = "open('/tmp/secret', 'w').write('x'); open('/dev/shm/secret', 'w').write('x')"
    await output_of(namespace, write)
    assert await attempts(namespace, "os.listdir('/tmp') + os.listdir('/dev/shm')") == []


async def test_files_of_the_host_do_not_exist(namespace, task):
    paths = ["/root", "/work", "/mnt", "/srv", "/boot", "/var/lib", "/var/log", "/etc/shadow", "/etc/resolv.conf"]
    paths += [str(Path(__file__).parent), str(task), "/proc/1/root/etc", "/proc/1/cwd/etc", "/dev/vda", "/dev/mem"]
    found = await attempts(namespace, f"[p for p in {paths!r} if os.access(p, os.F_OK)]", task=task)
    assert found == []
    assert await attempts(namespace, "os.listdir('/home') if os.path.exists('/home') else []") == []


async def test_processes_of_the_host_do_not_exist(namespace):
    pids = await attempts(namespace, "sorted(int(p) for p in os.listdir('/proc') if p.isdigit())")
    assert pids == [1, 2]
    assert await attempts(namespace, f"attempt(os.kill, {os.getpid()}, 0)") == "ProcessLookupError 3"


async def test_process_1_gives_nothing_away_and_cannot_be_stopped(namespace):
    told = await attempts(
        namespace,
        "(attempt(os.listdir, '/proc/1/fd'), attempt(open, '/proc/1/mem'), attempt(open, '/proc/1/environ'),"
        " attempt(os.readlink, '/proc/1/exe'), attempt(os.kill, 1, 9), open('/proc/1/cmdline').read().strip(chr(0)))",
    )
    assert told[:4] == ("PermissionError 13",) * 4
    assert told[4:] == ("PermissionError 1", "/init")


async def test_the_user_is_unprivileged_has_aws_name_and_shares_its_id_with_no_other_sandbox(namespace):
    code = """if True:
        import os, pwd, grp, time
        print(os.getresuid(), os.getresgid(), os.getgroups(), pwd.getpwuid(os.getuid()).pw_name, flush=True)
        print(open('/proc/self/uid_map').read().split(), flush=True)
        time.sleep(60)"""
    async with started(namespace, spec_of(code)) as one, started(namespace, spec_of(code)) as other:
        told = [(await read(box.output, until=b"]\n")).decode().splitlines() for box in (one, other)]
        owners = [sorted(owners_of(box)) for box in (one, other)]
    assert [lines[0] for lines in told] == ["(993, 993, 993) (990, 990, 990) [] sbx_user1051"] * 2
    ids = [id_ for pair in owners for id_ in pair]
    assert len(set(ids)) == 4, "process 1 and the function of each sandbox are users of their own"
    if os.geteuid() == 0:
        assert min(ids) >= HOST_IDS.first_id


async def test_there_are_no_capabilities_and_none_can_be_gained(namespace):
    status = await output_of(namespace, "print(open('/proc/self/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    told = await attempts(
        namespace, "(attempt(os.setuid, 0), attempt(os.chroot, '/tmp'), attempt(os.mknod, '/tmp/n', 0o60666, 0x801))"
    )
    assert told == ("PermissionError 1", "PermissionError 1", told[2])
    assert told[2] in ("PermissionError 1", "PermissionError 13"), "of the kernel, or of Landlock before it"


async def test_there_is_no_network_but_loopback(namespace):
    with socket.create_server(("127.0.0.1", 0)) as host_server, socket.socket(socket.AF_UNIX) as hidden:
        hidden.bind(f"\0lampion-test-{os.getpid()}")
        hidden.listen()
        port = host_server.getsockname()[1]
        code = f"""{TRY}
import socket
def connect(family, address):
    s = socket.socket(family); s.settimeout(5); s.connect(address)
print(repr((
    [line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]],
    attempt(connect, socket.AF_INET, ('127.0.0.1', {port})),
    attempt(connect, socket.AF_INET, ('169.254.169.254', 80)),
    attempt(connect, socket.AF_INET, ('192.0.2.1', 80)),
    attempt(connect, socket.AF_UNIX, '\\0lampion-test-{os.getpid()}'),
    socket.gethostbyname('localhost'))))"""
        told = eval(await output_of(namespace, code))
    refused, unreachable = "ConnectionRefusedError 111", "OSError 101"
    assert told == (["lo"], refused, unreachable, unreachable, refused, "127.0.0.1")


async def test_traces_go_to_an_address_of_the_sandbox_itself_and_its_neighbours_stay_out_of_reach(namespace):
    code = f"""{TRY}
import socket
def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"segment", (address, 2000))
def hear():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("169.254.100.1", 2000)); receiver.settimeout(5)
        return send("169.254.100.1"), receiver.recv(100)
print(repr((attempt(send, "169.254.100.1"), attempt(hear), attempt(send, "169.254.100.2"))))"""
    assert eval(await output_of(namespace, code)) == (7, (7, b"segment"), "OSError 101")


async def test_the_kernel_cannot_be_steered_through_proc(namespace):
    told = await attempts(
        namespace,
        "[attempt(open, p, 'w') for p in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches')]"
        " + [len(open(p, 'rb').read(100)) for p in ('/proc/kallsyms', '/proc/timer_list')]"
        " + [attempt(lambda: len(open('/proc/kcore', 'rb').read(10)) or 'empty')]"
        " + [attempt(os.mkdir, '/sys/fs'), os.listdir('/sys')]",
    )
    assert set(told[:2]) <= {"OSError 30", "PermissionError 13"}
    assert told[2:4] == [0, 0]
    assert told[4] in ("empty", "FileNotFoundError 2")
    assert told[5:] == ["OSError 30", []]


async def test_names_and_system_v_ipc_of_the_host_are_out_of_sight(namespace):
    told = await attempts(
        namespace, "(os.uname().nodename, len(open('/proc/sysvipc/shm').readlines()), open('/proc/self/cgroup').read())"
    )
    name, ipc_lines, cgroups = told
    assert (name, ipc_lines) == ("localhost", 1)
    assert "lampion" not in cgroups


async def test_setuid_programs_have_no_effect(namespace):
    code = "import subprocess; print(subprocess.run(['/usr/bin/su', '-c', 'id'], capture_output=True).returncode)"
    if not Path("/usr/bin/su").exists():
        pytest.fail("this test needs a setuid program")
    assert await output_of(namespace, code) != "0\n"


async def test_directories_look_as_on_aws(namespace, task):
    task.chmod(0o755)
    seen = await attempts(
        namespace,
        "[(p, oct(os.stat(p).st_mode & 0o7777), os.stat(p).st_uid) for p in ('/var/task', '/opt', '/tmp')]",
        task=task,
    )
    (_, mode, owner), *others = seen
    # Who has no number in the sandbox's user namespace is nobody: before Linux 6.3 also root, in a memory file system.
    owners = {65534} if os.geteuid() != 0 else {0} if kernel_version() >= (6, 3) else {0, 65534}
    assert (mode, others) == ("0o755", [("/opt", "0o755", 0), ("/tmp", "0o1777", 0)])
    assert owner in owners


async def test_missing_mounts_are_empty_directories(namespace):
    seen = await attempts(namespace, "[os.listdir(p) for p in ('/var/task', '/var/runtime', '/opt')] + [os.getcwd()]")
    assert seen == [[], [], [], "/var/task"]


async def test_a_mount_may_be_deep_and_lie_beside_others(namespace, task):
    (task / "one").mkdir()
    (task / "two").mkdir()
    (task / "one" / "a").touch()
    (task / "two" / "b").touch()
    spec = spec_of("import os; print(os.listdir('/opt/x/y'), os.listdir('/opt/x/z'))")
    mounts = (*spec.mounts, Mount(task / "one", "/opt/x/y"), Mount(task / "two", "/opt/x/z"))
    spec = type(spec)(
        sandbox_id=spec.sandbox_id,
        argv=spec.argv,
        environ={},
        working_directory="/",
        mounts=mounts,
        limits=spec.limits,
    )
    _, output = await run(namespace, spec)
    assert output == "['a'] ['b']\n"


@pytest.mark.parametrize("target", ["relative", "/opt/../etc", "/opt//x", "/usr/no/such/place", ""])
async def test_mounts_at_impossible_places_are_refused(namespace, task, target):
    spec = spec_of("")
    spec = type(spec)(
        sandbox_id=spec.sandbox_id,
        argv=spec.argv,
        environ={},
        working_directory="/",
        mounts=(Mount(task, target),),
        limits=spec.limits,
    )
    with pytest.raises(SandboxError):
        await namespace.start(spec)


async def test_resource_limits_are_those_of_aws(namespace):
    code = """if True:
        import resource as r
        names = ('CORE', 'MEMLOCK', 'NOFILE', 'NPROC', 'STACK', 'AS')
        print([r.getrlimit(getattr(r, 'RLIMIT_' + name)) for name in names])"""
    assert eval(await output_of(namespace, code)) == [
        (10737418240, 10737418240),
        (65536, 65536),
        (1024, 1024),
        (742, 742),
        (8388608, -1),
        (-1, -1),
    ]


async def test_the_function_leads_its_own_session_with_signals_as_usual(namespace):
    code = """if True:
        import os, signal
        print(os.getsid(0) == os.getpid(), os.umask(0), signal.pthread_sigmask(signal.SIG_BLOCK, []),
              [s for s in (1, 2, 3, 15, 17) if signal.getsignal(s) is signal.SIG_IGN])"""
    assert await output_of(namespace, code) == "True 18 set() []\n"


@pytest.mark.parametrize("asyncio_loop", [True, False])
def test_it_works_on_either_event_loop(asyncio_loop):
    import uvloop

    from lampion.sandbox.drivers.namespace import NamespaceDriver

    async def scenario() -> None:
        driver = NamespaceDriver(CLOCK, f"lampion-test-{os.getpid()}")
        try:
            assert await output_of(driver, "print(1)") == "1\n"
        finally:
            await driver.close()

    if asyncio_loop:
        asyncio.run(scenario())
    else:
        uvloop.run(scenario())
