"""What a copy of a snapshot can't reach, whatever Init code prepared: its siblings, its origin, what is ours."""

import asyncio
import os

import pytest

from lampion.sandbox.driver import Exit
from tests.sandbox.boxes import close, read, spec_of, started
from tests.sandbox.origins import at_once, code_of, sealed, told_by_copy

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may copy a process past its filter")

ISOLATION = {
    "the sibling's file in /tmp": "os.path.exists('/tmp/mark')",
    "the sibling's file in shared memory": "os.path.exists('/dev/shm/mark')",
    "the sibling's port": "attempt(socket.create_connection, ('127.0.0.1', 7777)) != 'ConnectionRefusedError 111'",
    "the sibling's abstract socket": (
        "attempt(socket.socket(socket.AF_UNIX).connect, '\\0mark') != 'ConnectionRefusedError 111'"
    ),
    "the sibling's or the origin's processes": (
        "sorted(int(p) for p in os.listdir('/proc') if p.isdigit()) != [1, os.getpid()]"
    ),
    "the origin": "attempt(os.kill, 30000, 0) != 'ProcessLookupError 3'",
    "what is below the mounts": "any(os.path.exists('/tmp/../tmp/' + n) for n in ('mark', 'origin'))",
}


async def test_siblings_are_out_of_sight_and_reach(namespace):
    make = (
        "open('/tmp/mark', 'w'); open('/dev/shm/mark', 'w')\n"
        "a = socket.create_server(('127.0.0.1', 7777)); b = socket.socket(socket.AF_UNIX)\n"
        "b.bind('\\0mark'); b.listen()"
    )
    after = f"""
role = socket.create_connection(('127.0.0.1', 9001)).recv(1)
if role == b'm':
    {make.replace(chr(10), chr(10) + "    ")}
    print('up', flush=True); time.sleep(600)
print([{", ".join(ISOLATION.values())}])"""
    async with (
        sealed(namespace, code_of("", after)) as snapshot,
        started(snapshot, spec_of("")) as maker,
        started(snapshot, spec_of("")) as seeker,
    ):
        loop = asyncio.get_running_loop()
        for box, role, word in ((maker, b"m", b"up"), (seeker, b"s", b"]")):
            connection, _ = await loop.sock_accept(box.runtime_api)
            connection.send(role)
            output = await read(box.output, until=word)
            connection.close()
    assert dict(zip(ISOLATION, eval(output), strict=True)) == dict.fromkeys(ISOLATION, False)


NUMBERS = {
    "ptrace": 101,
    "process_vm_readv": 310,
    "unshare": 272,
    "mount": 165,
    "umount2": 166,
    "setns": 308,
    "pivot_root": 155,
    "chroot": 161,
    "seccomp": 317,
    "landlock_create_ruleset": 444,
    "keyctl": 250,
    "pidfd_getfd": 438,
    "kcmp": 312,
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "io_uring_setup": 425,
}


async def test_what_makes_or_enters_namespaces_traces_or_mounts_is_refused_in_a_copy(namespace):
    """The filter, suspended while we made the copy, holds again."""
    init = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)"
    calls = ", ".join(f"(libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno())" for number in NUMBERS.values())
    told = await told_by_copy(namespace, f"[{calls}]", init)
    assert {result for result, _ in told} == {-1}
    assert {error for _, error in told} <= {1, 38}


HOSTILE = {
    "keeping capabilities when its ids change": "libc.prctl(8, 1, 0, 0, 0)",
    "being closed to others": "libc.prctl(4, 0, 0, 0, 0)",
    "dying with its parent": "libc.prctl(1, 9, 0, 0, 0)",
    "adopting orphans": "libc.prctl(36, 1, 0, 0, 0)",
    "no umask": "os.umask(0o777)",
    "being nice": "os.nice(19)",
    "one processor": "os.sched_setaffinity(0, {0})",
    "running when all else is idle": "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
    "ignoring every signal": (
        "import signal; [signal.signal(n, signal.SIG_IGN) for n in {*range(1, 65)} - {9, 19, 32, 33}]"
    ),
    "blocking every signal": "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    "handling every signal": (
        "import signal; [signal.signal(n, lambda *_: None) for n in {*range(1, 65)} - {9, 19, 32, 33}]"
    ),
    "other names for its pipes": "[os.dup2(1, n) for n in range(50, 120)]; [os.dup2(3, n) for n in range(120, 200)]",
    "no standard streams": "[os.close(n) for n in (0, 3)]",
    "many open files": "files = [open('/proc/version') if 0 else open('/etc/passwd') for _ in range(200)]",
    "much memory": "big = bytearray(os.urandom(1 << 20)) * 60",
    "many mappings": "import mmap; maps = [mmap.mmap(-1, 4096, flags=34) for _ in range(3000)]",
    "memory that isn't copied": "import mmap; m = mmap.mmap(-1, 1 << 20, flags=34); m.madvise(mmap.MADV_DONTFORK)",
    "being the worst victim of the OOM killer": "open('/proc/self/oom_score_adj', 'w').write('1000')",
    "another session": "attempt(os.setsid)",
}


async def test_what_a_copy_inherits_harms_nobody(namespace):
    """Each is a plain copy, whose process 1 works: it tells how the copy ended."""
    after = (
        "status = open('/proc/self/status').read()\n"
        "assert all(f'Cap{kind}:\\t' + '0' * 16 in status for kind in ('Prm', 'Eff', 'Inh', 'Amb'))\n"
        "assert os.getresuid() == (993,) * 3 and attempt(os.kill, 1, 9) == 'PermissionError 1'\n"
        "os._exit(42)"
    )

    async def ending_of(init: str) -> Exit:
        code = code_of(f"import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n{init}", after)
        async with sealed(namespace, code) as snapshot, started(snapshot, spec_of("")) as box:
            return await box.wait()

    assert await at_once(ending_of, HOSTILE) == dict.fromkeys(HOSTILE, Exit(42))


async def test_ids_and_capabilities_cannot_be_regained(namespace):
    told = await told_by_copy(
        namespace,
        "[attempt(os.setresuid, u, u, u) for u in (0, 1, 65534)] + [attempt(os.setgroups, [0])]"
        " + [attempt(os.setresgid, 0, 0, 0), open('/proc/self/uid_map').read().split()[::3]]",
    )
    assert set(told[:5]) <= {"PermissionError 1", "OSError 22"}
    assert sorted(told[5]) == ["0", "993"]


async def test_a_second_wall_stands_around_the_directories_of_each_copy(namespace):
    """Landlock refuses a device file as no access, before the kernel misses a capability; and it knows the new /tmp."""
    told = "(attempt(os.mknod, '/tmp/zero', 0o20600, 0x105), attempt(os.mkdir, '/tmp/x'))"
    device, directory = await told_by_copy(namespace, told)
    assert device == ("PermissionError 13" if landlock_version() > 0 else "PermissionError 1")
    assert directory == "done"


def landlock_version() -> int:
    import ctypes

    return int(ctypes.CDLL(None).syscall(444, None, 0, 1))


async def test_the_process_limit_of_one_copy_is_not_used_up_by_others(namespace):
    code = code_of(
        "", "for _ in range(300):\n if os.fork() == 0: time.sleep(600)\nprint('up', flush=True)\ntime.sleep(600)"
    )
    async with sealed(namespace, code) as snapshot:
        boxes = [await snapshot.start(spec_of("", memory_mib=512)) for _ in range(3)]
        try:
            for box in boxes:
                assert b"up" in await read(box.output, until=b"\n")
        finally:
            for box in boxes:
                await box.stop(0)
                close(box)
