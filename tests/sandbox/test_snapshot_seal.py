"""Init code that would reach from one copy to another, or into what is ours, gets no snapshot; nothing of it stays."""

import asyncio
import os
import socket
import time

import pytest

from lampion.sandbox.driver import SandboxError
from lampion.sandbox.snapshots import SnapshotRefused
from tests.sandbox.boxes import eventually, output_of, processes_with, spec_of, started
from tests.sandbox.origins import at_once, code_of, copy_output, sealed, why_refused

SYSTEM_CALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments): return libc.syscall(*(ctypes.c_long(a) for a in arguments))
"""
CLONE, FORK, VFORK, SIGCHLD = 56, 57, 58, 17

REFUSED = {
    "another process": ("import subprocess; subprocess.Popen(['/bin/sleep', '600'])", "other processes"),
    "a process of its own session": (
        "if os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n  time.sleep(600)\n os._exit(0)\nos.wait()",
        "other processes",
    ),
    "a dead process that nobody has waited for": ("if os.fork() == 0: os._exit(0)\ntime.sleep(0.1)", "other processes"),
    "a twin in the same memory": (
        # clone(CLONE_VM | SIGCHLD) of a thread's kind: its code sleeps in a system call of its own
        f"{SYSTEM_CALL}\nimport mmap\nstack = mmap.mmap(-1, 1 << 16)\n"
        "address = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + (1 << 15)\n"
        "run = mmap.mmap(-1, 4096, prot=7)\n"
        "run.write(bytes.fromhex('b822000000' '0f05' 'ebf7'))\n"  # pause(), again and again
        "entry = ctypes.addressof(ctypes.c_char.from_buffer(run))\n"
        "libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]\n"
        "assert libc.clone(entry, address, 0x100 | 17, None) > 0",
        "other processes",
    ),
    "a thread": ("import threading; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()", "threads"),
    "shared memory": ("import mmap; shared = mmap.mmap(-1, 4096); shared[0] = 1", "shared memory"),
    "a shared file": (
        "import mmap; f = open('/tmp/f', 'w+b'); f.truncate(4096); m = mmap.mmap(f.fileno(), 4096); f.close()",
        "descriptor",  # Python's mmap keeps the file open
    ),
    "memory as a file": ("fd = os.memfd_create('m')", "memfd"),
    "an epoll": ("import select; poll = select.epoll()", "eventpoll"),
    "an event counter": ("fd = libc.eventfd(0, 0)", "eventfd"),
    "a timer's descriptor": ("fd = libc.timerfd_create(1, 0)", "timerfd"),
    "a descriptor for signals": ("mask = (ctypes.c_ulong * 16)(); fd = libc.signalfd(-1, mask, 0)", "signalfd"),
    "a handle of a process": ("fd = os.pidfd_open(os.getpid())", "pidfd"),
    "a pipe": ("ends = os.pipe()", "pipe"),
    "a file to write to": ("file = open('/tmp/file', 'w')", "/tmp/file"),
    "a file in /tmp to read": ("open('/tmp/file', 'w').close(); file = open('/tmp/file')", "/tmp/file"),
    "a directory in /tmp": ("fd = os.open('/tmp', os.O_RDONLY)", "/tmp"),
    "a path in /tmp": ("fd = os.open('/tmp', os.O_PATH)", "/tmp"),
    "/proc": ("fd = os.open('/proc', os.O_RDONLY)", "/proc"),
    "its memory": ("fd = os.open('/proc/self/mem', os.O_RDWR)", "/mem"),
    "its memory to read": ("fd = os.open('/proc/self/maps', os.O_RDONLY)", "/maps"),
    "a namespace": ("fd = os.open('/proc/self/ns/user', os.O_RDONLY)", "user:"),
    "being in /tmp": ("os.chdir('/tmp')", "directory"),
    "being in /proc": ("os.chdir('/proc/self')", "directory"),
    "too many descriptors": ("fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(300)]", "descriptors"),
    "an interval timer": ("import signal; signal.setitimer(signal.ITIMER_REAL, 500)", "timer"),
    "a virtual timer": ("import signal; signal.setitimer(signal.ITIMER_VIRTUAL, 500)", "timer"),
    "a POSIX timer": (
        "timer = ctypes.c_void_p(); assert libc.timer_create(1, None, ctypes.byref(timer)) == 0",
        "timer",
    ),
    "a pending signal": (
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [10]); os.kill(os.getpid(), 10)",
        "signal pending",
    ),
    "a pending signal of the thread": (
        "import signal, threading; signal.pthread_sigmask(signal.SIG_BLOCK, [12]);"
        " signal.pthread_kill(threading.get_ident(), 12)",
        "signal pending",
    ),
    "fewer descriptors": ("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1024))", "resource limits"),
    "no file size": ("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))", "resource limits"),
    "little memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))",
        "resource limits",
    ),
    "little processor time": (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (600, 600))",
        "resource limits",
    ),
    "no random addresses": ("assert libc.personality(0x20000) >= 0", "personality"),
}


async def test_what_a_copy_would_share_or_lose_gets_no_snapshot(namespace):
    cases = {name: code_of(f"{SYSTEM_CALL}\n{init}") for name, (init, _) in REFUSED.items()}
    reasons = await at_once(lambda code: why_refused(namespace, code), cases)
    assert {name: reason for name, reason in reasons.items() if REFUSED[name][1] not in reason} == {}


NO_FORK = {
    "clone with the flags of a thread": (f"call({CLONE}, 0x3d0f00, 0, 0, 0, 0)", "another process"),
    "clone with shared memory": (f"call({CLONE}, 0x100 | {SIGCHLD}, 0, 0, 0, 0)", "another process"),
    "clone with shared descriptors": (f"call({CLONE}, 0x01200400 | {SIGCHLD}, 0, 0, 0, 0)", "another process"),
    "clone for another signal": (f"call({CLONE}, 0x01200000 | 10, 0, 0, 0, 0)", "another process"),
    "clone with namespaces": (f"call({CLONE}, 0x11200000 | {SIGCHLD}, 0, 0, 0, 0)", "another process"),
    "clone as a sibling": (f"call({CLONE}, 0x01208000 | {SIGCHLD}, 0, 0, 0, 0)", "another process"),
    "fork, the old call": (f"call({FORK})", "made another one"),
    "vfork": (f"call({VFORK})", "made another one"),
    "another program": ("os.execv('/bin/sleep', ['sleep', '600'])", "another program"),
    "a fault for want of a clock": ("libc.prctl(26, 2, 0, 0, 0) or time.sleep(600)", "ended"),
    "an end": ("os._exit(3)", "ended"),
    "an end by a signal": ("os.kill(os.getpid(), 9)", "ended"),
    "an end by a fault": ("ctypes.string_at(8)", "ended"),
    "a stop": ("os.kill(os.getpid(), 19)", "stopped"),
    "a stop that it has no terminal for": ("os.kill(os.getpid(), 20)", "ended"),  # it goes on, and leaves
}


async def test_who_does_anything_but_fork_gets_no_snapshot(namespace):
    cases = {name: code_of(SYSTEM_CALL, fork=f"wait() or {instead}") for name, (instead, _) in NO_FORK.items()}
    reasons = await at_once(lambda code: why_refused(namespace, code), cases)
    assert {name: reason for name, reason in reasons.items() if NO_FORK[name][1] not in reason} == {}


async def test_who_never_forks_is_not_waited_for(namespace):
    endless = ("time.sleep(600)", "any(iter(int, 1))", "any(os.getuid() < 0 for _ in iter(int, 1))")
    begun = time.monotonic()
    reasons = await asyncio.gather(*(why_refused(namespace, code_of("", fork=f"wait() or {it}")) for it in endless))
    assert all("in time" in reason for reason in reasons), reasons
    assert time.monotonic() - begun < 20


async def test_who_forks_under_way_gets_no_snapshot_of_the_wrong_moment(namespace):
    """The first fork is where it is held, whatever comes afterwards: its copies continue there."""
    code = code_of("", fork="wait() or (os.fork() == 0 and print('copied', flush=True) or os._exit(0))")
    async with sealed(namespace, code) as snapshot:
        assert await copy_output(snapshot) == "copied\n"


async def test_code_of_another_architecture_gets_no_snapshot(namespace):
    """int 0x80 has other numbers: ours would mean other calls."""
    code = f"""{SYSTEM_CALL}
import mmap
run = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
run.write(bytes.fromhex('b802000000' 'cd80' 'c3'))
entry = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(run)))"""
    reason = await why_refused(namespace, code_of(code, fork="wait() or entry()"))
    assert "architecture" in reason


async def test_nothing_of_a_refused_snapshot_stays(namespace):
    mark = f"lampion-test-refused-{os.getpid()}"
    code = code_of("import subprocess; subprocess.Popen(['/bin/sleep', '600'])")
    with pytest.raises(SnapshotRefused):
        async with sealed(namespace, code, environ={"MARK": mark}):
            pass
    assert await eventually(lambda: processes_with(mark) == [])


async def test_an_ordinary_sandbox_cannot_be_sealed(namespace):
    """Only one that was started for it has the user and the program that copies need."""
    async with started(namespace, spec_of("import time; time.sleep(600)")) as box:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs, pytest.raises((SnapshotRefused, SandboxError)):
            await box._connection.watching(theirs)  # type: ignore[attr-defined]
    assert await output_of(namespace, "print(1)") == "1\n"
